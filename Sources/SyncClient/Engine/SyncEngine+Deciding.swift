import SyncProtocol
import TreeValues

/// Ending what is held because changes go one way only: a person says which side's version stands.
///
/// What was last equal is declared to be what the other side has now, so that all that differs is a change of
/// the side that stands. The planner then does what it does with any change: older versions go to the trash
/// here, and become history there. A run that ends in between goes on with the rest in the next.
extension SyncEngine {
    /// Whose version stands.
    public enum Side: String, CaseIterable, Codable, Hashable, Sendable {
        /// What the node has: for a folder that only receives.
        case node
        /// What is in the folder: for a folder that only sends.
        case folder
    }

    /// Rounds until everything follows: what is in the way of something goes first.
    private static let maximumDecisions = 5

    /// Makes the other side what this one is.
    ///
    /// - Throws: `changesGoThere`, `changesComeHere` where the folder sends, or receives, of itself; else as
    ///   ``synchronize(_:)``. What did not work is in ``status`` and with the items.
    public func decide(for side: Side) throws {
        switch side {
        case .node: guard !policy.canPush else { throw SyncEngineError.changesGoThere }
        case .folder: guard !policy.canPull else { throw SyncEngineError.changesComeHere }
        }
        try pass(.everything)
        for _ in 0..<Self.maximumDecisions {
            guard status.activity == .waiting, hasScanned, try declareSynced(side) > 0 else { break }
            // Whoever decides so has agreed to what is removed for it.
            try state.transaction {
                let removals = try countRemovals()
                try state.setValue(String(max(removals.here, removals.there)), StateKey.allowedRemovals)
            }
            items.removeAll()
            try pass(nil)
        }
        try state.transaction { try state.setValue(nil, StateKey.allowedRemovals) }
    }

    /// Declares that both were equal when they were as the other side has it.
    ///
    /// - Returns: how many nodes that changes.
    private func declareSynced(_ side: Side) throws -> Int {
        let planner = Planner(policy)
        return try state.transaction {
            var count = 0
            var last: NodeID?
            while true {
                let nodes = try state.unsettledStates(after: last, limit: options.planBatch)
                guard let end = nodes.last?.id else { return count }
                last = end
                for states in try planner.followed(nodes, in: state) {
                    let isChange =
                        switch side {
                        case .node: try declareLocal(states)
                        case .folder: try declareRemote(states)
                        }
                    if isChange { count += 1 }
                }
            }
        }
    }

    /// What is here was never changed here.
    private func declareLocal(_ states: NodeStates) throws -> Bool {
        guard let local = states.local else {
            // Removed here: it is new to this side.
            guard states.synced != nil else { return false }
            try state.remove(states.id, from: .synced)
            return states.remote != nil
        }
        // Not read yet.
        if local.kind == .file, local.content == nil { return false }
        if let synced = states.synced, local.agrees(with: synced) { return false }
        var synced = local
        synced.revision = states.synced?.revision ?? 0
        synced.contentRevision = states.synced?.contentRevision ?? 0
        try state.put(synced, in: .synced)
        return true
    }

    /// What is there was never changed there.
    private func declareRemote(_ states: NodeStates) throws -> Bool {
        guard let remote = states.remote else {
            // Removed there: a node does not come back under its id without the change of its content.
            guard states.local != nil, states.synced != nil else { return false }
            try detach(states.id)
            return true
        }
        if let synced = states.synced, remote.agrees(with: synced) { return false }
        try state.put(remote, in: .synced)
        return true
    }
}
