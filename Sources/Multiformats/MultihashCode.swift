/// The code of a hash function in the multicodec table.
///
/// Any number can be a code; ``digestBytes`` tells the functions that Nacre verifies.
public struct MultihashCode: RawRepresentable, Hashable, Sendable {
    public let rawValue: UInt64

    @inlinable
    public init(rawValue: UInt64) { self.rawValue = rawValue }

    public static let identity = MultihashCode(rawValue: 0x00)
    public static let sha1 = MultihashCode(rawValue: 0x11)
    public static let sha2_256 = MultihashCode(rawValue: 0x12)
    public static let sha2_512 = MultihashCode(rawValue: 0x13)
    public static let sha3_512 = MultihashCode(rawValue: 0x14)
    public static let sha3_384 = MultihashCode(rawValue: 0x15)
    public static let sha3_256 = MultihashCode(rawValue: 0x16)
    public static let sha3_224 = MultihashCode(rawValue: 0x17)
    public static let keccak_256 = MultihashCode(rawValue: 0x1B)
    public static let keccak_512 = MultihashCode(rawValue: 0x1D)
    public static let sha2_384 = MultihashCode(rawValue: 0x20)
    public static let dblSHA2_256 = MultihashCode(rawValue: 0x56)
    public static let md5 = MultihashCode(rawValue: 0xD5)
    public static let sha2_224 = MultihashCode(rawValue: 0x1013)
    public static let blake2b_256 = MultihashCode(rawValue: 0xB220)
    public static let blake2b_512 = MultihashCode(rawValue: 0xB240)
    public static let blake2s_256 = MultihashCode(rawValue: 0xB260)

    /// Every function with a digest of fixed length that `Digests` can compute.
    public static let verifiable: [MultihashCode] = [
        .sha1, .md5, .sha2_224, .sha2_256, .sha2_384, .sha2_512, .sha3_224, .sha3_256, .sha3_384, .sha3_512,
        .keccak_256, .keccak_512, .blake2b_256, .blake2b_512, .blake2s_256, .dblSHA2_256,
    ]

    /// The length of a digest, or `nil` if the function is identity or is not verified here.
    @inlinable
    public var digestBytes: Int? {
        switch rawValue {
        case 0x12, 0x16, 0x1B, 0x56, 0xB220, 0xB260: 32
        case 0x13, 0x14, 0x1D, 0xB240: 64
        case 0x15, 0x20: 48
        case 0x17, 0x1013: 28
        case 0x11: 20
        case 0xD5: 16
        default: nil
        }
    }
}
