public import Catalog
import Namespaces
import NodeCore
public import TreeValues

/// What a link leads to, by its id: where that is and what it is called is looked up for each request.
public struct SharedPlace: Sendable {
    /// As it stands in the path.
    public let token: String
    public let namespace: Namespace
    /// The root of the namespace for all of it.
    public let node: NodeID
    public let use: Use

    /// What the link is for.
    public enum Use: Sendable {
        case read
        /// To bring files in and to see none.
        case upload
    }

    public init(token: String, namespace: Namespace, node: NodeID, use: Use) {
        self.token = token
        self.namespace = namespace
        self.node = node
        self.use = use
    }
}

/// A shared file or directory as it is in the newest state.
struct SharedNode {
    /// Names from the root of the namespace; empty for all of it.
    let path: [String]
    /// `nil` for the root.
    let node: TreeNode?
    let name: String

    /// - Throws: `linkEnded` where it is not there any more.
    init(_ place: SharedPlace, in node: StorageNode) throws {
        let trees = node.namespaces
        guard place.node != place.namespace.root else {
            (path, self.node, name) = ([], nil, place.namespace.name)
            return
        }
        guard let found = try trees.node(place.node, in: place.namespace), !found.isDeleted,
            let text = try trees.path(of: place.node, in: place.namespace)
        else { throw GatewayFailure.linkEnded("what it led to was deleted") }
        self.node = found
        name = found.name
        path = NamespaceStore.components(of: text)
    }

    var isDirectory: Bool { node.map { $0.kind == .directory } ?? true }
}
