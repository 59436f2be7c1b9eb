import SyncProtocol
import TreeValues

/// Removals that are so many that a person is asked.
///
/// Those that others made are held here, those that were made here are held by the node; both at once may be.
extension SyncEngine {
    /// Agrees to the removals that are held, or has what they would remove come back: what others removed on
    /// the node is sent there again, as new files, and what was removed here is fetched again.
    ///
    /// Looks first whether anything is held still, and synchronizes afterwards.
    ///
    /// - Returns: how many files and directories it was about; `nil` if nothing is held.
    /// - Throws: `removalsStay` where nothing may go the way on which it would come back; else as
    ///   ``synchronize(_:)``.
    public func answerRemovals(_ answer: RemovalAnswer) throws -> Int? {
        // Its journal may be another one since: what was held is asked for again.
        forgetHeldRemovals()
        try pass(hasScanned ? .paths([]) : .everything)
        guard status.activity == .waiting, let count = status.removalsToConfirm else { return nil }
        switch answer {
        case .agree: try confirmRemovals(token: status.removalsToken)
        case .decline: try declineRemovals()
        }
        try pass(.paths([]))
        // Only when it is asked to remove does the node say with what it is agreed to.
        if answer == .agree, let token = status.removalsToken {
            try letRemovalsGo(token: token)
            try pass(.paths([]))
        }
        return count
    }

    private func declineRemovals() throws {
        let isHeldHere = removalsHeld == true
        let isHeldThere = removalsHeldThere
        if isHeldHere, !policy.canPush { throw SyncEngineError.removalsStay(isHere: true) }
        if isHeldThere, !policy.canPull { throw SyncEngineError.removalsStay(isHere: false) }
        var here: [NodeID] = []
        var there: [NodeID] = []
        try Planner(policy).forEachPending(in: state, batch: options.planBatch) { states in
            guard states.synced != nil else { return true }
            if states.remote == nil, states.local != nil { here.append(states.id) }
            if states.remote != nil, states.local == nil { there.append(states.id) }
            return true
        }
        try state.transaction {
            // A node does not come back under its id without a change of its content.
            if isHeldHere { for id in here { try detach(id) } }
            // It is new to this side.
            if isHeldThere { for id in there { try state.remove(id, from: .synced) } }
            try setRemovalsHeldThere(false)
        }
        forgetHeldRemovals()
    }

    /// What is held goes from now on.
    ///
    /// - Parameter token: what the node gave, if it asked.
    func letRemovalsGo(token: String?) throws {
        try state.transaction { try setRemovalsHeldThere(false) }
        removalConfirmation = token
        forgetHeldRemovals()
    }

    /// Whether a person agreed to so many removals already: the node asks for each commit by itself, and its
    /// token is for the removals of that commit alone.
    func agrees(to removals: Int64, _ token: String) -> Bool {
        if token == removalConfirmation { return true }
        guard removals <= agreedRemovals else { return false }
        agreedRemovals -= removals
        removalConfirmation = token
        return true
    }

    /// To be called within a transaction.
    func setRemovalsHeldThere(_ isHeld: Bool) throws {
        if isHeld != removalsHeldThere { try state.setValue(isHeld ? "1" : nil, StateKey.heldRemovals) }
        removalsHeldThere = isHeld
    }

    /// Counts the removals made here that wait for an answer. What somebody brought back, or edited
    /// elsewhere, is none any more; where none is left, nothing is asked.
    func countRemovalsHeldThere() throws {
        guard removalsHeldThere else { return }
        var count = 0
        try Planner(policy).forEachPending(in: state, batch: options.planBatch) { states in
            if states.remote != nil, states.local == nil, states.synced != nil { count += 1 }
            return true
        }
        let here = removalsHeld == true ? status.removalsToConfirm : nil
        guard count > 0 else {
            try state.transaction { try setRemovalsHeldThere(false) }
            status.removalsToken = nil
            status.removalsToConfirm = here
            return
        }
        if status.removalsToConfirm == nil { environment.report(.confirmationNeeded(removals: count)) }
        status.removalsToConfirm = max(here ?? 0, count)
    }

    // MARK: How many they are

    /// So many may be removed at once of a folder with so many: as the node allows a device.
    private func removalLimit(of nodes: Int) -> Int {
        max(options.freeRemovals, nodes < 400 ? nodes / 2 : nodes / 4)
    }

    /// Up to how many removals a person agreed to.
    private func allowedRemovals() throws -> Int {
        try state.value(StateKey.allowedRemovals).flatMap { Int($0) } ?? 0
    }

    /// Whether a person should agree to removals here first.
    func shouldHoldRemovals() throws -> Bool {
        guard options.guardsRemovals else { return false }
        let removals = try countRemovals().here
        guard removals > options.freeRemovals, try removals > removalLimit(of: countNodes(in: .local)),
            try removals > allowedRemovals()
        else { return false }
        if status.removalsToConfirm == nil { environment.report(.confirmationNeeded(removals: removals)) }
        status.removalsToConfirm = removals
        return true
    }

    /// Holds removals made here that are more than a device may send, before the first of them goes: the node
    /// weighs each commit by itself, and would ask when a part of them is gone.
    func weighRemovals(_ steps: [ServerStep]) throws {
        let removes = steps.contains { if case .delete = $0 { true } else { false } }
        guard removes, options.guardsRemovals, !hasWeighedRemovals, !removalsHeldThere,
            removalConfirmation == nil
        else { return }
        hasWeighedRemovals = true
        let removals = try countRemovals().there
        guard removals > options.freeRemovals, try removals > removalLimit(of: countNodes(in: .remote)),
            try removals > allowedRemovals()
        else { return }
        try state.transaction { try setRemovalsHeldThere(true) }
        if status.removalsToConfirm == nil { environment.report(.confirmationNeeded(removals: removals)) }
        status.removalsToConfirm = max(status.removalsToConfirm ?? 0, removals)
    }

    /// How many nodes others removed, which are still here, and how many were removed here, which are still
    /// there.
    func countRemovals() throws -> (here: Int, there: Int) {
        var (here, there) = (0, 0)
        var last: NodeID?
        while true {
            let nodes = try state.unsettledStates(after: last, limit: options.planBatch)
            guard let end = nodes.last?.id else { return (here, there) }
            here += nodes.count { $0.remote == nil && $0.local != nil && $0.synced != nil }
            there += nodes.count { $0.isRemovedHere }
            last = end
        }
    }

    private func countNodes(in tree: TreeName) throws -> Int {
        var count = 0
        var stack = [state.root]
        while let directory = stack.popLast() {
            for child in try state.children(of: directory, in: tree) {
                count += 1
                if child.kind == .directory { stack.append(child.id) }
            }
        }
        return count
    }

    private func forgetHeldRemovals() {
        items = items.filter { $0.value.reason != .confirmationNeeded }
        // What waits for its place, or failed some time ago: somebody is here who wants to see it go on.
        for id in items.keys where items[id]?.retryAt != .max { items[id]?.retryAt = 0 }
        status.removalsToConfirm = nil
        status.removalsToken = nil
        removalsHeld = nil
    }
}

extension NodeStates {
    /// Whether it was removed here, and is to be removed there: an edit there brings it back.
    fileprivate var isRemovedHere: Bool {
        guard let remote, local == nil, let synced else { return false }
        return remote.hasContent(of: synced) && remote.isInPlace(of: synced)
    }
}

/// What a person says to removals that are held.
public enum RemovalAnswer: Hashable, Sendable {
    case agree
    case decline
}
