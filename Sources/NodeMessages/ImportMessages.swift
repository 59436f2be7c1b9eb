/// An import: blocks that come in several requests and are kept from the collector until they are pinned.
public struct ImportMessage: Codable, Hashable, Sendable {
    public var id: String
    /// It ends when nothing was sent for so long.
    public var idleSeconds: Int

    public init(id: String, idleSeconds: Int) {
        self.id = id
        self.idleSeconds = idleSeconds
    }
}

/// CIDs to look for, or that were found.
public struct CIDsMessage: Codable, Hashable, Sendable {
    public var cids: [String]

    /// The most of them in one request.
    public static let maximum = 4096

    public init(cids: [String]) { self.cids = cids }
}

/// What storing brought.
public struct StoredMessage: Codable, Hashable, Sendable {
    public var newBlocks: Int
    public var newBytes: Int64
    public var knownBlocks: Int
    public var knownBytes: Int64

    public init(newBlocks: Int, newBytes: Int64, knownBlocks: Int, knownBytes: Int64) {
        self.newBlocks = newBlocks
        self.newBytes = newBytes
        self.knownBlocks = knownBlocks
        self.knownBytes = knownBytes
    }
}

/// How large blocks are: `null` for what is not there.
public struct SizesMessage: Codable, Hashable, Sendable {
    public var sizes: [Int?]

    public init(sizes: [Int?]) { self.sizes = sizes }
}

/// A block that was stored.
public struct BlockMessage: Codable, Hashable, Sendable {
    public var cid: String
    public var bytes: Int

    public init(cid: String, bytes: Int) {
        self.cid = cid
        self.bytes = bytes
    }
}

/// What an upload brought.
public struct UploadMessage: Codable, Hashable, Sendable {
    /// The root; of a CAR the first.
    public var cid: String
    public var name: String
    /// Bytes of files.
    public var bytes: Int64
    /// Files and directories below the root, itself included.
    public var entries: Int
    /// What keeps it; left out where nothing was to be pinned.
    public var pin: PinMessage?
    /// All roots of a CAR.
    public var roots: [String]?
    /// Where the gateway shows it, if it is public: a path.
    public var path: String

    public init(cid: String, name: String, bytes: Int64, entries: Int) {
        self.cid = cid
        self.name = name
        self.bytes = bytes
        self.entries = entries
        path = "/ipfs/" + cid
    }
}
