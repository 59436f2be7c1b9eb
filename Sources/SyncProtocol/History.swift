public import IPLD
import Multiformats
public import TreeValues

/// `GET /sync/v1/ns/{ns}/nodes/{nid}/revisions`: states that a node had, newest first.
public struct RevisionPage: Hashable, Sendable {
    public var revisions: [Revision]
    /// Give it as `before` to get what follows; `nil` at the end.
    public var next: JID?

    public init(revisions: [Revision], next: JID?) {
        self.revisions = revisions
        self.next = next
    }

    public func value(_ form: WireForm) -> IPLDValue {
        var writer = WireWriter(form)
        writer.put("revisions", .list(revisions.map { $0.value(form) }))
        writer.put("next", next)
        return writer.value
    }

    public init(_ value: IPLDValue) throws(SyncMessageError) {
        let reader = try WireReader(value, "revisions")
        revisions = []
        for value in try reader.list("revisions", maximum: SyncLimits.maximumEntries) ?? [] {
            revisions.append(try Revision(value))
        }
        next = try reader.number("next")
    }
}

/// A state that a node had.
public struct Revision: Hashable, Sendable {
    /// What the change did: `create`, `content`, `move`, `delete`, `restore`, `metadata`.
    public var operation: String
    /// The node after it.
    public var entry: RemoteEntry
    /// Unix milliseconds of the node, for people to read.
    public var time: Int64

    public init(operation: String, entry: RemoteEntry, time: Int64) {
        self.operation = operation
        self.entry = entry
        self.time = time
    }

    func value(_ form: WireForm) -> IPLDValue {
        var writer = WireWriter(form)
        writer.put("op", operation)
        writer.put("entry", entry.value(form))
        writer.put("server_ts_ms", time)
        return writer.value
    }

    init(_ value: IPLDValue) throws(SyncMessageError) {
        let reader = try WireReader(value, "revision")
        self.init(
            operation: try reader.require("op", reader.text("op")),
            entry: try RemoteEntry(try reader.require("entry", reader.value("entry"))),
            time: try reader.number("server_ts_ms") ?? 0)
    }
}

/// `POST /sync/v1/ns/{ns}/restore`: one file as it was, or everything as of a version.
public struct RestoreRequest: Hashable, Sendable {
    /// What is to be as it was.
    public enum Scope: Hashable, Sendable {
        /// A file, with the content that it had after that revision.
        case file(NodeID, contentRevision: JID)
        /// Everything as of a JID, a time (RFC 3339) or the root CID of a snapshot; or what is or was at a
        /// path.
        case tree(asOf: String, path: String)
    }

    public var scope: Scope
    /// Whether everything may be removed, where nothing was there as of then.
    public var mayEmpty: Bool
    /// Whether `.syncignore` at the root is brought back as well; else it stays as it is, unless it is the path.
    public var bringsBackRules: Bool

    public init(_ scope: Scope, mayEmpty: Bool = false, bringsBackRules: Bool = false) {
        self.scope = scope
        self.bringsBackRules = bringsBackRules
        self.mayEmpty = mayEmpty
    }

    public func value(_ form: WireForm) -> IPLDValue {
        var writer = WireWriter(form)
        switch scope {
        case .file(let node, let revision):
            writer.put("nid", node)
            writer.put("crev", revision)
        case .tree(let version, let path):
            writer.put("as_of", version)
            if !path.isEmpty { writer.put("path", path) }
        }
        writer.put("may_empty", if: mayEmpty)
        writer.put("rules", if: bringsBackRules)
        return writer.value
    }

    public init(_ value: IPLDValue) throws(SyncMessageError) {
        let reader = try WireReader(value, "restore")
        mayEmpty = try reader.flag("may_empty")
        bringsBackRules = try reader.flag("rules")
        if let node = try reader.id("nid") {
            scope = .file(node, contentRevision: try reader.require("crev", reader.number("crev")))
            return
        }
        var version = (try? reader.text("as_of")) ?? nil
        // A JID may be a number as well.
        if version == nil { version = try reader.number("as_of").map(String.init) }
        scope = .tree(
            asOf: try reader.require("as_of", version), path: try reader.text("path") ?? "")
    }
}

/// What `restore` came to.
public struct RestoreAnswer: Hashable, Sendable {
    public var head: JID
    /// Journal entries that were made; 0 where everything was so already.
    public var entries: Int
    /// Paths that were left as they are, though they were something else then.
    public var kept: [String]

    /// The most paths that are kept.
    static let maximumKept = 16

    public init(head: JID, entries: Int, kept: [String] = []) {
        self.kept = kept
        self.head = head
        self.entries = entries
    }

    public func value(_ form: WireForm) -> IPLDValue {
        var writer = WireWriter(form)
        writer.put("head", head)
        writer.put("entries", small: entries)
        if !kept.isEmpty { writer.put("kept", .list(kept.map { .string($0) })) }
        return writer.value
    }

    public init(_ value: IPLDValue) throws(SyncMessageError) {
        let reader = try WireReader(value, "restore")
        head = try reader.require("head", reader.number("head"))
        entries = Int(clamping: try reader.number("entries") ?? 0)
        kept = try reader.texts("kept", maximum: Self.maximumKept) ?? []
    }
}
