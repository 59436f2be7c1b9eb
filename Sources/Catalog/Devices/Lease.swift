public import TreeValues

/// What a device said of a node for a while: that it works on it, or that nobody else may change it.
public struct Lease: Hashable, Sendable {
    /// How much a lease means.
    public enum Mode: String, CaseIterable, Hashable, Sendable {
        /// For people to see.
        case advisory
        /// Changes of other devices are refused.
        case exclusive
    }

    /// `Namespace.number`.
    public let namespace: Int64
    public let node: NodeID
    /// Who has it.
    public let project: ProjectID
    public let device: String
    public var mode: Mode
    /// Unix milliseconds.
    public let created: Int64
    /// Unix milliseconds; it means nothing from then on.
    public var expires: Int64

    /// The most leases of one namespace.
    public static let maximumPerNamespace = 10_000

    public init(
        namespace: Int64, node: NodeID, project: ProjectID, device: String, mode: Mode, created: Int64,
        expires: Int64
    ) {
        self.namespace = namespace
        self.node = node
        self.project = project
        self.device = device
        self.mode = mode
        self.created = created
        self.expires = expires
    }

    /// Whether a device has it.
    public func isOf(_ device: String, in project: ProjectID) -> Bool {
        self.device == device && self.project == project
    }
}

/// Leases as rows, and back.
enum LeaseRow {
    static let columns = "ns, nid, project, device, mode, created, expires, seal"
    static let count = 8

    static func values(_ lease: Lease) -> [SQLValue] {
        SealedColumns.values([
            .integer(lease.namespace), .blob(lease.node.bytes), .text(lease.project.rawValue),
            .text(lease.device), .text(lease.mode.rawValue), .integer(lease.created),
            .integer(lease.expires),
        ])
    }

    static func lease(_ row: SQLRow) throws(CatalogError) -> Lease {
        try SealedColumns.read(row, table: "leases", keyColumns: 4) { row in
            guard let node = NodeID(bytes: try row.blob(1)), let mode = Lease.Mode(rawValue: try row.text(4))
            else { return nil }
            return Lease(
                namespace: try row.integer(0), node: node, project: ProjectID(rawValue: try row.text(2)),
                device: try row.text(3), mode: mode, created: try row.integer(5),
                expires: try row.integer(6))
        }
    }

    static func create(_ connection: any SQLConnection) throws {
        let (text, bytes) = (connection.dialect.textType, connection.dialect.bytesType)
        try connection.execute(
            """
            CREATE TABLE IF NOT EXISTS leases (
                ns BIGINT NOT NULL,
                nid \(bytes) NOT NULL,
                project \(text) NOT NULL,
                device \(text) NOT NULL,
                mode \(text) NOT NULL CHECK (mode IN ('advisory', 'exclusive')),
                created BIGINT NOT NULL,
                expires BIGINT NOT NULL,
                seal BIGINT NOT NULL,
                PRIMARY KEY (ns, nid, project, device)
            )\(connection.dialect.tableOptions)
            """)
    }
}
