public import SyncProtocol
import TreeValues

/// What is to be done for a node that is not equal on both sides yet, as a person is told.
///
/// The planner decides by more than the three trees say of one node: by names that are taken, and by which
/// way changes go. What it holds back has a reason of its own.
public enum PendingWork: String, CaseIterable, Hashable, Sendable {
    /// Its content here was not read yet.
    case read = "to_read"
    case send = "to_send"
    case receive = "to_receive"
    /// Moved here.
    case moveThere = "to_move_there"
    /// Moved on the node.
    case moveHere = "to_move_here"
    /// Removed here.
    case removeThere = "to_remove_there"
    /// Removed on the node.
    case removeHere = "to_remove_here"
    /// Changed on both sides.
    case compare = "to_compare"
}

extension PendingWork: CustomStringConvertible {
    public var description: String {
        switch self {
        case .read: "is to be read, then sent"
        case .send: "is to be sent"
        case .receive: "is to be received"
        case .moveThere: "was moved here, and is to be moved on the node"
        case .moveHere: "was moved on the node, and is to be moved here"
        case .removeThere: "was removed here, and is to be removed on the node"
        case .removeHere: "was removed on the node, and is to be removed here"
        case .compare: "was changed on both sides, and is to be compared"
        }
    }
}

extension SyncPolicy {
    /// Why work is not done yet: it is not going to be where changes do not go that way.
    ///
    /// What is in a directory that is held is not held itself, since nothing is planned for it.
    public func reason(of work: PendingWork) -> ItemReason {
        switch work {
        case .read, .send, .moveThere, .removeThere:
            canPush ? .pending(work) : .held(mayWrite ? .localChange : .readOnly)
        case .receive, .moveHere, .removeHere: canPull ? .pending(work) : .held(.remoteChange)
        case .compare: .pending(work)
        }
    }
}

extension NodeStates {
    /// What is to be done; `nil` if nothing is.
    public var pendingWork: PendingWork? {
        guard !isSettled else { return nil }
        if let local, local.kind == .file, local.content == nil { return .read }
        switch (remote, local, synced) {
        case (let remote?, let local?, let synced?): return Self.work(remote, local, synced)
        case (let remote?, let local?, nil): return remote.agrees(with: local) ? .receive : .compare
        case (_?, nil, nil): return .receive
        case (nil, _?, nil): return .send
        case (let remote?, nil, let synced?):
            // An edit wins over a removal.
            return remote.hasContent(of: synced) && remote.isInPlace(of: synced) ? .removeThere : .receive
        case (nil, let local?, let synced?):
            return local.kind == .directory || local.hasContent(of: synced) ? .removeHere : .send
        case (nil, nil, _): return .receive
        }
    }

    private static func work(_ remote: SyncNode, _ local: SyncNode, _ synced: SyncNode) -> PendingWork {
        let isEdited = !local.hasContent(of: synced)
        let isEditedThere = !remote.hasContent(of: synced)
        if isEdited, isEditedThere { return .compare }
        if isEdited { return .send }
        if isEditedThere { return .receive }
        if !local.isInPlace(of: remote) {
            return remote.isInPlace(of: synced) ? .moveThere : .moveHere
        }
        return remote.hasAttributes(of: synced) ? .send : .receive
    }
}

extension Planner {
    /// Gives the nodes that are to become equal on both sides, and are not, to `body` until it returns
    /// `false`: those that take no part never do.
    ///
    /// - Parameter batch: how many are read at once.
    public func forEachPending(
        in state: any SyncState, batch: Int = 1000, _ body: (NodeStates) throws -> Bool
    ) throws {
        var last: NodeID?
        while true {
            let nodes = try state.unsettledStates(after: last, limit: batch)
            guard let end = nodes.last?.id else { return }
            last = end
            for states in try followed(nodes, in: state) {
                guard try body(states) else { return }
            }
        }
    }
}

extension SyncTrees {
    /// Where a tree has a node, relative to the folder; `nil` if its directories are not all there.
    public func path(of node: SyncNode, in tree: TreeName) throws -> String? {
        var names = [node.name]
        var parent = node.parent
        while parent != root {
            // What the server says of parents may go round in a circle.
            guard names.count < PlanBuilder.maximumDepth, let next = try self.node(parent, in: tree) else {
                return nil
            }
            names.append(next.name)
            parent = next.parent
        }
        return names.reversed().joined(separator: "/")
    }

    /// Where a person finds a node: here, else where it is to be; empty if that is not known.
    public func shownPath(of states: NodeStates) throws -> String {
        for (node, tree) in [(states.local, TreeName.local), (states.remote, .remote)] {
            if let node, let path = try path(of: node, in: tree) { return path }
        }
        return states.local?.name ?? states.remote?.name ?? states.synced?.name ?? ""
    }
}
