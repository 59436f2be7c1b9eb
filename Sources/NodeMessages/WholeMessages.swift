/// What a node takes where nobody says otherwise.
public struct DefaultsMessage: Codable, Hashable, Sendable {
    public var version: String
    /// The import profile.
    public var profile: String
    /// `public` or `private`.
    public var visibility: String

    public init(version: String, profile: String, visibility: String) {
        self.version = version
        self.profile = profile
        self.visibility = visibility
    }
}

/// How much a node holds.
public struct StatisticsMessage: Codable, Hashable, Sendable {
    public var directory: String
    public var blocks: Int64
    public var liveBytes: Int64
    public var deadBytes: Int64
    public var packs: Int
    public var packBytes: Int64
    public var pins: Int64
    public var unreadablePacks: Int

    public init(
        directory: String, blocks: Int64, liveBytes: Int64, deadBytes: Int64, packs: Int, packBytes: Int64,
        pins: Int64, unreadablePacks: Int
    ) {
        self.directory = directory
        self.blocks = blocks
        self.liveBytes = liveBytes
        self.deadBytes = deadBytes
        self.packs = packs
        self.packBytes = packBytes
        self.pins = pins
        self.unreadablePacks = unreadablePacks
    }
}

/// What is below a root.
public struct WalkMessage: Codable, Hashable, Sendable {
    public var blocks: Int
    public var bytes: UInt64
    public var missing: Int
    public var firstMissing: String?

    public init(blocks: Int, bytes: UInt64, missing: Int, firstMissing: String?) {
        self.blocks = blocks
        self.bytes = bytes
        self.missing = missing
        self.firstMissing = firstMissing
    }
}

/// How to collect garbage.
public struct CollectionRequest: Codable, Hashable, Sendable {
    public var dryRun: Bool?
    /// Blocks younger than this stay.
    public var graceSeconds: Double?
    /// From 0 to 1: the share of the store that may be dead bytes afterwards.
    public var maximumUnusedShare: Double?
    /// Whether to name the roots of what goes.
    public var list: Bool?

    public init() {}
}

/// What a collection of garbage did, or would do.
public struct CollectionMessage: Codable, Hashable, Sendable {
    public var dryRun: Bool
    public var blocks = 0
    public var bytes: Int64 = 0
    public var keptBlocks = 0
    public var youngBlocks = 0
    public var youngBytes: Int64 = 0
    public var freedBytes: Int64 = 0
    public var removedPacks = 0
    public var rewrittenPacks = 0
    public var skippedPacks = 0
    public var missingLeaves = 0
    public var unreadableBlocks: [String] = []
    /// RFC 3339: until when histories of namespaces are not thinned out, since the clock is far from where it
    /// was.
    public var historyWaitsUntil: String?
    /// Where they were asked for: at most ``maximumTrees``.
    public var trees: [TreeMessage]?
    /// How many trees there are beyond those that are named.
    public var moreTrees: Int?

    public static let maximumTrees = 20_000

    public init(dryRun: Bool) { self.dryRun = dryRun }
}

/// A DAG that nothing keeps.
public struct TreeMessage: Codable, Hashable, Sendable {
    public var root: String
    public var treeBlocks: Int
    public var treeBytes: Int64

    public init(root: String, treeBlocks: Int, treeBytes: Int64) {
        self.root = root
        self.treeBlocks = treeBlocks
        self.treeBytes = treeBytes
    }
}

/// How to verify.
public struct VerificationRequest: Codable, Hashable, Sendable {
    public var bytesPerSecond: Int64?
    public var repair: Bool?

    public init(bytesPerSecond: Int64? = nil, repair: Bool? = nil) {
        self.bytesPerSecond = bytesPerSecond
        self.repair = repair
    }
}

/// What verifying found.
public struct VerificationMessage: Codable, Hashable, Sendable {
    public var blocks: Int
    public var bytes: Int64
    public var pins: Int
    /// Namespaces that were looked at, with their kept history; `nil` from a node that does not do that.
    public var namespaces: Int?
    /// Empty if nothing is wrong; at most ``maximumFindings``.
    public var findings: [String]
    /// How many findings there are beyond those.
    public var moreFindings: Int?

    public static let maximumFindings = 10_000

    public init(blocks: Int, bytes: Int64, pins: Int, namespaces: Int? = nil, findings: [String]) {
        self.blocks = blocks
        self.bytes = bytes
        self.pins = pins
        self.namespaces = namespaces
        self.findings = Array(findings.prefix(Self.maximumFindings))
        moreFindings = findings.count > Self.maximumFindings ? findings.count - Self.maximumFindings : nil
    }
}
