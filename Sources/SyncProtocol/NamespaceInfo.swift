public import IPLD
public import TreeValues

/// A namespace as a client sees it.
public struct NamespaceInfo: Hashable, Sendable {
    public var id: String
    public var name: String
    /// `owner`, `editor`, `writer_only` or `viewer`.
    public var role: String
    public var root: NodeID
    public var epoch: Int64
    public var head: JID
    public var nodes: Int64
    public var bytes: Int64
    public var visibility: String
    /// JSON: docs/formats/namespaces.md, "Policy".
    public var policy: String

    public init(
        id: String, name: String, role: String, root: NodeID, epoch: Int64, head: JID, nodes: Int64,
        bytes: Int64, visibility: String, policy: String
    ) {
        self.id = id
        self.name = name
        self.role = role
        self.root = root
        self.epoch = epoch
        self.head = head
        self.nodes = nodes
        self.bytes = bytes
        self.visibility = visibility
        self.policy = policy
    }

    public func value(_ form: WireForm) -> IPLDValue {
        var writer = WireWriter(form)
        writer.put("ns", id)
        writer.put("name", name)
        writer.put("role", role)
        writer.put("root", root)
        writer.put("epoch", epoch)
        writer.put("head", head)
        writer.put("nodes", nodes)
        writer.put("used_bytes", bytes)
        writer.put("visibility", visibility)
        writer.put("policy", json: policy)
        return writer.value
    }

    public init(_ value: IPLDValue) throws(SyncMessageError) {
        let reader = try WireReader(value, "namespace")
        id = try reader.require("ns", reader.text("ns"))
        name = try reader.require("name", reader.text("name"))
        role = try reader.require("role", reader.text("role"))
        root = try reader.require("root", reader.id("root"))
        epoch = try reader.require("epoch", reader.number("epoch"))
        head = try reader.require("head", reader.number("head"))
        nodes = try reader.number("nodes") ?? 0
        bytes = try reader.number("used_bytes") ?? 0
        visibility = try reader.text("visibility") ?? "private"
        policy = try reader.json("policy") ?? "{}"
    }
}

/// `POST /sync/v1/ns`.
public struct NamespaceRequest: Hashable, Sendable {
    public var name: String
    /// `public` or `private`, which it is where nothing is said.
    public var visibility: String?
    /// JSON: docs/formats/namespaces.md, "Policy".
    public var policy: String?

    public init(name: String, visibility: String? = nil, policy: String? = nil) {
        self.name = name
        self.visibility = visibility
        self.policy = policy
    }

    public func value(_ form: WireForm) -> IPLDValue {
        var writer = WireWriter(form)
        writer.put("name", name)
        writer.put("visibility", visibility)
        writer.put("policy", policy)
        return writer.value
    }

    public init(_ value: IPLDValue) throws(SyncMessageError) {
        let reader = try WireReader(value, "namespace")
        name = try reader.require("name", reader.text("name"))
        visibility = try reader.text("visibility")
        policy = try reader.json("policy")
    }
}

/// What a call that did not go through is answered with, besides its status.
public struct SyncProblem: Hashable, Sendable {
    public var code: SyncCode
    public var message: String
    public var retryAfterMilliseconds: Int?

    public init(code: SyncCode, message: String, retryAfterMilliseconds: Int? = nil) {
        self.code = code
        self.message = message
        self.retryAfterMilliseconds = retryAfterMilliseconds
    }

    public init(code: SyncCode, message: String, retryAfterSeconds: Int?) {
        self.init(
            code: code, message: message,
            retryAfterMilliseconds: retryAfterSeconds.map { min(max($0, 0), 86_400) * 1000 })
    }

    /// Rounded up, as HTTP has it.
    public var retryAfterSeconds: Int? { retryAfterMilliseconds.map { ($0 + 999) / 1000 } }

    /// `{"error": {code, message, retry_after_ms?}}`.
    public func value(_ form: WireForm) -> IPLDValue {
        var writer = WireWriter(form)
        writer.put("code", code.rawValue)
        writer.put("message", message)
        writer.put("retry_after_ms", small: retryAfterMilliseconds)
        return .map([IPLDEntry(key: "error", value: writer.value)])
    }

    public init(_ value: IPLDValue) throws(SyncMessageError) {
        let outer = try WireReader(value, "answer")
        let reader = try WireReader(try outer.require("error", outer.value("error")), "error")
        code = SyncCode(try reader.require("code", reader.text("code")))
        message = try reader.text("message") ?? ""
        retryAfterMilliseconds = try reader.number("retry_after_ms", in: 0...86_400_000).map { Int($0) }
    }
}
