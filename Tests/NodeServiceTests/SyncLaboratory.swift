import Access
import BlockStorage
import Catalog
import Digests
import IPLD
import Multiformats
import NodeCore
@testable import NodeService
import SyncProtocol
import TestKit
import Testing
import TreeValues
import UnixFS

/// A node in a temporary folder, and the sync protocol on it for whoever a test needs.
final class SyncLaboratory {
    let directory: TemporaryDirectory
    let node: StorageNode
    let authority: Authority
    /// May do everything.
    let owner: SyncService

    init() throws {
        directory = try TemporaryDirectory(in: TemporaryDirectory.fastParent)
        node = try StorageNode.open(directory.path("data"))
        authority = try Authority.open(catalog: node.catalog, secrets: directory.path("data/secrets"))
        owner = SyncService(node, as: .localAdministrator)
    }

    /// The protocol for the holder of a new key.
    func service(
        _ operations: [Access.Operation], in project: ProjectID = .default, scope: Resource? = nil
    ) throws -> SyncService {
        var draft = GrantDraft(name: "key", operations: OperationSet(operations), project: project)
        draft.scope = scope ?? .project(project)
        let issued = try authority.grants.create(draft, by: .localAdministrator)
        return SyncService(node, as: try authority.authorizer.principal(for: .bearer(issued.token.text)))
    }

    func project(_ name: String) throws -> ProjectID { try node.catalog.projects.add(name: name).id }

    /// Collects what nothing keeps, however young it is.
    func collect() throws -> CollectionReport {
        // Ages are counted in whole milliseconds: what was put in this one is not older than none.
        let moment = ContinuousClock.now + .milliseconds(3)
        while ContinuousClock.now < moment {}
        return try node.collectGarbage(CollectionOptions(grace: .zero, maximumUnusedShare: 0))
    }
}

/// A device that syncs with a namespace: the calls of the protocol, as short as tests want them.
struct SyncDevice {
    let service: SyncService
    let namespace: String
    var name = "laptop"
    private let ids = NodeIDGenerator()

    /// - Parameter info: what `create` answered, or nothing for a namespace that is there.
    init(_ service: SyncService, _ namespace: String) {
        self.service = service
        self.namespace = namespace
    }

    /// A new namespace, and a device for it.
    static func create(
        _ service: SyncService, _ name: String = "recipes", visibility: String? = nil, policy: String? = nil
    ) throws -> SyncDevice {
        let info = try service.create(
            NamespaceRequest(name: name, visibility: visibility, policy: policy))
        return SyncDevice(service, info.id)
    }

    /// The protocol for the device by its name.
    var speaking: SyncService {
        SyncService(
            service.node, as: service.principal, device: name, hub: service.hub, rates: service.rates)
    }

    var info: NamespaceInfo { get throws { try service.info(namespace) } }
    func id() -> NodeID { ids.next(now: 1_000_000) }

    func commit(_ operations: [SyncOperation], isAtomic: Bool = false) throws -> CommitAnswer {
        try speaking.commit(
            CommitRequest(epoch: info.epoch, isAtomic: isAtomic, operations: operations), to: namespace)
    }

    func commit(_ change: SyncOperation.Change, confirmation: String? = nil) throws -> CommitResult {
        try #require(
            try commit([SyncOperation(id: id(), change, confirmation: confirmation)]).results.first)
    }

    /// A change that must go through.
    @discardableResult
    func must(
        _ change: SyncOperation.Change, _ location: SourceLocation = #_sourceLocation
    ) throws -> SyncNode {
        let result = try commit(change)
        guard case .done(let node) = result else {
            Issue.record("\(result)", sourceLocation: location)
            throw SyncFailure.badRequest("not done")
        }
        return node
    }

    func file(_ name: String, in parent: NodeID? = nil) throws -> SyncNode {
        SyncNode(id: id(), parent: try parent ?? info.root, name: name, kind: .file)
    }

    /// A small file, sent along.
    @discardableResult
    func put(_ name: String, _ text: String, in parent: NodeID? = nil) throws -> SyncNode {
        try must(.put(file(name, in: parent), base: nil, .inline(Array(text.utf8))))
    }

    @discardableResult
    func edit(_ node: SyncNode, _ text: String) throws -> SyncNode {
        try must(.put(node, base: node.contentRevision, .inline(Array(text.utf8))))
    }

    @discardableResult
    func directory(_ name: String, in parent: NodeID? = nil) throws -> SyncNode {
        try must(
            .makeDirectory(
                SyncNode(id: id(), parent: try parent ?? info.root, name: name, kind: .directory)))
    }

    /// Puts a file by its leaves, storing what is needed.
    @discardableResult
    func put(_ name: String, _ content: CutContent, in parent: NodeID? = nil) throws -> SyncNode {
        let change = SyncOperation.Change.put(
            try content.node(file(name, in: parent)), base: nil, .leaves(content.edit))
        if case .need(let cids) = try commit(change) {
            #expect(try service.store(content.blocks(cids), for: namespace).isEmpty)
        }
        return try must(change)
    }

    func list(
        after cursor: String?, limit: Int = 1000, wantsInline: Bool = false
    ) throws -> ListAnswer {
        try service.changes(
            ListRequest(
                cursor: cursor, limit: limit, wantsInline: wantsInline, wantsEdits: wantsInline),
            of: namespace)
    }

    func snapshot(_ directory: NodeID? = nil, page: String? = nil, wantsInline: Bool = false) throws
        -> SnapshotPage
    {
        try service.snapshot(
            SnapshotRequest(directory: directory, page: page, wantsInline: wantsInline), of: namespace)
    }

    /// Everything that is live.
    func live() throws -> [NodeID: SyncNode] {
        var nodes: [NodeID: SyncNode] = [:]
        var page: String?
        repeat {
            let answer = try snapshot(page: page)
            for entry in answer.entries { nodes[entry.node.id] = entry.node }
            page = answer.next
        } while page != nil
        return nodes
    }
}

/// The content of a file, cut into leaves.
struct CutContent {
    let leaves: [Leaf]
    let root: CID
    let bytes: Int
    private let pieces: [CID: Block]

    init(_ content: [UInt8], leafBytes: Int = 256 * 1024) throws {
        var leaves: [Leaf] = []
        var pieces: [CID: Block] = [:]
        var builder = FileLayoutBuilder(parameters: .unixfsV1_2025)
        var rest = content[...]
        while !rest.isEmpty {
            let block = Self.block(Array(rest.prefix(leafBytes)))
            rest = rest.dropFirst(leafBytes)
            pieces[block.cid] = block
            leaves.append(Leaf(cid: block.cid, bytes: block.bytes.count))
            let count = UInt64(block.bytes.count)
            try builder.add(FileLeaf(cid: block.cid, contentBytes: count, dagBytes: count)) { _ in }
        }
        root = try builder.finish { _ in }.cid
        self.leaves = leaves
        self.pieces = pieces
        bytes = content.count
    }

    static func block(_ bytes: [UInt8]) -> Block {
        Block(
            cid: CID(codec: .raw, multihash: bytes.withUnsafeBytes { Multihash.sha256(of: $0) }), bytes: bytes
        )
    }

    var edit: LeafEdit { LeafEdit(from: [], root: nil, to: leaves) }

    func blocks(_ cids: [CID]) -> [Block] { cids.compactMap { pieces[$0] } }

    func node(_ draft: SyncNode) -> SyncNode {
        var node = draft
        (node.content, node.size) = (root, Int64(bytes))
        return node
    }
}

/// The tree of a client that follows a namespace by its lists.
struct Replica {
    private(set) var nodes: [NodeID: SyncNode] = [:]
    private(set) var cursor: String?

    /// Takes the whole namespace over, page by page; `between` is called after each page.
    mutating func start(_ device: SyncDevice, between: () throws -> Void = {}) throws {
        nodes = [:]
        var page: String?
        repeat {
            let answer = try device.snapshot(page: page)
            for entry in answer.entries { nodes[entry.node.id] = entry.node }
            cursor = answer.cursor.text
            page = answer.next
            try between()
        } while page != nil
    }

    /// Follows the lists to their end.
    mutating func follow(_ device: SyncDevice, limit: Int = 1000) throws {
        while true {
            let answer = try device.list(after: cursor, limit: limit)
            for entry in answer.entries { try take(entry, device) }
            cursor = answer.cursor.text
            guard answer.hasMore else { return }
        }
    }

    private mutating func take(_ entry: RemoteEntry, _ device: SyncDevice) throws {
        if let known = nodes[entry.node.id], known.revision > entry.node.revision { return }
        guard !entry.isDeleted else { return remove(entry.node.id) }
        nodes[entry.node.id] = entry.node
        guard entry.isRestored else { return }
        var page: String?
        repeat {
            let answer = try device.snapshot(entry.node.id, page: page)
            for entry in answer.entries { nodes[entry.node.id] = entry.node }
            page = answer.next
        } while page != nil
    }

    /// Takes a node out with everything below it.
    private mutating func remove(_ id: NodeID) {
        var stack = [id]
        while let next = stack.popLast() {
            nodes[next] = nil
            stack += nodes.values.filter { $0.parent == next }.map(\.id)
        }
    }
}
