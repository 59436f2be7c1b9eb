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

    private func forgetHeldRemovals() {
        items = items.filter { $0.value.reason != .confirmationNeeded }
        // What waits for its place, or failed some time ago: somebody is here who wants to see it go on.
        for id in items.keys where items[id]?.retryAt != .max { items[id]?.retryAt = 0 }
        status.removalsToConfirm = nil
        status.removalsToken = nil
        removalsHeld = nil
    }
}

/// What a person says to removals that are held.
public enum RemovalAnswer: Hashable, Sendable {
    case agree
    case decline
}
