/// Counters of grants and signed URLs. A claim is granted whole or not at all, in one transaction, whatever else
/// happens at the same time on this node or another.
extension GrantRepository {
    /// Reserves uses and bytes in every counter of a chain, before the work begins.
    ///
    /// What is reserved counts as used until ``adjust(_:url:urlUses:)`` gives part of it back. A crash in between
    /// leaves it counted: never more is used than was allowed. Bytes are counted where there is a limit on them.
    ///
    /// - Parameters:
    ///   - limits: the grant and its ancestors, those with a limit; each counts what is used through it.
    ///   - url: the signed URL that the request came with.
    public func reserve(_ claim: UsageClaim, within limits: [UsageLimit], url: SignedURLLimit? = nil) throws
        -> UsageOutcome
    {
        guard !limits.isEmpty || url?.maximumUses != nil else {
            return try isRevoked(url) ? .urlRevoked : .reserved(bytes: claim.maximumBytes)
        }
        return try database.write { connection in
            if let url, let outcome = try UsageTable.reserve(url, claim.uses, connection) { return outcome }
            var usages: [GrantUsage] = []
            var bytes = claim.maximumBytes
            for limit in limits {
                let usage = try UsageTable.ensuredUsage(limit.grant, connection)
                if let maximum = limit.maximumUses, maximum < usage.uses.addingClamped(claim.uses) {
                    throw Refusal(outcome: .usesExhausted(limit.grant, limit: maximum))
                }
                if let maximum = limit.maximumBytes {
                    let left = max(0, maximum.subtractingClamped(usage.bytes))
                    guard left >= claim.minimumBytes, left > 0 || claim.maximumBytes == 0 else {
                        throw Refusal(outcome: .bytesExhausted(limit.grant, limit: maximum, left: left))
                    }
                    bytes = min(bytes, left)
                }
                usages.append(usage)
            }
            for (limit, usage) in zip(limits, usages) {
                let reserved = limit.maximumBytes == nil ? 0 : bytes
                let new = GrantUsage(
                    uses: usage.uses.addingClamped(claim.uses), bytes: usage.bytes.addingClamped(reserved))
                try UsageTable.set(new, of: limit.grant, connection)
            }
            return .reserved(bytes: bytes)
        } catching: {
            $0.outcome
        }
    }

    /// Adds to counters, or takes from them what was reserved and not used. No counter goes below zero.
    public func adjust(_ changes: [(GrantID, GrantUsage)], url: SignedURLLimit? = nil, urlUses: Int64 = 0)
        throws
    {
        let changes = changes.filter { $0.1 != GrantUsage() }
        guard !changes.isEmpty || (url != nil && urlUses != 0) else { return }
        try database.write { connection in
            if let url, url.maximumUses != nil, urlUses != 0 {
                try UsageTable.adjust(urlUses, of: url, connection)
            }
            for (grant, change) in changes {
                let usage = try UsageTable.ensuredUsage(grant, connection)
                let new = GrantUsage(
                    uses: max(0, usage.uses.addingClamped(change.uses)),
                    bytes: max(0, usage.bytes.addingClamped(change.bytes)))
                try UsageTable.set(new, of: grant, connection)
            }
        }
    }

    /// How much of a grant is used up.
    public func usage(of id: GrantID) throws -> GrantUsage {
        try database.read { try UsageTable.usage(id, $0) }
    }

    /// Ends one signed URL before its time; the row stays until the URL has expired.
    public func revoke(_ url: SignedURLLimit) throws {
        try database.write { connection in
            try UsageTable.revoke(url, connection)
        }
    }

    /// How often a signed URL was used; `nil` if it was revoked. Only URLs with a limit are counted.
    public func uses(of url: SignedURLLimit) throws -> Int64? {
        try database.read { connection in
            guard let row = try UsageTable.find(url, connection) else { return 0 }
            return row.isRevoked ? nil : row.uses
        }
    }

    /// Forgets signed URLs that expired before `time`, in Unix milliseconds.
    public func removeExpiredURLs(before time: Int64) throws {
        try database.write { connection -> Void in
            try connection.execute("DELETE FROM signed_url_usage WHERE expires < $1", [.integer(time)])
        }
    }

    private func isRevoked(_ url: SignedURLLimit?) throws -> Bool {
        guard let url else { return false }
        return try database.read { try UsageTable.find(url, $0)?.isRevoked ?? false }
    }
}

/// Undoes the transaction and becomes a result behind it.
private struct Refusal: Error {
    let outcome: UsageOutcome
}

extension SQLDatabase {
    /// A transaction that a refusal undoes.
    fileprivate func write(
        _ body: (any SQLConnection) throws -> UsageOutcome, catching: (Refusal) -> UsageOutcome
    ) throws -> UsageOutcome {
        do { return try write(body) } catch let refusal as Refusal { return catching(refusal) }
    }
}

extension Int64 {
    fileprivate func addingClamped(_ other: Int64) -> Int64 {
        let (sum, overflow) = addingReportingOverflow(other)
        return overflow ? (other < 0 ? .min : .max) : sum
    }

    fileprivate func subtractingClamped(_ other: Int64) -> Int64 {
        let (difference, overflow) = subtractingReportingOverflow(other)
        return overflow ? (other < 0 ? .max : .min) : difference
    }
}
