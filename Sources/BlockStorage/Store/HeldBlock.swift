public import IPLD

/// A block that the store holds, for who hands it on without looking at it.
public enum HeldBlock: Sendable {
    /// Its bytes, where they are few or in no file of their own.
    case bytes(Block)
    /// Where its bytes lie.
    case extent(BlockExtent)

    /// The size of the block.
    public var payloadBytes: Int {
        switch self {
        case .bytes(let block): block.bytes.count
        case .extent(let extent): extent.payloadBytes
        }
    }
}

/// Bytes in a pack that were verified since the store was opened.
///
/// Packs are only appended to, and a removed pack stays readable for who has it open: the bytes are there as
/// long as the extent lives.
public struct BlockExtent: Sendable {
    /// Keeps the file open.
    public let file: any FileHandle
    public let descriptor: Int32
    public let offset: Int64
    public let count: Int
    /// Whether it is the whole section of a CAR: length, CID and block.
    public let isSection: Bool
    /// The size of the block alone.
    public let payloadBytes: Int
}

/// What a place is wanted of.
public enum PlaceForm: Sendable {
    /// The bytes of the block.
    case payload
    /// The section of a CAR that the block is in, if it begins with the very CID that is asked for; else the
    /// bytes of the block.
    case section
}
