public import IPLD

/// `GET /sync/v1/status`: how the namespaces are that the caller may read, and, for who may read metrics,
/// what the node did since it was started.
public struct SyncReport: Hashable, Sendable {
    public var namespaces: [NamespaceReport]
    public var node: NodeFigures?

    public init(namespaces: [NamespaceReport], node: NodeFigures?) {
        self.namespaces = namespaces
        self.node = node
    }

    public func value(_ form: WireForm) -> IPLDValue {
        var writer = WireWriter(form)
        writer.put("namespaces", .list(namespaces.map { $0.value(form) }))
        if let node { writer.put("node", node.value(form)) }
        return writer.value
    }

    public init(_ value: IPLDValue) throws(SyncMessageError) {
        let reader = try WireReader(value, "status")
        namespaces = []
        for value in try reader.list("namespaces", maximum: 1_000_000) ?? [] {
            namespaces.append(try NamespaceReport(value))
        }
        if let value = reader.value("node") { node = try NodeFigures(value) }
    }
}

/// How a namespace is.
public struct NamespaceReport: Hashable, Sendable {
    public var info: NamespaceInfo
    /// For how many milliseconds changes have waited for their snapshot; `nil` if none do.
    public var unsettledMilliseconds: Int64?
    /// How far each device is.
    public var devices: [DeviceProgress]
    public var leases: [LeaseInfo]
    /// Conflicts that nobody has decided.
    public var conflicts: Int64

    public init(
        info: NamespaceInfo, unsettledMilliseconds: Int64?, devices: [DeviceProgress] = [],
        leases: [LeaseInfo] = [], conflicts: Int64 = 0
    ) {
        self.info = info
        self.leases = leases
        self.conflicts = conflicts
        self.unsettledMilliseconds = unsettledMilliseconds
        self.devices = devices
    }

    func value(_ form: WireForm) -> IPLDValue {
        var writer = WireWriter(form)
        writer.put("namespace", info.value(form))
        writer.put("unsettled_ms", unsettledMilliseconds)
        writer.put("devices", .list(devices.map { $0.value(form) }))
        writer.put("leases", .list(leases.map { $0.value(form) }))
        writer.put("open_conflicts", conflicts)
        return writer.value
    }

    init(_ value: IPLDValue) throws(SyncMessageError) {
        let reader = try WireReader(value, "status.namespace")
        info = try NamespaceInfo(try reader.require("namespace", reader.value("namespace")))
        unsettledMilliseconds = try reader.number("unsettled_ms")
        devices = []
        for value in try reader.list("devices", maximum: 1_000_000) ?? [] {
            devices.append(try DeviceProgress(value))
        }
        leases = []
        for value in try reader.list("leases", maximum: 100_000) ?? [] { leases.append(try LeaseInfo(value)) }
        conflicts = try reader.number("open_conflicts") ?? 0
    }
}

/// What a node did since it was started. All of them but those that say "now" only grow.
public struct NodeFigures: Hashable, Sendable {
    public var commits: Int64 = 0
    public var journalEntries: Int64 = 0
    public var conflicts: Int64 = 0
    /// Conflict copies that devices made and sent.
    public var conflictCopies: Int64 = 0
    /// Blocks that clients were asked to send.
    public var neededBlocks: Int64 = 0
    public var storedBlocks: Int64 = 0
    public var storedBytes: Int64 = 0
    /// Blocks that came and were held already.
    public var duplicateBlocks: Int64 = 0
    public var duplicateBytes: Int64 = 0
    public var retrievedBlocks: Int64 = 0
    public var retrievedBytes: Int64 = 0
    public var entries: Int64 = 0
    public var wakeUps: Int64 = 0
    /// Those who wait for changes now.
    public var waits: Int64 = 0
    /// Changes that wait for a transaction of the catalog now.
    public var catalogWritesWaiting: Int64 = 0
    /// Looks at blocks whose hash was known to be right, and at others.
    public var cacheHits: Int64 = 0
    public var cacheMisses: Int64 = 0
    /// Blocks that are remembered as right now, and how many can be.
    public var cacheUsed: Int64 = 0
    public var cacheCapacity: Int64 = 0

    public init() {}

    /// As they are called in messages.
    private static let members: [(String, any WritableKeyPath<NodeFigures, Int64> & Sendable)] = [
        ("commits", \.commits), ("journal_entries", \.journalEntries), ("conflicts", \.conflicts),
        ("conflict_copies", \.conflictCopies),
        ("needed_blocks", \.neededBlocks), ("stored_blocks", \.storedBlocks),
        ("stored_bytes", \.storedBytes), ("duplicate_blocks", \.duplicateBlocks),
        ("duplicate_bytes", \.duplicateBytes), ("retrieved_blocks", \.retrievedBlocks),
        ("retrieved_bytes", \.retrievedBytes), ("entries", \.entries), ("wake_ups", \.wakeUps),
        ("waits", \.waits), ("catalog_writes_waiting", \.catalogWritesWaiting),
        ("cache_hits", \.cacheHits), ("cache_misses", \.cacheMisses), ("cache_used", \.cacheUsed),
        ("cache_capacity", \.cacheCapacity),
    ]

    func value(_ form: WireForm) -> IPLDValue {
        var writer = WireWriter(form)
        for (name, path) in Self.members { writer.put(name, Optional(self[keyPath: path])) }
        return writer.value
    }

    init(_ value: IPLDValue) throws(SyncMessageError) {
        let reader = try WireReader(value, "status.node")
        for (name, path) in Self.members { self[keyPath: path] = try reader.number(name) ?? 0 }
    }
}
