public import TreeValues

/// A link as it is kept: what a grant that anybody may hold leads to. Its limits and counters are the
/// grant's.
public struct LinkRecord: Hashable, Sendable {
    public let grant: GrantID
    /// Names the link in its URL: a hash of 32 bytes.
    public let tokenHash: [UInt8]
    public let namespace: NamespaceID
    /// A file or directory; the root of the namespace for all of it.
    public let node: NodeID
    /// A password hash; empty where none is asked for.
    public let password: String

    public init(
        grant: GrantID, tokenHash: [UInt8], namespace: NamespaceID, node: NodeID, password: String
    ) {
        self.grant = grant
        self.tokenHash = tokenHash
        self.namespace = namespace
        self.node = node
        self.password = password
    }
}

extension LinkRecord: CustomStringConvertible, CustomReflectable {
    /// Without the hashes.
    public var description: String { "link \(grant)" }
    public var customMirror: Mirror { Mirror(self, children: ["grant": grant]) }
}

/// Links as rows of the table `links`, and back.
enum LinkRow {
    static let columns = "grant_id, token_hash, ns, nid, password, seal"

    static func values(_ link: LinkRecord) -> [SQLValue] {
        SealedColumns.values([
            .text(link.grant.text), .blob(link.tokenHash), .text(link.namespace.text),
            .blob(link.node.bytes), .text(link.password),
        ])
    }

    static func link(_ row: SQLRow) throws(CatalogError) -> LinkRecord {
        try SealedColumns.read(row, table: "links") { row in
            guard let node = NodeID(bytes: try row.blob(3)) else { return nil }
            return LinkRecord(
                grant: try GrantID(text: row.text(0)), tokenHash: try row.blob(1),
                namespace: try NamespaceID(text: row.text(2)), node: node, password: try row.text(4))
        }
    }
}
