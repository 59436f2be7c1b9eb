/// Devices and what they have read as rows, and back.
enum DeviceRow {
    static let columns = """
        project, id, user_id, grant_id, name, platform, ci_fs, nfd_fs, features, created, last_seen, \
        revoked, seal
        """
    static let count = 13

    static func values(_ device: Device) -> [SQLValue] {
        SealedColumns.values([
            .text(device.project.rawValue), .text(device.id), .optional(device.user?.text),
            .optional(device.grant?.text), .text(device.name), .text(device.platform),
            .integer(device.ignoresCase ? 1 : 0), .integer(device.decomposesNames ? 1 : 0),
            .text(device.features.joined(separator: " ")), .integer(device.created),
            .integer(device.lastSeen), .optional(device.revoked),
        ])
    }

    static func device(_ row: SQLRow) throws(CatalogError) -> Device {
        try SealedColumns.read(row, table: "devices", keyColumns: 2) { row in
            var device = Device(
                project: ProjectID(rawValue: try row.text(0)), id: try row.text(1),
                user: try row.optionalText(2).map { try UserID(text: $0) },
                grant: try row.optionalText(3).map { try GrantID(text: $0) }, name: try row.text(4),
                created: try row.integer(9))
            device.platform = try row.text(5)
            device.ignoresCase = try row.integer(6) != 0
            device.decomposesNames = try row.integer(7) != 0
            device.features = try row.text(8).split(separator: " ").map(String.init)
            device.lastSeen = try row.integer(10)
            device.revoked = try row.optionalInteger(11)
            return device
        }
    }

    static let ackColumns = "ns, project, device, epoch, jid, seen, seal"
    static let ackCount = 7

    static func values(_ ack: DeviceAck) -> [SQLValue] {
        SealedColumns.values([
            .integer(ack.namespace), .text(ack.project.rawValue), .text(ack.device), .integer(ack.epoch),
            .integer(ack.jid), .integer(ack.seen),
        ])
    }

    static func ack(_ row: SQLRow) throws(CatalogError) -> DeviceAck {
        try SealedColumns.read(row, table: "device_acks", keyColumns: 3) { row in
            DeviceAck(
                namespace: try row.integer(0), project: ProjectID(rawValue: try row.text(1)),
                device: try row.text(2), epoch: try row.integer(3), jid: try row.integer(4),
                seen: try row.integer(5))
        }
    }

    static func create(_ connection: any SQLConnection) throws {
        let text = connection.dialect.textType
        try connection.execute(
            """
            CREATE TABLE IF NOT EXISTS devices (
                project \(text) NOT NULL,
                id \(text) NOT NULL,
                user_id \(text),
                grant_id \(text),
                name \(text) NOT NULL,
                platform \(text) NOT NULL,
                ci_fs BIGINT NOT NULL,
                nfd_fs BIGINT NOT NULL,
                features \(text) NOT NULL,
                created BIGINT NOT NULL,
                last_seen BIGINT NOT NULL,
                revoked BIGINT,
                seal BIGINT NOT NULL,
                PRIMARY KEY (project, id)
            )\(connection.dialect.tableOptions)
            """)
        try connection.execute(
            """
            CREATE TABLE IF NOT EXISTS device_acks (
                ns BIGINT NOT NULL,
                project \(text) NOT NULL,
                device \(text) NOT NULL,
                epoch BIGINT NOT NULL,
                jid BIGINT NOT NULL,
                seen BIGINT NOT NULL,
                seal BIGINT NOT NULL,
                PRIMARY KEY (ns, project, device)
            )\(connection.dialect.tableOptions)
            """)
    }
}
