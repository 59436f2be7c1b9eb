public import Catalog
import TreeValues

extension NamespaceStore {
    /// Renames a namespace, or changes its policy.
    ///
    /// Where other names are the same under the new policy, every node is looked at in the transaction that
    /// changes it: nothing else is written meanwhile (some seconds for a million nodes).
    ///
    /// - Parameters:
    ///   - name: `nil` to leave it.
    ///   - change: gets the policy as it is.
    /// - Throws: `unknownNamespace`, `CatalogError.duplicateNamespace`, `nameTooLong`, what `change` throws;
    ///   `namesClash` and `nameNotAllowed` where names that are there are not allowed under the new policy.
    ///   Nothing is changed then.
    public func change(
        _ id: NamespaceID, name: String? = nil,
        policy change: (inout NamespacePolicy) throws -> Void = { _ in }
    ) throws -> Namespace {
        let changed = try catalog.namespaces.change(id) { namespace, connection in
            guard namespace.deleted == nil else { throw NamespaceError.unknownNamespace(id.text) }
            var policy = try NamespacePolicy(json: namespace.policy)
            let rules = NameRules(policy)
            try change(&policy)
            namespace.name = name ?? namespace.name
            namespace.policy = policy.json
            guard NameRules(policy) != rules else { return }
            var refolding = Refolding(namespace, connection, NameRules(policy))
            try refolding.run()
        }
        guard let changed else { throw NamespaceError.unknownNamespace(id.text) }
        return changed
    }
}

/// Brings the folded names of all nodes in line with other rules, within a transaction.
///
/// Memory: a page of nodes.
private struct Refolding {
    private let view: TreeView
    private let rules: NameRules
    /// Whether a node has no folded name until it is its turn.
    private var hasGivenWay = false
    private static let page = 1000

    private var tables: TreeTables { view.tables }

    init(_ namespace: Namespace, _ connection: any SQLConnection, _ rules: NameRules) {
        view = TreeView(namespace, connection)
        self.rules = rules
    }

    mutating func run() throws {
        var last: [UInt8] = []
        while true {
            let page = try tables.nodes(after: last, limit: Self.page)
            // Deleted ones too: a restore takes them as they are.
            for node in page { try refold(node) }
            guard page.count == Self.page, let end = page.last else { return }
            last = end.id.bytes
        }
    }

    private mutating func refold(_ node: TreeNode) throws {
        var node = node
        // It may have given way since the page was read.
        if hasGivenWay, let current = try tables.node(node.id) { node = current }
        if !node.isDeleted { try check(node) }
        let folded = rules.folded(node.name)
        guard node.folded != folded else { return }
        if let folded, !node.isDeleted, var other = try tables.child(of: node.parent, folded: folded),
            other.id != node.id
        {
            guard rules.folded(other.name) != folded else {
                throw NamespaceError.namesClash(try view.lastPath(of: node), try view.lastPath(of: other))
            }
            // It has that text by the former rules, and gets its own when it is its turn.
            other.folded = nil
            try tables.update(other)
            hasGivenWay = true
        }
        node.folded = folded
        try tables.update(node)
    }

    private func check(_ node: TreeNode) throws {
        let problem =
            rules.problem(node.name) ?? (node.parent == view.root ? rules.rootProblem(node.name) : nil)
        if let problem { throw NamespaceError.nameNotAllowed(try view.lastPath(of: node), problem) }
    }
}
