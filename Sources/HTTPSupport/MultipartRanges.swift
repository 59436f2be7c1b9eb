/// Several ranges of one representation in one body. Spec: RFC 9110 section 14.6.
public struct MultipartRanges: Sendable {
    public let ranges: [Range<UInt64>]
    private let size: UInt64
    private let contentType: String
    private let boundary: String

    /// - Parameters:
    ///   - ranges: at least two, within the representation.
    ///   - size: bytes of the representation.
    ///   - boundary: what separates the parts; must not be in them, so that it is random by default.
    public init(
        _ ranges: [Range<UInt64>], size: UInt64, contentType: String,
        boundary: String = MultipartRanges.randomBoundary()
    ) {
        self.ranges = ranges
        self.size = size
        self.contentType = contentType
        self.boundary = boundary
    }

    /// The `Content-Type` of the whole.
    public var mediaType: String { "multipart/byteranges; boundary=\(boundary)" }

    /// What comes before the bytes of a range.
    public func head(of range: Range<UInt64>) -> [UInt8] {
        Array(
            ("\r\n--\(boundary)\r\nContent-Type: \(contentType)\r\n"
                + "Content-Range: \(ByteRangeSpec.contentRange(range, size: size))\r\n\r\n").utf8)
    }

    /// What comes behind the last range.
    public var tail: [UInt8] { Array("\r\n--\(boundary)--\r\n".utf8) }

    /// Bytes of the whole body.
    public var length: UInt64 {
        ranges.reduce(UInt64(tail.count)) { $0 + UInt64(head(of: $1).count) + UInt64($1.count) }
    }

    /// 128 random bits as hexadecimal digits.
    public static func randomBoundary() -> String {
        var random = SystemRandomNumberGenerator()
        return (0..<2).map { _ in
            let digits = String(random.next() as UInt64, radix: 16)
            return String(repeating: "0", count: 16 - digits.count) + digits
        }.joined()
    }
}
