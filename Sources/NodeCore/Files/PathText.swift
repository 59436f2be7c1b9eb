/// File names are bytes; this is how they are shown to people and compared.
public enum PathText {
    /// The bytes as text if they are UTF-8 without control characters; others as `\xNN` escapes,
    /// so that a terminal cannot be driven by a file name and every name can be told from every other.
    public static func printable(_ bytes: some Sequence<UInt8>) -> String {
        let bytes = Array(bytes)
        if let text = String(validating: bytes, as: UTF8.self),
            !text.unicodeScalars.contains(where: {
                $0.value < 0x20 || (0x7F...0x9F).contains($0.value) || isBidi($0)
            })
        {
            return text
        }
        var result = ""
        var rest = bytes[...]
        while !rest.isEmpty {
            if let (character, count) = firstScalar(rest), character.value >= 0x20,
                !(0x7F...0x9F).contains(character.value), !isBidi(character)
            {
                result.unicodeScalars.append(character)
                rest = rest.dropFirst(count)
            } else {
                let hex = String(rest[rest.startIndex], radix: 16)
                result += "\\x" + (hex.count == 1 ? "0" : "") + hex
                rest = rest.dropFirst()
            }
        }
        return result
    }

    /// The names in a path, cut by bytes: as a `Character`, a slash is one with the combining mark that a name may
    /// begin with.
    public static func segments(of path: String) -> [[UInt8]] {
        path.utf8.split(separator: slash).map(Array.init)
    }

    /// `directory` and `name` joined by one slash.
    public static func join(_ directory: [UInt8], _ name: some Collection<UInt8>) -> [UInt8] {
        if directory.isEmpty { return Array(name) }
        var result = directory
        result.reserveCapacity(directory.count + 1 + name.count)
        if result.last != slash { result.append(slash) }
        result.append(contentsOf: name)
        return result
    }

    /// The last part of a path; for `.`, `..`, `/` and the like the last part of the real path.
    public static func lastComponent(_ path: [UInt8]) -> [UInt8] {
        var trimmed = path[...]
        while trimmed.count > 1, trimmed.last == slash { trimmed = trimmed.dropLast() }
        if let index = trimmed.lastIndex(of: slash) { trimmed = trimmed[(index + 1)...] }
        return Array(trimmed)
    }

    /// Whether a name can be one entry of a directory on disk.
    public static func isSafeName(_ name: [UInt8]) -> Bool {
        !name.isEmpty && name != [dot] && name != [dot, dot] && !name.contains(slash) && !name.contains(0)
    }

    public static let slash = UInt8(ascii: "/")
    static let dot = UInt8(ascii: ".")

    /// Marks that turn the reading direction around, by which a name can pretend to be another.
    private static func isBidi(_ scalar: Unicode.Scalar) -> Bool {
        (0x202A...0x202E).contains(scalar.value) || (0x2066...0x2069).contains(scalar.value)
    }

    private static func firstScalar(_ bytes: ArraySlice<UInt8>) -> (Unicode.Scalar, Int)? {
        guard let first = bytes.first else { return nil }
        let count = first < 0x80 ? 1 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4
        guard let text = String(validating: bytes.prefix(count), as: UTF8.self),
            let scalar = text.unicodeScalars.first, text.unicodeScalars.count == 1
        else { return nil }
        return (scalar, count)
    }
}
