import BlockStorage
import HTTPSupport
import IPLD
import Multiformats
import NodeCore
import Synchronization
import UnixFS

/// Where a content path leads.
struct ResolvedPath {
    /// The CID of each segment, the root's first; shards are not among them.
    let cids: [CID]
    /// Everything that was read on the way, in order, shards included and the last block too.
    let pathBlocks: [Block]
    /// The last block.
    let block: Block

    var cid: CID { block.cid }
}

/// Follows the names of a content path through directories and documents.
///
/// Spec: path gateway, "Path resolution".
struct PathResolver {
    let source: ScopedBlockSource

    /// - Throws: `rootNotFound`, `blockNotFound`, `entryNotFound`, `insideDocument`, and what reading
    ///   throws.
    ///
    /// - Parameter shown: the path as asked for, for errors.
    func resolve(_ segments: [[UInt8]], from root: CID, shown: String) throws -> ResolvedPath {
        guard var block = try source.block(root) else { throw GatewayFailure.rootNotFound(root) }
        let recorder = RecordingSource(source)
        recorder.note(block)
        var cids = [root]
        var rest = segments[...]
        while !rest.isEmpty {
            let next: CID
            switch block.cid.codec {
            case .dagCBOR, .dagJSON:
                next = try link(in: block, &rest, shown)
            default:
                next = try entry(rest.removeFirst(), of: block, recorder)
            }
            guard let loaded = try recorder.block(next) else { throw GatewayFailure.blockNotFound(next) }
            block = loaded
            cids.append(next)
        }
        return ResolvedPath(cids: cids, pathBlocks: recorder.blocks, block: block)
    }

    private func entry(_ name: [UInt8], of block: Block, _ source: RecordingSource) throws -> CID {
        let missing = GatewayFailure.entryNotFound(
            root: block.cid.description, missing: PathText.printable(name))
        guard block.cid.codec == .dagPB, try UnixFSStat.ifUnixFS(block)?.kind.isDirectory == true else {
            throw missing
        }
        guard let entry = try DirectoryReader(source: source, root: block).entry(named: name) else {
            throw missing
        }
        return entry.cid
    }

    /// The next link within a document; takes the segments that lead to it.
    private func link(in block: Block, _ rest: inout ArraySlice<[UInt8]>, _ shown: String) throws -> CID {
        var value = try block.value()
        while let segment = rest.popFirst() {
            let name = PathText.printable(segment)
            switch value {
            case .map(let entries):
                guard let found = entries.first(where: { $0.key.utf8.elementsEqual(segment) }) else {
                    throw GatewayFailure.entryNotFound(root: block.cid.description, missing: name)
                }
                value = found.value
            case .list(let values):
                guard let index = Int(name), values.indices.contains(index), String(index) == name else {
                    throw GatewayFailure.entryNotFound(root: block.cid.description, missing: name)
                }
                value = values[index]
            default:
                throw GatewayFailure.entryNotFound(root: block.cid.description, missing: name)
            }
            if case .link(let cid) = value { return cid }
        }
        throw GatewayFailure.insideDocument(path: shown)
    }
}

/// Remembers the blocks that were read through it, each once.
final class RecordingSource: BlockSource {
    private let base: ScopedBlockSource
    private let state = Mutex<(blocks: [Block], seen: Set<CID>)>(([], []))

    init(_ base: ScopedBlockSource) { self.base = base }

    var blocks: [Block] { state.withLock { $0.blocks } }

    func note(_ block: Block) {
        state.withLock { if $0.seen.insert(block.cid).inserted { $0.blocks.append(block) } }
    }

    func block(_ cid: CID) throws -> Block? {
        let block = try base.block(cid)
        if let block { note(block) }
        return block
    }
}
