public import IPLD
public import Multiformats
public import TreeValues

/// A change that was not taken since another one was there first.
public struct ConflictInfo: Hashable, Sendable, Identifiable {
    public var id: NodeID
    public var node: NodeID
    /// Such as `stale`; `copy`, `case_copy` and `unicode_copy` of conflict copies.
    public var reason: String
    public var name: String
    /// Where the node is now; `nil` if it is not there any more.
    public var path: String?
    /// The content revision that the change was based on; 0 for a new file.
    public var base: JID
    /// The content revision that was there.
    public var current: JID
    /// The content that was not taken.
    public var content: CID
    public var size: Int64
    public var device: String
    public var deviceName: String?
    /// Unix milliseconds.
    public var time: Int64
    /// How it was decided; `nil` while it is open.
    public var resolution: String?

    public init(
        id: NodeID, node: NodeID, reason: String, name: String, base: JID, current: JID, content: CID,
        size: Int64, device: String, deviceName: String?, time: Int64, resolution: String?,
        path: String? = nil
    ) {
        self.id = id
        self.node = node
        self.reason = reason
        self.name = name
        self.path = path
        self.base = base
        self.current = current
        self.content = content
        self.size = size
        self.device = device
        self.deviceName = deviceName
        self.time = time
        self.resolution = resolution
    }

    public func value(_ form: WireForm) -> IPLDValue {
        var writer = WireWriter(form)
        writer.put("id", id)
        writer.put("nid", node)
        writer.put("reason", reason)
        writer.put("name", name)
        writer.put("path", path)
        writer.put("base_crev", base)
        writer.put("current_crev", current)
        writer.put("root", content)
        writer.put("size", size)
        writer.put("device", device)
        writer.put("device_name", deviceName)
        writer.put("server_ts_ms", time)
        writer.put("resolution", resolution)
        return writer.value
    }

    public init(_ value: IPLDValue) throws(SyncMessageError) {
        let reader = try WireReader(value, "conflict")
        self.init(
            id: try reader.require("id", reader.id("id")), node: try reader.require("nid", reader.id("nid")),
            reason: try reader.text("reason") ?? "", name: try reader.text("name") ?? "",
            base: try reader.number("base_crev") ?? 0, current: try reader.number("current_crev") ?? 0,
            content: try reader.require("root", reader.cid("root")), size: try reader.number("size") ?? 0,
            device: try reader.text("device") ?? "", deviceName: try reader.text("device_name"),
            time: try reader.number("server_ts_ms") ?? 0, resolution: try reader.text("resolution"),
            path: try reader.text("path"))
    }
}

/// `GET /sync/v1/ns/{ns}/conflicts`.
public struct ConflictList: Hashable, Sendable {
    /// Newest first.
    public var conflicts: [ConflictInfo]

    public init(_ conflicts: [ConflictInfo]) { self.conflicts = conflicts }

    public func value(_ form: WireForm) -> IPLDValue {
        var writer = WireWriter(form)
        writer.put("conflicts", .list(conflicts.map { $0.value(form) }))
        return writer.value
    }

    public init(_ value: IPLDValue) throws(SyncMessageError) {
        let reader = try WireReader(value, "conflicts")
        conflicts = []
        for value in try reader.list("conflicts", maximum: 100_000) ?? [] {
            conflicts.append(try ConflictInfo(value))
        }
    }
}

/// `POST /sync/v1/ns/{ns}/conflicts/{id}/resolve`.
public struct ConflictResolution: Hashable, Sendable {
    /// What is kept.
    public enum Choice: String, CaseIterable, Hashable, Sendable {
        /// What was not taken gets in the place of what is there.
        case mine
        /// What is there stays.
        case theirs
        /// Both, under two names, as devices keep them.
        case both
        /// Somebody made one of the two, and committed it.
        case merged
    }

    public var keep: Choice

    public init(keep: Choice) { self.keep = keep }

    public func value(_ form: WireForm) -> IPLDValue {
        var writer = WireWriter(form)
        writer.put("keep", keep.rawValue)
        return writer.value
    }

    public init(_ value: IPLDValue) throws(SyncMessageError) {
        let reader = try WireReader(value, "resolve")
        let word = try reader.require("keep", reader.text("keep"))
        guard let keep = Choice(rawValue: word) else { throw .unknownWord("resolve.keep", given: word) }
        self.keep = keep
    }
}
