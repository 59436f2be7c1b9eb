/// The steps for namespaces and their trees.
extension Migration {
    static let namespaces = Migration(13, "namespaces") { try NamespaceRow.create($0) }

    static let trees = Migration(14, "trees") { connection in
        try TreeNodeRow.create(connection)
        try JournalRow.create(connection)
        try SnapshotRow.create(connection)
    }

    static let devices = Migration(15, "devices") { try DeviceRow.create($0) }

    static let leases = Migration(16, "leases and conflicts") { connection in
        try LeaseRow.create(connection)
        try ConflictRow.create(connection)
    }
}
