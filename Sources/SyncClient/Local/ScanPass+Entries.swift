import SyncProtocol
import TreeValues

extension ScanPass {
    /// Whether a node can stay the same: files and symlinks may take one another's place.
    func isSameKind(_ kind: TreeNodeKind, _ found: FileStatus.Kind) -> Bool {
        switch found {
        case .directory: kind == .directory
        case .file, .symlink: kind != .directory
        case .other: false
        }
    }

    /// Whether what `lstat` says proves that nothing changed.
    func isUnchanged(_ child: LocalChild, _ status: FileStatus) -> Bool {
        guard let stamp = child.stamp, stamp.identity == status.identity else { return false }
        switch (child.kind, status.kind) {
        case (.directory, .directory): return child.mode == status.mode
        case (.file, .file): guard child.isHashed else { return false }
        case (.symlink, .symlink): guard child.target != nil else { return false }
        default: return false
        }
        return stamp.size == status.size && stamp.modified == status.modified
            && stamp.changed == status.changed && !Self.isRacy(status, seen: stamp.seen)
    }

    /// Whether a file may have been changed again after the look without a trace in its times.
    ///
    /// Times far in the future are data that somebody set.
    static func isRacy(_ status: FileStatus, seen: Int64) -> Bool {
        isRacy(modified: status.modified, seen: seen) || isRacy(modified: status.changed, seen: seen)
    }

    /// Whether a time is so close to that of a look that a change after it may have the same.
    static func isRacy(modified: Int64, seen: Int64) -> Bool {
        let (distance, overflows) = seen.subtractingReportingOverflow(modified)
        return !overflows && distance.magnitude <= UInt64(ScannerOptions.racyTime)
    }

    /// Brings a node up to date with what is at its place.
    mutating func compare(_ child: LocalChild, _ entry: Entry, in parent: NodeID) throws {
        if isUnchanged(child, entry.status) {
            if child.kind == .directory { push(child.id, entry.path) }
            return
        }
        switch entry.status.kind {
        case .directory:
            push(child.id, entry.path)
            try update(child.id, entry) { node in
                node.mode = entry.status.mode
            }
        case .symlink: try readSymlink(child.id, entry, in: parent)
        case .file:
            enqueue(child.id, entry, in: parent)
            try lookAtOtherNames(of: entry, known: child.id)
        case .other: break
        }
    }

    /// A watcher tells of the name that a file was written through, and of none of its others, though what is
    /// read by them is another content as well.
    private mutating func lookAtOtherNames(of entry: Entry, known id: NodeID? = nil) throws {
        guard !isOfEverything, entry.status.links > 1, linked.insert(entry.status.identity).inserted else {
            return
        }
        for other in try tree.state.localNodes(with: entry.status.identity, limit: Self.maximumLinks)
        where other != id {
            guard let node = try tree.state.node(other, in: .local), let path = try tree.path(of: node) else {
                continue
            }
            try look(at: node.name, in: Directory(id: node.parent, path: FolderPath.parent(of: path)))
        }
    }

    /// Takes up what the tree does not have at this place: a node that was elsewhere, or a new one.
    ///
    /// - Parameter isWhole: whether all names of the directory were looked at before.
    mutating func add(_ entry: Entry, in parent: NodeID, isWhole: Bool) throws {
        if let moved = try movedNode(entry, to: parent) {
            try move(moved, to: entry, in: parent)
            return
        }
        switch try room(for: entry, in: parent, isWhole: isWhole) {
        case .free: break
        case .unclear: return push(parent, FolderPath.parent(of: entry.path))
        case .replaced(let node): return try replace(node, by: entry, in: parent)
        }
        switch entry.status.kind {
        case .directory:
            let id = makeID()
            let node = SyncNode(
                id: id, parent: parent, name: entry.name, kind: .directory, mode: entry.status.mode)
            try tree.put(node, stamp: entry.stamp)
            countChange()
            push(id, entry.path)
        case .symlink: try readSymlink(nil, entry, in: parent)
        case .file:
            enqueue(nil, entry, in: parent)
            try lookAtOtherNames(of: entry)
        case .other: break
        }
    }

    /// Changes a node and its stamp; says so if it is another one then.
    private mutating func update(_ id: NodeID, _ entry: Entry, _ change: (inout SyncNode) -> Void) throws {
        guard let before = try tree.state.node(id, in: .local) else { return }
        var node = before
        change(&node)
        try tree.put(node, stamp: entry.stamp)
        if node != before { countChange() }
    }

    private mutating func readSymlink(_ id: NodeID?, _ entry: Entry, in parent: NodeID) throws {
        let target: String
        do throws(FileError) {
            target = try fileSystem.readLink(entry.path)
        } catch .folderMissing {
            throw FileError.folderMissing
        } catch {
            return note(error, entry.path)
        }
        func fill(_ node: inout SyncNode) {
            node.kind = .symlink
            node.content = nil
            node.target = target
            node.size = Int64(target.utf8.count)
            node.modified = entry.status.modified
            node.mode = nil
        }
        if let id { return try update(id, entry, fill) }
        var node = SyncNode(id: makeID(), parent: parent, name: entry.name, kind: .symlink)
        fill(&node)
        try tree.put(node, stamp: entry.stamp)
        countChange()
    }

    /// Notes a file to be read, unless somebody is writing to it.
    private mutating func enqueue(_ id: NodeID?, _ entry: Entry, in parent: NodeID) {
        if isBusy(entry) { return noteBusy(entry.path) }
        enqueue(
            UnreadFile(
                id: id, parent: parent, name: entry.name,
                request: ContentRequest(path: entry.path, status: entry.status), seen: entry.seen))
    }

    /// Whether a file was touched so shortly ago that more is to be expected.
    private mutating func isBusy(_ entry: Entry) -> Bool {
        guard !options.finished.contains(entry.path) else { return false }
        let (age, overflow) = entry.seen.subtractingReportingOverflow(entry.status.changed)
        // A time in the future says nothing about now.
        guard !overflow, age < options.quietTime, age > -options.quietTime else {
            busySince[ExactPath(entry.path)] = nil
            return false
        }
        if busySince.count >= 10_000 { busySince.removeAll() }
        let since = busySince[ExactPath(entry.path)] ?? entry.seen
        busySince[ExactPath(entry.path)] = since
        guard entry.seen - since < options.maximumBusyTime else {
            busySince[ExactPath(entry.path)] = nil
            return false
        }
        return true
    }

    mutating func noteBusy(_ path: String) {
        if report.busy.count < ScannerOptions.maximumListed { report.busy.append(path) }
    }

    /// What there is for a name that the tree does not have byte for byte.
    private enum Room {
        case free
        /// The disk may take two names for one: what is in the directory tells.
        case unclear
        /// This one, in another form, is gone: the new file took its place.
        case replaced(SyncNode)
    }

    /// Looks for names of the directory that are the same but for the form of letters. Those that the disk
    /// has beside each other are two names; the planner gives one of them another.
    ///
    /// - Parameter isWhole: whether all names of the directory were looked at, so that those that are not
    ///   there any more are known.
    private mutating func room(for entry: Entry, in parent: NodeID, isWhole: Bool) throws -> Room {
        // Of a directory that was looked at as a whole, what is there is another name.
        if isWhole, missing.isEmpty { return .free }
        guard options.ignoresCase || !entry.name.utf8.allSatisfy({ $0 < 0x80 }) else { return .free }
        let key = NameKey(entry.name, ignoringCase: options.ignoresCase)
        let directory = FolderPath.parent(of: entry.path)
        for other in try tree.state.children(of: parent, named: entry.name, in: .local)
        where NameKey(other.name, ignoringCase: options.ignoresCase) == key
            && ExactPath(other.name) != ExactPath(entry.name)
        {
            if !missing.contains(other.id) {
                if isWhole { continue }
                let path = Self.join(directory, other.name)
                do throws(FileError) {
                    if let there = try fileSystem.status(path) {
                        guard there.identity == entry.status.identity else { continue }
                        return .unclear
                    }
                } catch .folderMissing {
                    throw FileError.folderMissing
                } catch {
                    // What cannot be looked at is not gone.
                    continue
                }
            }
            if isSameKind(other.kind, entry.status.kind) { return .replaced(other) }
            noteReplaced(other.id)
        }
        return .free
    }

    /// Gives a node whose name had another form to what has it now.
    private mutating func replace(_ node: SyncNode, by entry: Entry, in parent: NodeID) throws {
        missing.remove(node.id)
        held[node.id] = nil
        let stamp = try tree.state.stamp(of: node.id)
        var renamed = node
        renamed.name = entry.name
        try tree.state.put(renamed, in: .local)
        try tree.state.setStamp(stamp, of: node.id)
        countChange()
        try compare(LocalChild(renamed, stamp: stamp), entry, in: parent)
    }
}

extension ScanPass.Entry {
    var stamp: LocalStamp {
        LocalStamp(
            identity: status.identity, size: status.size, modified: status.modified, changed: status.changed,
            seen: seen)
    }
}
