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

    /// A namespace whose newest state a name points to.
    public struct Follow: Codable, Hashable, Sendable {
        /// What it is called; its id if it is gone.
        public var namespace: String
        public var id: String
        /// What of it the name points to; empty for all of it.
        public var path: String
        /// RFC 3339: when it was said.
        public var since: String
        /// The version that was published last.
        public var version: Int64?
        /// The newest version.
        public var head: Int64?
        /// `current`; `waiting` for the namespace to settle, or for a node to run; `failed`; `stopped`, since
        /// the namespace is deleted.
        public var state: String
        /// Why it failed.
        public var failure: String?

        public init(
            namespace: String, id: String, path: String, since: String, version: Int64?, head: Int64?,
            state: String, failure: String?
        ) {
            self.namespace = namespace
            self.id = id
            self.path = path
            self.since = since
            self.version = version
            self.head = head
            self.state = state
            self.failure = failure
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
    /// Left out where it follows nothing.
    public var follows: Follow?
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
    /// `/ipfs/CID/…` or `/ipns/NAME/…`; or `/n/NAMESPACE/…`, whose newest state is followed from then on;
    /// or `/n/NAMESPACE@VERSION/…`.
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
