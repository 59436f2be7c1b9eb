import SyncProtocol
import TreeValues

/// Places on the disk.
extension PlanBuilder {
    /// A node that is not here: a new one of the server's.
    mutating func create(_ remote: SyncNode) throws -> Outcome {
        guard SyncNames.isPossible(remote.name, inRoot: remote.parent == trees.root) else {
            return hold(remote.id, .nameNotPossible)
        }
        if case .not(let outcome) = try findDiskPlace(for: remote) { return outcome }
        guard policy.canPull else { return hold(remote.id, .remoteChange) }
        takenDisk.insert(Slot(remote.parent, remote.name))
        if remote.kind == .directory {
            onDisk.insert(remote.id)
            diskParents[remote.id] = remote.parent
            plan.disk.append(.makeDirectory(remote.id))
        } else {
            plan.disk.append(.fetch(remote.id))
        }
        return .done
    }

    /// A node goes to where the server has it.
    mutating func moveOnDisk(_ local: SyncNode, _ remote: SyncNode) throws -> Outcome {
        guard policy.canPull else { return hold(local.id, .remoteChange) }
        guard SyncNames.isPossible(remote.name, inRoot: remote.parent == trees.root) else {
            return hold(local.id, .nameNotPossible)
        }
        if try isBelow(remote.parent, local.id) {
            // The tree of the server has no cycles: what it is in is moved first, and may wait for its name.
            return try displaced(above: remote.parent, below: local.id).map { .after($0) } ?? .wait
        }
        if case .not(let outcome) = try findDiskPlace(for: remote) { return outcome }
        leavingDisk.insert(local.id)
        takenDisk.insert(Slot(remote.parent, remote.name))
        diskParents[local.id] = remote.parent
        plan.disk.append(.move(local.id, parent: remote.parent, name: remote.name))
        return .done
    }

    /// Whether a directory is another one or below it, on the disk as the plan leaves it.
    private func isBelow(_ directory: NodeID, _ id: NodeID) throws -> Bool {
        var next = directory
        var depth = 0
        while next != trees.root {
            if next == id { return true }
            depth += 1
            guard depth < Self.maximumDepth else { return true }
            guard let parent = try diskParents[next] ?? trees.node(next, in: .local)?.parent else {
                return false
            }
            next = parent
        }
        return false
    }

    /// The first of the directories from one on upwards, below another, that is not where the server has it.
    private func displaced(above directory: NodeID, below id: NodeID) throws -> NodeID? {
        var next = directory
        for _ in 0..<Self.maximumDepth where next != id && next != trees.root {
            let states = try states(of: next)
            guard let local = states.local else { return nil }
            if let remote = states.remote, !local.isInPlace(of: remote), !leavingDisk.contains(next) {
                return next
            }
            next = local.parent
        }
        return nil
    }

    /// Whether the disk has room for a node where the server has it.
    private mutating func findDiskPlace(for remote: SyncNode) throws -> Place {
        if remote.parent != trees.root, !onDisk.contains(remote.parent) {
            let parent = try states(of: remote.parent)
            guard parent.local != nil else {
                // Its entry is still to come.
                if parent.remote == nil { return .not(.wait) }
                return .not(.after(remote.parent))
            }
            guard parent.local?.kind == .directory else { return .not(.after(remote.parent)) }
        }
        if takenDisk.contains(Slot(remote.parent, remote.name)) { return .not(.wait) }
        for other in try trees.children(of: remote.parent, namedAs: remote, in: .local)
        where other.id != remote.id && !leavingDisk.contains(other.id) {
            guard policy.ignoresCaseLocally || NameKey(other.name) == NameKey(remote.name) else { continue }
            // The namespace has both, and so can the disk.
            if !policy.ignoresCaseLocally, !other.hasName(of: remote), try isServersPlace(of: other) {
                continue
            }
            return .not(try makeRoom(for: remote, where: other))
        }
        return .free
    }

    /// Whether a node is here where the server has it, by the same bytes.
    private func isServersPlace(of local: SyncNode) throws -> Bool {
        try states(of: local.id).remote.map { local.hasPlace(of: $0) } ?? false
    }

    /// Another node is on the disk where one of the server's is to be.
    private mutating func makeRoom(for remote: SyncNode, where other: SyncNode) throws -> Outcome {
        if decided.contains(other.id) { return .wait }
        if other.kind == .file, other.content == nil { return .wait }
        let states = try states(of: other.id)
        guard let there = states.remote else {
            guard let synced = states.synced else {
                let isNew = try self.states(of: remote.id)
                if isNew.local == nil, isNew.synced == nil, NameKey(other.name) == NameKey(remote.name),
                    other.hasContent(of: remote)
                {
                    return adopt(other, as: remote.id)
                }
                return try setAside(other, reason: .content)
            }
            let isNew = try self.states(of: remote.id)
            if isNew.local == nil, isNew.synced == nil, NameKey(other.name) == NameKey(remote.name),
                other.kind == remote.kind, other.kind == .directory || other.hasContent(of: remote)
            {
                // A directory in the place of one that is no more: what is in it stays where it is. Or a file that
                // somebody put back.
                plan.state.append(.forget(other.id))
                return adopt(other, as: remote.id)
            }
            // It is removed, unless it was edited here.
            if other.kind == .directory || other.hasContent(of: synced) { return .after(other.id) }
            return try setAside(other, reason: .content, detach: true)
        }
        guard let synced = states.synced else { return .after(other.id) }
        if isMovedLocally(other, there, synced) {
            return try setAside(other, reason: .content)
        }
        if !other.isInPlace(of: there) { return .after(other.id) }
        return hold(remote.id, .nameClash)
    }

    // MARK: Conflicts

    /// Both sides have another content: the server's keeps the name, the one from here goes on as a copy.
    mutating func separate(_ remote: SyncNode, _ local: SyncNode) throws -> Outcome {
        guard policy.canPull else { return hold(local.id, .remoteChange) }
        if ConflictName(local.name) != nil, !local.isInPlace(of: remote) {
            // It has got its name already, before the state of the folder knew.
            plan.state.append(.detach(local.id))
            return .done
        }
        let original = ConflictName(copyOf: local.name, reason: .content, tag: policy.conflictTag)
        let copies = try copies(of: original, in: local.parent, except: local.id)
        if copies.contains(where: { $0.node.hasContent(of: local) }) {
            // There is a copy with just this content: the trash keeps another one.
            plan.disk.append(.fetch(local.id))
            return .done
        }
        let limit = ConflictName(local.name) == nil ? Self.maximumCopies : Self.maximumCopiesOfCopies
        for copy in copies.dropLast(limit - 1) where !decided.contains(copy.node.id) {
            decided.insert(copy.node.id)
            leavingDisk.insert(copy.node.id)
            plan.disk.append(.prune(copy.node.id))
        }
        return try setAside(local, reason: .content, detach: true)
    }

    /// Conflict copies that a file may have.
    static let maximumCopies = 10
    /// Those that it may have once its copies are edited in two places.
    static let maximumCopiesOfCopies = 2

    /// The conflict copies of a file in a directory, the oldest first.
    private mutating func copies(
        of original: ConflictName, in directory: NodeID, except id: NodeID
    ) throws -> [ConflictCopy] {
        let all: [ConflictCopy]
        if let known = copies[directory] {
            all = known
        } else {
            all = try trees.children(of: directory, in: .local).compactMap { node in
                ConflictName(node.name).map { ConflictCopy(name: $0, node: node) }
            }
            copies[directory] = all
        }
        // What has its name because of another one's spelling is no version of that.
        return all.filter {
            $0.name.reason == .content && $0.name.isCopy(ofSameAs: original) && $0.node.id != id
        }
        .sorted { ($0.name.tag, $0.node.id) < ($1.name.tag, $1.node.id) }
    }

    /// Gives a local node the name of a conflict copy.
    mutating func setAside(
        _ local: SyncNode, reason: ConflictName.Reason, detach: Bool = false
    ) throws -> Outcome {
        // Its new name has to come to the server some day; until then it would be set aside again and
        // again. A folder that only sends keeps its names, unless two of its own are one there.
        guard policy.canPull || reason == .unicodeForm, !leavingDisk.contains(local.id) else {
            return hold(local.id, reason == .content ? .remoteChange : .nameClash)
        }
        let name = ConflictName(copyOf: local.name, reason: reason, tag: policy.conflictTag)
        for number in 1...Self.maximumNumber {
            let text = name.text(number: number)
            guard !takenDisk.contains(Slot(local.parent, text)),
                try trees.children(of: local.parent, named: text, in: .local).isEmpty,
                try trees.children(of: local.parent, named: text, in: .remote).isEmpty
            else { continue }
            decided.insert(local.id)
            leavingDisk.insert(local.id)
            takenDisk.insert(Slot(local.parent, text))
            plan.disk.append(.setAside(local.id, name: text, detach: detach))
            return .done
        }
        return hold(local.id, .nameClash)
    }

    /// How many copies of one minute are told apart.
    static let maximumNumber = 1000
}
