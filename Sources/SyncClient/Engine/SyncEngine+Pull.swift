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
        var isNew = true
        var taken = 0
        while true {
            let answer = try pages.next()
            // Whoever owns the namespace may have changed its mind.
            mergesText = answer.mergesText
            for entry in answer.entries where entry.isRestored && !entry.isDeleted {
                try readRestored(entry.node.id)
                isNew = false
            }
            try state.transaction {
                for entry in answer.entries where try !take(entry) { isNew = false }
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
                for entry in answer.entries { try take(entry) }
            }
            page = answer.next
        } while page != nil
    }

    /// - Returns: whether it is of a node that was not known.
    @discardableResult
    private func take(_ entry: RemoteEntry) throws -> Bool {
        let node = entry.node
        let known = try state.node(node.id, in: .remote)
        // An answer to an own commit, or a snapshot, may have been newer.
        if let known, known.revision > node.revision { return false }
        if entry.isDeleted {
            try removeRemote(node.id)
        } else {
            try state.put(node, in: .remote)
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
            try state.remove(next, from: .remote)
            if try state.node(next, in: .local) == nil { try state.remove(next, from: .synced) }
        }
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
        try state.transaction {
            if !isFirst { try removeUnseen(seen) }
            if isReset { try reconcile() }
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
    private func reconcile() throws {
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
                if remote.revision < synced.revision { try state.put(remote, in: .synced) }
            }
        }
    }
}
