public import IPLD
public import Multiformats
public import TreeValues

/// `PATCH /sync/v1/ns/{ns}`. What is left out stays.
public struct NamespaceChangeRequest: Hashable, Sendable {
    public var name: String?
    /// The whole policy, as JSON: docs/formats/namespaces.md, "Policy".
    public var policy: String?

    public init(name: String? = nil, policy: String? = nil) {
        self.name = name
        self.policy = policy
    }

    public func value(_ form: WireForm) -> IPLDValue {
        var writer = WireWriter(form)
        writer.put("name", name)
        writer.put("policy", policy)
        return writer.value
    }

    public init(_ value: IPLDValue) throws(SyncMessageError) {
        let reader = try WireReader(value, "namespace")
        name = try reader.text("name")
        policy = try reader.json("policy")
    }
}

/// The answer to `DELETE /sync/v1/ns/{ns}`.
public struct NamespaceRemoval: Hashable, Sendable {
    public var id: String
    public var name: String
    /// Unix milliseconds.
    public var deleted: Int64
    /// Unix milliseconds: until then it can be had back.
    public var keptUntil: Int64

    public init(id: String, name: String, deleted: Int64, keptUntil: Int64) {
        self.id = id
        self.name = name
        self.deleted = deleted
        self.keptUntil = keptUntil
    }

    public func value(_ form: WireForm) -> IPLDValue {
        var writer = WireWriter(form)
        writer.put("ns", id)
        writer.put("name", name)
        writer.put("deleted_ms", deleted)
        writer.put("kept_until_ms", keptUntil)
        return writer.value
    }
}

/// Something that was found while a namespace is verified: one message of the answer.
public struct VerificationFinding: Hashable, Sendable {
    /// `missing`, `damaged`, `unreadable`, `row` or `counters`.
    public var kind: String
    public var message: String
    public var block: CID?
    /// What the block is of, as of ``jid``.
    public var path: String?
    public var jid: JID?

    public init(kind: String, message: String, block: CID?, path: String?, jid: JID?) {
        self.kind = kind
        self.message = message
        self.block = block
        self.path = path
        self.jid = jid
    }

    public func value(_ form: WireForm) -> IPLDValue {
        var writer = WireWriter(form)
        writer.put("finding", kind)
        writer.put("message", message)
        writer.put("block", block)
        writer.put("path", path)
        writer.put("jid", jid)
        return writer.value
    }
}

/// How far verifying a namespace is. Without the one that says `done` the answer is broken off.
public struct VerificationProgress: Hashable, Sendable {
    public var nodes: Int
    public var changes: Int
    public var snapshots: Int
    public var contents: Int
    public var blocks: Int
    public var bytes: Int64
    public var missing: Int
    public var damaged: Int
    /// Of all kinds; the first 200 are told.
    public var findings: Int
    public var isDone: Bool

    public init(
        nodes: Int, changes: Int, snapshots: Int, contents: Int, blocks: Int, bytes: Int64, missing: Int,
        damaged: Int, findings: Int, isDone: Bool
    ) {
        self.nodes = nodes
        self.changes = changes
        self.snapshots = snapshots
        self.contents = contents
        self.blocks = blocks
        self.bytes = bytes
        self.missing = missing
        self.damaged = damaged
        self.findings = findings
        self.isDone = isDone
    }

    public func value(_ form: WireForm) -> IPLDValue {
        var writer = WireWriter(form)
        writer.put("nodes", small: nodes)
        writer.put("changes", small: changes)
        writer.put("snapshots", small: snapshots)
        writer.put("contents", small: contents)
        writer.put("blocks", small: blocks)
        writer.put("bytes", bytes)
        writer.put("missing", small: missing)
        writer.put("damaged", small: damaged)
        writer.put("findings", small: findings)
        writer.put("done", if: isDone)
        return writer.value
    }
}
