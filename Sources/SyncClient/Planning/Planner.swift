import SyncProtocol
public import TreeValues

/// Compares the three trees and says what is to be done, a batch at a time.
///
/// A pure function: the same trees and policy give the same plan. Nothing is done to a node that others
/// stand in the way of; it comes again once they are out of it, so that plans which are carried out one
/// after the other, in whatever pieces, end where both sides are equal. Time: a few lookups in the trees
/// for each node; removing a directory on the server looks at everything below it, a conflict at all of its
/// directory.
public struct Planner: Sendable {
    public var policy: SyncPolicy

    public init(_ policy: SyncPolicy) { self.policy = policy }

    /// What is to be done for these nodes, and for those that they wait for.
    ///
    /// - Parameter nodes: unsettled ones, some hundreds or thousands.
    /// - Parameter isSkipped: nodes that are left alone for the moment.
    public func plan(
        _ nodes: [NodeStates], in trees: any SyncTrees, skipping isSkipped: (NodeID) -> Bool = { _ in false }
    ) throws -> Plan {
        try withoutActuallyEscaping(isSkipped) { isSkipped in
            var builder = PlanBuilder(trees, policy, isSkipped: isSkipped)
            builder.remember(nodes)
            for states in nodes { try builder.visit(states.id) }
            return builder.plan
        }
    }

    /// Those of the nodes that take part: that are not excluded in any of the trees.
    public func followed(_ nodes: [NodeStates], in trees: any SyncTrees) throws -> [NodeStates] {
        guard policy.isExcluded != nil else { return nodes }
        var builder = PlanBuilder(trees, policy, isSkipped: { _ in false })
        return try nodes.filter { try !builder.isExcluded($0) }
    }
}

/// A plan in the making.
struct PlanBuilder {
    /// What came of looking at a node.
    enum Outcome: Equatable {
        /// Its steps are in the plan, or it needs none.
        case done
        /// Something is in its way; it comes again.
        case wait
        /// That node first. Nothing was planned.
        case after(NodeID)
    }

    /// A place in a tree as names clash in it.
    struct Slot: Hashable {
        let parent: NodeID
        let key: NameKey

        init(_ parent: NodeID, _ name: String) {
            self.parent = parent
            key = NameKey(name, ignoringCase: true)
        }
    }

    /// How many nodes may wait for one another.
    static let maximumChain = 1000
    /// How deep a tree is looked up: what the server says of parents may be anything.
    static let maximumDepth = 10_000

    let trees: any SyncTrees
    let policy: SyncPolicy
    let isSkipped: (NodeID) -> Bool
    var plan = Plan()
    /// Nodes that are dealt with in this plan.
    var decided: Set<NodeID> = []
    /// Directories that the plan makes on the server, or on the disk.
    var onServer: Set<NodeID> = []
    var onDisk: Set<NodeID> = []
    /// Nodes that the plan takes away from where they are.
    var leavingServer: Set<NodeID> = []
    var leavingDisk: Set<NodeID> = []
    /// Directories that get the ids of the server's.
    var adopted: Set<NodeID> = []
    /// Places that the plan fills.
    var takenServer: Set<Slot> = []
    var takenDisk: Set<Slot> = []
    /// Where the plan puts nodes.
    var serverParents: [NodeID: NodeID] = [:]
    var diskParents: [NodeID: NodeID] = [:]
    var copies: [NodeID: [ConflictCopy]] = [:]
    private var waitedOnce: Set<NodeID> = []
    private var known: [NodeID: NodeStates] = [:]
    private var places: [PlaceKey: DirectoryPlace] = [:]

    init(_ trees: any SyncTrees, _ policy: SyncPolicy, isSkipped: @escaping (NodeID) -> Bool) {
        self.trees = trees
        self.policy = policy
        self.isSkipped = isSkipped
    }

    mutating func remember(_ nodes: [NodeStates]) {
        known.reserveCapacity(nodes.count)
        decided.reserveCapacity(nodes.count)
        for states in nodes { known[states.id] = states }
    }

    func states(of id: NodeID) throws -> NodeStates {
        if let states = known[id] { return states }
        return try trees.states(of: id)
    }

    /// Deals with a node, and before it with those that it waits for.
    mutating func visit(_ start: NodeID) throws {
        guard !decided.contains(start) else { return }
        var stack = [start]
        var waiting: Set<NodeID> = [start]
        while let top = stack.last {
            if isSkipped(top) { decided.insert(top) }
            if decided.contains(top) {
                stack.removeLast()
                waiting.remove(top)
                continue
            }
            guard case .after(let other) = try decide(top, isLast: false) else {
                decided.insert(top)
                continue
            }
            if decided.contains(other) || stack.count >= Self.maximumChain {
                // It was of no use to wait: what can be done without is done.
                _ = try decide(top, isLast: true)
                decided.insert(top)
            } else if waiting.contains(other) {
                try breakCycle(stack.drop { $0 != other })
                decided.insert(top)
            } else {
                stack.append(other)
                waiting.insert(other)
            }
        }
    }

    /// Nodes that wait for each other's names: one gets another name for the time being.
    private mutating func breakCycle(_ cycle: ArraySlice<NodeID>) throws {
        for id in cycle {
            let states = try states(of: id)
            guard let remote = states.remote, let local = states.local, let synced = states.synced else {
                continue
            }
            if try isMovedLocally(local, remote, synced) && !isAgainstServer(local) {
                let parent = try waitingPlace(of: id, in: .remote, from: remote.parent, to: local.parent)
                guard policy.canPush, !leavingServer.contains(id),
                    !SyncNames.isTemporary(remote.name, for: id) || remote.parent != parent,
                    let name = try temporaryName(of: id, in: parent, .remote)
                else { continue }
                leavingServer.insert(id)
                plan.server.append(.move(id, parent: parent, name: name, base: remote.revision))
            } else if !local.isInPlace(of: remote) {
                let parent = try waitingPlace(of: id, in: .local, from: local.parent, to: remote.parent)
                guard policy.canPull, !leavingDisk.contains(id),
                    !SyncNames.isTemporary(local.name, for: id) || local.parent != parent,
                    let name = try temporaryName(of: id, in: parent, .local)
                else { continue }
                leavingDisk.insert(id)
                plan.disk.append(.move(id, parent: parent, name: name))
            } else {
                continue
            }
            // It is where it will not be once the plan is carried out.
            decided.insert(id)
            return
        }
    }

    /// A name under which a node can wait in a directory: somebody may have made what has one of them, or a run
    /// that ended suddenly may have left it. `nil` if all are taken.
    private func temporaryName(of id: NodeID, in parent: NodeID, _ tree: TreeName) throws -> String? {
        for number in 0..<100 {
            let name = SyncNames.temporary(for: id, number: number)
            if try trees.children(of: parent, named: name, in: tree).allSatisfy({ $0.id == id }) {
                return name
            }
        }
        return nil
    }

    /// The directory in which a node waits for its name: the one that it is to be in, since the one that it
    /// is in may be what has the name, and wait for the node to go. Not if that is within the node itself,
    /// or is not there.
    private mutating func waitingPlace(
        of id: NodeID, in tree: TreeName, from now: NodeID, to wanted: NodeID
    ) throws -> NodeID {
        var next = wanted
        var depth = 0
        while next != trees.root {
            let states = try states(of: next)
            guard next != id, depth < Self.maximumChain,
                let node = tree == .remote ? states.remote : states.local
            else { return now }
            next = node.parent
            depth += 1
        }
        return wanted
    }

    /// A directory waits for one of many nodes in it, once in a plan.
    mutating func wait(_ directory: NodeID, for node: NodeID) -> Outcome {
        waitedOnce.insert(directory).inserted ? .after(node) : .wait
    }

    /// Whether a node was moved here and not on the server.
    func isMovedLocally(_ local: SyncNode, _ remote: SyncNode, _ synced: SyncNode) -> Bool {
        !local.isInPlace(of: synced) && remote.isInPlace(of: synced) && !local.isInPlace(of: remote)
            && !SyncNames.isTemporary(local.name, for: local.id)
    }

    mutating func hold(_ id: NodeID, _ reason: HoldReason) -> Outcome {
        plan.held.append(Plan.Held(id: id, reason: reason))
        return .done
    }

    /// A change made here that is not sent.
    mutating func holdLocalChange(_ id: NodeID) -> Outcome {
        hold(id, policy.mayWrite ? .localChange : .readOnly)
    }

    /// Whether a node is excluded where any of the trees has it.
    mutating func isExcluded(_ states: NodeStates) throws -> Bool {
        guard let rule = policy.isExcluded else { return false }
        for (tree, node) in [
            (TreeName.remote, states.remote), (.local, states.local), (.synced, states.synced),
        ] {
            guard let node else { continue }
            if try isExcluded(node, in: tree, by: rule) { return true }
        }
        return false
    }

    private mutating func isExcluded(
        _ node: SyncNode, in tree: TreeName, by rule: (String, Bool) -> Bool
    ) throws -> Bool {
        // A tree that is not whole yet says nothing of paths.
        guard let above = try place(of: node.parent, in: tree, by: rule) else { return false }
        return above.isExcluded || rule(above.path + node.name, node.kind == .directory)
    }

    /// Where a directory is, found once in a plan; `nil` if the directories above it are not all there.
    private mutating func place(
        of directory: NodeID, in tree: TreeName, by rule: (String, Bool) -> Bool
    ) throws -> DirectoryPlace? {
        var below: [SyncNode] = []
        var next = directory
        var place = DirectoryPlace(path: "", isExcluded: false)
        while next != trees.root {
            if let known = places[PlaceKey(tree: tree, directory: next)] {
                place = known
                break
            }
            guard below.count < Self.maximumDepth, let node = try trees.node(next, in: tree) else {
                return nil
            }
            below.append(node)
            next = node.parent
        }
        for node in below.reversed() {
            let path = place.path + node.name
            place = DirectoryPlace(path: path + "/", isExcluded: place.isExcluded || rule(path, true))
            places[PlaceKey(tree: tree, directory: node.id)] = place
        }
        return place
    }
}

/// Where a directory is in one of the trees.
private struct PlaceKey: Hashable {
    let tree: TreeName
    let directory: NodeID
}

/// A directory as rules see it.
private struct DirectoryPlace {
    /// With a slash at the end; empty for the folder itself.
    let path: String
    /// Whether it is excluded, or one above it.
    let isExcluded: Bool
}

/// A conflict copy that is in a directory.
struct ConflictCopy {
    let name: ConflictName
    let node: SyncNode
}
