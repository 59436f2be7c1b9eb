public import IPLD
public import TreeValues

/// What a device said of a node for a while.
public struct LeaseInfo: Hashable, Sendable {
    public var node: NodeID
    /// Where the node is now, without a slash before it.
    public var path: String?
    public var device: String
    public var deviceName: String?
    /// `advisory` or `exclusive`.
    public var mode: String
    /// Unix milliseconds.
    public var expires: Int64
    /// Whether it is the asking device's own.
    public var isOwn: Bool

    public init(
        node: NodeID, path: String? = nil, device: String, deviceName: String?, mode: String,
        expires: Int64, isOwn: Bool
    ) {
        self.node = node
        self.path = path
        self.device = device
        self.deviceName = deviceName
        self.mode = mode
        self.expires = expires
        self.isOwn = isOwn
    }

    public func value(_ form: WireForm) -> IPLDValue {
        var writer = WireWriter(form)
        writer.put("nid", node)
        writer.put("path", path)
        writer.put("device", device)
        writer.put("device_name", deviceName)
        writer.put("mode", mode)
        writer.put("expires_ms", expires)
        writer.put("own", if: isOwn)
        return writer.value
    }

    public init(_ value: IPLDValue) throws(SyncMessageError) {
        let reader = try WireReader(value, "lease")
        self.init(
            node: try reader.require("nid", reader.id("nid")), path: try reader.text("path"),
            device: try reader.text("device") ?? "",
            deviceName: try reader.text("device_name"), mode: try reader.text("mode") ?? "advisory",
            expires: try reader.number("expires_ms") ?? 0, isOwn: try reader.flag("own"))
    }
}

/// `POST /sync/v1/ns/{ns}/leases`, and `PUT /sync/v1/ns/{ns}/leases/{nid}`.
public struct LeaseRequest: Hashable, Sendable {
    /// Left out where it stands in the path.
    public var node: NodeID?
    public var seconds: Int
    /// `advisory` or `exclusive`; as it is for one that is renewed.
    public var mode: String?

    /// The longest that a lease lasts without being renewed.
    public static let maximumSeconds = 3600

    public init(node: NodeID?, seconds: Int, mode: String? = nil) {
        self.node = node
        self.seconds = seconds
        self.mode = mode
    }

    public func value(_ form: WireForm) -> IPLDValue {
        var writer = WireWriter(form)
        writer.put("nid", node)
        writer.put("ttl_s", small: seconds)
        writer.put("mode", mode)
        return writer.value
    }

    public init(_ value: IPLDValue) throws(SyncMessageError) {
        let reader = try WireReader(value, "lease")
        node = try reader.id("nid")
        seconds = Int(
            try reader.number("ttl_s", in: 1...Int64(Self.maximumSeconds)) ?? Int64(Self.maximumSeconds))
        mode = try reader.text("mode")
    }
}

/// `GET /sync/v1/ns/{ns}/leases`.
public struct LeaseList: Hashable, Sendable {
    public var leases: [LeaseInfo]

    public init(_ leases: [LeaseInfo]) { self.leases = leases }

    public func value(_ form: WireForm) -> IPLDValue {
        var writer = WireWriter(form)
        writer.put("leases", .list(leases.map { $0.value(form) }))
        return writer.value
    }

    public init(_ value: IPLDValue) throws(SyncMessageError) {
        let reader = try WireReader(value, "leases")
        leases = []
        for value in try reader.list("leases", maximum: 100_000) ?? [] { leases.append(try LeaseInfo(value)) }
    }
}
