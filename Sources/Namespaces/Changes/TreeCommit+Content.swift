import Catalog
import TreeValues

/// New content, directories and attributes.
extension TreeCommit {
    mutating func apply(
        _ put: TreeChange.Put, _ operation: TreeOperation
    ) throws -> ChangeOutcome {
        if let refusal = put.content.refusal { return .refused(refusal) }
        guard let id = put.node, let current = try node(id) else {
            // A base without a node speaks of a node that this journal never had.
            if let id = put.node, put.base != nil { return .refused(.unknownNode(id)) }
            return try create(put, operation)
        }
        guard current.kind != .directory else { return .conflict(.kindMismatch, current: current) }
        var next = current
        next.kind = put.content.kind
        put.content.fill(&next)
        let isLive = try isLive(current)
        if isLive, next.hasContent(of: current) { return try write(put.attributes, current, operation) }
        guard put.base == current.contentRevision else { return .conflict(.stale, current: current) }
        fill(&next, put.attributes)
        if let refusal = quotaRefusal(nodes: isLive ? 0 : 1, bytes: next.size - (isLive ? current.size : 0)) {
            return .refused(refusal)
        }
        if isLive { return try record(.content, next, from: current, operation) }
        let place = put.place ?? JournalEntry.Place(parent: current.parent, name: current.name)
        if let obstacle = try take(place, for: &next) { return obstacle }
        next.isDeleted = false
        return try record(.restore, next, from: current, operation)
    }

    private mutating func create(
        _ put: TreeChange.Put, _ operation: TreeOperation
    ) throws -> ChangeOutcome {
        guard let place = put.place else { return .refused(.placeMissing) }
        var node = TreeNode(
            id: put.node ?? makeNode(), kind: put.content.kind, parent: place.parent, name: place.name,
            revision: 0, contentRevision: 0)
        put.content.fill(&node)
        fill(&node, put.attributes)
        if let obstacle = try takeOrBeside(place, for: &node) {
            guard case .conflict(.nameTaken, let current?) = obstacle, current.name == node.name,
                current.hasContent(of: node)
            else { return obstacle }
            return .done(current, isNew: false)
        }
        if let refusal = quotaRefusal(nodes: 1, bytes: node.size) { return .refused(refusal) }
        return try record(.create, node, from: nil, operation)
    }

    mutating func makeDirectory(
        at place: TreeChange.Place, _ id: NodeID?, _ attributes: TreeChange.Attributes,
        _ operation: TreeOperation
    ) throws -> ChangeOutcome {
        if let id, let current = try node(id) {
            let isThere =
                current.kind == .directory && current.parent == place.parent
                && (current.name == place.name || hidesNames)
            return try isThere && isLive(current)
                ? .done(current, isNew: false) : .conflict(.stale, current: current)
        }
        var node = TreeNode(
            id: id ?? makeNode(), kind: .directory, parent: place.parent, name: place.name, revision: 0,
            contentRevision: 0)
        fill(&node, attributes)
        if let obstacle = try takeOrBeside(place, for: &node) {
            if let id, case .refused(.badName(let problem)) = obstacle { refusedDirectories[id] = problem }
            guard case .conflict(.nameTaken, let current?) = obstacle, current.name == node.name,
                current.kind == .directory
            else { return obstacle }
            return .done(current, isNew: false)
        }
        if let refusal = quotaRefusal(nodes: 1, bytes: 0) { return .refused(refusal) }
        return try record(.create, node, from: nil, operation)
    }

    mutating func write(
        _ attributes: TreeChange.Attributes, _ current: TreeNode, _ operation: TreeOperation
    ) throws -> ChangeOutcome {
        var next = current
        fill(&next, attributes)
        // A client whose clock rounds otherwise must not fill the journal.
        guard next != current else { return .done(current, isNew: false) }
        return try record(.metadata, next, from: current, operation)
    }

    func fill(_ node: inout TreeNode, _ attributes: TreeChange.Attributes) {
        if let modified = attributes.modified { node.modified = modified }
        if let mode = attributes.mode { node.mode = mode & 0o7777 }
        if let meta = attributes.meta { node.meta = meta }
    }
}
