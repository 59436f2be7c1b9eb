import Digests
import Multiformats
import SyncProtocol
import TreeValues

@testable import SyncClient

/// Three trees on which plans are carried out as if disk and server did what they are told.
struct PlannedTrees {
    let root = NodeID(bits: 1)
    let random: SimulationRandom
    let state: MemorySyncState
    private var next: UInt128 = 100
    private var revision: JID = 1
    /// What was moved to the trash, and what the server keeps as history.
    private var kept: Set<CID> = []

    init(seed: UInt64) {
        random = SimulationRandom(seed: seed)
        state = MemorySyncState(root: root)
    }

    static func content(_ number: Int) throws -> CID {
        try CID(hashing: Array("\(number)".utf8), codec: .raw)
    }

    private mutating func makeID() -> NodeID {
        next += 1
        return NodeID(bits: next)
    }

    private static let names = ["a", "b", "c", "d"]

    private func nodes(_ tree: TreeName) -> [SyncNode] {
        var found: [SyncNode] = []
        var stack = [root]
        while let directory = stack.popLast() {
            for child in state.children(of: directory, in: tree) {
                found.append(child)
                if child.kind == .directory { stack.append(child.id) }
            }
        }
        return found
    }

    var contents: Set<CID> {
        Set(TreeName.allCases.flatMap { nodes($0).compactMap(\.content) }).union(kept)
    }

    var isEqual: Bool {
        let sides = [TreeName.local, .remote].map { tree in
            nodes(tree).map { "\($0.id) \($0.parent) \($0.name) \($0.content?.description ?? "")" }.sorted()
        }
        return sides[0] == sides[1] && state.unsettled(after: nil, limit: 1).isEmpty
    }

    // MARK: Random

    mutating func makeBoth() throws {
        for _ in 0..<random.number(2...12) { perturb(.remote) }
        for node in nodes(.remote) {
            state.put(node, in: .local)
            state.put(node, in: .synced)
        }
    }

    private func isFree(_ parent: NodeID, _ name: String, _ tree: TreeName, except id: NodeID? = nil) -> Bool
    {
        state.children(of: parent, named: name, in: tree).allSatisfy { $0.id == id }
    }

    private func isBelow(_ directory: NodeID, _ id: NodeID, _ tree: TreeName) -> Bool {
        var next = directory
        while next != root {
            if next == id { return true }
            guard let node = state.node(next, in: tree) else { return false }
            next = node.parent
        }
        return false
    }

    mutating func perturb(_ tree: TreeName) {
        let all = nodes(tree)
        let directories = [root] + all.filter { $0.kind == .directory }.map(\.id)
        let parent = random.pick(directories)
        let name = random.pick(Self.names)
        revision += 1
        switch random.number(0...5) {
        case 0, 1:
            guard isFree(parent, name, tree) else { return }
            var node = SyncNode(
                id: makeID(), parent: parent, name: name, kind: random.oneIn(3) ? .directory : .file)
            if node.kind == .file { node.content = try? Self.content(Int(next)) }
            write(node, tree)
        case 2:
            guard var node = all.filter({ $0.kind == .file }).randomElement(using: random) else { return }
            node.content = try? Self.content(Int(next) * 1000 + Int(revision))
            write(node, tree)
        case 3, 4:
            guard var node = all.randomElement(using: random), isFree(parent, name, tree),
                !isBelow(parent, node.id, tree)
            else { return }
            (node.parent, node.name) = (parent, name)
            write(node, tree)
        default:
            guard let node = all.randomElement(using: random) else { return }
            // A user may delete; the server's history keeps what was there.
            for gone in below(node.id, tree) {
                if let cid = gone.content { kept.insert(cid) }
                state.remove(gone.id, from: tree)
            }
        }
    }

    private func below(_ id: NodeID, _ tree: TreeName) -> [SyncNode] {
        var found: [SyncNode] = []
        var stack = [id]
        while let next = stack.popLast() {
            if let node = state.node(next, in: tree) { found.append(node) }
            stack += state.children(of: next, in: tree).map(\.id)
        }
        return found
    }

    private mutating func write(_ node: SyncNode, _ tree: TreeName) {
        var node = node
        if tree == .remote { node.revision = revision }
        if let cid = state.node(node.id, in: tree)?.content { kept.insert(cid) }
        state.put(node, in: tree)
    }

    // MARK: Carrying out

    /// Plans for some nodes and carries out some of it, in the order of the plan; false if nothing was to
    /// be done.
    mutating func step() throws -> Bool {
        let all = try state.unsettledStates(after: nil, limit: 1000)
        let policy = SyncPolicy(ignoresCaseRemotely: false, conflictTag: "2026-11-21 1925 laptop")
        let isWhole = random.oneIn(2)
        let nodes = isWhole ? all : all.shuffled(using: random).prefix(random.number(1...5)).map { $0 }
        let plan = try Planner(policy).plan(nodes, in: state)
        if plan.isEmpty { return isWhole ? false : !all.isEmpty }
        for step in plan.state { carryOut(step) }
        // What fails now and then is planned again.
        for step in plan.server where isWhole || !random.oneIn(4) { carryOut(step) }
        for step in plan.disk where isWhole || !random.oneIn(4) { carryOut(step) }
        return true
    }

    private mutating func carryOut(_ step: StateStep) {
        switch step {
        case .settle(let id): if let node = state.node(id, in: .remote) { state.put(node, in: .synced) }
        case .forget(let id): state.remove(id, from: .synced)
        case .adopt(let local, let id):
            if local != id {
                guard state.node(id, in: .local) == nil else { return }
                state.renameLocal(local, to: id)
            }
            guard let here = state.node(id, in: .local), var synced = state.node(id, in: .remote),
                state.node(id, in: .synced) == nil
            else { return }
            (synced.parent, synced.name) = (here.parent, here.name)
            state.put(synced, in: .synced)
        case .detach(let id):
            state.renameLocal(id, to: makeID())
            state.remove(id, from: .synced)
        case .untrack(let id):
            state.remove(id, from: .synced)
            state.remove(id, from: .local)
        }
    }

    private mutating func carryOut(_ step: ServerStep) {
        revision += 1
        let id = step.id
        switch step {
        case .put, .makeDirectory:
            guard let local = state.node(id, in: .local) else { return }
            guard local.parent == root || state.node(local.parent, in: .remote) != nil else { return }
            let there = state.node(id, in: .remote)
            var node = local
            if let there {
                (node.parent, node.name) = (there.parent, there.name)
            } else if !isFree(local.parent, local.name, .remote) {
                return
            }
            var synced = node
            if there != nil, let before = state.node(id, in: .synced) {
                (synced.parent, synced.name) = (before.parent, before.name)
            }
            write(node, .remote)
            state.put(synced, in: .synced)
        case .move(_, let parent, let name, _):
            guard var node = state.node(id, in: .remote), isFree(parent, name, .remote, except: id),
                !isBelow(parent, id, .remote), parent == root || state.node(parent, in: .remote) != nil
            else { return }
            (node.parent, node.name) = (parent, name)
            write(node, .remote)
            if var synced = state.node(id, in: .synced) {
                (synced.parent, synced.name) = (parent, name)
                state.put(synced, in: .synced)
            }
        case .delete:
            for gone in below(id, .remote) {
                if let cid = gone.content { kept.insert(cid) }
                state.remove(gone.id, from: .remote)
                state.remove(gone.id, from: .synced)
            }
        case .setAttributes: break
        }
    }

    private mutating func carryOut(_ step: DiskStep) {
        let id = step.id
        switch step {
        // Asked for by no plan here: content is not merged.
        case .merge: return
        case .makeDirectory, .fetch:
            guard let remote = state.node(id, in: .remote) else { return }
            var node = remote
            if let local = state.node(id, in: .local) {
                if let cid = local.content { kept.insert(cid) }
                (node.parent, node.name) = (local.parent, local.name)
            } else {
                guard isFree(node.parent, node.name, .local),
                    node.parent == root || state.node(node.parent, in: .local) != nil
                else { return }
            }
            var synced = node
            if let before = state.node(id, in: .synced) {
                (synced.parent, synced.name) = (before.parent, before.name)
            }
            state.put(node, in: .local)
            state.put(synced, in: .synced)
        case .move(_, let parent, let name):
            guard var node = state.node(id, in: .local), isFree(parent, name, .local, except: id),
                !isBelow(parent, id, .local), parent == root || state.node(parent, in: .local) != nil
            else { return }
            (node.parent, node.name) = (parent, name)
            state.put(node, in: .local)
            if let remote = state.node(id, in: .remote), node.isInPlace(of: remote),
                var synced = state.node(id, in: .synced)
            {
                (synced.parent, synced.name) = (remote.parent, remote.name)
                state.put(synced, in: .synced)
            }
        case .setAside(_, let name, let detach):
            guard var node = state.node(id, in: .local), isFree(node.parent, name, .local) else { return }
            node.name = name
            state.put(node, in: .local)
            if detach {
                state.renameLocal(id, to: makeID())
                state.remove(id, from: .synced)
            }
        case .remove, .prune:
            guard let node = state.node(id, in: .local), state.children(of: id, in: .local).isEmpty else {
                return
            }
            if let cid = node.content { kept.insert(cid) }
            state.remove(id, from: .local)
            if case .remove = step { state.remove(id, from: .synced) }
        case .setAttributes: break
        }
    }
}

extension Array {
    func randomElement(using random: SimulationRandom) -> Element? {
        isEmpty ? nil : self[random.number(0...count - 1)]
    }

    func shuffled(using random: SimulationRandom) -> [Element] {
        var random = random
        return shuffled(using: &random)
    }
}
