import SyncProtocol
import TreeValues

/// What the server answered to operations.
extension SyncEngine {
    func take(_ result: CommitResult, of sent: Outgoing) throws {
        let id = sent.step.id
        if case .makeDirectory = sent.step {
            switch result {
            case .done, .conflict: break
            case .need, .refused, .confirmationNeeded: untakenDirectories.insert(id)
            }
        }
        if case .done = result {
        } else if let parent = sent.node?.parent, untakenDirectories.contains(parent) {
            return wait(id, for: parent)
        }
        switch result {
        case .done(let node):
            try done(node, sent)
            succeed(id)
        case .need:
            // Stored again and again, and still not there.
            fail(
                id,
                .refused(
                    code: SyncCode(rawValue: CommitResult.Outcome.need.rawValue),
                    message: "the node keeps asking for blocks that it was sent"),
                path: sent.path)
        case .conflict(let reason, let current):
            try conflict(reason, current, sent)
        case .refused(let code, let message):
            try refused(code, message, sent)
        case .confirmationNeeded(let removals, let token):
            try hold(sent, removals: Int(clamping: removals), token)
        }
    }

    // MARK: Done

    private func done(_ node: SyncNode, _ sent: Outgoing) throws {
        switch sent.step {
        case .put(let id, _), .makeDirectory(let id): try donePut(id, node, sent)
        case .move(let id, let parent, let name, _):
            try putRemote(node)
            if var synced = try state.node(id, in: .synced) {
                synced.parent = parent
                synced.name = name
                synced.revision = node.revision
                try state.put(synced, in: .synced)
            }
            status.counters.movedThere += 1
        case .delete(let id, _, _):
            try doneDelete(id)
            // That may have been what took the room.
            askForRoom()
            status.counters.removedThere += 1
            environment.report(.removedThere(id))
        case .setAttributes(let id):
            try putRemote(node)
            if var synced = try state.node(id, in: .synced), let local = sent.node {
                synced.modified = local.modified
                synced.mode = local.mode
                synced.revision = node.revision
                try state.put(synced, in: .synced)
            }
        }
    }

    private func donePut(_ id: NodeID, _ node: SyncNode, _ sent: Outgoing) throws {
        guard let local = sent.node else { return }
        if node.id != id {
            // The server had the same thing there already.
            guard try state.node(node.id, in: .local) == nil else {
                needsPull = true
                return
            }
            try renameLocal(id, to: node.id)
            status.counters.adopted += 1
        } else if local.kind != .directory {
            status.counters.uploaded += 1
            environment.report(.uploaded(path: sent.path))
        }
        try putRemote(node)
        var synced = local
        synced.id = node.id
        synced.revision = node.revision
        synced.contentRevision = node.contentRevision
        // A node that was there stays where it was: only its content was sent.
        if sent.isThere, let before = try state.node(id, in: .synced) {
            synced.parent = before.parent
            synced.name = before.name
        }
        try state.put(synced, in: .synced)
    }

    private func doneDelete(_ id: NodeID) throws {
        var stack = [id]
        while let next = stack.popLast() {
            for child in try state.children(of: next, in: .remote) { stack.append(child.id) }
            try state.remove(next, from: .remote)
            // What turns up here after all is new.
            try state.remove(next, from: .synced)
        }
    }

    // MARK: Not done

    private func conflict(_ reason: String, _ current: SyncNode?, _ sent: Outgoing) throws {
        let id = sent.step.id
        needsPull = true
        // The server knows the id, and after its journal was read the node is still not there: it is not to
        // come back under it.
        if reason == "stale", sent.node != nil, !sent.isThere, items[id] != nil {
            try detach(id)
            return succeed(id)
        }
        if reason == "kind_mismatch", sent.node != nil {
            try detach(id)
            return succeed(id)
        }
        if reason == "name_taken", let current, let node = sent.node, !ignoresCaseRemotely,
            NameKey(current.name) != NameKey(node.name)
        {
            ignoresCaseRemotely = true
            return succeed(id)
        }
        // The journal says what came in between; only if that changes nothing there is a reason to wait.
        if (items[id]?.attempts ?? 0) < 3 {
            fail(id, .conflict(reason), path: sent.path)
            items[id]?.retryAt = 0
        } else {
            fail(id, .conflict(reason), path: sent.path)
        }
    }

    /// The server lets it through only with what a person agrees to.
    private func hold(_ sent: Outgoing, removals: Int, _ token: String) throws {
        holdRemoval(sent.step.id, path: sent.path)
        try setRemovalsHeldThere(true)
        // What was agreed to before is not enough.
        removalConfirmation = nil
        agreedRemovals = 0
        if status.removalsToConfirm == nil { environment.report(.confirmationNeeded(removals: removals)) }
        status.removalsToConfirm = max(status.removalsToConfirm ?? 0, removals)
        status.removalsToken = token
    }

    /// A removal that waits for an answer; whether it is one still is looked at now and then.
    func holdRemoval(_ id: NodeID, path: String) {
        fail(id, .confirmationNeeded, path: path)
        items[id]?.retryAt = environment.steadyClock() + 600_000
    }

    private func refused(_ code: SyncCode, _ message: String, _ sent: Outgoing) throws {
        let id = sent.step.id
        switch code {
        case .quotaExceeded, .insufficientStorage:
            fail(id, .refused(code: code, message: message), path: sent.path)
            items[id]?.retryAt = 0
            pauseForRoom(message)
        case .unknownNode:
            // The journal never had it: it is new there.
            try state.remove(id, from: .remote)
            try state.remove(id, from: .synced)
            needsPull = true
            fail(id, .refused(code: code, message: message), path: sent.path)
        default:
            fail(id, .refused(code: code, message: message), path: sent.path)
        }
    }
}
