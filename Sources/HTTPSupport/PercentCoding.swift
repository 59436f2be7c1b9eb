/// Percent-encoding of URLs. Spec: RFC 3986 section 2.
public enum PercentCoding {
    /// The bytes that an encoded text stands for.
    ///
    /// - Throws: `badEscape`.
    public static func decode(_ text: some StringProtocol) throws(RequestTargetError) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(text.utf8.count)
        var rest = text.utf8.makeIterator()
        while let byte = rest.next() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            guard let high = rest.next().flatMap(digit), let low = rest.next().flatMap(digit) else {
                throw .badEscape(String(text.prefix(64)))
            }
            bytes.append(high << 4 | low)
        }
        return bytes
    }

    /// A name or value of a query; `nil` if it is not UTF-8.
    public static func formText(_ text: Substring) -> String? {
        let spaced =
            text.utf8.contains(UInt8(ascii: "+"))
            ? text.split(separator: "+", omittingEmptySubsequences: false)
                .joined(separator: "%20") : String(text)
        guard let bytes = try? decode(spaced) else { return nil }
        return String(validating: bytes, as: UTF8.self)
    }

    /// Bytes as one segment of a path: everything but unreserved characters is encoded, with capital
    /// digits.
    public static func encode(segment: some Sequence<UInt8>) -> String {
        var text: [UInt8] = []
        for byte in segment { append(byte, to: &text) { isUnreserved($0) } }
        return String(decoding: text, as: UTF8.self)
    }

    /// Bytes as a path: slashes stay.
    public static func encode(path: some Sequence<UInt8>) -> String {
        var text: [UInt8] = []
        for byte in path { append(byte, to: &text) { isUnreserved($0) || $0 == UInt8(ascii: "/") } }
        return String(decoding: text, as: UTF8.self)
    }

    private static func append(_ byte: UInt8, to text: inout [UInt8], unless isPlain: (UInt8) -> Bool) {
        guard !isPlain(byte) else { return text.append(byte) }
        text.append(UInt8(ascii: "%"))
        text.append(Self.digits[Int(byte >> 4)])
        text.append(Self.digits[Int(byte & 15)])
    }

    private static let digits = Array("0123456789ABCDEF".utf8)

    private static func isUnreserved(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
            UInt8(ascii: "~"):
            true
        default: false
        }
    }

    private static func digit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
        default: nil
        }
    }
}
