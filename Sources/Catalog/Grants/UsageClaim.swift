/// What a request wants to use up.
public struct UsageClaim: Hashable, Sendable {
    public var uses: Int64 = 1
    /// Fewer bytes than these are no use.
    public var minimumBytes: Int64 = 0
    /// As many as may come: the claimed size, or a bound where none was claimed.
    public var maximumBytes: Int64 = 0

    public init(uses: Int64 = 1, minimumBytes: Int64 = 0, maximumBytes: Int64 = 0) {
        self.uses = uses
        self.minimumBytes = minimumBytes
        self.maximumBytes = maximumBytes
    }
}

/// The counters that a claim is held against.
public struct UsageLimit: Hashable, Sendable {
    public var grant: GrantID
    public var maximumUses: Int64?
    public var maximumBytes: Int64?

    public init(grant: GrantID, maximumUses: Int64?, maximumBytes: Int64?) {
        self.grant = grant
        self.maximumUses = maximumUses
        self.maximumBytes = maximumBytes
    }
}

/// The counter of one signed URL.
public struct SignedURLLimit: Hashable, Sendable {
    /// What tells the URL from every other: at most 32 bytes.
    public var nonce: [UInt8]
    public var grant: GrantID
    public var maximumUses: Int64?
    /// Unix milliseconds, after which the counter is of no use any more.
    public var expires: Int64

    public init(nonce: [UInt8], grant: GrantID, maximumUses: Int64?, expires: Int64) {
        self.nonce = nonce
        self.grant = grant
        self.maximumUses = maximumUses
        self.expires = expires
    }
}

/// What came of a claim.
public enum UsageOutcome: Hashable, Sendable {
    /// So many bytes are reserved, and the uses.
    case reserved(bytes: Int64)
    /// A grant of the chain has been used as often as it may be.
    case usesExhausted(GrantID, limit: Int64)
    /// A grant of the chain has fewer bytes left than are needed.
    case bytesExhausted(GrantID, limit: Int64, left: Int64)
    case urlExhausted(limit: Int64)
    case urlRevoked
}
