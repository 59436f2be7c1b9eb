import BlockStorage
import Catalog
import IPLD
import Multiformats
import TreeValues
import UnixFS

/// Makes the UnixFS directory of a tree, from what an earlier snapshot has of it and what changed since.
///
/// Only directories that changed, and those above them, are made; the others are taken from the earlier
/// snapshot, and a large one is edited rather than made anew. Blocks are put as they are made, children
/// before parents. Memory: the names of one directory, and a few bytes for each change.
struct SnapshotBuilder {
    let view: TreeView
    let names: SnapshotNames
    let store: any BlockStore
    let changes: SnapshotChanges
    /// The UnixFS directory that a node had in the earlier snapshot; `nil` if it was not there, or is not
    /// known.
    let earlier: (NodeID) throws -> BuiltDirectory?
    /// What was made, in the order in which it was made.
    private(set) var made: [(node: NodeID, built: BuiltDirectory)] = []
    private var batch = BlockBatch()

    init(
        _ view: TreeView, names: SnapshotNames, store: any BlockStore, changes: SnapshotChanges,
        earlier: @escaping (NodeID) throws -> BuiltDirectory?
    ) {
        self.view = view
        self.names = names
        self.store = store
        self.changes = changes
        self.earlier = earlier
    }

    /// A directory that is being made.
    private struct Level {
        let node: NodeID
        /// What it is called in the directory above.
        let name: [UInt8]
        var maker: DirectoryMaker
        /// Directories in it that are still to be made.
        var waiting: [(node: NodeID, name: [UInt8])] = []
    }

    /// Makes the tree.
    ///
    /// - Throws: `NamespaceError.contentAbsent` if the root of a file is not in the store, and what the
    ///   store, the catalog and UnixFS throw.
    mutating func build() throws -> BuiltDirectory {
        if let whole = try take(view.root) { return whole }
        // Not by recursion: how deep a tree is was not decided here.
        var stack = [try begin(view.root, named: [])]
        while true {
            let top = stack.count - 1
            if let child = stack[top].waiting.popLast() {
                if let known = try take(child.node) {
                    try stack[top].maker.set(child.name, known.root, known.dagBytes)
                } else {
                    stack.append(try begin(child.node, named: child.name))
                }
                continue
            }
            let level = stack.removeLast()
            let built = try level.maker.finish { try batch.add($0, store) }
            made.append((level.node, built))
            guard !stack.isEmpty else {
                try batch.flush(to: store)
                return built
            }
            try stack[top - 1].maker.set(level.name, built.root, built.dagBytes)
        }
    }

    private func take(_ node: NodeID) throws -> BuiltDirectory? {
        changes.directories.contains(node) ? nil : try earlier(node)
    }

    private mutating func begin(_ node: NodeID, named name: [UInt8]) throws -> Level {
        if names.style == .files, view.jid == nil, let old = try earlier(node),
            let touched = changes.names[node], let editor = try DirectoryMaker(editing: old.root, store)
        {
            var level = Level(node: node, name: name, maker: editor)
            try edit(&level, touched)
            return level
        }
        var level = Level(node: node, name: name, maker: DirectoryMaker())
        var directories: Set<String> = []
        if names.style == .objects {
            try view.forEachChild(of: node) { if $0.kind == .directory { directories.insert($0.name) } }
        }
        try view.forEachChild(of: node) { child in
            try add(child, names.name(of: child, hasTwin: directories.contains(child.name)), to: &level)
        }
        return level
    }

    /// Changes what is called by one of these names, and the directories in which something changed.
    private mutating func edit(_ level: inout Level, _ touched: Set<String>) throws {
        for name in touched {
            let file = try view.tables.child(of: level.node, key: name)
            if let child = try file ?? view.tables.child(of: level.node, key: name + "/") {
                try add(child, Array(name.utf8), to: &level)
            } else {
                level.maker.remove(Array(name.utf8))
            }
        }
        for child in changes.children[level.node] ?? [] {
            guard let node = try view.node(child), !node.isDeleted, node.parent == level.node,
                !touched.contains(node.name)
            else { continue }
            level.waiting.append((child, Array(node.name.utf8)))
        }
    }

    private mutating func add(_ child: TreeNode, _ name: [UInt8], to level: inout Level) throws {
        switch child.kind {
        case .directory: level.waiting.append((child.id, name))
        case .file:
            guard let content = child.content else {
                // Of a version that is kept only what was emptied out of the trash has no content.
                if view.jid != nil { return }
                throw NamespaceError.historyRemoved(child.id, child.revision)
            }
            try level.maker.set(name, content, try dagBytes(of: content, child))
        case .symlink:
            let link = UnixFSSymlink(target: Array((child.target ?? "").utf8))
            let block = try link.block(parameters: .unixfsV1_2025)
            try level.maker.set(name, block.cid, UInt64(block.bytes.count))
            try batch.add(block, store)
        }
    }

    /// Bytes of all blocks of a file: what `Tsize` says.
    private func dagBytes(of content: CID, _ node: TreeNode) throws -> UInt64 {
        if content.codec == .raw { return UInt64(clamping: node.size) }
        guard let block = try store.block(content) else {
            throw NamespaceError.contentAbsent(node.id, content)
        }
        return try UnixFSStat(block).dagBytes
    }
}

/// Blocks that wait to be put together.
struct BlockBatch {
    private var blocks: [Block] = []
    private var bytes = 0

    mutating func add(_ block: Block, _ store: any BlockStore) throws {
        blocks.append(block)
        bytes += block.bytes.count
        if blocks.count >= 512 || bytes >= 4 * 1024 * 1024 { try flush(to: store) }
    }

    mutating func flush(to store: any BlockStore) throws {
        guard !blocks.isEmpty else { return }
        for block in blocks { try store.put(block) }
        blocks.removeAll(keepingCapacity: true)
        bytes = 0
    }
}
