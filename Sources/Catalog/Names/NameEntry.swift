public import Multiformats

/// A name that this node can publish under: a key, a label, and what was published last.
public struct NameEntry: Hashable, Sendable, Identifiable {
    /// The name itself.
    public let id: PeerID
    public let owner: ProjectID
    /// What its owner calls it; unique among the names of one owner.
    public let label: String
    /// The private key, sealed by whoever wrote the row.
    public let sealedKey: [UInt8]
    /// What was published last; `nil` before the first time.
    public let publication: NamePublication?
    /// How long a new record is to be valid, in seconds.
    public let lifetimeSeconds: Int64
    /// How long it may be relied on, in nanoseconds.
    public let ttlNanoseconds: Int64
    /// Goes up with every change of the row: what ``NameRepository/publish(_:as:expecting:)`` compares.
    public let revision: Int64
    /// Unix milliseconds.
    public let created: Int64
    /// Unix milliseconds of the last change.
    public let updated: Int64

    /// The most bytes of a label.
    public static let maximumLabelBytes = 255
}

/// A record that was published, with what the catalog has to know of it.
public struct NamePublication: Hashable, Sendable {
    /// The signed record.
    public var record: [UInt8]
    /// Where it points, as text.
    public var target: String
    public var sequence: Int64
    /// Unix milliseconds.
    public var validUntil: Int64

    public init(record: [UInt8], target: String, sequence: Int64, validUntil: Int64) {
        self.record = record
        self.target = target
        self.sequence = sequence
        self.validUntil = validUntil
    }
}

/// What the caller says of a new name.
public struct NameDraft: Hashable, Sendable {
    public var id: PeerID
    public var label: String
    public var owner: ProjectID
    public var sealedKey: [UInt8]
    public var lifetimeSeconds: Int64
    public var ttlNanoseconds: Int64

    public init(
        id: PeerID, label: String, owner: ProjectID, sealedKey: [UInt8], lifetimeSeconds: Int64,
        ttlNanoseconds: Int64
    ) {
        self.id = id
        self.label = label
        self.owner = owner
        self.sealedKey = sealedKey
        self.lifetimeSeconds = lifetimeSeconds
        self.ttlNanoseconds = ttlNanoseconds
    }
}

/// A target that a name had, and since when.
public struct NameVersion: Hashable, Sendable {
    /// 1, 2, 3 …
    public let number: Int64
    public let target: String
    public let sequence: Int64
    /// Unix milliseconds.
    public let published: Int64
}

/// A record of a name whose key is elsewhere, as it was given to this node.
public struct ForeignRecord: Hashable, Sendable {
    public let name: PeerID
    public let record: [UInt8]
    public let sequence: Int64
    /// Unix milliseconds.
    public let validUntil: Int64
    /// Unix milliseconds.
    public let stored: Int64

    public init(name: PeerID, record: [UInt8], sequence: Int64, validUntil: Int64, stored: Int64) {
        self.name = name
        self.record = record
        self.sequence = sequence
        self.validUntil = validUntil
        self.stored = stored
    }
}
