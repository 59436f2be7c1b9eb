public import IPLD
public import Multiformats

/// A block of a CAR file, and where it stood.
public struct CARSection: Hashable, Sendable {
    public let cid: CID
    public let bytes: [UInt8]
    /// The offset in the file or stream at which the section begins, with its length.
    public let offset: UInt64

    public init(cid: CID, bytes: [UInt8], offset: UInt64) {
        self.cid = cid
        self.bytes = bytes
        self.offset = offset
    }

    /// The section without its place.
    public var block: Block { Block(cid: cid, bytes: bytes) }
}
