/// A name of the DNS with at least two labels, in lower case and without the point at the end.
///
/// Letters, digits, hyphens and underscores; international names in their ASCII form (`xn--…`).
///
/// Spec: RFC 1035, 2.3.4; RFC 5891 for what else labels may be.
public struct DomainName: Hashable, Sendable {
    public let text: String

    /// The most characters of a label.
    public static let maximumLabel = 63
    /// The most characters of a name.
    public static let maximumCharacters = 253

    /// Reads a name; one point at the end is allowed.
    public init?(_ text: String) {
        var bytes = text.utf8.map { (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains($0) ? $0 | 0x20 : $0 }
        if bytes.last == UInt8(ascii: ".") { bytes.removeLast() }
        guard bytes.count <= Self.maximumCharacters else { return nil }
        let labels = bytes.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard labels.count >= 2, labels.allSatisfy({ Self.isLabel($0) }) else { return nil }
        self.text = String(decoding: bytes, as: UTF8.self)
    }

    private static func isLabel(_ label: ArraySlice<UInt8>) -> Bool {
        let hyphen = UInt8(ascii: "-")
        guard (1...maximumLabel).contains(label.count), label.first != hyphen, label.last != hyphen else {
            return false
        }
        return label.allSatisfy {
            (UInt8(ascii: "a")...UInt8(ascii: "z")).contains($0)
                || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) || $0 == hyphen
                || $0 == UInt8(ascii: "_")
        }
    }
}

extension DomainName {
    /// The name as one label of a subdomain gateway: `-` becomes `--`, then `.` becomes `-`.
    ///
    /// - Returns: `nil` if that is longer than a label can be.
    public var inlinedLabel: String? {
        var label: [UInt8] = []
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "-"): label += [byte, byte]
            case UInt8(ascii: "."): label.append(UInt8(ascii: "-"))
            default: label.append(byte)
            }
        }
        return label.count <= Self.maximumLabel ? String(decoding: label, as: UTF8.self) : nil
    }

    /// Reads a label of a subdomain gateway: of a pair of hyphens is one, a single one is a point.
    public init?(inlinedLabel label: String) {
        var name: [UInt8] = []
        var bytes = Array(label.utf8)[...]
        while let byte = bytes.popFirst() {
            guard byte == UInt8(ascii: "-") else {
                name.append(byte)
                continue
            }
            if bytes.first == byte {
                bytes.removeFirst()
                name.append(byte)
            } else {
                name.append(UInt8(ascii: "."))
            }
        }
        self.init(String(decoding: name, as: UTF8.self))
    }
}

extension DomainName: CustomStringConvertible {
    public var description: String { text }
}
