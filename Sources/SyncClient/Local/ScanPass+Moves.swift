import SyncProtocol
import TreeValues

extension ScanPass {
    /// The node that was elsewhere and is here: known by its inode, and gone from its place.
    ///
    /// A file has to have its size and time as well, since the number of a removed file is soon given to
    /// another one.
    func movedNode(_ entry: Entry, to parent: NodeID) throws -> SyncNode? {
        for id in try tree.state.localNodes(with: entry.status.identity, limit: Self.maximumLinks) {
            guard let node = try tree.state.node(id, in: .local), try isMoved(node, entry, to: parent) else {
                continue
            }
            return node
        }
        return nil
    }

    private func isMoved(_ node: SyncNode, _ entry: Entry, to parent: NodeID) throws -> Bool {
        switch (node.kind, entry.status.kind) {
        case (.directory, .directory):
            // A directory cannot be below itself; somebody moves things about while they are looked at.
            guard try !tree.isBelow(parent, node.id) else { return false }
        case (.file, .file), (.symlink, .symlink):
            guard let stamp = try tree.state.stamp(of: node.id), stamp.size == entry.status.size,
                stamp.modified == entry.status.modified
            else { return false }
        default: return false
        }
        return try missing.contains(node.id) || isGone(node)
    }

    /// Whether nothing of its kind is where the tree has a node. What cannot be looked at is not gone.
    func isGone(_ node: SyncNode) throws -> Bool {
        guard let path = try tree.path(of: node) else { return true }
        do throws(FileError) {
            guard let status = try fileSystem.status(path) else { return true }
            // A file in the place of a directory, or the other way round.
            if status.kind != .other, !isSameKind(node.kind, status.kind) { return true }
        } catch .folderMissing {
            throw FileError.folderMissing
        } catch {
            return false
        }
        // Or another node has its place.
        return try missing.contains(node.id)
            && tree.children(of: node.parent, node.name).contains { !missing.contains($0.id) }
    }

    /// Gives a node its new place. Everything below a directory moves with it.
    mutating func move(_ node: SyncNode, to entry: Entry, in parent: NodeID) throws {
        missing.remove(node.id)
        held[node.id] = nil
        var moved = node
        moved.parent = parent
        moved.name = entry.name
        if node.kind == .directory { moved.mode = entry.status.mode }
        let isRacy = Self.isRacy(entry.status, seen: entry.seen)
        if node.kind == .file, !isRacy { moved.mode = entry.status.mode }
        var stamp = entry.stamp
        // As one that was seen at the moment of its last change: it is to be read again.
        if node.kind == .file { stamp.seen = entry.status.changed }
        try tree.put(moved, stamp: stamp)
        countChange()
        switch node.kind {
        case .directory: push(node.id, entry.path)
        case .symlink: break
        case .file:
            // A move changes the time of the last change, by which else it is seen that a file was written to
            // and given its size and time back: it is read again.
            try compare(LocalChild(moved, stamp: stamp), entry, in: parent)
        }
    }

    /// Notes a node that will not turn up elsewhere: it is not held. Its place was taken by something of another
    /// kind, and a directory has a name once; or whoever took it away said so.
    mutating func noteReplaced(_ id: NodeID) {
        missing.insert(id)
        held[id] = clock() &- options.deletionHold
    }

    /// Removes from the tree what is gone, and was not found elsewhere for as long as it is held.
    mutating func removeMissing() throws {
        let now = clock()
        for id in missing where held[id] == nil { held[id] = now }
        for (id, since) in held.sorted(by: { $0.key < $1.key }) {
            guard let node = try tree.state.node(id, in: .local), try isGone(node) else {
                held[id] = nil
                continue
            }
            guard now - since >= options.deletionHold else { continue }
            held[id] = nil
            report.changes += try tree.removeSubtree(id)
        }
    }
}
