/// The forty bytes behind the pragma of a CARv2: where the CARv1 within it is, and where an index is.
///
/// ```
/// 0         11                   27            35          43             51
/// | pragma  | characteristics 16 | data offset | data size | index offset |
/// ```
///
/// All numbers are little-endian, offsets count from the start of the file. Index offset 0: no index.
///
/// Spec: ipld, "CARv2 Specification".
public struct CARv2Header: Hashable, Sendable {
    /// The first eleven bytes of every CARv2: a CARv1 header without roots that says version 2.
    public static let pragma: [UInt8] = [
        0x0A, 0xA1, 0x67, 0x76, 0x65, 0x72, 0x73, 0x69, 0x6F, 0x6E, 0x02,
    ]
    /// The size of the header behind the pragma.
    public static let byteCount = 40
    /// Pragma and header: where the payload begins at the earliest.
    public static let minimumDataOffset = UInt64(pragma.count + byteCount)

    /// Whether the index has every section, those of identity CIDs included.
    public let isFullyIndexed: Bool
    /// Where the payload, a whole CARv1, begins.
    public let dataOffset: UInt64
    /// How many bytes the payload has.
    public let dataBytes: UInt64
    /// Where the index begins; `nil` if there is none. Only a hint until the index is looked at.
    public let indexOffset: UInt64?

    public init(
        dataOffset: UInt64 = minimumDataOffset, dataBytes: UInt64, indexOffset: UInt64?,
        isFullyIndexed: Bool = false
    ) {
        self.isFullyIndexed = isFullyIndexed
        self.dataOffset = dataOffset
        self.dataBytes = dataBytes
        self.indexOffset = indexOffset == 0 ? nil : indexOffset
    }

    /// Where the payload ends.
    public var dataEnd: UInt64 { dataOffset &+ dataBytes }

    /// The header, without the pragma.
    public var bytes: [UInt8] {
        var result = [UInt8](repeating: 0, count: 16)
        if isFullyIndexed { result[0] = 0x80 }
        for number in [dataOffset, dataBytes, indexOffset ?? 0] {
            withUnsafeBytes(of: number.littleEndian) { result.append(contentsOf: $0) }
        }
        return result
    }

    /// Decodes pragma and header at the start of a file. Bits of unknown characteristics are ignored.
    ///
    /// - Throws: `invalidVersion2Header` for a payload that cannot be where it is said to be, `truncated`.
    ///   The index is not judged: who needs none can read the file, whatever it says there.
    init(decoding bytes: RawSpan) throws(CARError) {
        let needed = Int(Self.minimumDataOffset)
        for index in 0..<min(Self.pragma.count, bytes.byteCount)
        where bytes.unsafeLoad(fromByteOffset: index, as: UInt8.self) != Self.pragma[index] {
            throw .invalidVersion2Header(at: UInt64(index), .notThePragma)
        }
        guard bytes.byteCount >= needed else {
            throw .truncated(
                .version2Header, at: UInt64(Self.pragma.count), needed: UInt64(Self.byteCount),
                available: UInt64(max(0, bytes.byteCount - Self.pragma.count)))
        }
        func number(at offset: Int) -> UInt64 {
            UInt64(littleEndian: bytes.unsafeLoadUnaligned(fromByteOffset: offset, as: UInt64.self))
        }
        self.init(
            dataOffset: number(at: 27), dataBytes: number(at: 35), indexOffset: number(at: 43),
            isFullyIndexed: bytes.unsafeLoad(fromByteOffset: 11, as: UInt8.self) & 0x80 != 0)
        guard dataBytes > 0 else { throw .invalidVersion2Header(at: 35, .noData) }
        let (end, overflows) = dataOffset.addingReportingOverflow(dataBytes)
        guard !overflows, end <= UInt64(Int64.max) else {
            throw .invalidVersion2Header(at: 27, .dataOutOfBounds(offset: dataOffset, size: dataBytes))
        }
        guard dataOffset >= Self.minimumDataOffset else {
            throw .invalidVersion2Header(at: 27, .dataWithinHeader(offset: dataOffset))
        }
    }
}
