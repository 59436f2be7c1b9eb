/// A login that lasts: the hash of what the browser holds, and until when it counts.
public struct SessionRecord: Hashable, Sendable {
    /// SHA-256 of the session's secret: 32 bytes.
    public let secretHash: [UInt8]
    public let user: UserID
    /// Unix milliseconds.
    public let created: Int64
    /// Unix milliseconds of the last use that was noted.
    public var lastSeen: Int64
    /// Unix milliseconds after which it ends, used or not.
    public let expires: Int64

    public init(secretHash: [UInt8], user: UserID, created: Int64, lastSeen: Int64, expires: Int64) {
        self.secretHash = secretHash
        self.user = user
        self.created = created
        self.lastSeen = lastSeen
        self.expires = expires
    }
}
