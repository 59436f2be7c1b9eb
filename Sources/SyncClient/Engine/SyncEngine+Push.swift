import Digests
import IPLD
import Multiformats
import SyncProtocol
import TreeValues

/// Sending changes to the server.
extension SyncEngine {
    /// An operation on its way.
    struct Outgoing {
        let step: ServerStep
        /// Under which the operation was written down; `nil` if it need not be.
        let fingerprint: String?
        /// The local node as it is sent; `nil` for a removal.
        let node: SyncNode?
        let path: String
        var operation: SyncOperation
        let leaves: [Leaf]
        /// Whether the server has the node, as far as is known.
        let isThere: Bool
    }

    /// How often blocks are stored for one operation before it is given up for the moment.
    static let maximumStores = 3

    /// Commits steps in batches. While the server works on one, the next is prepared, and what became of the
    /// one before is taken over.
    ///
    /// - Throws: `SyncServerError`; what the state throws. Nothing is under way then.
    func push(_ steps: [ServerStep]) throws {
        untakenDirectories.removeAll()
        var flight: PushFlight?
        // An answer that nobody takes over is one that was lost: what it is about is sent again.
        defer { flight?.commit.wait() }
        for start in stride(from: 0, to: steps.count, by: options.commitBatch) where !shouldStop {
            let batch = withRoom(steps[start..<min(start + options.commitBatch, steps.count)])
            var outgoing = try prepare(batch)
            guard let before = flight else {
                flight = try launch(outgoing)
                continue
            }
            flight = nil
            let answer = try before.commit.answer()
            if before.isPlain(answer) {
                // Nothing in it changes what the next one says.
                flight = try launch(outgoing, after: answer.cursor)
                try take(answer, of: before.outgoing)
            } else {
                try take(answer, of: before.outgoing)
                if let pause = status.uploadsPaused, !pause.isForRoom { return }
                outgoing = try prepare(withRoom(batch[...]))
                flight = try launch(outgoing)
            }
        }
        if let last = flight {
            flight = nil
            try take(try last.commit.answer(), of: last.outgoing)
        }
        try goOn()
    }

    /// What of steps may go: where the node said meanwhile that it has no room, what brings it no content.
    private func withRoom(_ steps: ArraySlice<ServerStep>) -> [ServerStep] {
        guard status.uploadsPaused?.isForRoom == true else { return Array(steps) }
        return steps.filter { !$0.bringsContent || $0.id == roomProbe }
    }

    /// Sends operations; `nil` if there are none.
    ///
    /// - Parameter cursor: what the server is to go on from in its answer; `nil` for what the state has.
    func launch(_ outgoing: [Outgoing], after cursor: SyncCursor? = nil) throws -> PushFlight? {
        guard !outgoing.isEmpty else { return nil }
        let operations = outgoing.map(\.operation)
        let cursor = try cursor ?? state.cursor()
        let commit = CallUnderWay(start: environment.start) { [server] () throws(SyncServerError) in
            try server.commit(operations, after: cursor)
        }
        return PushFlight(outgoing: outgoing, commit: commit)
    }

    /// Sends again what an earlier run, or a call that failed, had no answer to: before the journal is
    /// read, since what others did afterwards would make it look like a conflict.
    func resumeOperations() throws {
        guard hasScanned, let text = try state.value(StateKey.operations), try state.cursor() != nil,
            // What is below directories that went is known when the journal was read to its end.
            try state.value(StateKey.goneDirectories) == nil
        else { return }
        let pending = PendingOperations(text: text)
        let nodes = try pending.nodes.map { try state.states(of: $0) }
        let plan = try Planner(policy).plan(nodes, in: state)
        let epoch = try state.cursor()?.epoch ?? 0
        let same = try plan.server.filter { step in
            let fingerprint = PendingOperations.fingerprint(
                step, try state.node(step.id, in: .local), epoch: epoch)
            return pending.ids[fingerprint] != nil
        }
        do {
            try send(same)
        } catch SyncServerError.resetRequired {
            // The journal that they are for is no more.
        }
        // They are kept until the node takes changes again.
        guard status.readOnly == nil else { return }
        try state.transaction { try state.setValue(nil, StateKey.operations) }
    }

    // MARK: Before

    func prepare(_ steps: [ServerStep]) throws -> [Outgoing] {
        let (requests, places) = try state.transaction { try uploads(of: steps) }
        let preparation = UploadPreparation(disk: disk, reader: content, inlineBytes: options.inlineBytes)
        let contents = preparation.prepare(requests, parallelForEach: environment.parallelForEach)
        return try state.transaction {
            var pending = PendingOperations(text: try state.value(StateKey.operations) ?? "")
            let epoch = try state.cursor()?.epoch ?? 0
            var outgoing: [Outgoing] = []
            for (index, step) in steps.enumerated() {
                var prepared = PreparedContent(content: .none)
                if let place = places[index] {
                    switch contents[place] {
                    case .success(let content): prepared = content
                    case .failure(let failure):
                        fail(step.id, failure, path: requests[place].path)
                        continue
                    }
                }
                if let next = try outgoingOperation(step, prepared, &pending, epoch: epoch) {
                    outgoing.append(next)
                }
            }
            if outgoing.contains(where: { $0.fingerprint != nil }) {
                try state.setValue(pending.text, StateKey.operations)
            }
            return outgoing
        }
    }

    /// The files that are to be read, and which step each is of.
    private func uploads(
        of steps: [ServerStep]
    ) throws -> (requests: [UploadPreparation.Request], places: [Int: Int]) {
        var requests: [UploadPreparation.Request] = []
        var places: [Int: Int] = [:]
        for (index, step) in steps.enumerated() {
            guard case .put(let id, _) = step, let node = try state.node(id, in: .local),
                let path = try path(of: node.name, in: node.parent)
            else { continue }
            places[index] = requests.count
            let base = try state.node(id, in: .remote)?.content
            requests.append(UploadPreparation.Request(node: node, path: path, base: base))
        }
        return (requests, places)
    }

    private func outgoingOperation(
        _ step: ServerStep, _ prepared: PreparedContent, _ pending: inout PendingOperations, epoch: Int64
    ) throws -> Outgoing? {
        let states = try state.states(of: step.id)
        if let local = states.local, waitsForFolder(step, in: local.parent) { return nil }
        let change: SyncOperation.Change
        switch step {
        case .put(_, let base):
            guard let local = states.local else { return nil }
            change = .put(local, base: base, prepared.content)
        case .makeDirectory:
            guard let local = states.local else { return nil }
            change = .makeDirectory(local)
        case .move(let id, let parent, let name, let base):
            guard states.local != nil else { return nil }
            change = .move(id, parent: parent, name: name, base: base)
        case .delete(let id, let base, let newest):
            guard states.local == nil else { return nil }
            // Those of a later commit, or planned anew since, are a part of what a person is asked about: the
            // node weighs each commit by itself, and a part may be small enough to go.
            if removalsHeldThere {
                holdRemoval(id, path: states.remote?.name ?? "")
                return nil
            }
            change = .delete(id, base: base, newestBelow: newest)
        case .setAttributes(let id):
            guard let local = states.local else { return nil }
            change = .setAttributes(id, modified: local.modified, mode: local.mode)
        }
        // A new node is known by its own id, if it is sent twice.
        let fingerprint =
            step.isNew ? nil : PendingOperations.fingerprint(step, states.local, epoch: epoch)
        let id = fingerprint.flatMap { pending.ids[$0] } ?? environment.makeID()
        if let fingerprint { pending.set(id, for: fingerprint) }
        var operation = SyncOperation(id: id, change)
        if case .delete = step { operation.confirmation = removalConfirmation }
        return Outgoing(
            step: step, fingerprint: fingerprint, node: states.local,
            path: try localPath(of: step.id) ?? states.remote?.name ?? "", operation: operation,
            leaves: prepared.leaves, isThere: states.remote != nil)
    }

    /// Keeps back what goes into a directory that the server did not take a moment ago.
    private func waitsForFolder(_ step: ServerStep, in parent: NodeID) -> Bool {
        guard !untakenDirectories.isEmpty, untakenDirectories.contains(parent) else { return false }
        switch step {
        case .put(_, base: nil), .makeDirectory, .move: break
        case .put, .delete, .setAttributes: return false
        }
        wait(step.id, for: parent)
        return true
    }

    /// The item is tried again with its directory.
    func wait(_ id: NodeID, for directory: NodeID) {
        if let node = try? state.node(id, in: .local), node.kind == .directory {
            untakenDirectories.insert(id)
        }
        fail(id, .waitsForFolder, path: (try? localPath(of: id)) ?? "")
        if let retryAt = items[directory]?.retryAt { items[id]?.retryAt = retryAt }
    }

    // MARK: Sending

    /// Takes over what became of operations; stores what the server asks for, and sends those again.
    func take(_ answer: CommitAnswer, of outgoing: [Outgoing]) throws {
        var (open, answer) = (outgoing, answer)
        var rounds = 0
        while true {
            guard answer.results.count == open.count else {
                throw SyncServerError.badAnswer(
                    "\(answer.results.count) results for \(open.count) operations")
            }
            var again: [Outgoing] = []
            var wanted: [(CID, Outgoing)] = []
            try state.transaction {
                var pending = PendingOperations(text: try state.value(StateKey.operations) ?? "")
                let before = pending.ids
                for (sent, result) in zip(open, answer.results) {
                    if case .need(let cids) = result, rounds < Self.maximumStores {
                        wanted += cids.map { ($0, sent) }
                        again.append(sent)
                    } else if case .confirmationNeeded(let removals, let token) = result,
                        agrees(to: removals, token)
                    {
                        var agreed = sent
                        agreed.operation.confirmation = token
                        again.append(agreed)
                    } else {
                        if let fingerprint = sent.fingerprint { pending.remove(fingerprint) }
                        try take(result, of: sent)
                    }
                }
                if pending.ids != before { try state.setValue(pending.text, StateKey.operations) }
                // Everything up to there is in the remote tree with what was taken over here.
                if let cursor = answer.cursor, !needsPull { try state.setCursor(cursor) }
            }
            rounds += 1
            environment.progress(nil)
            let unreadable = try store(wanted)
            open = again.filter { !unreadable.contains($0.step.id) }
            guard !open.isEmpty else { return }
            answer = try server.commit(open.map(\.operation), after: try state.cursor())
        }
    }

    /// Stores blocks that the server asks for; the nodes whose files do not have them any more.
    private func store(_ wanted: [(cid: CID, from: Outgoing)]) throws -> Set<NodeID> {
        var unreadable: Set<NodeID> = []
        var stored: Set<CID> = []
        var window: [Block] = []
        var bytes = 0
        let preparation = UploadPreparation(disk: disk, reader: content, inlineBytes: options.inlineBytes)
        // Where the leaves of the file are that was looked at last: needs of one operation come together.
        var offsets: (id: NodeID, places: [CID: (offset: Int64, bytes: Int)])?
        var file: TransferProgress?
        let needs = Dictionary(grouping: wanted, by: \.from.step.id)
        for (cid, sent) in wanted where !stored.contains(cid) && !unreadable.contains(sent.step.id) {
            if offsets?.id != sent.step.id {
                let places = Self.offsets(of: sent.leaves)
                offsets = (sent.step.id, places)
                let total = Set((needs[sent.step.id] ?? []).map(\.cid)).reduce(Int64(0)) {
                    $0 + Int64(places[$1]?.bytes ?? 0)
                }
                file = TransferProgress(path: sent.path, isUpload: true, bytesDone: 0, bytesTotal: total)
            }
            do {
                guard let place = offsets?.places[cid] else {
                    throw StepFailure(reason: .blockMissing(cid.description))
                }
                let content = try preparation.read(sent.path, at: place.offset, count: place.bytes)
                guard (try? cid.verify(content)) != nil else { throw StepFailure.changed(sent.path) }
                window.append(Block(cid: cid, bytes: content))
                stored.insert(cid)
                bytes += content.count
                file?.bytesDone += Int64(content.count)
            } catch let failure as StepFailure {
                unreadable.insert(sent.step.id)
                fail(sent.step.id, failure, path: sent.path)
            }
            if bytes >= uploadPace.bytes || window.count >= 1000 { try send(&window, &bytes, file) }
        }
        try send(&window, &bytes, file)
        return unreadable
    }

    /// - Parameter file: that the last of the blocks are of, with what of it is sent when they are.
    private func send(_ window: inout [Block], _ bytes: inout Int, _ file: TransferProgress?) throws {
        guard !window.isEmpty else { return }
        try goOn()
        if var before = file {
            before.bytesDone = max(0, before.bytesDone - Int64(bytes))
            environment.progress(before)
        }
        let start = environment.steadyClock()
        try server.store(window)
        uploadPace.note(milliseconds: environment.steadyClock() - start)
        status.counters.bytesSent += Int64(bytes)
        environment.progress(file)
        window.removeAll()
        bytes = 0
    }

    private static func offsets(of leaves: [Leaf]) -> [CID: (offset: Int64, bytes: Int)] {
        var places: [CID: (Int64, Int)] = [:]
        var offset: Int64 = 0
        for leaf in leaves {
            places[leaf.cid] = (offset, leaf.bytes)
            offset += Int64(leaf.bytes)
        }
        return places
    }
}

/// Operations that were sent.
struct PushFlight {
    let outgoing: [SyncEngine.Outgoing]
    let commit: CallUnderWay<CommitAnswer>

    /// Whether all of it was done as it was asked for, and nothing else comes of it.
    func isPlain(_ answer: CommitAnswer) -> Bool {
        answer.results.count == outgoing.count
            && zip(outgoing, answer.results).allSatisfy { sent, result in
                if case .done(let node) = result { node.id == sent.step.id } else { false }
            }
    }
}
