public import Multiformats
import Synchronization

/// The blocks that a walk over a store has visited: one bit each, by their place in the packs.
///
/// A block that compaction moves during the walk counts as not visited once more.
public final class VisitedBlocks: Sendable {
    private let store: PackBlockStore
    private let bits = Mutex(BlockBits())

    init(store: PackBlockStore) { self.store = store }

    /// Marks a block as visited. Identity CIDs are always new: they cost nothing to visit again.
    public func visit(_ cid: CID) throws -> PackBlockStore.Marking {
        if cid.isIdentity { return .newlyMarked }
        guard let location = try store.location(of: cid.multihash), !location.isQuarantined else {
            return .absent
        }
        return bits.withLock { $0.insert(location) } ? .newlyMarked : .markedBefore
    }

    /// Whether a block was visited.
    public func contains(_ multihash: Multihash) throws -> Bool {
        guard let location = try store.location(of: multihash) else { return false }
        return bits.withLock { $0.contains(location) }
    }
}

extension PackBlockStore {
    /// An empty set of visited blocks.
    public func makeVisitedBlocks() -> VisitedBlocks { VisitedBlocks(store: self) }

    /// The CID under which a held block was put first; `nil` if it is not held or its pack cannot be read.
    public func storedCID(of multihash: Multihash) throws -> CID? {
        guard let location = try location(of: multihash) else { return nil }
        var head = [UInt8](repeating: 0, count: Int(location.headerBytes) + 1)
        let count = try head.withUnsafeMutableBytes {
            try reader.file(location.pack).read(into: $0, at: Int64(location.offset))
        }
        return head.withUnsafeBytes { head in
            let parsed = PackFormat.parse(UnsafeRawBufferPointer(rebasing: head[..<count]))
            if case .section(let section) = parsed { return section.cid }
            return nil
        }
    }
}
