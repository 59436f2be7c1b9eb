public import Multiformats

/// Bytes together with the CID that names them.
///
/// A `Block` makes no claim that the bytes hash to the CID: readers of foreign bytes verify (see
/// `Digests`), stores verify when they read.
public struct Block: Hashable, Sendable {
    public let cid: CID
    public let bytes: [UInt8]

    public init(cid: CID, bytes: [UInt8]) {
        self.cid = cid
        self.bytes = bytes
    }

    /// The most bytes of a block by default: what Bitswap peers and CAR readers accept.
    public static let defaultMaximumBytes = 2 * 1024 * 1024
    /// The most bytes of a block that any option can allow.
    public static let hardMaximumBytes = 8 * 1024 * 1024
}
