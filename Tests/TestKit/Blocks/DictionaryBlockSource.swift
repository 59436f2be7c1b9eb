public import IPLD
public import Multiformats
import Synchronization

/// Blocks in a dictionary, which counts what is asked of it.
///
/// Blocks are found by multihash, as in any store. Nothing is verified.
public final class DictionaryBlockSource: BlockSource {
    private struct State {
        var blocks: [Multihash: [UInt8]] = [:]
        var reads: [CID] = []
        var batches = 0
    }
    private let state: Mutex<State>

    public init(_ blocks: [Block] = []) {
        var state = State()
        for block in blocks { state.blocks[block.cid.multihash] = block.bytes }
        self.state = Mutex(state)
    }

    public func insert(_ block: Block) {
        state.withLock { $0.blocks[block.cid.multihash] = block.bytes }
    }

    public func remove(_ cid: CID) {
        _ = state.withLock { $0.blocks.removeValue(forKey: cid.multihash) }
    }

    public func block(_ cid: CID) throws -> Block? {
        state.withLock { state in
            state.reads.append(cid)
            return Self.find(cid, in: state)
        }
    }

    public func blocks(_ cids: [CID]) throws -> [Block?] {
        state.withLock { state in
            state.batches += 1
            state.reads += cids
            return cids.map { Self.find($0, in: state) }
        }
    }

    private static func find(_ cid: CID, in state: State) -> Block? {
        if cid.isIdentity { return Block(cid: cid, bytes: cid.multihash.digest) }
        return state.blocks[cid.multihash].map { Block(cid: cid, bytes: $0) }
    }

    /// Every CID asked for, in order, identity ones included.
    public var reads: [CID] { state.withLock { $0.reads } }
    public var readCount: Int { state.withLock { $0.reads.count } }
    /// How many times several blocks were asked for at once.
    public var batchCount: Int { state.withLock { $0.batches } }
    public var count: Int { state.withLock { $0.blocks.count } }

    /// Forgets ``reads`` and ``batchCount``.
    public func resetCounters() {
        state.withLock {
            $0.reads = []
            $0.batches = 0
        }
    }
}
