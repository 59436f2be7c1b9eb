import Catalog
public import IPNS
public import Multiformats

extension StorageNode {
    /// The newest record of a name that this node has: of its own key, or one that was put here.
    ///
    /// - Returns: `nil` if there is none; an expired one is returned as it is.
    public func newestRecord(of name: PeerID) throws -> IPNSRecord? {
        let own = try catalog.names.name(name)?.publication?.record
        let foreign = try catalog.foreignRecords.record(of: name)?.record
        let records = try [own, foreign].compactMap { $0 }.map { try IPNSRecord(decoding: $0) }
        guard let first = records.first, let last = records.last else { return nil }
        return last.isNewer(than: first) ? last : first
    }

    /// The record of a name that is in force.
    ///
    /// - Returns: `nil` if there is none that is still valid.
    public func validRecord(of name: PeerID, at now: IPNSTime = .now) throws -> IPNSRecord? {
        guard let record = try newestRecord(of: name), record.validUntil > now else { return nil }
        return record
    }

    /// Keeps a record that somebody else made, if it is valid and newer than the one that is here. When the
    /// call returns, it survives power loss.
    ///
    /// - Throws: `IPNSRecordError` if it is not a valid record of the name; `NameRepositoryError` if it is
    ///   not newer, or too many are kept.
    @discardableResult
    public func putRecord(
        _ bytes: [UInt8], for name: PeerID, at now: IPNSTime = .now
    ) throws -> IPNSRecord {
        let record = try IPNSRecord(validating: bytes, for: name, at: now)
        if let own = try newestRecord(of: name), own != record, !record.isNewer(than: own) {
            throw NameRepositoryError.notNewer(
                name, sequence: Int64(clamping: record.sequence), kept: Int64(clamping: own.sequence))
        }
        if let entry = try catalog.names.name(name) {
            // The same key signs elsewhere too. What this node publishes next goes on from there.
            if entry.publication?.record != record.bytes {
                _ = try catalog.names.publish(NamePublication(record), as: entry)
            }
            return record
        }
        try catalog.foreignRecords.put(
            ForeignRecord(
                name: name, record: record.bytes, sequence: Int64(clamping: record.sequence),
                validUntil: record.validUntil.unixMilliseconds, stored: now.unixMilliseconds))
        return record
    }

    /// Follows names to content, with the records of this node and the domains of its configuration and the DNS.
    public var nameResolver: NameResolver {
        NameResolver(links: dnsLinks) { name in try self.newestRecord(of: name) }
    }

    /// Where a path leads: see ``NameResolver/resolve(_:at:)``.
    public func resolve(_ path: ContentPath, at now: IPNSTime = .now) throws -> NameResolution {
        try nameResolver.resolve(path, at: now)
    }
}
