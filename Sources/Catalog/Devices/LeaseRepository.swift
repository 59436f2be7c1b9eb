public import TreeValues

/// The leases of the catalog.
///
/// Thread-safe and synchronous. Leases that are over, or whose device was shut out, are as good as gone;
/// they are removed by the next change of a lease in the namespace.
public struct LeaseRepository: Sendable {
    let database: any SQLDatabase
    let now: @Sendable () -> Int64

    /// Unix milliseconds.
    public var currentTime: Int64 { now() }

    /// The leases of a namespace that count, by node.
    public func list(of namespace: Namespace) throws -> [Lease] {
        let time = now()
        return try database.read { try Self.live(namespace.number, at: time, $0) }
    }

    /// Gives a device a lease of a node, or renews it.
    ///
    /// - Throws: `leaseTaken` where another device has it exclusively, or has any and an exclusive one is
    ///   wanted; `tooManyLeases`.
    public func take(_ lease: Lease) throws -> Lease {
        let time = now()
        return try database.write { connection in
            try connection.execute(
                "DELETE FROM leases WHERE ns = $1 AND expires <= $2",
                [.integer(lease.namespace), .integer(time)])
            let all = try Self.live(lease.namespace, at: time, connection)
            let others = all.filter {
                $0.node == lease.node && !$0.isOf(lease.device, in: lease.project)
            }
            if let other = others.first(where: { $0.mode == .exclusive || lease.mode == .exclusive }) {
                throw CatalogError.leaseTaken(device: other.device)
            }
            let own = all.first { $0.node == lease.node && $0.isOf(lease.device, in: lease.project) }
            guard own != nil || all.count < Lease.maximumPerNamespace else {
                throw CatalogError.tooManyLeases(maximum: Lease.maximumPerNamespace)
            }
            let taken = Lease(
                namespace: lease.namespace, node: lease.node, project: lease.project,
                device: lease.device, mode: lease.mode, created: own?.created ?? lease.created,
                expires: lease.expires)
            try connection.execute(
                """
                INSERT INTO leases (\(LeaseRow.columns))
                VALUES (\(SealedColumns.placeholders(LeaseRow.count)))
                ON CONFLICT (ns, nid, project, device) DO UPDATE SET mode = excluded.mode,
                    created = excluded.created, expires = excluded.expires, seal = excluded.seal
                """, LeaseRow.values(taken))
            return taken
        }
    }

    /// Ends leases of a node: those of a device, or all.
    ///
    /// - Returns: how many there were.
    public func end(
        of node: NodeID, in namespace: Namespace, project: ProjectID, device: String?
    ) throws -> Int {
        var values: [SQLValue] = [.integer(namespace.number), .blob(node.bytes)]
        var condition = ""
        if let device {
            condition = " AND project = $3 AND device = $4"
            values += [.text(project.rawValue), .text(device)]
        }
        return try database.write { [values, condition] connection in
            try connection.execute("DELETE FROM leases WHERE ns = $1 AND nid = $2" + condition, values)
        }
    }

    private static func live(
        _ namespace: Int64, at time: Int64, _ connection: any SQLConnection
    ) throws -> [Lease] {
        let columns = LeaseRow.columns.split(separator: ", ").map { "leases." + $0 }.joined(separator: ", ")
        return try connection.rows(
            """
            SELECT \(columns) FROM leases
            WHERE leases.ns = $1 AND leases.expires > $2 AND NOT EXISTS (
                SELECT 1 FROM devices
                WHERE devices.project = leases.project AND devices.id = leases.device
                    AND devices.revoked IS NOT NULL)
            ORDER BY leases.nid, leases.project, leases.device
            """, [.integer(namespace), .integer(time)]
        ).map(LeaseRow.lease)
    }
}
