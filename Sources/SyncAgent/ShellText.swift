/// Texts in commands that people are shown to paste into a shell.
public enum ShellText {
    /// A text as one word of a command of any POSIX shell.
    public static func quoted(_ text: String) -> String {
        let isPlain = text.utf8.allSatisfy { byte in
            switch byte {
            case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: true
            case UInt8(ascii: "/"), UInt8(ascii: "."), UInt8(ascii: "-"), UInt8(ascii: "_"),
                UInt8(ascii: ":"), UInt8(ascii: "@"):
                true
            default: byte >= 0x80
            }
        }
        guard !isPlain || text.isEmpty else { return text }
        // By scalars: an apostrophe with an accent on it is a character of its own.
        var quoted = String.UnicodeScalarView("'".unicodeScalars)
        for scalar in text.unicodeScalars {
            if scalar == "'" {
                quoted.append(contentsOf: "'\\''".unicodeScalars)
            } else {
                quoted.append(scalar)
            }
        }
        return String(quoted) + "'"
    }
}
