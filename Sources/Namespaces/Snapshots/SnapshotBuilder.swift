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
    /// The tree of the earlier snapshot; `nil` to make everything anew.
    let base: TreeView?
    /// The UnixFS directory that a node of ``base`` had in the earlier snapshot; `nil` if it is not known.
    let earlier: (NodeID) throws -> BuiltDirectory?
    /// What was made, in the order in which it was made.
    private(set) var made: [(node: NodeID, built: BuiltDirectory)] = []
    private var batch = BlockBatch()
    /// Bytes of the blocks that were put.
    var blockBytes: Int { batch.total }

    init(
        _ view: TreeView, names: SnapshotNames, store: any BlockStore, changes: SnapshotChanges,
        base: TreeView?, earlier: @escaping (NodeID) throws -> BuiltDirectory?
    ) {
        self.view = view
        self.names = names
        self.store = store
        self.changes = changes
        self.base = base
        self.earlier = earlier
    }

    /// A directory and its place.
    private struct Place {
        let node: NodeID
        /// What it is called in the directory above.
        let name: [UInt8]
        /// Whether it was in the tree of the earlier snapshot, which has its blocks then.
        let wasThere: Bool
    }

    /// A directory that is being made.
    private struct Level {
        let place: Place
        var maker: DirectoryMaker
        /// Directories in it that are still to be made.
        var waiting: [Place] = []
    }

    /// Makes the tree.
    ///
    /// - Throws: `NamespaceError.contentAbsent` if the root of a file is not in the store, and what the
    ///   store, the catalog and UnixFS throw.
    mutating func build() throws -> BuiltDirectory {
        let root = Place(node: view.root, name: [], wasThere: base != nil)
        if let whole = try take(root) { return whole }
        // Not by recursion: how deep a tree is was not decided here.
        var stack = [try begin(root)]
        while true {
            let top = stack.count - 1
            if let child = stack[top].waiting.popLast() {
                if let known = try take(child) {
                    try stack[top].maker.set(child.name, known.root, known.dagBytes)
                } else {
                    stack.append(try begin(child))
                }
                continue
            }
            let level = stack.removeLast()
            let built = try level.maker.finish { try batch.add($0, store) }
            made.append((level.place.node, built))
            guard !stack.isEmpty else {
                try batch.flush(to: store)
                return built
            }
            try stack[top - 1].maker.set(level.place.name, built.root, built.dagBytes)
        }
    }

    private func take(_ place: Place) throws -> BuiltDirectory? {
        guard place.wasThere, !changes.directories.contains(place.node) else { return nil }
        return try earlier(place.node)
    }

    /// Where a directory is, and whether it was in the tree of the earlier snapshot. What came back since from
    /// where it had been deleted was not, nor what is below it, whatever is known of it from before.
    private func place(_ child: TreeNode, in level: Level, named name: [UInt8]) throws -> Place {
        guard let base, let jid = base.jid else { return Place(node: child.id, name: name, wasThere: false) }
        // One that did not change itself since was there if the one above it was.
        let wasThere =
            child.revision <= jid ? level.place.wasThere : try base.way(to: child.id) != nil
        return Place(node: child.id, name: name, wasThere: wasThere)
    }

    private mutating func begin(_ place: Place) throws -> Level {
        let node = place.node
        if names.style == .files, view.jid == nil, place.wasThere, let old = try earlier(node),
            let touched = changes.names[node], let editor = try DirectoryMaker(editing: old.root, store)
        {
            var level = Level(place: place, maker: editor)
            try edit(&level, touched)
            return level
        }
        var level = Level(place: place, maker: DirectoryMaker())
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
            let file = try view.tables.child(of: level.place.node, key: name)
            if let child = try file ?? view.tables.child(of: level.place.node, key: name + "/") {
                try add(child, Array(name.utf8), to: &level)
            } else {
                level.maker.remove(Array(name.utf8))
            }
        }
        for child in changes.children[level.place.node] ?? [] {
            guard let node = try view.node(child), !node.isDeleted, node.parent == level.place.node,
                !touched.contains(node.name)
            else { continue }
            level.waiting.append(try self.place(node, in: level, named: Array(node.name.utf8)))
        }
    }

    private mutating func add(_ child: TreeNode, _ name: [UInt8], to level: inout Level) throws {
        switch child.kind {
        case .directory: level.waiting.append(try place(child, in: level, named: name))
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
    /// Bytes of all blocks so far.
    private(set) var total = 0

    mutating func add(_ block: Block, _ store: any BlockStore) throws {
        blocks.append(block)
        bytes += block.bytes.count
        total += block.bytes.count
        if blocks.count >= 512 || bytes >= 4 * 1024 * 1024 { try flush(to: store) }
    }

    mutating func flush(to store: any BlockStore) throws {
        guard !blocks.isEmpty else { return }
        for block in blocks { try store.put(block) }
        blocks.removeAll(keepingCapacity: true)
        bytes = 0
    }
}
