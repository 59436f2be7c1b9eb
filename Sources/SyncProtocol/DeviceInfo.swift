public import IPLD
public import TreeValues

/// A machine that syncs, as the node knows it.
public struct DeviceInfo: Hashable, Sendable, Identifiable {
    /// As it stands in `X-Device-Id`.
    public var id: String
    /// For people.
    public var name: String
    /// Such as `linux`.
    public var platform: String
    /// Whether its file system takes names for one that differ by case.
    public var ignoresCase: Bool
    /// Whether its file system takes names apart (NFD).
    public var decomposesNames: Bool
    /// What it can do, such as `gzip`.
    public var features: [String]
    /// Unix milliseconds.
    public var lastSeen: Int64
    /// Whether it is shut out.
    public var isRevoked: Bool

    public init(
        id: String, name: String, platform: String = "", ignoresCase: Bool = false,
        decomposesNames: Bool = false, features: [String] = [], lastSeen: Int64 = 0, isRevoked: Bool = false
    ) {
        self.id = id
        self.name = name
        self.platform = platform
        self.ignoresCase = ignoresCase
        self.decomposesNames = decomposesNames
        self.features = features
        self.lastSeen = lastSeen
        self.isRevoked = isRevoked
    }

    public func value(_ form: WireForm) -> IPLDValue {
        var writer = WireWriter(form)
        writer.put("device_id", id)
        writer.put("name", name)
        writer.put("platform", platform)
        writer.put("ci_fs", if: ignoresCase)
        writer.put("nfd_fs", if: decomposesNames)
        writer.put("features", .list(features.map { .string($0) }))
        writer.put("last_seen_ms", lastSeen)
        writer.put("revoked", if: isRevoked)
        return writer.value
    }

    public init(_ value: IPLDValue) throws(SyncMessageError) {
        let reader = try WireReader(value, "device")
        self.init(
            id: try reader.require("device_id", reader.text("device_id")),
            name: try reader.text("name") ?? "", platform: try reader.text("platform") ?? "",
            ignoresCase: try reader.flag("ci_fs"), decomposesNames: try reader.flag("nfd_fs"),
            features: try reader.texts("features", maximum: DeviceRequest.maximumFeatures) ?? [],
            lastSeen: try reader.number("last_seen_ms") ?? 0, isRevoked: try reader.flag("revoked"))
    }
}

/// `POST /sync/v1/devices`: a machine makes itself known. `PATCH /sync/v1/devices/{id}`: another name.
public struct DeviceRequest: Hashable, Sendable {
    /// What it calls itself; the node makes one up if it is left out.
    public var id: String?
    public var name: String?
    public var platform: String
    public var ignoresCase: Bool
    public var decomposesNames: Bool
    public var features: [String]

    /// The most features of a device.
    public static let maximumFeatures = 32

    public init(
        id: String?, name: String?, platform: String = "", ignoresCase: Bool = false,
        decomposesNames: Bool = false, features: [String] = []
    ) {
        self.id = id
        self.name = name
        self.platform = platform
        self.ignoresCase = ignoresCase
        self.decomposesNames = decomposesNames
        self.features = features
    }

    public func value(_ form: WireForm) -> IPLDValue {
        var writer = WireWriter(form)
        writer.put("device_id", id)
        writer.put("name", name)
        writer.put("platform", platform)
        writer.put("ci_fs", if: ignoresCase)
        writer.put("nfd_fs", if: decomposesNames)
        writer.put("features", .list(features.map { .string($0) }))
        return writer.value
    }

    public init(_ value: IPLDValue) throws(SyncMessageError) {
        let reader = try WireReader(value, "device")
        self.init(
            id: try reader.text("device_id"), name: try reader.text("name"),
            platform: try reader.text("platform") ?? "", ignoresCase: try reader.flag("ci_fs"),
            decomposesNames: try reader.flag("nfd_fs"),
            features: try reader.texts("features", maximum: Self.maximumFeatures) ?? [])
    }
}

/// `GET /sync/v1/devices`.
public struct DeviceList: Hashable, Sendable {
    public var devices: [DeviceInfo]

    public init(_ devices: [DeviceInfo]) { self.devices = devices }

    public func value(_ form: WireForm) -> IPLDValue {
        var writer = WireWriter(form)
        writer.put("devices", .list(devices.map { $0.value(form) }))
        return writer.value
    }

    public init(_ value: IPLDValue) throws(SyncMessageError) {
        let reader = try WireReader(value, "devices")
        devices = []
        for value in try reader.list("devices", maximum: 1_000_000) ?? [] {
            devices.append(try DeviceInfo(value))
        }
    }
}

/// How far a device has read the journal of a namespace.
public struct DeviceProgress: Hashable, Sendable {
    public var device: String
    public var name: String
    /// Everything up to here it has.
    public var jid: JID
    /// How many entries are newer.
    public var behind: Int64
    /// For how many milliseconds the oldest of them has waited for the device; `nil` if there is none.
    public var behindMilliseconds: Int64?
    /// Unix milliseconds of when it was heard of last.
    public var lastSeen: Int64

    public init(
        device: String, name: String, jid: JID, behind: Int64, behindMilliseconds: Int64? = nil,
        lastSeen: Int64
    ) {
        self.behindMilliseconds = behindMilliseconds
        self.device = device
        self.name = name
        self.jid = jid
        self.behind = behind
        self.lastSeen = lastSeen
    }

    func value(_ form: WireForm) -> IPLDValue {
        var writer = WireWriter(form)
        writer.put("device_id", device)
        writer.put("name", name)
        writer.put("jid", jid)
        writer.put("behind", behind)
        writer.put("behind_ms", behindMilliseconds)
        writer.put("last_seen_ms", lastSeen)
        return writer.value
    }

    init(_ value: IPLDValue) throws(SyncMessageError) {
        let reader = try WireReader(value, "status.device")
        self.init(
            device: try reader.require("device_id", reader.text("device_id")),
            name: try reader.text("name") ?? "", jid: try reader.number("jid") ?? 0,
            behind: try reader.number("behind") ?? 0,
            behindMilliseconds: try reader.number("behind_ms"),
            lastSeen: try reader.number("last_seen_ms") ?? 0)
    }
}

extension WireReader {
    func texts(_ key: String, maximum: Int) throws(SyncMessageError) -> [String]? {
        guard let list = try list(key, maximum: maximum) else { return nil }
        var texts: [String] = []
        for value in list {
            guard case .string(let text) = value else { throw .badMember(key, expected: "texts") }
            texts.append(text)
        }
        return texts
    }
}
