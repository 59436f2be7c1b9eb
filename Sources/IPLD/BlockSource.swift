public import Multiformats

/// Where walkers and readers get blocks from: a block store, an open CAR file, a dictionary.
///
/// Calls are synchronous and may block on a disk: see `docs/decisions/0002-synchronous-core.md`.
public protocol BlockSource: Sendable {
    /// The block that `cid` names, verified; `nil` if the source does not hold it.
    /// Identity CIDs are answered by every source.
    func block(_ cid: CID) throws -> Block?

    /// Several blocks at once, in the order asked; a source may verify them together.
    func blocks(_ cids: [CID]) throws -> [Block?]
}

extension BlockSource {
    public func blocks(_ cids: [CID]) throws -> [Block?] {
        try cids.map { try block($0) }
    }
}
