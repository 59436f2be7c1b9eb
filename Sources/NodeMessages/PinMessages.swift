/// A pin.
public struct PinMessage: Codable, Hashable, Sendable {
    public var id: String
    public var cid: String
    /// Empty for a pin without a name.
    public var name: String
    /// `queued`, `pinning`, `pinned` or `failed`.
    public var status: String
    /// `public` or `private`.
    public var visibility: String
    /// The id of the project.
    public var owner: String
    /// RFC 3339.
    public var created: String
    /// Bytes of files, or of blocks, as far as they are known.
    public var bytes: Int64?
    /// Profile and parameters of the import; empty if the root was not made here.
    public var parameters: String
    public var meta: [String: String]

    public init(
        id: String, cid: String, name: String, status: String, visibility: String, owner: String,
        created: String, bytes: Int64?, parameters: String, meta: [String: String]
    ) {
        self.id = id
        self.cid = cid
        self.name = name
        self.status = status
        self.visibility = visibility
        self.owner = owner
        self.created = created
        self.bytes = bytes
        self.parameters = parameters
        self.meta = meta
    }
}

/// What to pin.
public struct PinRequest: Codable, Hashable, Sendable {
    public var cid: String
    public var name: String?
    /// `public` or `private`; the node's default where it is left out.
    public var visibility: String?
    public var parameters: String?
    /// Bytes of files below the root.
    public var bytes: Int64?
    /// Whether blocks may be missing; the status is `pinning` then.
    public var allowMissing: Bool?
    /// The import that brought the blocks.
    public var `import`: String?
    public var meta: [String: String]?

    public init(cid: String, name: String? = nil, visibility: String? = nil) {
        self.cid = cid
        self.name = name
        self.visibility = visibility
    }
}

/// What to change of a pin; what is left out stays.
public struct PinChangeRequest: Codable, Hashable, Sendable {
    public var name: String?
    public var visibility: String?
    public var meta: [String: String]?

    public init(name: String? = nil, visibility: String? = nil) {
        self.name = name
        self.visibility = visibility
    }
}

/// Which pins to list.
public struct PinQuery: Hashable, Sendable {
    public var name: String?
    public var namePrefix: String?
    public var status: String?
    public var visibility: String?
    public var cid: String?

    public init() {}
}

/// A part of a list.
public struct PageMessage<Item: Codable & Sendable>: Codable, Sendable {
    public var items: [Item]
    /// Give it as `cursor` to get what follows; left out at the end.
    public var next: String?

    public init(items: [Item], next: String?) {
        self.items = items
        self.next = next
    }
}
