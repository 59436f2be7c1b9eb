/// A part that a node can play. Any subset makes a node.
public enum NodeRole: String, CaseIterable, Sendable {
    /// Content by path and name, and delegated routing.
    case gateway
    /// `/api/v1`, by which everything else is done.
    case api

    /// All of them, as a value of `roles`.
    static let allText = allCases.map(\.rawValue).joined(separator: " ")
}

extension Configuration {
    /// The parts that this node plays.
    public var roles: Set<NodeRole> { Set(words(.roles).compactMap(NodeRole.init)) }
}
