import SyncProtocol
import TreeValues

/// What a person is told of the rest of the work.
extension SyncEngine {
    /// Items that are not done: first those that were tried or are held, the earliest to be tried first, then
    /// others that wait for their turn; at most `limit`.
    public func openItems(limit: Int = 100) throws -> [ItemStatus] {
        var found = waitingItems(limit: limit)
        let isOffline = if case .offline = status.activity { true } else { false }
        guard found.count < limit, isOffline || status.pending > found.count else { return found }
        let policy = policy
        try Planner(policy).forEachPending(in: state) { states in
            guard items[states.id] == nil, let work = states.pendingWork else { return true }
            let waits = policy.canPush && isBelowWaiting(states)
            found.append(
                ItemStatus(
                    id: states.id, path: try state.shownPath(of: states),
                    reason: waits ? .waitsForFolder : policy.reason(of: work), attempts: 0, retryAt: 0))
            return found.count < limit
        }
        return found
    }

    /// Whether the node did not take the directory that a new node is in.
    private func isBelowWaiting(_ states: NodeStates) -> Bool {
        guard states.remote == nil, let parent = states.local?.parent else { return false }
        return items[parent] != nil
    }
}
