/// How a catalog is used, since it was opened.
public struct CatalogStatistics: Hashable, Sendable {
    /// States of the database that were read from, and changes.
    public var reads: UInt64
    public var writes: UInt64
    /// What they took together, waiting included; a change takes until it is durable.
    public var readTime: Duration
    public var writeTime: Duration
    /// Transactions that the changes were made in.
    public var writeGroups: UInt64
    /// Changes that wait for a transaction.
    public var writesWaiting: Int
    /// What the database has on its disk.
    public var bytes: Int64
    /// How often the log of changes could not be folded into the file of the database.
    public var logFailures: UInt64
}

extension CatalogDatabase {
    /// Costs one query, which reads no table.
    public func statistics() throws -> CatalogStatistics {
        let bytes = try database.read { try $0.firstRow($0.dialect.bytesOnDisk)?.integer(0) ?? 0 }
        let (tally, groups) = (meter.tally, meter.queue.tally)
        return CatalogStatistics(
            reads: tally.reads, writes: tally.writes, readTime: tally.readTime, writeTime: tally.writeTime,
            writeGroups: groups.groups, writesWaiting: meter.queue.waiting, bytes: bytes,
            logFailures: meter.logFailures)
    }
}
