import BlockStorage
public import Catalog
public import IPNS

/// How a name is published; `nil` leaves what it was published with before.
public struct PublishOptions: Hashable, Sendable {
    /// How long the record is to be valid.
    public var lifetime: Duration?
    /// How long others may rely on it without looking again.
    public var ttl: Duration?
    /// The sequence that the name must be at; anything else is refused, so that two who publish at once do not undo
    /// each other unseen.
    public var expectedSequence: UInt64?
    public var fields = IPNSRecordDraft.Fields.bothVersions
    /// What becomes of the name's following of a namespace.
    var follow = NameFollowChange.ended

    public init() {}
}

extension StorageNode {
    /// The longest lifetime and TTL: records are meant to end.
    private static let maximumDuration = Duration.seconds(Int64(100) * 366 * 86400)
    /// How often a name that others change at the same time is tried.
    private static let attempts = 8

    /// Lets a name point to a path, by a record with the next sequence; it follows no namespace then.
    /// When the call returns, the record survives power loss; before, the one that was there is in
    /// force.
    ///
    /// - Returns: the name as it is then.
    /// - Throws: `NameError`, `SecretsError`, and `NameRepositoryError.changedMeanwhile` if others keep
    ///   publishing it.
    @discardableResult
    public func publish(
        _ target: ContentPath, as entry: NameEntry, options: PublishOptions = PublishOptions(),
        at now: IPNSTime = .now
    ) throws -> NameEntry {
        // Block bytes are durable before any row names them.
        try store.commit()
        var current = entry
        var attempt = 1
        while true {
            do {
                return try publishOnce(target, as: current, options, now)
            } catch NameRepositoryError.changedMeanwhile(let name) {
                guard attempt < Self.attempts else { throw NameRepositoryError.changedMeanwhile(name) }
                attempt += 1
                guard let fresh = try catalog.names.name(name) else { throw NameError.notFound(entry.label) }
                current = fresh
            }
        }
    }

    private func publishOnce(
        _ target: ContentPath, as entry: NameEntry, _ options: PublishOptions, _ now: IPNSTime
    ) throws -> NameEntry {
        let last = try lastSequence(of: entry)
        if let expected = options.expectedSequence, expected != last {
            throw NameError.unexpectedSequence(entry.id, expected: expected, found: last)
        }
        guard last ?? 0 < UInt64(Int64.max) else { throw NameError.sequenceExhausted(entry.id) }
        return try write(
            target, sequence: last.map { $0 + 1 } ?? 0, as: entry, options, now: now)
    }

    /// The highest sequence that anybody published the name with, as far as it is known here.
    private func lastSequence(of entry: NameEntry) throws -> UInt64? {
        let own = entry.publication.map(\.sequence)
        let foreign = try catalog.foreignRecords.record(of: entry.id).map(\.sequence)
        return [own, foreign].compactMap { $0 }.max().flatMap { UInt64(exactly: $0) }
    }

    private func write(
        _ target: ContentPath, sequence: UInt64, as entry: NameEntry, _ options: PublishOptions,
        now: IPNSTime
    ) throws -> NameEntry {
        let lifetime = options.lifetime ?? .seconds(entry.lifetimeSeconds)
        let ttl = options.ttl ?? .nanoseconds(entry.ttlNanoseconds)
        guard (.zero...Self.maximumDuration).contains(lifetime), lifetime >= .seconds(1) else {
            throw NameError.badDuration("the lifetime of a record, at least one second,")
        }
        guard (.zero...Self.maximumDuration).contains(ttl) else {
            throw NameError.badDuration("the TTL of a record")
        }
        var draft = IPNSRecordDraft(target: target, sequence: sequence, validUntil: now.adding(lifetime))
        draft.ttl = ttl
        draft.fields = options.fields
        let record = try IPNSRecord(signing: draft, with: privateKey(of: entry))
        let (seconds, attoseconds) = ttl.components
        return try catalog.names.publish(
            NamePublication(record), as: entry, lifetimeSeconds: lifetime.components.seconds,
            ttlNanoseconds: seconds * 1_000_000_000 + attoseconds / 1_000_000_000, follow: options.follow)
    }

    /// What ``renewNames(endingWithin:at:)`` did.
    public struct RenewalReport: Sendable {
        public var renewed = 0
        /// Records of others that had ended and are gone.
        public var removed = 0
        /// Names that could not be renewed, and why.
        public var failures: [(entry: NameEntry, error: any Error)] = []
    }

    /// Signs anew what would end soon, with the same target and sequence and a later end; also removes
    /// records of others that have ended. For a timer that runs every few hours.
    ///
    /// A record is renewed once less than half of its lifetime is left.
    ///
    /// - Parameter margin: only records that end before then are looked at.
    public func renewNames(
        endingWithin margin: Duration = .seconds(48 * 3600), at now: IPNSTime = .now
    ) throws -> RenewalReport {
        var report = RenewalReport()
        var last: NameEntry?
        let limit = now.adding(margin).unixMilliseconds
        while true {
            let page = try catalog.names.expiring(before: limit, after: last)
            guard !page.isEmpty else { break }
            for entry in page {
                last = entry
                do {
                    if try renew(entry, now) { report.renewed += 1 }
                } catch NameRepositoryError.changedMeanwhile {
                    continue  // somebody published it: it is new enough
                } catch {
                    report.failures.append((entry, error))
                }
            }
        }
        while true {
            let removed = try catalog.foreignRecords.removeExpired(before: now.unixMilliseconds)
            report.removed += removed
            if removed == 0 { return report }
        }
    }

    private func renew(_ entry: NameEntry, _ now: IPNSTime) throws -> Bool {
        guard let publication = entry.publication,
            publication.validUntil - now.unixMilliseconds < entry.lifetimeSeconds * 500
        else { return false }
        let old = try IPNSRecord(decoding: publication.record)
        // Elsewhere the key has gone on; signing the old target again would say what is no longer true.
        if let last = try lastSequence(of: entry), last > old.sequence { return false }
        var options = PublishOptions()
        options.fields = old.hasV1Fields ? .bothVersions : .onlyV2
        options.follow = .unchanged
        _ = try write(try old.target, sequence: old.sequence, as: entry, options, now: now)
        return true
    }
}

extension NamePublication {
    /// What the catalog keeps of a record.
    init(_ record: IPNSRecord) {
        self.init(
            record: record.bytes, target: String(decoding: record.value, as: UTF8.self),
            sequence: Int64(clamping: record.sequence), validUntil: record.validUntil.unixMilliseconds)
    }
}
