/// Path and query in the one spelling that is signed.
///
/// Clients encode different characters; what is the same to the server has the same canonical form, what is not has
/// not. Percent triplets of letters, digits and `-._~` are decoded, everything else but those, `/` and `+` is encoded
/// with capital digits. An encoded slash stays encoded, and so does an encoded plus.
enum CanonicalTarget {
    /// - Returns: `nil` for a path that could mean another: no leading slash, `.` and `..`, broken triplets.
    static func path(_ text: String) -> String? {
        guard text.hasPrefix("/"), text.utf8.count <= 8 * 1024, let encoded = encoded(text, keeping: "/+")
        else {
            return nil
        }
        let segments = encoded.split(separator: "/", omittingEmptySubsequences: false)
        guard !segments.contains(where: { $0 == "." || $0 == ".." }) else { return nil }
        return encoded
    }

    /// The parameters, each as `name=value` or `name`, sorted.
    ///
    /// - Returns: `nil` for a broken triplet.
    static func query(_ parameters: [Substring]) -> String? {
        var canonical: [String] = []
        for parameter in parameters {
            let parts = parameter.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let encodedParts = parts.compactMap { encoded(String($0), keeping: "+") }
            guard encodedParts.count == parts.count else { return nil }
            canonical.append(encodedParts.joined(separator: "="))
        }
        return canonical.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }.joined(separator: "&")
    }

    /// Decodes triplets.
    ///
    /// - Returns: `nil` for a broken triplet, or what is no UTF-8.
    static func decoded(_ text: Substring) -> String? {
        var bytes: [UInt8] = []
        var rest = text.utf8[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            guard let value = triplet(&rest) else { return nil }
            bytes.append(value)
        }
        return String(validating: bytes, as: UTF8.self)
    }

    /// Encodes everything but letters, digits and `-._~`.
    static func encoded(value: String) -> String {
        value.utf8.map { isUnreserved($0) ? String(UnicodeScalar($0)) : percent($0) }.joined()
    }

    private static func encoded(_ text: String, keeping kept: String) -> String? {
        var result = ""
        var rest = text.utf8[...]
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "%") {
                guard let value = triplet(&rest), value != 0 else { return nil }
                result += isUnreserved(value) ? String(UnicodeScalar(value)) : percent(value)
            } else {
                guard byte > 0x20, byte != 0x7F else { return nil }
                result +=
                    isUnreserved(byte) || kept.utf8.contains(byte)
                    ? String(UnicodeScalar(byte)) : percent(byte)
            }
        }
        return result
    }

    private static func triplet(_ rest: inout Substring.UTF8View.SubSequence) -> UInt8? {
        guard let high = rest.popFirst().flatMap(digit), let low = rest.popFirst().flatMap(digit) else {
            return nil
        }
        return high << 4 | low
    }

    private static func digit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case 0x30...0x39: byte - 0x30
        case 0x41...0x46: byte - 0x41 + 10
        case 0x61...0x66: byte - 0x61 + 10
        default: nil
        }
    }

    private static func percent(_ byte: UInt8) -> String {
        "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
    }

    private static func isUnreserved(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: true
        default: "-._~".utf8.contains(byte)
        }
    }
}
