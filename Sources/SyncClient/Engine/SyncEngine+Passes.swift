import SyncProtocol
import TreeValues

/// The course of things.
extension SyncEngine {
    /// Rounds of planning and carrying out in one call; a folder that is edited all the time is left to the
    /// next.
    static let maximumRounds = 200

    /// Scans, reads the journal, and carries out plans until there is nothing more to do at once.
    ///
    /// The first call of a run scans everything, whatever the scope. Fails as a whole only if the state
    /// cannot be used; everything else is in ``status`` and with the items. Ends early, and goes on with the
    /// next call, when ``SyncEnvironment/shouldStop`` says so.
    ///
    /// - Parameter scope: `nil` if nothing changed here.
    public func synchronize(_ scope: ScanScope?) throws {
        isInterruptible = true
        defer { isInterruptible = false }
        try pass(scope)
    }

    /// As ``synchronize(_:)``, to its end.
    func pass(_ scope: ScanScope?) throws {
        do {
            try checkFolder()
            status.activity = .working
            removalsHeldThere = try state.value(StateKey.heldRemovals) != nil
            hasWeighedRemovals = false
            try takeOverRules()
            if let until = status.readOnly?.until, until <= environment.steadyClock() {
                status.readOnly = nil
            }
            if let scope = hasScanned ? scope : .everything { try scan(scope) }
            guard hasScanned else {
                status.activity = .waiting
                return
            }
            try resumeOperations()
            try pull()
            try settle()
            try finish()
        } catch is PassInterruption {
            hasScanned = false
            status.activity = .waiting
        } catch let error as SyncEngineError {
            // Whatever comes back may be another disk: it is looked at as if for the first time.
            hasScanned = false
            isPrepared = false
            switch error {
            case .folderMissing:
                if status.activity != .folderMissing { environment.report(.folderMissing) }
                status.activity = .folderMissing
            case .otherFolder:
                status.activity = .stopped(code: "other_folder", message: error.description)
            case .changesGoThere, .changesComeHere, .removalsStay: throw error
            }
        } catch let error as FileError {
            hasScanned = false
            if error == .folderMissing {
                isPrepared = false
                status.activity = .folderMissing
            } else {
                status.activity = .stopped(code: "file_error", message: error.description)
            }
        } catch let error as SyncServerError {
            if shouldStop { status.activity = .waiting } else { note(error) }
        } catch {
            // The disk may be ahead of a state that could not be written.
            hasScanned = false
            throw error
        }
    }

    /// To be called where a pass may end as it may by a crash.
    func goOn() throws {
        if shouldStop { throw PassInterruption() }
    }

    var shouldStop: Bool { isInterruptible && environment.shouldStop() }

    /// Looks for changes on the disk.
    func scan(_ scope: ScanScope) throws {
        let report =
            try scope == .everything && !hasScanned
            ? scanAndSend() : scanner.scan(scope) { try goOn() }
        directoryPaths.removeAll()
        // A folder that went away meanwhile looks as if everything was removed.
        try checkFolder()
        if scope == .everything, report.isComplete { hasScanned = true }
    }

    /// Plans and carries out until nothing more comes of it.
    private func settle() throws {
        removalsHeld = nil
        hasWeighedRemovals = false
        // What was held back is counted again.
        items = items.filter { $0.value.reason != .confirmationNeeded || $0.value.retryAt < .max }
        defer {
            if removalsHeld != true, !removalsHeldThere { status.removalsToConfirm = nil }
        }
        for _ in 0..<Self.maximumRounds {
            let done = steps
            try sweep()
            var isChanged = steps > done
            if !rescans.isEmpty {
                let paths = rescans.sorted
                rescans.removeAll()
                try scan(.paths(paths))
                isChanged = true
            }
            if needsPull {
                try pull()
                isChanged = true
            }
            guard isChanged else { return }
        }
    }

    /// Plans for all unsettled nodes once, a batch at a time.
    private func sweep() throws {
        var last: NodeID?
        while let found = try plan(after: last) {
            last = found.end
            try carryOut(found.plan)
        }
    }

    /// A plan for the next unsettled nodes, and the last of them; `nil` if there are none.
    private func plan(after last: NodeID?) throws -> (end: NodeID, plan: Plan)? {
        try goOn()
        let now = environment.steadyClock()
        // One transaction, though nothing is written: reads are quicker within one.
        return try state.transaction {
            let nodes = try state.unsettledStates(after: last, limit: options.planBatch)
            guard let end = nodes.last?.id else { return nil }
            let plan = try Planner(policy).plan(nodes, in: state) { [items] id in
                guard let item = items[id] else { return false }
                return item.retryAt > now
            }
            return (end, plan)
        }
    }

    /// Carries out plans before the journal was read to its end, as long as they only bring here what is not
    /// here: what follows in the journal may be asked for meanwhile, and need not all be kept until then.
    ///
    /// Everything else waits for the end: removals are counted together, and what two machines did alike is
    /// seen as such only when both are known.
    ///
    /// - Returns: whether there was nothing else.
    func settleNew() throws -> Bool {
        guard hasScanned else { return false }
        var last: NodeID?
        while let found = try plan(after: last) {
            guard found.plan.onlyBrings else { return false }
            last = found.end
            try carryOut(found.plan)
        }
        return true
    }

    private func carryOut(_ plan: Plan) throws {
        for held in plan.held { try hold(held) }
        try takeOver(plan.state)
        try send(try mayGo(plan.server))
        if !plan.disk.isEmpty {
            // Nothing is touched in a folder that is not there any more.
            try checkFolder()
            let removes = plan.disk.contains { if case .remove = $0 { true } else { false } }
            if removes, removalsHeld == nil { removalsHeld = try shouldHoldRemovals() }
            try apply(plan.disk)
        }
    }

    /// Pushes; where the node takes no changes from here, what they are is held from then on.
    func send(_ steps: [ServerStep]) throws {
        guard !steps.isEmpty, status.readOnly == nil else { return }
        try weighRemovals(steps)
        do {
            try push(steps)
        } catch SyncServerError.refused(let code, let message, _)
            where code.isForRoom && steps.contains(where: \.bringsContent)
        {
            pauseForRoom(message)
            // What brings none is planned again, and goes.
            self.steps += 1
        } catch SyncServerError.notAllowed(let code, let message) where code == .forbidden {
            noteReadOnly(message)
            // Whether it may be read yet is told by the journal.
            needsPull = true
        }
    }

    private func isPaused(_ pause: inout FolderStatus.Pause?) -> Bool {
        guard let until = pause?.until else { return false }
        if until > environment.steadyClock() { return true }
        pause = nil
        return false
    }

    var areDownloadsPaused: Bool { isPaused(&status.downloadsPaused) }

    private func finish() throws {
        content.forgetContents()
        status.pending = try countPending()
        try dropFragments()
        if status.pending == 0 {
            items.removeAll()
            status.removalsToken = nil
            status.removalsToConfirm = nil
            try state.transaction {
                try state.setValue(nil, StateKey.allowedRemovals)
                try setRemovalsHeldThere(false)
            }
            removalConfirmation = nil
            agreedRemovals = 0
        } else {
            try forgetSettledItems()
            try countRemovalsHeldThere()
        }
        if let pause = status.uploadsPaused, pause.isForRoom,
            status.pending == 0 || pause.until <= environment.steadyClock()
        {
            // Nothing was left that could be asked for.
            status.uploadsPaused = nil
        }
        status.activity = status.pending == 0 ? .settled : .waiting
    }

    /// Nobody need know any more why something waited that somebody has settled by hand.
    private func forgetSettledItems() throws {
        let held = items.values.filter { if case .held = $0.reason { true } else { false } }
        let nodes = try held.map { try state.states(of: $0.id) }
        let open = Set(try Planner(policy).followed(nodes.filter { !$0.isSettled }, in: state).map(\.id))
        for item in held where !open.contains(item.id) { items[item.id] = nil }
    }

    /// Counts anew what is not done, in the middle of a pass: see ``FolderStatus/pending``.
    public func countOpen() throws { status.pending = try countPending() }

    /// Nodes that are to become equal on both sides, and are not: those that take no part never do.
    private func countPending() throws -> Int {
        let planner = Planner(policy)
        return try state.transaction {
            var count = 0
            var last: NodeID?
            while true {
                let nodes = try state.unsettledStates(after: last, limit: options.planBatch)
                guard let end = nodes.last?.id else { return count }
                count += try planner.followed(nodes, in: state).count
                last = end
            }
        }
    }

    private func note(_ error: SyncServerError) {
        switch error {
        case .unreachable(let text): status.activity = .offline(text)
        case .notAllowed(let code, let message):
            status.activity = .stopped(code: code.rawValue, message: message)
        case .refused(.unknownNamespace, let message, _):
            status.activity = .stopped(code: SyncCode.unknownNamespace.rawValue, message: message)
        case .refused(_, let message, let seconds):
            pauseUploads(message, milliseconds: Int64(clamping: seconds ?? 60) &* 1000)
            status.activity = .waiting
        case .resetRequired:
            needsPull = true
            status.activity = .waiting
        case .badAnswer: status.activity = .offline(error.description)
        }
    }

    func pauseUploads(_ reason: String, milliseconds: Int64) {
        if status.uploadsPaused == nil { environment.report(.paused(reason: reason)) }
        status.uploadsPaused = .init(
            reason: reason, until: environment.steadyClock() + min(max(milliseconds, 1000), 3_600_000))
    }

    /// As long as the node is not asked whether it has room by now, where nothing says that it has: milliseconds.
    private static let roomMilliseconds: Int64 = 60_000

    func pauseForRoom(_ reason: String) {
        pauseUploads(reason, milliseconds: Self.roomMilliseconds)
        status.uploadsPaused?.isForRoom = true
        roomProbe = nil
    }

    /// The node may have more room than it had: the next pass asks it.
    public func askForRoom() {
        if status.uploadsPaused?.isForRoom == true {
            status.uploadsPaused?.until = environment.steadyClock()
        }
    }

    /// What of a plan may go now. Where the node has no room that is what brings it no content, and, when it is
    /// time to ask, the smallest file: it is answered whether there is room for that, and costs little if not.
    private func mayGo(_ steps: [ServerStep]) throws -> [ServerStep] {
        guard status.uploadsPaused?.isForRoom == true else {
            return isPaused(&status.uploadsPaused) ? [] : steps
        }
        var going = steps.filter { !$0.bringsContent }
        guard let pause = status.uploadsPaused, pause.until <= environment.steadyClock() else { return going }
        let files = try state.transaction {
            try steps.filter(\.bringsContent).map { step in
                (step: step, size: try state.node(step.id, in: .local)?.size ?? 0)
            }
        }
        if let smallest = files.min(by: { ($0.size, $0.step.id) < ($1.size, $1.step.id) }) {
            // Asked once, whatever comes of it.
            pauseForRoom(pause.reason)
            roomProbe = smallest.step.id
            going.append(smallest.step)
        }
        return going
    }

    func pauseDownloads(_ reason: String) {
        if status.downloadsPaused == nil { environment.report(.paused(reason: reason)) }
        status.downloadsPaused = .init(reason: reason, until: environment.steadyClock() + 60_000)
    }

    // MARK: Items

    /// Keeps why an item was not done, and when it is tried again: after a second, then twice as long each
    /// time up to an hour, with a quarter of chance either way. Where a disk is full, up to a minute: somebody
    /// makes room, and looks. What changed meanwhile is tried at once, a few times, and then after a tenth of a
    /// second: its changes are seen when it rests, which is soon.
    func fail(_ id: NodeID, _ reason: ItemReason, path: String = "") {
        status.counters.failures += 1
        var item =
            items[id] ?? ItemStatus(id: id, path: path, reason: reason, attempts: 0, retryAt: 0)
        // What is tried often at first says nothing of what came after it.
        if item.reason == .changedMeanwhile, reason != .changedMeanwhile { item.attempts = 0 }
        item.attempts += 1
        item.reason = reason
        if !path.isEmpty { item.path = path }
        let isMoving = reason == .changedMeanwhile
        let delay: Int64 =
            isMoving ? 100 << min(max(item.attempts - 4, 0), 16) : 1000 << min(item.attempts - 1, 12)
        let isFull = if case .file(.noSpace) = reason { true } else { false }
        let capped = min(delay, isFull ? 60_000 : 3_600_000)
        let chance = Int64(environment.random() % UInt64(capped / 2 + 1))
        let isAtOnce = isMoving && item.attempts <= 3
        item.retryAt = isAtOnce ? 0 : environment.steadyClock() + capped * 3 / 4 + chance
        if items[id] != nil || items.count < Self.maximumItems { items[id] = item }
        // That many removals wait is told of once.
        if reason != .confirmationNeeded { environment.report(.failed(path: item.path, reason)) }
    }

    func fail(_ id: NodeID, _ failure: StepFailure, path: String) {
        if let rescan = failure.rescan { rescans.insert(rescan) }
        fail(id, failure.reason, path: path)
    }

    /// An item was done.
    func succeed(_ id: NodeID) {
        steps += 1
        if roomProbe == id {
            roomProbe = nil
            status.uploadsPaused = nil
        }
        items[id] = nil
    }

    private func hold(_ held: Plan.Held) throws {
        guard items[held.id]?.reason != .held(held.reason), items.count < Self.maximumItems else { return }
        let path = try localPath(of: held.id) ?? remotePath(of: held.id) ?? ""
        items[held.id] = ItemStatus(
            id: held.id, path: path, reason: .held(held.reason), attempts: 1, retryAt: 0)
    }
}
