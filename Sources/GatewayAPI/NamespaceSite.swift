import Catalog
import IPNS
import Multiformats
import NodeCore

/// What `/n/NAME/` or the host `NAME.n.HOST` leads to.
///
/// What may not be read is not there: nobody learns its name, and it stands in nobody's way.
enum NamespaceSite {
    case namespace(Namespace)
    /// A name of this node that has a record, or any by its key: `nacre name` points it to content or to the
    /// head of a namespace.
    case name(PeerID)
    /// What a host may mean, by their names: at most ``maximumNames`` of them.
    case several([String])
    case none

    private static let maximumNames = 10

    /// By a path, in which case counts.
    init(name: String, _ node: StorageNode, where mayRead: (Namespace) -> Bool) throws {
        if let found = try node.namespace(matching: name), mayRead(found) {
            self = .namespace(found)
        } else if case .key(let key)? = try? ContentPath.ipnsRoot(name) {
            self = .name(key)
        } else if let entry = try? node.name(name), try node.validRecord(of: entry.id) != nil {
            self = .name(entry.id)
        } else {
            self = .none
        }
    }

    /// By a host, which has no case: what the path of the same letters leads to, or else the only one that is
    /// called so but for case. Namespaces go before published names there as well.
    ///
    /// - Parameter label: in small letters.
    init(label: String, _ node: StorageNode, where mayRead: (Namespace) -> Bool) throws {
        self = try NamespaceSite(name: label, node, where: mayRead)
        guard case .none = self else { return }
        let found = try node.catalog.namespaces.namespaces(namedLike: label).filter(mayRead)
        if let only = found.first {
            self = found.count == 1 ? .namespace(only) : Self.several(of: found.map(\.name))
            return
        }
        let names = try node.catalog.names.names(labelledLike: label, owner: .default).filter {
            try node.validRecord(of: $0.id) != nil
        }
        if let only = names.first {
            self = names.count == 1 ? .name(only.id) : Self.several(of: names.map(\.label))
        }
    }

    private static func several(of names: [String]) -> Self { .several(Array(names.prefix(maximumNames))) }
}
