/// A file or folder that was deleted from a namespace.
public struct TrashItemMessage: Codable, Hashable, Sendable {
    /// Of the node: it is the same when it comes back.
    public var id: String
    /// The version that the deletion made.
    public var version: Int64
    /// Where it was.
    public var path: String
    /// `dir`, `file` or `symlink`.
    public var kind: String
    /// Files, directories and symlinks, itself included.
    public var nodes: Int64
    /// Bytes of all of them.
    public var bytes: Int64
    /// RFC 3339.
    public var deleted: String
    /// Until when it can be had back; RFC 3339.
    public var keptUntil: String
    public var user: String?
    public var device: String?

    public init(
        id: String, version: Int64, path: String, kind: String, nodes: Int64, bytes: Int64, deleted: String,
        keptUntil: String, user: String?, device: String?
    ) {
        self.id = id
        self.version = version
        self.path = path
        self.kind = kind
        self.nodes = nodes
        self.bytes = bytes
        self.deleted = deleted
        self.keptUntil = keptUntil
        self.user = user
        self.device = device
    }
}

/// What is to come back out of the trash.
public struct TrashRestoreMessage: Codable, Hashable, Sendable {
    /// The id, or the path that it had; of several the one deleted last.
    public var item: String
    /// Another path to put it at.
    public var to: String?

    public init(item: String, to: String? = nil) {
        self.item = item
        self.to = to
    }
}

/// What is to leave the trash before its time, and every version with it.
public struct TrashEmptyMessage: Codable, Hashable, Sendable {
    /// One item, by id or path; everything if it is left out.
    public var item: String?
    /// Only what was deleted longer ago than so many seconds.
    public var olderThanSeconds: Int64?

    public init(item: String? = nil, olderThanSeconds: Int64? = nil) {
        self.item = item
        self.olderThanSeconds = olderThanSeconds
    }
}

/// What was emptied.
public struct TrashEmptiedMessage: Codable, Hashable, Sendable {
    /// How many items left the trash.
    public var items: Int64
    /// How many files and folders were in them.
    public var nodes: Int64

    public init(items: Int64, nodes: Int64) {
        self.items = items
        self.nodes = nodes
    }
}

/// Under which name a deleted namespace is to come back.
public struct NamespaceReturnMessage: Codable, Hashable, Sendable {
    /// The name that it had if it is left out.
    public var name: String?

    public init(name: String? = nil) { self.name = name }
}

/// Why a version is held.
public struct VersionHoldMessage: Codable, Hashable, Sendable {
    public var note: String?

    public init(note: String? = nil) { self.note = note }
}
