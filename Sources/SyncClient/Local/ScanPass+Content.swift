import Multiformats
import SyncProtocol
import Synchronization
import TreeValues

extension ScanPass {
    /// Files are given to a thread in groups of this many.
    private static let groupFiles = 32

    /// Reads the files that wait for it, several at a time, and writes what was found into the tree.
    mutating func readContent() throws {
        let files = takeUnread()
        guard !files.isEmpty else { return }
        let results = read(files)
        var places: [PlaceChange] = []
        try tree.state.transaction {
            for (file, result) in zip(files, results) { try take(result, of: file, &places) }
        }
        guard let index = content.index, !places.isEmpty else { return }
        index.together {
            for change in places {
                if let old = change.old, let leaves = index.leaves(of: old) {
                    index.removePlaces(of: leaves, in: change.node)
                }
                index.addPlaces(of: change.leaves, in: change.node)
            }
        }
    }

    /// The leaves of a file are others than they were.
    private struct PlaceChange {
        var node: NodeID
        var old: CID?
        var leaves: [Leaf]
    }

    private func read(_ files: [UnreadFile]) -> [ContentResult] {
        var groups: [Range<Int>] = []
        var start = 0
        for index in files.indices {
            let isLarge = files[index].request.status.size > ContentReader.smallBytes
            // A large file is work enough for one thread.
            if isLarge || index + 1 - start >= Self.groupFiles {
                groups.append(start..<(index + 1))
                start = index + 1
            }
        }
        if start < files.count { groups.append(start..<files.count) }
        let ranges = groups
        let results = Mutex([[ContentResult]](repeating: [], count: ranges.count))
        let content = content
        let requests = files.map(\.request)
        options.forEach(ranges.count) { index in
            let found = content.read(Array(requests[ranges[index]]))
            results.withLock { $0[index] = found }
        }
        return results.withLock { Array($0.joined()) }
    }

    private mutating func take(
        _ result: ContentResult, of file: UnreadFile, _ places: inout [PlaceChange]
    ) throws {
        let request = file.request
        switch result {
        case .changed: noteBusy(request.path)
        case .failed(.folderMissing): throw FileError.folderMissing
        case .failed(.notFound), .failed(.notDirectory): noteBusy(request.path)
        case .failed(let error): note(error, request.path)
        case .content(let content):
            busySince[ExactPath(request.path)] = nil
            try put(content, of: file, &places)
        }
    }

    /// The node of a file that was looked at twice while it was new: by its own path, and with its directory.
    private func madeMeanwhile(_ file: UnreadFile) throws -> SyncNode? {
        guard !isOfEverything, file.id == nil, let node = try tree.child(of: file.parent, file.name),
            node.kind != .directory
        else { return nil }
        return node
    }

    private mutating func put(
        _ content: FileContent, of file: UnreadFile, _ places: inout [PlaceChange]
    ) throws {
        let status = file.request.status
        let before = try file.id.flatMap { try tree.state.node($0, in: .local) } ?? madeMeanwhile(file)
        if file.id != nil, before == nil { return noteBusy(file.request.path) }
        var node = before ?? SyncNode(id: makeID(), parent: file.parent, name: file.name, kind: .file)
        node.kind = .file
        node.content = content.root
        node.target = nil
        node.size = status.size
        node.modified = status.modified
        node.mode = status.mode
        let stamp = LocalStamp(
            identity: status.identity, size: status.size, modified: status.modified, changed: status.changed,
            seen: file.seen)
        // Files whose content travels within messages are not looked into for leaves.
        let hasLeaves = content.size > ContentCut.maximumInlineBytes
        if before?.content != node.content, hasLeaves || before?.content != nil {
            let leaves = hasLeaves ? content.leaves : []
            places.append(PlaceChange(node: node.id, old: before?.content, leaves: leaves))
        }
        try tree.put(node, stamp: stamp)
        if node != before { countChange() }
    }
}
