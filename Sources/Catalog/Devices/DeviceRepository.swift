/// The devices of the catalog, and how far each has read which journal.
///
/// Thread-safe and synchronous. A change that returned survives power loss.
public struct DeviceRepository: Sendable {
    let database: any SQLDatabase
    let now: @Sendable () -> Int64

    /// Unix milliseconds.
    public var currentTime: Int64 { now() }

    /// The device of that id, also one that is shut out.
    public func device(_ id: String, in project: ProjectID) throws -> Device? {
        try database.read { try Self.find(id, project, $0) }
    }

    /// The devices of one project, or of all, by project and id.
    public func list(project: ProjectID? = nil) throws -> [Device] {
        var condition = SQLCondition()
        if let project { condition.require("project = ?", .text(project.rawValue)) }
        return try database.read { connection in
            try connection.rows(
                "SELECT \(DeviceRow.columns) FROM devices\(condition.clause) ORDER BY project, id",
                condition.values
            ).map(DeviceRow.device)
        }
    }

    /// Adds a device, or changes the one of that id. A new one whose name another one of the project has, that
    /// is not shut out, is told apart by a number behind it: `debian-2`.
    ///
    /// - Parameter change: is given what is there, and returns what is to be; may be called more than once.
    /// - Returns: the device afterwards.
    /// - Throws: `tooManyDevices`, `nameTooLong`, `nameContainsNUL`, and what `change` throws.
    public func put(
        _ id: String, in project: ProjectID, _ change: (Device?) throws -> Device
    ) throws -> Device {
        try database.write { connection in
            let known = try Self.find(id, project, connection)
            var device = try change(known)
            if known == nil { device.name = try Self.freeName(device.name, project, connection) }
            try NameColumn.check(device.name, maximumBytes: Device.maximumNameBytes)
            try NameColumn.check(device.platform, maximumBytes: Device.maximumNameBytes)
            try NameColumn.check(device.features.joined(separator: " "))
            if known == nil {
                let count = try connection.firstRow(
                    "SELECT count(*) FROM devices WHERE project = $1", [.text(project.rawValue)]
                )?.integer(0)
                guard (count ?? 0) < Device.maximumPerProject else {
                    throw CatalogError.tooManyDevices(maximum: Device.maximumPerProject)
                }
            }
            try Self.write(device, connection)
            return device
        }
    }

    /// Notes when devices were there, and how far they have read. What is not known, or shut out, is passed
    /// over.
    public func note(seen: [(project: ProjectID, id: String, time: Int64)], acks: [DeviceAck]) throws {
        guard !seen.isEmpty || !acks.isEmpty else { return }
        try database.write { connection -> Void in
            for (project, id, time) in seen {
                guard var device = try Self.find(id, project, connection), device.revoked == nil,
                    device.lastSeen < time
                else { continue }
                device.lastSeen = time
                try Self.write(device, connection)
            }
            for ack in acks {
                guard try Self.find(ack.device, ack.project, connection)?.revoked == nil else { continue }
                try connection.execute(
                    """
                    INSERT INTO device_acks (\(DeviceRow.ackColumns))
                    VALUES (\(SealedColumns.placeholders(DeviceRow.ackCount)))
                    ON CONFLICT (ns, project, device) DO UPDATE SET epoch = excluded.epoch,
                        jid = excluded.jid, seen = excluded.seen, seal = excluded.seal
                    """, DeviceRow.values(ack))
            }
        }
    }

    /// How far devices have read the journal of a namespace.
    public func acks(of namespace: Namespace) throws -> [DeviceAck] {
        try database.read { connection in
            try connection.rows(
                """
                SELECT \(DeviceRow.ackColumns) FROM device_acks WHERE ns = $1 ORDER BY project, device
                """, [.integer(namespace.number)]
            ).map(DeviceRow.ack)
        }
    }

    /// The name, or the first with a number behind it that no device of the project has.
    private static func freeName(
        _ name: String, _ project: ProjectID, _ connection: any SQLConnection
    ) throws -> String {
        let rows = try connection.rows(
            "SELECT name FROM devices WHERE project = $1 AND revoked IS NULL", [.text(project.rawValue)])
        let taken = Set(try rows.map { try $0.text(0) })
        guard taken.contains(name) else { return name }
        // One more than there are is free in any case.
        for number in 2...taken.count + 2 {
            let end = "-\(number)"
            var start = Substring(name)
            while start.utf8.count + end.utf8.count > Device.maximumNameBytes { start = start.dropLast() }
            let other = String(start) + end
            if !taken.contains(other) { return other }
        }
        return name
    }

    /// How far devices have read the journals of all namespaces that are not deleted, and how far these go.
    public func positions() throws -> JournalPositions {
        try database.read { connection in
            var positions = JournalPositions()
            let namespaces = try connection.rows(
                "SELECT number, epoch, head FROM namespaces WHERE deleted IS NULL")
            for row in namespaces {
                positions.heads[try row.integer(0)] = (try row.integer(1), try row.integer(2))
            }
            positions.acks = try connection.rows("SELECT \(DeviceRow.ackColumns) FROM device_acks")
                .map(DeviceRow.ack).filter { positions.heads[$0.namespace] != nil }
            return positions
        }
    }

    private static func find(
        _ id: String, _ project: ProjectID, _ connection: any SQLConnection
    ) throws -> Device? {
        try connection.firstRow(
            "SELECT \(DeviceRow.columns) FROM devices WHERE project = $1 AND id = $2",
            [.text(project.rawValue), .text(id)]
        ).map(DeviceRow.device)
    }

    private static func write(_ device: Device, _ connection: any SQLConnection) throws {
        try connection.execute(
            """
            INSERT INTO devices (\(DeviceRow.columns)) VALUES (\(SealedColumns.placeholders(DeviceRow.count)))
            ON CONFLICT (project, id) DO UPDATE SET name = excluded.name, platform = excluded.platform,
                user_id = excluded.user_id, grant_id = excluded.grant_id, ci_fs = excluded.ci_fs,
                nfd_fs = excluded.nfd_fs, features = excluded.features, created = excluded.created,
                last_seen = excluded.last_seen, revoked = excluded.revoked, seal = excluded.seal
            """, DeviceRow.values(device))
    }
}
