/// A name whose key the node has.
public struct NameMessage: Codable, Hashable, Sendable {
    /// Where it pointed before.
    public struct Version: Codable, Hashable, Sendable {
        public var number: Int64
        public var target: String
        public var sequence: Int64
        public var published: String

        public init(number: Int64, target: String, sequence: Int64, published: String) {
            self.number = number
            self.target = target
            self.sequence = sequence
            self.published = published
        }
    }

    /// The key in base36, as behind `/ipns/`.
    public var name: String
    /// The key as a peer id in base58.
    public var peerID: String
    public var label: String
    public var owner: String
    public var created: String
    public var lifetimeSeconds: Int64
    public var ttlNanoseconds: Int64
    /// Left out until it is published.
    public var target: String?
    public var sequence: Int64?
    public var validUntil: String?
    /// Newest first, where they were asked for.
    public var history: [Version]?

    public init(
        name: String, peerID: String, label: String, owner: String, created: String, lifetimeSeconds: Int64,
        ttlNanoseconds: Int64
    ) {
        self.name = name
        self.peerID = peerID
        self.label = label
        self.owner = owner
        self.created = created
        self.lifetimeSeconds = lifetimeSeconds
        self.ttlNanoseconds = ttlNanoseconds
    }
}

/// A new name.
public struct NameRequest: Codable, Sendable {
    public var label: String
    /// The private key as a protobuf of libp2p in base64; a new Ed25519 key is made where it is left out.
    public var key: String?

    public init(label: String, key: String? = nil) {
        self.label = label
        self.key = key
    }
}

/// Where a name is to point, and for how long.
public struct PublishRequest: Codable, Hashable, Sendable {
    /// `/ipfs/CID/…` or `/ipns/NAME/…`.
    public var target: String
    /// What it was published with before, where it is left out.
    public var lifetimeSeconds: Double?
    public var ttlSeconds: Double?
    /// The sequence that the name must be at.
    public var expectedSequence: UInt64?
    /// Whether the fields for readers of before 2021 are left out.
    public var onlyV2: Bool?

    public init(target: String) { self.target = target }
}

/// Where a name leads in the end.
public struct ResolutionMessage: Codable, Hashable, Sendable {
    public var cid: String
    public var path: String
    public var remainingTTLSeconds: Int64?
    public var steps: [String]

    public init(cid: String, path: String, remainingTTLSeconds: Int64?, steps: [String]) {
        self.cid = cid
        self.path = path
        self.remainingTTLSeconds = remainingTTLSeconds
        self.steps = steps
    }
}

/// A signed record.
public struct RecordMessage: Codable, Hashable, Sendable {
    public var name: String
    public var target: String
    public var sequence: UInt64
    public var validUntil: String

    public init(name: String, target: String, sequence: UInt64, validUntil: String) {
        self.name = name
        self.target = target
        self.sequence = sequence
        self.validUntil = validUntil
    }
}

/// Bytes in JSON: base64.
public struct BytesMessage: Codable, Sendable {
    public var base64: String

    public init(base64: String) { self.base64 = base64 }
}
