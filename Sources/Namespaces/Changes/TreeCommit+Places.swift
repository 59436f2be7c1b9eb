import Catalog
import TreeValues

/// Moves, removal and return, and where nodes may be.
extension TreeCommit {
    mutating func move(
        _ id: NodeID, to place: TreeChange.Place, base: JID, _ operation: TreeOperation
    ) throws -> ChangeOutcome {
        guard let current = try tables.node(id) else { return .refused(.unknownNode(id)) }
        guard try isLive(current) else { return .conflict(.stale, current: current) }
        if current.parent == place.parent, current.name == place.name {
            return .done(current, isNew: false)
        }
        // An edit meanwhile is no obstacle: both changes stand.
        if current.revision != base, try tables.hasMoved(id, after: base) {
            return .conflict(.moved, current: current)
        }
        var next = current
        if let obstacle = try take(place, for: &next) { return obstacle }
        if current.kind == .directory, try ancestors(of: place.parent).contains(id) {
            return .conflict(.cycle, current: current)
        }
        if let refusal = try refusal(ofWhatIsBelow: current, in: place) { return .refused(refusal) }
        return try record(.move, next, from: current, operation)
    }

    mutating func delete(
        _ id: NodeID, base: JID, newestBelow: JID, _ operation: TreeOperation
    ) throws -> ChangeOutcome {
        guard let current = try tables.node(id) else { return .refused(.unknownNode(id)) }
        guard try isLive(current) else { return .done(current, isNew: false) }
        guard current.revision == base else { return .conflict(.stale, current: current) }
        var below = TreeTables.Below()
        if current.kind == .directory {
            below = try tables.below(id)
            guard below.newest <= max(newestBelow, base) else {
                return .conflict(.notEmpty, current: current)
            }
        }
        let count = below.nodes + 1
        let asked = max(removed + count, asked)
        if asked > removalLimit, operation.confirmation.map({ isConfirmed($0, id, asked) }) != true {
            return .refused(.massDelete(nodes: asked, token: ""))
        }
        removed += count
        var next = current
        next.isDeleted = true
        return try record(.delete, next, from: current, operation, below: below)
    }

    mutating func restore(
        _ id: NodeID, to place: TreeChange.Place?, _ operation: TreeOperation
    ) throws -> ChangeOutcome {
        guard let current = try tables.node(id) else { return .refused(.unknownNode(id)) }
        if try isLive(current) { return .done(current, isNew: false) }
        if try tables.hasLostContent(current) { return .refused(.contentRemoved(id)) }
        var next = current
        let place = place ?? JournalEntry.Place(parent: current.parent, name: current.name)
        if let obstacle = try take(place, for: &next) { return obstacle }
        if let refusal = try refusal(ofWhatIsBelow: current, in: place) { return .refused(refusal) }
        let below = current.kind == .directory ? try tables.below(id) : TreeTables.Below()
        if let refusal = quotaRefusal(nodes: below.nodes + 1, bytes: below.bytes + current.size) {
            return .refused(refusal)
        }
        next.isDeleted = false
        return try record(.restore, next, from: current, operation, below: below)
    }

    /// Puts a node into a place, or says what is in its way.
    mutating func take(
        _ place: TreeChange.Place, for node: inout TreeNode
    ) throws -> ChangeOutcome? {
        if let problem = rules.problem(place.name) { return .refused(.badName(problem)) }
        if place.parent == namespace.root, let problem = rules.rootProblem(place.name) {
            return .refused(.badName(problem))
        }
        guard let position = try position(of: place.parent) else {
            if let problem = refusedDirectories[place.parent] {
                // What would be below has the same fault, and one level more of it.
                return .refused(.badName(problem.below(place.name)))
            }
            return .conflict(.parentMissing, current: try tables.node(place.parent))
        }
        guard position.depth < NameRules.maximumDepth else {
            return .refused(
                .badName(.tooDeep(levels: position.depth + 1, maximum: NameRules.maximumDepth)))
        }
        let pathBytes = position.pathBytes + place.name.utf8.count
        guard pathBytes <= NameRules.maximumPathBytes else {
            return .refused(.badName(.pathTooLong(bytes: pathBytes, maximum: NameRules.maximumPathBytes)))
        }
        node.parent = place.parent
        node.name = place.name
        node.folded = rules.folded(place.name)
        let other: TreeNode?
        if let folded = node.folded {
            other = try tables.child(of: place.parent, folded: folded)
        } else {
            other = try tables.child(of: place.parent, key: node.nameKey)
        }
        // A node may take its own name in another spelling.
        if let other, other.id != node.id { return .conflict(.nameTaken, current: other) }
        return nil
    }

    /// Puts a new node into a place, or, where names are hidden and the place is taken by what somebody else
    /// brought in, beside it under another name: what is in the way is not told of, nor that anything is.
    mutating func takeOrBeside(
        _ place: TreeChange.Place, for node: inout TreeNode
    ) throws -> ChangeOutcome? {
        var obstacle = try take(place, for: &node)
        guard hidesNames, case .conflict(.nameTaken, let current?) = obstacle, try !isOwn(current) else {
            return obstacle
        }
        for attempt in 2...FreeName.maximumAttempts {
            guard case .conflict(.nameTaken, _) = obstacle else { break }
            let other = TreeChange.Place(
                parent: place.parent, name: FreeName.name(place.name, attempt: attempt))
            obstacle = try take(other, for: &node)
        }
        return obstacle
    }

    /// Whether the user who commits left a node as it is.
    private func isOwn(_ node: TreeNode) throws -> Bool {
        guard let user = author.user else { return false }
        return try tables.entries(of: node.id, limit: 1).first?.author.user == user
    }

    /// Whether what is below a directory would come to be too deep, or its paths too long. Looked at only
    /// where it goes deeper, or to a longer path: else it was as far before.
    private mutating func refusal(
        ofWhatIsBelow node: TreeNode, in place: TreeChange.Place
    ) throws -> ChangeRefusal? {
        guard node.kind == .directory, let new = try position(of: place.parent) else { return nil }
        let pathBytes = new.pathBytes + place.name.utf8.count + 1
        if let old = try position(of: node.parent), new.depth <= old.depth,
            pathBytes <= old.pathBytes + node.name.utf8.count + 1
        {
            return nil
        }
        let below = try tables.extent(below: node.id)
        let levels = new.depth + 1 + below.levels
        if levels > NameRules.maximumDepth {
            return .badName(.tooDeep(levels: levels, maximum: NameRules.maximumDepth))
        }
        guard below.levels > 0, pathBytes + below.pathBytes > NameRules.maximumPathBytes else { return nil }
        return .badName(
            .pathTooLong(bytes: pathBytes + below.pathBytes, maximum: NameRules.maximumPathBytes))
    }

    /// Where a live directory is; `nil` if it is none.
    private mutating func position(of directory: NodeID) throws -> Position? {
        var path: [TreeNode] = []
        let end = try view.climb(from: directory, to: { directories[$0] != nil }) { node in
            guard node.kind == .directory, !node.isDeleted else { return false }
            path.append(node)
            return true
        }
        guard let end else { return nil }
        var position = directories[end] ?? Position(depth: 0, pathBytes: 0)
        for node in path.reversed() {
            position.depth += 1
            position.pathBytes += node.name.utf8.count + 1
            directories[node.id] = position
        }
        return position
    }

    mutating func isLive(_ node: TreeNode) throws -> Bool {
        try !node.isDeleted && position(of: node.parent) != nil
    }

    /// A directory and everything above it.
    func ancestors(of directory: NodeID) throws -> Set<NodeID> {
        var found: Set<NodeID> = [directory]
        try view.climb(from: directory) { found.insert($0.parent).inserted }
        return found
    }
}
