import Access
import Catalog
import BlockStorage
import Digests
import IPLD
import Multiformats
import Namespaces
import NodeCore
public import SyncProtocol
import TreeValues
import UnixFS

extension SyncService {
    /// Does operations in order.
    ///
    /// Content first: small files come along, of others the leaves must be here (else `need`), and the
    /// blocks above them are built here. All blocks are durable before the transaction that names their
    /// roots, and are held off the collector until it is done.
    ///
    /// - Parameter device: as the client calls itself.
    /// - Throws: `SyncFailure`, `NamespaceError.epochChanged` and others that are of the whole commit.
    public func commit(
        _ request: CommitRequest, to text: String, device: String
    ) throws -> CommitAnswer {
        let namespace = try namespace(text, for: .write)
        let resource = namespace.resource
        let mayChange = principal.mayPerform(.delete, on: resource)
        let mayRead = principal.mayPerform(.read, on: resource)
        let lease = try node.beginLease()
        defer { lease.end() }
        let blocks = try blocks(of: namespace)
        try bring(request.operations.reduce(0) { $0 + $1.change.contentBytes }, to: namespace)
        var preparation = CommitPreparation(blocks: blocks)
        var results = [CommitResult?](repeating: nil, count: request.operations.count)
        var operations: [TreeOperation] = []
        operations.reserveCapacity(request.operations.count)
        var indices: [Int] = []
        let quota = try NamespacePolicy(json: namespace.policy).maximumBytes
        let locks = try foreignLocks(in: namespace, device: device)
        for (index, operation) in request.operations.enumerated() {
            if let node = operation.change.changedNode, let lock = locks[node] {
                let failure = try locked(lock, namespace)
                results[index] = .refused(code: failure.code, message: failure.description)
                continue
            }
            if !mayChange, !operation.change.onlyCreates {
                results[index] = .refused(
                    code: .forbidden, message: "this key may bring in new files, and nothing else")
                continue
            }
            var outcome = try preparation.prepare(operation)
            if let refusal = try quotaRefusal(of: outcome, operation, in: namespace, quota) {
                preparation.forgetLacking(operation)
                outcome = .result(refusal)
            }
            switch outcome {
            case .ready(let ready):
                operations.append(ready)
                indices.append(index)
            case .result(let result):
                results[index] = result
                // What needs nothing any more will not be committed as it was sent.
                if case .need = result { continue }
                if let node = operation.change.contentNode { hub.inflight.drop(node, in: namespace.id) }
            }
        }
        try offer(preparation.lacking, in: namespace, device: device)
        if request.isAtomic, operations.count < request.operations.count {
            // Nothing of it is done; what is in the way is told.
            let answer = CommitAnswer(
                head: namespace.head,
                results: results.map { $0 ?? .refused(code: .notAtomic, message: "nothing was done") })
            hub.tally.note(request, answer, entries: 0)
            return answer
        }
        try preparation.finish()
        hub.tally.note(preparation.brought)
        var options = NamespaceStore.CommitOptions()
        options.epoch = request.epoch
        options.isAtomic = request.isAtomic
        options.hidesNames = !mayRead
        let done = try namespaces.commit(
            operations, to: namespace.id,
            author: ChangeAuthor(user: principal.user?.text, device: device), options: options)
        try node.follow(done.contents, from: namespace.visibility, to: done.visibility)
        if quota != nil { hub.name(done.outcomes.reduce(0) { $0 + $1.newBytes }, in: namespace.id) }
        let made = zip(operations, done.outcomes).compactMap { operation, outcome -> TreeNode? in
            guard operation.change.isNew, case .done(let made, isNew: true) = outcome else { return nil }
            return made
        }
        let copies = made.compactMap { ConflictCopy($0, madeBy: device) }
        hub.tally.note(copies)
        try note(operations, done.outcomes, made: made, copies, in: namespace, device: device)
        for operation in operations {
            if let node = operation.change.contentNode { hub.inflight.drop(node, in: namespace.id) }
        }
        for (index, outcome) in zip(indices, done.outcomes) {
            if case .conflict(let conflict, _) = outcome, !mayRead {
                // What is in the way is for those who may see it.
                results[index] = .conflict(reason: conflict.rawValue, current: nil)
            } else {
                results[index] = CommitResult(outcome)
            }
            // Who sees nothing of what it brought in does not see under which name it is there either.
            if options.hidesNames, principal.user == nil, case .done(var node)? = results[index],
                let name = request.operations[index].change.newName
            {
                node.name = name
                results[index] = .done(node)
            }
        }
        var answer = CommitAnswer(
            head: done.head,
            results: results.map { $0 ?? .refused(code: .badRequest, message: "not understood") })
        // Who sees only a part of the journal reads it from where it left off.
        if mayRead, let text = request.cursor, let jid = try? position(text, in: namespace) {
            // What came after its cursor is what it has just sent.
            let isNext = jid == done.previousHead && done.epoch == namespace.epoch
            try acknowledge(namespace, upTo: isNext ? done.head : jid)
            if isNext { answer.cursor = try cursor(namespace, done.head) }
        }
        hub.tally.note(request, answer, entries: done.head - done.previousHead)
        return answer
    }
}

extension SyncService {
    /// Refuses a file that the namespace has no room for before it is sent: the commit would refuse it then.
    private func quotaRefusal(
        of outcome: CommitPreparation.Outcome, _ operation: SyncOperation, in namespace: Namespace,
        _ quota: Int64?
    ) throws -> CommitResult? {
        guard let quota, case .result(.need) = outcome, case .put(let node, let base, _) = operation.change
        else { return nil }
        var bytes = namespace.bytes
        if base != nil, let current = try namespaces.node(node.id, in: namespace), !current.isDeleted {
            bytes -= current.size
        }
        let (wanted, isLarge) = bytes.addingReportingOverflow(max(0, node.size))
        guard isLarge || wanted > quota else { return nil }
        let refusal = ChangeRefusal.quotaExceeded(.bytes, limit: quota, wanted: isLarge ? .max : wanted)
        return .refused(code: SyncCode(refusal), message: refusal.description)
    }
}

extension ChangeOutcome {
    /// Bytes of a file whose content came with the change.
    fileprivate var newBytes: Int64 {
        guard case .done(let node, isNew: true) = self, node.kind == .file,
            node.contentRevision == node.revision
        else { return 0 }
        return node.size
    }
}

extension TreeChange {
    /// The node whose content it is about; `nil` for other changes.
    fileprivate var contentNode: NodeID? { if case .put(let put) = self { put.node } else { nil } }

    /// Whether it brings in what was not there.
    fileprivate var isNew: Bool {
        switch self {
        case .put(let put): put.base == nil
        case .makeDirectory: true
        case .move, .delete, .setAttributes, .restore: false
        }
    }
}

extension SyncOperation.Change {
    /// The node whose content it is about; `nil` for other changes.
    fileprivate var contentNode: NodeID? { if case .put(let node, _, _) = self { node.id } else { nil } }

    /// What the node is to be called that it brings in; `nil` for other changes.
    fileprivate var newName: String? {
        switch self {
        case .put(let node, base: nil, _): node.name
        case .makeDirectory(let node): node.name
        case .put, .move, .delete, .setAttributes, .restore: nil
        }
    }

    /// Whether it brings something in that was not there, and changes nothing that is.
    var onlyCreates: Bool {
        switch self {
        case .put(_, let base, _): base == nil
        case .makeDirectory: true
        case .move, .delete, .setAttributes, .restore: false
        }
    }
}

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

    mutating func prepare(_ operation: SyncOperation) throws -> Outcome {
        let change: TreeChange
        switch operation.change {
        case .put(let node, let base, let content):
            let root: NodeContent
            switch content {
            case .none: root = .symlink(node.target ?? "")
            case .inline(let bytes):
                let block = try block(of: bytes)
                try put(block)
                root = .file(block.cid, bytes: Int64(bytes.count))
            case .leaves(let edit, let blocks):
                try hold(blocks)
                switch try bringIn(edit, node, over: base) {
                case .file(let file): root = file
                case .result(let result): return .result(result)
                }
            }
            change = .put(
                TreeChange.Put(
                    root, node: node.id, place: TreeChange.Place(parent: node.parent, name: node.name),
                    base: base, attributes: .init(modified: node.modified, mode: node.mode)))
        case .makeDirectory(let node):
            change = .makeDirectory(
                at: TreeChange.Place(parent: node.parent, name: node.name), node: node.id,
                .init(modified: node.modified, mode: node.mode))
        case .move(let id, let parent, let name, let base):
            change = .move(id, to: TreeChange.Place(parent: parent, name: name), base: base)
        case .delete(let id, let base, let newest):
            change = .delete(id, base: base, newestBelow: newest)
        case .setAttributes(let id, let modified, let mode):
            change = .setAttributes(id, .init(modified: modified, mode: mode))
        case .restore(let id, let parent, let name):
            change = .restore(id, to: TreeChange.Place(parent: parent, name: name))
        }
        return .ready(TreeOperation(change, id: operation.id, confirmation: operation.confirmation))
    }

    /// The block that is a small file: its bytes, or an empty UnixFS file.
    private func block(of bytes: [UInt8]) throws -> Block {
        if !bytes.isEmpty {
            let multihash = bytes.withUnsafeBytes { Multihash.sha256(of: $0) }
            return Block(cid: CID(codec: .raw, multihash: multihash), bytes: bytes)
        }
        var made: [Block] = []
        var builder = FileLayoutBuilder(parameters: Self.layout)
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
        let made = leaves.map { bytes in
            let multihash = bytes.withUnsafeBytes { Multihash.sha256(of: $0) }
            return Block(cid: CID(codec: .raw, multihash: multihash), bytes: bytes)
        }
        _ = try blocks.hold(all: made)
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

    private enum Content {
        case file(NodeContent)
        case result(CommitResult)
    }

    /// Looks whether the leaves are here, and builds what is above them.
    ///
    /// - Parameter revision: of the content that the client has seen; `nil` for a new file.
    private mutating func bringIn(
        _ edit: LeafEdit, _ node: SyncNode, over revision: JID?
    ) throws -> Content {
        var base: [Leaf] = []
        if let root = edit.base {
            guard let known = try FileLeaves.base(root, in: blocks) else {
                return .result(.refused(code: .unknownBase, message: "send the whole list of leaves"))
            }
            base = known
        }
        let leaves: [Leaf]
        do { leaves = try edit.apply(to: base) } catch {
            return .result(.refused(code: .badManifest, message: error.description))
        }
        guard leaves.count <= SyncLimits.maximumLeaves else {
            return .result(.refused(code: .tooLarge, message: "a file of more than 16 TiB"))
        }
        let missing = try blocks.adopt(leaves.map(\.cid))
        guard missing.isEmpty else {
            var seen: Set<CID> = []
            let needed = missing.filter { seen.insert($0).inserted }
            if node.size >= SyncLimits.minimumInflightBytes {
                note(LackingFile(node: node, base: revision, leaves: leaves, missing: seen))
            }
            return .result(.need(needed))
        }
        var builder = FileLayoutBuilder(parameters: Self.layout)
        for leaf in leaves {
            // A length is a claim: the file would be read wrongly.
            guard leaf.cid.codec == .raw, try blocks.size(of: leaf.cid) == leaf.bytes else {
                return .result(
                    .refused(code: .badManifest, message: "leaf \(leaf.cid) has not \(leaf.bytes) bytes"))
            }
            let file = FileLeaf(
                cid: leaf.cid, contentBytes: UInt64(leaf.bytes), dagBytes: UInt64(leaf.bytes))
            try builder.add(file) { try put($0) }
        }
        let root = try builder.finish { try put($0) }
        guard root.cid == node.content else {
            return .result(
                .refused(
                    code: .badManifest, message: "the leaves make \(root.cid), not the root that was named")
            )
        }
        hasPut = true
        return .file(.file(root.cid, bytes: Int64(clamping: root.contentBytes)))
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
        else {
            return
        }
        lackingLeaves -= last.leaves.count
        lacking.removeLast()
    }

    /// Makes what was brought in durable.
    mutating func finish() throws {
        try flush()
        if hasPut { try blocks.commit() }
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

extension CommitResult {
    /// What the journal says, in the words of the protocol.
    init(_ outcome: ChangeOutcome) {
        switch outcome {
        case .done(let node, _): self = .done(SyncNode(node))
        case .conflict(let conflict, let current):
            self = .conflict(reason: conflict.rawValue, current: current.map(SyncNode.init))
        case .refused(.massDelete(let nodes, let token)):
            self = .confirmationNeeded(removals: nodes, token: token)
        case .refused(let refusal): self = .refused(code: SyncCode(refusal), message: refusal.description)
        }
    }
}

extension SyncNode {
    /// A node as the catalog has it.
    init(_ node: TreeNode) {
        self.init(
            id: node.id, parent: node.parent, name: node.name, kind: node.kind, content: node.content,
            target: node.target, size: node.size, modified: node.modified, mode: node.mode,
            revision: node.revision, contentRevision: node.contentRevision)
    }
}
