/// How to decode a block: a content code of the multicodec table.
///
/// Any number can be a codec; a block of an unknown one is opaque bytes without links.
public struct Codec: RawRepresentable, Hashable, Sendable {
    public let rawValue: UInt64

    @inlinable
    public init(rawValue: UInt64) { self.rawValue = rawValue }

    public static let raw = Codec(rawValue: 0x55)
    public static let cbor = Codec(rawValue: 0x51)
    public static let dagPB = Codec(rawValue: 0x70)
    public static let dagCBOR = Codec(rawValue: 0x71)
    public static let libp2pKey = Codec(rawValue: 0x72)
    public static let json = Codec(rawValue: 0x0200)
    public static let dagJSON = Codec(rawValue: 0x0129)
}
