import SyncProtocol
import TreeValues

/// Places on the server.
extension PlanBuilder {
    /// What became of the search for a place.
    enum Place {
        case free
        case not(Outcome)
    }

    /// A node that the server does not have: a new one, or with a base one that comes back.
    mutating func upload(_ local: SyncNode, base: JID? = nil) throws -> Outcome {
        if local.kind == .file, local.content == nil { return .wait }
        if case .not(let outcome) = try findServerPlace(for: local) { return outcome }
        guard policy.canPush else { return holdLocalChange(local.id) }
        takenServer.insert(Slot(local.parent, local.name))
        serverParents[local.id] = local.parent
        if local.kind == .directory {
            onServer.insert(local.id)
            plan.server.append(.makeDirectory(local.id))
        } else {
            plan.server.append(.put(local.id, base: base))
        }
        return .done
    }

    mutating func moveOnServer(_ local: SyncNode, _ remote: SyncNode) throws -> Outcome {
        guard policy.canPush else { return holdLocalChange(local.id) }
        switch try findCycle(moving: local.id, into: local.parent) {
        case .none: break
        case .passing(let other): return .after(other)
        case .standing:
            // The server's order stands: the directory goes back to where the server has it.
            return try moveOnDisk(local, remote)
        }
        if case .not(let outcome) = try findServerPlace(for: local) { return outcome }
        leavingServer.insert(local.id)
        takenServer.insert(Slot(local.parent, local.name))
        serverParents[local.id] = local.parent
        plan.server.append(.move(local.id, parent: local.parent, name: local.name, base: remote.revision))
        return .done
    }

    /// Whether a directory would come to be below itself on the server.
    private enum Cycle {
        case none
        /// Once that one is moved it would not.
        case passing(NodeID)
        case standing
    }

    /// Whether a directory that was moved here goes back, since on the server it would come to be below itself.
    func isAgainstServer(_ local: SyncNode) throws -> Bool {
        if case .standing = try findCycle(moving: local.id, into: local.parent) { true } else { false }
    }

    private func findCycle(moving id: NodeID, into parent: NodeID) throws -> Cycle {
        var moved: NodeID?
        var next = parent
        var depth = 0
        while next != trees.root {
            if next == id { return moved.map { .passing($0) } ?? .standing }
            depth += 1
            guard depth < Self.maximumDepth else { return .standing }
            let states = try states(of: next)
            guard let remote = states.remote else { return .none }
            if moved == nil, serverParents[next] == nil, let local = states.local,
                let synced = states.synced, isMovedLocally(local, remote, synced)
            {
                moved = next
            }
            next = serverParents[next] ?? remote.parent
        }
        return .none
    }

    /// Whether the server has room for a node where it is here.
    private mutating func findServerPlace(for local: SyncNode) throws -> Place {
        if local.parent != trees.root, !onServer.contains(local.parent) {
            guard try states(of: local.parent).remote != nil else { return .not(.after(local.parent)) }
        }
        let slot = Slot(local.parent, local.name)
        if takenServer.contains(slot) { return .not(.wait) }
        for other in try trees.children(of: local.parent, namedAs: local, in: .remote)
        where other.id != local.id && !leavingServer.contains(other.id) {
            guard policy.ignoresCaseRemotely || NameKey(other.name) == NameKey(local.name) else { continue }
            return .not(try yield(local, to: other))
        }
        return .free
    }

    /// The server has another node where a local one is.
    private mutating func yield(_ local: SyncNode, to other: SyncNode) throws -> Outcome {
        if decided.contains(other.id) { return .wait }
        let states = try states(of: other.id)
        let isNew = try self.states(of: local.id).synced == nil
        let isSameName = NameKey(other.name) == NameKey(local.name)
        guard let there = states.local else {
            let isCompatible = (other.kind == .directory) == (local.kind == .directory)
            if isNew, isSameName, isCompatible,
                other.kind == .directory || states.synced != nil || other.hasContent(of: local)
            {
                return adopt(local, as: other.id)
            }
            // It was removed here: its name is free once the server knows.
            if states.synced != nil, !isCompatible || !isSameName || !isNew { return .after(other.id) }
            return try setAside(local, reason: isSameName ? .content : .letterCase)
        }
        if let synced = states.synced {
            // It is elsewhere here: its name is free once it is there on the server.
            if isMovedLocally(there, other, synced) { return .after(other.id) }
        }
        if there.isInPlace(of: other) {
            let isEqual = local.hasName(of: other)
            return try setAside(
                local, reason: isEqual ? .content : isSameName ? .unicodeForm : .letterCase)
        }
        // It comes here yet, and this one has its name.
        return try setAside(local, reason: .content)
    }

    /// A local node turns out to be one of the server's.
    mutating func adopt(_ local: SyncNode, as id: NodeID) -> Outcome {
        // What is in it is looked at once it has its id.
        decided.insert(local.id)
        decided.insert(id)
        if local.kind == .directory { adopted.insert(local.id) }
        plan.state.append(.adopt(local: local.id, as: id))
        return .done
    }
}
