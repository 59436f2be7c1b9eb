import Multiformats
import SyncProtocol
import TreeValues

/// Reading the server's journal into the remote tree.
extension SyncEngine {
    /// Entries of one answer.
    static let listLimit = 1000

    /// Reads the journal to its end. The cursor is kept in the transaction that takes over what it stands
    /// behind.
    func pull() throws {
        needsPull = false
        do {
            guard try state.cursor() != nil else {
                try readSnapshot(isReset: false)
                return try readEntries()
            }
            try readEntries()
        } catch SyncServerError.resetRequired {
            environment.report(.reset)
            try readSnapshot(isReset: true)
            try readEntries()
        }
    }

    private func readEntries() throws {
        let pages = JournalPages(after: try state.cursor(), start: environment.start) {
            [server] cursor throws(SyncServerError) in
            try server.list(after: cursor, limit: Self.listLimit)
        }
        defer { pages.end() }
        // Whether there was nothing but what is new here.
        var isNew = try state.value(StateKey.goneDirectories) == nil
        var taken = 0
        while true {
            let answer = try pages.next()
            // Whoever owns the namespace may have changed its mind.
            mergesText = answer.mergesText
            for entry in answer.entries where entry.isRestored && !entry.isDeleted {
                try forgetOrphan(entry.node.id)
                try readRestored(entry.node.id)
                isNew = false
            }
            try state.transaction {
                var gone: [NodeID] = []
                for entry in answer.entries where try !take(entry, gone: &gone) { isNew = false }
                try noteGone(gone)
                if !answer.hasMore { try removeWhatWentWithDirectories() }
                try state.setCursor(answer.cursor)
            }
            guard answer.hasMore else { break }
            taken += answer.entries.count
            if isNew, taken >= options.planBatch {
                isNew = try settleNew()
                taken = 0
            }
        }
    }

    /// What is below a directory that came back has no entries of its own.
    private func readRestored(_ directory: NodeID) throws {
        var page: String?
        repeat {
            let answer = try server.snapshot(of: directory, page: page)
            try state.transaction {
                var gone: [NodeID] = []
                for entry in answer.entries { try take(entry, gone: &gone) }
                try noteGone(gone)
            }
            page = answer.next
        } while page != nil
    }

    // MARK: Directories that went

    // The journal tells the newest change of each node: a directory that was moved out of another one, before
    // that one was removed, and again since, is told of behind the removal. So what was in a directory goes
    // with it only when the journal was read to its end, and only if it is there still.

    private func noteGone(_ directories: [NodeID]) throws {
        guard !directories.isEmpty else { return }
        let before = try state.value(StateKey.goneDirectories).map { $0 + "\n" } ?? ""
        try state.setValue(
            before + directories.map(\.text).joined(separator: "\n"), StateKey.goneDirectories)
    }

    private func removeWhatWentWithDirectories() throws {
        guard let text = try state.value(StateKey.goneDirectories) else { return }
        for line in text.split(separator: "\n") {
            guard let id = try? NodeID(text: String(line)), try state.node(id, in: .remote) == nil else {
                continue
            }
            for child in try state.children(of: id, in: .remote) { try removeRemote(child.id) }
        }
        try state.setValue(nil, StateKey.goneDirectories)
    }

    /// Forgets what came back, and went with a directory above it, as far as it is known: it is read anew.
    private func forgetOrphan(_ id: NodeID) throws {
        guard try state.value(StateKey.goneDirectories) != nil else { return }
        try state.transaction {
            var next = id
            while next != state.root {
                guard let node = try state.node(next, in: .remote) else { return try removeRemote(id) }
                next = node.parent
            }
        }
    }

    /// - Parameter gone: gets the directory that the entry says is gone, or that is not there.
    /// - Returns: whether it is of a node that was not known.
    @discardableResult
    private func take(_ entry: RemoteEntry, gone: inout [NodeID]) throws -> Bool {
        let node = entry.node
        let known = try state.node(node.id, in: .remote)
        // An answer to an own commit, or a snapshot, may have been newer.
        if let known, known.revision > node.revision { return false }
        if entry.isDeleted, known?.kind == .directory {
            gone.append(node.id)
            try removeRemoteAlone(node.id)
        } else if entry.isDeleted {
            try removeRemote(node.id)
        } else {
            try state.put(node, in: .remote)
            // Its directory is still to come, or it went, and this with it: see where what went is removed.
            if known?.parent != node.parent, node.parent != state.root, gone.last != node.parent,
                try state.node(node.parent, in: .remote) == nil
            {
                gone.append(node.parent)
            }
            if let inline = entry.inline, let cid = node.content {
                inlineContents.insert(inline, for: cid, limit: options.inlineCacheBytes)
            } else if let edit = entry.edit, let cid = node.content {
                fileEdits.insert(edit, for: cid)
            }
        }
        return known == nil && !entry.isDeleted
    }

    /// Takes a node out of the remote tree, with everything below it.
    ///
    /// What neither side has any more is forgotten in the same transaction: if it comes back to the server
    /// before the next plan, it was not removed here since.
    func removeRemote(_ id: NodeID) throws {
        var stack = [id]
        while let next = stack.popLast() {
            for child in try state.children(of: next, in: .remote) { stack.append(child.id) }
            try removeRemoteAlone(next)
        }
    }

    private func removeRemoteAlone(_ id: NodeID) throws {
        try state.remove(id, from: .remote)
        if try state.node(id, in: .local) == nil { try state.remove(id, from: .synced) }
    }

    /// Takes over a node as the server answered it, unless something newer is known.
    func putRemote(_ node: SyncNode) throws {
        if let known = try state.node(node.id, in: .remote), known.revision > node.revision { return }
        try state.put(node, in: .remote)
    }

    // MARK: Snapshots

    /// Reads the whole tree: for the first time, or because the journal is not the one that was read.
    private func readSnapshot(isReset: Bool) throws {
        // Where nothing was, there is nothing that is not there any more.
        let isFirst = try state.children(of: state.root, in: .remote).isEmpty
        var seen: Set<NodeID> = []
        var page: String?
        var cursor: SyncCursor?
        var next: CallUnderWay<SnapshotPage>?
        defer { next?.wait() }
        repeat {
            let answer = try next?.answer() ?? server.snapshot(of: nil, page: page)
            next = answer.next.map { page in
                CallUnderWay(start: environment.start) { [server] () throws(SyncServerError) in
                    try server.snapshot(of: nil, page: page)
                }
            }
            cursor = cursor ?? answer.cursor
            try state.transaction {
                for entry in answer.entries where !entry.isDeleted {
                    if !isFirst { seen.insert(entry.node.id) }
                    try state.put(entry.node, in: .remote)
                    if let inline = entry.inline, let cid = entry.node.content {
                        inlineContents.insert(inline, for: cid, limit: options.inlineCacheBytes)
                    }
                }
            }
            page = answer.next
        } while page != nil
        let lost = isReset ? try lostVersions() : []
        try state.transaction {
            if !isFirst { try removeUnseen(seen) }
            if isReset { try reconcile(lost) }
            try state.setCursor(cursor)
        }
    }

    private func removeUnseen(_ seen: Set<NodeID>) throws {
        var gone: [NodeID] = []
        var stack = [state.root]
        while let directory = stack.popLast() {
            for child in try state.children(of: directory, in: .remote) {
                if !seen.contains(child.id) { gone.append(child.id) }
                if child.kind == .directory { stack.append(child.id) }
            }
        }
        for id in gone { try state.remove(id, from: .remote) }
    }

    /// What was synced with another journal says little of this one. Nothing is deleted for it on either
    /// side: what one side lacks is new to it, and where the server went back to an older version, the one
    /// from here is a change.
    ///
    /// - Parameter lost: see ``lostVersions()``.
    private func reconcile(_ lost: Set<NodeID>) throws {
        var last: NodeID?
        while true {
            let nodes = try state.unsettledStates(after: last, limit: options.planBatch)
            guard let end = nodes.last?.id else { return }
            last = end
            for states in nodes {
                guard let synced = states.synced else {
                    // Without a directory above it, it is of the journal that was.
                    if let remote = states.remote, states.local == nil, remote.parent != state.root,
                        try state.node(remote.parent, in: .remote) == nil
                    {
                        try state.remove(states.id, from: .remote)
                    }
                    continue
                }
                guard let remote = states.remote, states.local != nil else {
                    try state.remove(states.id, from: .synced)
                    continue
                }
                if remote.revision < synced.revision {
                    try state.put(remote, in: .synced)
                } else if lost.contains(states.id) {
                    try state.remove(states.id, from: .synced)
                }
            }
        }
    }

    /// Files that others have written since the journal is another one, and whose version that is here the
    /// node does not hold any more: theirs was not made of it, and it is kept beside theirs.
    private func lostVersions() throws -> Set<NodeID> {
        var lost: Set<NodeID> = []
        var last: NodeID?
        while true {
            let nodes = try state.unsettledStates(after: last, limit: min(options.planBatch, 1000))
            guard let end = nodes.last?.id else { return lost }
            last = end
            var contents: [NodeID: CID] = [:]
            for states in nodes {
                guard let remote = states.remote, let synced = states.synced, states.local != nil,
                    remote.revision >= synced.revision, remote.kind == .file,
                    !remote.hasContent(of: synced), let content = synced.content
                else { continue }
                contents[states.id] = content
            }
            guard !contents.isEmpty else { continue }
            let missing = Set(try server.missing(Array(Set(contents.values))))
            lost.formUnion(contents.filter { missing.contains($0.value) }.keys)
        }
    }
}
