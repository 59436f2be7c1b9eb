import BlockStorage
import Catalog
import Digests
import IPLD
import Multiformats
import Namespaces
import NodeCore
import SyncProtocol
import TreeValues
import UnixFS

/// Brings the content of operations in: everything but the transaction.
struct CommitPreparation {
    private let blocks: NamespaceBlocks
    /// Blocks that are put together at the end.
    private var pending: [Block] = []
    private var pendingBytes = 0
    private var hasPut = false
    /// What came within the message, and the blocks above leaves.
    private(set) var brought = PutSummary()
    /// Files of which leaves are missing, the last ones.
    private(set) var lacking: [LackingFile] = []
    private var lackingLeaves = 0

    /// A file of which leaves are missing.
    struct LackingFile {
        let node: SyncNode
        /// Of the content that the client has seen; `nil` for a new file.
        let base: JID?
        let leaves: [Leaf]
        let missing: Set<CID>
    }

    private static let layout = ImportParameters.unixfsV1_2025
    /// How much is put at once.
    private static let batchBytes = 4 * 1024 * 1024

    init(blocks: NamespaceBlocks) { self.blocks = blocks }

    enum Outcome {
        case ready(TreeOperation)
        /// It does not come as far as the journal.
        case result(CommitResult)
    }

    /// Why an operation does not come as far as the journal.
    private struct Obstacle: Error {
        let result: CommitResult

        init(_ result: CommitResult) { self.result = result }

        static func badManifest(_ message: String) -> Obstacle {
            Obstacle(.refused(code: .badManifest, message: message))
        }
    }

    /// Takes in what an operation brings, and says what the journal is to do.
    mutating func prepare(_ operation: SyncOperation) throws -> Outcome {
        let change: TreeChange
        do { change = try self.change(operation.change) } catch let obstacle as Obstacle {
            return .result(obstacle.result)
        }
        return .ready(TreeOperation(change, id: operation.id, confirmation: operation.confirmation))
    }

    /// Makes what was brought in durable.
    mutating func finish() throws {
        try flush()
        if hasPut { try blocks.commit() }
    }

    private mutating func change(_ change: SyncOperation.Change) throws -> TreeChange {
        switch change {
        case .put(let node, let base, let content):
            .put(
                TreeChange.Put(
                    try bringIn(content, of: node, over: base), node: node.id,
                    place: TreeChange.Place(parent: node.parent, name: node.name), base: base,
                    attributes: .init(modified: node.modified, mode: node.mode)))
        case .makeDirectory(let node):
            .makeDirectory(
                at: TreeChange.Place(parent: node.parent, name: node.name), node: node.id,
                .init(modified: node.modified, mode: node.mode))
        case .move(let id, let parent, let name, let base):
            .move(id, to: TreeChange.Place(parent: parent, name: name), base: base)
        case .delete(let id, let base, let newest): .delete(id, base: base, newestBelow: newest)
        case .setAttributes(let id, let modified, let mode):
            .setAttributes(id, .init(modified: modified, mode: mode))
        case .restore(let id, let parent, let name):
            .restore(id, to: TreeChange.Place(parent: parent, name: name))
        }
    }

    /// - Parameter base: the revision of the content that the client has seen; `nil` for a new file.
    private mutating func bringIn(
        _ content: PutContent, of node: SyncNode, over base: JID?
    ) throws -> NodeContent {
        switch content {
        case .none: return .symlink(node.target ?? "")
        case .inline(let bytes):
            let block = try Self.block(of: bytes)
            try put(block)
            return .file(block.cid, bytes: Int64(bytes.count))
        case .leaves(let edit, let blocks):
            try hold(blocks)
            let leaves = try wholeList(edit)
            try requireHeld(leaves, of: node, over: base)
            return try file(of: leaves, named: node.content)
        }
    }
}

// MARK: Files of leaves

extension CommitPreparation {
    /// The list that a difference to another file's makes.
    private func wholeList(_ edit: LeafEdit) throws -> [Leaf] {
        var base: [Leaf] = []
        if let root = edit.base {
            guard let known = try FileLeaves.base(root, in: blocks) else {
                throw Obstacle(.refused(code: .unknownBase, message: "send the whole list of leaves"))
            }
            base = known
        }
        let leaves: [Leaf]
        do { leaves = try edit.apply(to: base) } catch { throw Obstacle.badManifest(error.description) }
        guard leaves.count <= SyncLimits.maximumLeaves else {
            throw Obstacle(.refused(code: .tooLarge, message: "a file of more than 16 TiB"))
        }
        return leaves
    }

    /// Makes sure that all leaves are here. A large file of which some are not may be read ahead by others.
    private mutating func requireHeld(
        _ leaves: [Leaf], of node: SyncNode, over base: JID?
    ) throws {
        let missing = try blocks.adopt(leaves.map(\.cid))
        guard !missing.isEmpty else { return }
        var seen: Set<CID> = []
        let needed = missing.filter { seen.insert($0).inserted }
        if node.size >= SyncLimits.minimumInflightBytes {
            note(LackingFile(node: node, base: base, leaves: leaves, missing: seen))
        }
        throw Obstacle(.need(needed))
    }

    /// Keeps what is offered to be read ahead, of which there is never more.
    private mutating func note(_ file: LackingFile) {
        guard file.leaves.count <= SyncLimits.maximumInflightLeaves else { return }
        lacking.append(file)
        lackingLeaves += file.leaves.count
        while lacking.count > SyncLimits.maximumInflight
            || lackingLeaves > SyncLimits.maximumInflightLeaves
        {
            lackingLeaves -= lacking.removeFirst().leaves.count
        }
    }

    /// A file that is not to be sent is not offered either.
    mutating func forgetLacking(_ operation: SyncOperation) {
        guard case .put(let node, _, _) = operation.change, let last = lacking.last, last.node.id == node.id
        else { return }
        lackingLeaves -= last.leaves.count
        lacking.removeLast()
    }

    /// Builds what is above the leaves.
    ///
    /// - Parameter name: the root that the client has come to.
    private mutating func file(of leaves: [Leaf], named name: CID?) throws -> NodeContent {
        var builder = FileLayoutBuilder(parameters: Self.layout)
        for leaf in leaves {
            // A length is a claim: the file would be read wrongly.
            guard leaf.cid.codec == .raw, try blocks.size(of: leaf.cid) == leaf.bytes else {
                throw Obstacle.badManifest("leaf \(leaf.cid) has not \(leaf.bytes) bytes")
            }
            let file = FileLeaf(
                cid: leaf.cid, contentBytes: UInt64(leaf.bytes), dagBytes: UInt64(leaf.bytes))
            try builder.add(file) { try put($0) }
        }
        let root = try builder.finish { try put($0) }
        guard root.cid == name else {
            throw Obstacle.badManifest("the leaves make \(root.cid), not the root that was named")
        }
        hasPut = true
        return .file(root.cid, bytes: Int64(clamping: root.contentBytes))
    }
}

// MARK: Blocks

extension CommitPreparation {
    /// The block that is a small file: its bytes, or an empty UnixFS file.
    private static func block(of bytes: [UInt8]) throws -> Block {
        guard bytes.isEmpty else { return Block(raw: bytes) }
        var made: [Block] = []
        var builder = FileLayoutBuilder(parameters: layout)
        _ = try builder.finish { made.append($0) }
        guard let block = made.last else { throw SyncFailure.badRequest("an empty file has no block") }
        return block
    }

    private mutating func put(_ block: Block) throws {
        pending.append(block)
        pendingBytes += block.bytes.count
        if pendingBytes >= Self.batchBytes { try flush() }
    }

    /// Takes in leaves that came along, for the project alone until a file names them.
    private mutating func hold(_ leaves: [[UInt8]]) throws {
        guard !leaves.isEmpty else { return }
        _ = try blocks.hold(all: leaves.map(Block.init(raw:)))
        hasPut = true
    }

    private mutating func flush() throws {
        guard !pending.isEmpty else { return }
        let summary = try blocks.put(all: pending)
        brought.newBlocks += summary.newBlocks
        brought.newBytes += summary.newBytes
        brought.knownBlocks += summary.knownBlocks
        brought.knownBytes += summary.knownBytes
        pending.removeAll(keepingCapacity: true)
        pendingBytes = 0
        hasPut = true
    }
}

extension Block {
    /// A leaf of these bytes.
    fileprivate init(raw bytes: [UInt8]) {
        let multihash = bytes.withUnsafeBytes { Multihash.sha256(of: $0) }
        self.init(cid: CID(codec: .raw, multihash: multihash), bytes: bytes)
    }
}

extension NamespaceBlocks {
    /// Puts blocks that files name.
    func put(all blocks: [Block]) throws -> PutSummary {
        try withViews(of: blocks) { try put($0, scope: []) }
    }

    /// Puts blocks that no file names yet.
    func hold(all blocks: [Block]) throws -> PutSummary { try withViews(of: blocks) { try hold($0) } }

    private func withViews<R>(of blocks: [Block], _ body: ([BlockView]) throws -> R) throws -> R {
        // Views of several arrays at once: their bytes are copied into one.
        var bytes: [UInt8] = []
        bytes.reserveCapacity(blocks.reduce(0) { $0 + $1.bytes.count })
        for block in blocks { bytes += block.bytes }
        return try bytes.withUnsafeBytes { buffer in
            var offset = 0
            let views = blocks.map { block in
                defer { offset += block.bytes.count }
                return BlockView(
                    cid: block.cid,
                    bytes: UnsafeRawBufferPointer(rebasing: buffer[offset..<offset + block.bytes.count]))
            }
            return try body(views)
        }
    }
}
