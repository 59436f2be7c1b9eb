import Digests
import Multiformats
import SyncProtocol
import TreeValues

@testable import SyncClient

/// One operation, checked as the node checks it.
struct ModelCommit {
    var namespace: ModelServer.Namespace
    let root: NodeID
    let ignoresCase: Bool
    let device: String

    mutating func apply(_ change: SyncOperation.Change) -> CommitResult {
        switch change {
        case .put(let node, let base, let content): put(node, base, content)
        case .makeDirectory(let node): makeDirectory(node)
        case .move(let id, let parent, let name, let base): move(id, parent, name, base)
        case .delete(let id, let base, let newest): delete(id, base, newest)
        case .setAttributes(let id, let modified, let mode): setAttributes(id, modified, mode)
        case .restore(let id, let parent, let name): restore(id, parent, name)
        }
    }

    private func isLive(_ id: NodeID) -> Bool { ModelServer.isLive(id, namespace, root) }

    private mutating func record(
        _ node: SyncNode, isDeleted: Bool = false, isRestored: Bool = false, newContent: Bool = false
    ) -> CommitResult {
        var node = node
        namespace.head += 1
        node.revision = namespace.head
        if newContent { node.contentRevision = namespace.head }
        if let old = namespace.rows[node.id] { namespace.children[old.node.parent]?.remove(node.id) }
        namespace.rows[node.id] = ModelServer.Row(node: node, isDeleted: isDeleted)
        namespace.children[node.parent, default: []].insert(node.id)
        if let cid = node.content { namespace.history.insert(cid) }
        namespace.journal.append(
            RemoteEntry(node: node, isDeleted: isDeleted, isRestored: isRestored, device: device))
        return .done(node)
    }

    /// What is in the way of a node at a place.
    private func obstacle(_ id: NodeID, _ parent: NodeID, _ name: String) -> CommitResult? {
        guard parent == root || (isLive(parent) && namespace.rows[parent]?.node.kind == .directory) else {
            return .conflict(reason: "parent_missing", current: namespace.rows[parent]?.node)
        }
        guard SyncNames.isPossible(name, inRoot: false), name.utf8.count <= 255 else {
            return .refused(code: .badPath, message: "a bad name")
        }
        for other in namespace.children[parent] ?? [] where other != id {
            guard let row = namespace.rows[other], !row.isDeleted,
                NameKey(row.node.name, ignoringCase: ignoresCase) == NameKey(name, ignoringCase: ignoresCase)
            else { continue }
            return .conflict(reason: "name_taken", current: row.node)
        }
        return nil
    }

    private mutating func put(_ node: SyncNode, _ base: JID?, _ content: PutContent) -> CommitResult {
        if node.kind == .file {
            if let needed = take(node, content) { return needed }
        }
        if let refusal = quotaRefusal(node) { return refusal }
        guard let row = namespace.rows[node.id] else {
            if base != nil { return .refused(code: .unknownNode, message: "no such node") }
            return create(node)
        }
        guard row.node.kind != .directory else {
            return .conflict(reason: "kind_mismatch", current: row.node)
        }
        var next = row.node
        (next.kind, next.content, next.target, next.size) = (node.kind, node.content, node.target, node.size)
        let live = isLive(node.id)
        if live, next.hasContent(of: row.node) {
            next.modified = node.modified
            next.mode = node.mode ?? next.mode
            return next == row.node ? .done(row.node) : record(next)
        }
        guard base == row.node.contentRevision else { return .conflict(reason: "stale", current: row.node) }
        next.modified = node.modified
        next.mode = node.mode ?? next.mode
        if live { return record(next, newContent: true) }
        (next.parent, next.name) = (node.parent, node.name)
        if let obstacle = obstacle(node.id, next.parent, next.name) { return obstacle }
        return record(next, isRestored: true, newContent: !next.hasContent(of: row.node))
    }

    /// Whether there is no room for a content.
    private func quotaRefusal(_ node: SyncNode) -> CommitResult? {
        guard let quota = namespace.quota else { return nil }
        let before = namespace.rows[node.id].flatMap { isLive(node.id) ? $0.node.size : nil } ?? 0
        guard node.size > before else { return nil }
        let used = namespace.rows.values.reduce(Int64(0)) { $0 + (isLive($1.node.id) ? $1.node.size : 0) }
        guard used - before + node.size > quota else { return nil }
        return .refused(code: .quotaExceeded, message: "the namespace may hold \(quota) bytes")
    }

    private mutating func create(_ node: SyncNode) -> CommitResult {
        if let obstacle = obstacle(node.id, node.parent, node.name) {
            if case .conflict("name_taken", let current?) = obstacle,
                NameKey(current.name) == NameKey(node.name), current.hasContent(of: node)
            {
                return .done(current)
            }
            return obstacle
        }
        return record(node, newContent: true)
    }

    /// Checks that the content is there; what is needed, if not.
    private mutating func take(_ node: SyncNode, _ content: PutContent) -> CommitResult? {
        guard let root = node.content else { return .refused(code: .badManifest, message: "no root") }
        switch content {
        case .inline(let bytes):
            guard (try? root.verify(bytes)) != nil else {
                return .refused(code: .badManifest, message: "inline content of another root")
            }
            namespace.blocks[root] = bytes
            namespace.leaves[root] = [Leaf(cid: root, bytes: bytes.count)]
        case .leaves(let edit, let blocks):
            for bytes in blocks {
                let multihash = bytes.withUnsafeBytes { Multihash.sha256(of: $0) }
                namespace.blocks[CID(codec: .raw, multihash: multihash)] = bytes
            }
            let base = edit.base.flatMap { namespace.leaves[$0] } ?? []
            if let wanted = edit.base, namespace.leaves[wanted] == nil {
                return .refused(code: .badManifest, message: "an unknown base")
            }
            guard let leaves = LeafLists.apply(edit, to: base),
                (try? LeafLists.root(of: leaves)) == root
            else { return .refused(code: .badManifest, message: "leaves of another root") }
            let missing = leaves.map(\.cid).filter { namespace.blocks[$0] == nil }
            if !missing.isEmpty { return .need(missing) }
            namespace.leaves[root] = leaves
        case .none: return .refused(code: .badManifest, message: "no content")
        }
        return nil
    }

    private mutating func makeDirectory(_ node: SyncNode) -> CommitResult {
        if let row = namespace.rows[node.id] {
            let isThere =
                row.node.kind == .directory && row.node.isInPlace(of: node)
            return isThere && isLive(node.id)
                ? .done(row.node) : .conflict(reason: "stale", current: row.node)
        }
        return create(node)
    }

    private mutating func move(_ id: NodeID, _ parent: NodeID, _ name: String, _ base: JID) -> CommitResult {
        guard let row = namespace.rows[id] else {
            return .refused(code: .unknownNode, message: "no such node")
        }
        guard isLive(id) else { return .conflict(reason: "stale", current: row.node) }
        if row.node.parent == parent, NameKey(row.node.name) == NameKey(name) { return .done(row.node) }
        if row.node.revision != base {
            let states = namespace.journal.filter { $0.node.id == id }
            let before = states.last { $0.node.revision <= base }?.node
            let after = states.filter { $0.node.revision > base }
            if let before, after.contains(where: { !$0.node.hasPlace(of: before) }) {
                return .conflict(reason: "moved", current: row.node)
            }
        }
        var next = row.node
        (next.parent, next.name) = (parent, name)
        if let obstacle = obstacle(id, parent, name) { return obstacle }
        var above = parent
        while above != root {
            if above == id { return .conflict(reason: "cycle", current: row.node) }
            above = namespace.rows[above]?.node.parent ?? root
        }
        return record(next)
    }

    private mutating func delete(_ id: NodeID, _ base: JID, _ newest: JID) -> CommitResult {
        guard let row = namespace.rows[id] else {
            return .refused(code: .unknownNode, message: "no such node")
        }
        guard isLive(id) else { return .done(row.node) }
        guard row.node.revision == base else { return .conflict(reason: "stale", current: row.node) }
        var stack = [id]
        while let next = stack.popLast() {
            for child in namespace.children[next] ?? [] {
                guard let below = namespace.rows[child], !below.isDeleted else { continue }
                if below.node.revision > max(newest, base) {
                    return .conflict(reason: "not_empty", current: row.node)
                }
                stack.append(child)
            }
        }
        return record(row.node, isDeleted: true)
    }

    private mutating func setAttributes(_ id: NodeID, _ modified: Int64?, _ mode: UInt32?) -> CommitResult {
        guard let row = namespace.rows[id] else {
            return .refused(code: .unknownNode, message: "no such node")
        }
        guard isLive(id) else { return .conflict(reason: "stale", current: row.node) }
        var next = row.node
        next.modified = modified ?? next.modified
        next.mode = mode ?? next.mode
        return next == row.node ? .done(row.node) : record(next)
    }

    private mutating func restore(_ id: NodeID, _ parent: NodeID, _ name: String) -> CommitResult {
        guard let row = namespace.rows[id] else {
            return .refused(code: .unknownNode, message: "no such node")
        }
        if isLive(id) { return .done(row.node) }
        var next = row.node
        (next.parent, next.name) = (parent, name)
        if let obstacle = obstacle(id, parent, name) { return obstacle }
        return record(next, isRestored: true)
    }
}
