import SyncProtocol
import TreeValues

/// What is to be done for a node, by which trees have it.
extension PlanBuilder {
    /// - Parameter isLast: that nothing is to be waited for: what can be done is done.
    mutating func decide(_ id: NodeID, isLast: Bool) throws -> Outcome {
        let states = try states(of: id)
        if try isExcluded(states) {
            // What is not followed any more was not deleted: it stays where it is.
            if states.synced != nil { plan.state.append(.untrack(id)) }
            return .done
        }
        switch (states.remote, states.local, states.synced) {
        case (nil, nil, nil): return .done
        case (nil, nil, _?):
            plan.state.append(.forget(id))
            return .done
        case (let remote?, let local?, let synced?):
            return try decide(remote, local, synced, isLast: isLast)
        case (let remote?, let local?, nil): return try decideUnsynced(remote, local)
        case (let remote?, nil, nil): return try create(remote)
        case (nil, let local?, nil): return try upload(local)
        case (let remote?, nil, let synced?): return try removeFromServer(remote, synced)
        case (nil, let local?, let synced?): return try removeFromDisk(local, synced)
        }
    }

    // MARK: Both sides have it

    private mutating func decide(
        _ remote: SyncNode, _ local: SyncNode, _ synced: SyncNode, isLast: Bool
    ) throws -> Outcome {
        if isOtherKind(remote, local) {
            plan.state.append(.detach(local.id))
            return .done
        }
        // Not read yet.
        if local.kind == .file, local.content == nil { return .wait }
        let isEdited = !local.hasContent(of: synced)
        let isEditedRemotely = !remote.hasContent(of: synced)
        if isEdited, isEditedRemotely, !local.hasContent(of: remote) {
            guard policy.mayMerge(local, remote, synced) else { return try separate(remote, local) }
            plan.disk.append(.merge(local.id))
            return .done
        }
        if local.agrees(with: remote) {
            plan.state.append(.settle(local.id))
            return .done
        }
        let diskSteps = plan.disk.count
        if !local.isInPlace(of: remote) {
            let outcome =
                isMovedLocally(local, remote, synced)
                ? try moveOnServer(local, remote) : try moveOnDisk(local, remote)
            if case .after = outcome, !isLast { return outcome }
        }
        // The content follows once the file is where it is to be.
        guard plan.disk.count == diskSteps else { return .done }
        return decideContent(
            remote, local, synced, isEdited: isEdited && !local.hasContent(of: remote),
            isEditedRemotely: isEditedRemotely && !local.hasContent(of: remote))
    }

    private mutating func decideContent(
        _ remote: SyncNode, _ local: SyncNode, _ synced: SyncNode, isEdited: Bool, isEditedRemotely: Bool
    ) -> Outcome {
        if isEdited {
            guard policy.canPush else { return holdLocalChange(local.id) }
            plan.server.append(.put(local.id, base: remote.contentRevision))
        } else if isEditedRemotely {
            guard policy.canPull else { return hold(local.id, .remoteChange) }
            plan.disk.append(.fetch(local.id))
        } else if !local.hasAttributes(of: remote) {
            // Attributes are no content: where both changed, the server's stand.
            if !remote.hasAttributes(of: synced) {
                guard policy.canPull else { return hold(local.id, .remoteChange) }
                plan.disk.append(.setAttributes(local.id))
            } else {
                guard policy.canPush else { return holdLocalChange(local.id) }
                plan.server.append(.setAttributes(local.id))
            }
        }
        return .done
    }

    /// Both sides have the node, and nothing says what it was when they were equal.
    private mutating func decideUnsynced(_ remote: SyncNode, _ local: SyncNode) throws -> Outcome {
        if isOtherKind(remote, local) {
            plan.state.append(.detach(local.id))
            return .done
        }
        if local.kind == .file, local.content == nil { return .wait }
        guard local.hasContent(of: remote) else { return try separate(remote, local) }
        plan.state.append(.adopt(local: local.id, as: local.id))
        return .done
    }

    /// A directory and a file cannot be versions of one node.
    private func isOtherKind(_ remote: SyncNode, _ local: SyncNode) -> Bool {
        remote.kind != local.kind && (remote.kind == .directory || local.kind == .directory)
    }

    // MARK: Gone here

    private mutating func removeFromServer(_ remote: SyncNode, _ synced: SyncNode) throws -> Outcome {
        guard remote.hasContent(of: synced), remote.isInPlace(of: synced) else {
            // The edit wins: the node is new to this side.
            plan.state.append(.forget(remote.id))
            return .done
        }
        // What goes with a directory needs no operation of its own.
        if remote.parent != trees.root {
            let parent = try states(of: remote.parent)
            if parent.remote != nil, parent.local == nil, parent.synced != nil { return .wait }
        }
        guard policy.canPush else { return holdLocalChange(remote.id) }
        var newest: JID = 0
        if remote.kind == .directory {
            switch try lookBelow(remote) {
            case .newest(let revision): newest = revision
            case .kept: return .done
            case .leaving(let id): return wait(remote.id, for: id)
            }
        }
        leavingServer.insert(remote.id)
        plan.server.append(.delete(remote.id, base: remote.revision, newestBelow: newest))
        return .done
    }

    private enum Below {
        /// All of it may go; the newest revision of it.
        case newest(JID)
        /// Something is there to stay; the directories above it are made to come back here.
        case kept
        /// Something was moved away here, and the server does not know yet.
        case leaving(NodeID)
    }

    /// Whether a directory may be removed from the server as a whole.
    private mutating func lookBelow(_ directory: SyncNode) throws -> Below {
        var newest: JID = 0
        var parents: [NodeID: NodeID] = [:]
        var kept: [NodeID] = []
        var leaving: NodeID?
        var stack = [directory.id]
        while let next = stack.popLast() {
            for child in try trees.children(of: next, in: .remote) where parents[child.id] == nil {
                parents[child.id] = next
                newest = max(newest, child.revision)
                let states = try states(of: child.id)
                if let local = states.local {
                    // It was moved away here; the server is told first.
                    if let synced = states.synced, isMovedLocally(local, child, synced) {
                        leaving = leaving ?? child.id
                    } else {
                        kept.append(child.id)
                    }
                } else if let synced = states.synced, child.hasContent(of: synced),
                    child.isInPlace(of: synced)
                {
                    if child.kind == .directory { stack.append(child.id) }
                } else {
                    // It was never here, or is not followed: nobody here can have meant to remove it.
                    kept.append(child.id)
                }
            }
        }
        if kept.isEmpty { return leaving.map { .leaving($0) } ?? .newest(newest) }
        var forgotten: Set<NodeID> = []
        for start in kept {
            var next = start
            while let parent = parents[next], forgotten.insert(parent).inserted {
                if !decided.contains(parent) || parent == directory.id {
                    plan.state.append(.forget(parent))
                }
                decided.insert(parent)
                next = parent
            }
        }
        return .kept
    }

    // MARK: Gone on the server

    private mutating func removeFromDisk(_ local: SyncNode, _ synced: SyncNode) throws -> Outcome {
        if local.kind == .file, local.content == nil { return .wait }
        if local.kind == synced.kind, local.kind == .directory {
            return try removeDirectoryFromDisk(local)
        }
        if !local.hasContent(of: synced) {
            // The edit wins: the server takes the node back under its id.
            return try upload(local, base: synced.contentRevision)
        }
        guard policy.canPull else { return hold(local.id, .remoteChange) }
        if let other = try successor(of: local) {
            plan.state.append(.forget(local.id))
            return adopt(local, as: other)
        }
        // Once its directory has its new id, it may have a successor in there.
        if try isWithinAdopted(local) { return .wait }
        leavingDisk.insert(local.id)
        plan.disk.append(.remove(local.id))
        return .done
    }

    private func isWithinAdopted(_ local: SyncNode) throws -> Bool {
        guard !adopted.isEmpty else { return false }
        var next = local.parent
        var depth = 0
        while next != trees.root, depth < Self.maximumDepth {
            if adopted.contains(next) { return true }
            guard let parent = try states(of: next).local?.parent else { return false }
            next = parent
            depth += 1
        }
        return false
    }

    private mutating func removeDirectoryFromDisk(_ local: SyncNode) throws -> Outcome {
        guard policy.canPull else { return hold(local.id, .remoteChange) }
        if let other = try successor(of: local) {
            // What is in it stays where it is, and is looked at once its directory has its new id.
            plan.state.append(.forget(local.id))
            return adopt(local, as: other)
        }
        var isEmpty = true
        var leaving: NodeID?
        var deeper: NodeID?
        for child in try trees.children(of: local.id, in: .local) where !leavingDisk.contains(child.id) {
            let states = try states(of: child.id)
            if try stays(states) {
                // What is in it is not to be lost: it goes on as a directory of its own.
                plan.state.append(.detach(local.id))
                return .done
            }
            isEmpty = false
            if states.remote != nil { leaving = leaving ?? child.id }
            if child.kind == .directory { deeper = deeper ?? child.id }
        }
        // What leaves may be deeper, and wait for what takes the place of this one: then this one is to wait for
        // it, so that it gives its place up.
        guard isEmpty else { return (leaving ?? deeper).map { wait(local.id, for: $0) } ?? .wait }
        if try isWithinAdopted(local) { return .wait }
        leavingDisk.insert(local.id)
        plan.disk.append(.remove(local.id))
        return .done
    }

    /// What the server has in the very place of a node that it has no more, and that is not here: another
    /// directory, or the same file once more, since somebody put it back.
    private func successor(of local: SyncNode) throws -> NodeID? {
        for other in try trees.children(of: local.parent, namedAs: local, in: .remote)
        where other.kind == local.kind && !decided.contains(other.id)
            && NameKey(other.name) == NameKey(local.name)
            && (other.kind == .directory || other.hasContent(of: local))
        {
            let states = try states(of: other.id)
            if states.local == nil, states.synced == nil { return other.id }
        }
        return nil
    }

    /// Whether a node in a directory that the server has no more is there to stay.
    private func stays(_ states: NodeStates) throws -> Bool {
        guard let local = states.local, let synced = states.synced else { return true }
        if let remote = states.remote { return isMovedLocally(local, remote, synced) }
        return !local.hasContent(of: synced)
    }
}
