import SyncProtocol
import TreeValues

extension ScanPass {
    /// Names that a scan gives to nodes which are not in the tree yet.
    struct NewNames {
        var keys: Set<NameKey> = []
    }

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
        case .file: enqueue(child.id, entry, in: parent)
        case .other: break
        }
    }

    /// Takes up what the tree does not have at this place: a node that was elsewhere, or a new one.
    mutating func add(_ entry: Entry, in parent: NodeID, _ names: inout NewNames) throws {
        if let moved = try movedNode(entry, to: parent) {
            try move(moved, to: entry, in: parent)
            return
        }
        guard try isFree(entry, in: parent, &names) else {
            return note(.exists(entry.path), entry.path)
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
        case .file: enqueue(nil, entry, in: parent)
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
        let (age, overflow) = entry.seen.subtractingReportingOverflow(entry.status.changed)
        // A time in the future says nothing about now.
        guard !overflow, age < options.quietTime, age > -options.quietTime else {
            busySince[entry.path] = nil
            return false
        }
        if busySince.count >= 10_000 { busySince.removeAll() }
        let since = busySince[entry.path] ?? entry.seen
        busySince[entry.path] = since
        guard entry.seen - since < options.maximumBusyTime else {
            busySince[entry.path] = nil
            return false
        }
        return true
    }

    mutating func noteBusy(_ path: String) {
        if report.busy.count < ScannerOptions.maximumListed { report.busy.append(path) }
    }

    /// Whether no other name of the directory is the same but for the form of letters.
    private func isFree(_ entry: Entry, in parent: NodeID, _ names: inout NewNames) throws -> Bool {
        guard options.ignoresCase || !entry.name.utf8.allSatisfy({ $0 < 0x80 }) else { return true }
        let key = NameKey(entry.name, ignoringCase: options.ignoresCase)
        guard names.keys.insert(key).inserted else { return false }
        let directory =
            entry.path.utf8.count == entry.name.utf8.count
            ? "" : String(entry.path.utf8.dropLast(entry.name.utf8.count + 1)) ?? ""
        for other in try tree.state.children(of: parent, named: entry.name, in: .local)
        where NameKey(other.name, ignoringCase: options.ignoresCase) == key && !missing.contains(other.id) {
            let status = try? fileSystem.status(Self.join(directory, other.name))
            if status != nil { return false }
        }
        return true
    }
}

extension ScanPass.Entry {
    var stamp: LocalStamp {
        LocalStamp(
            identity: status.identity, size: status.size, modified: status.modified, changed: status.changed,
            seen: seen)
    }
}
