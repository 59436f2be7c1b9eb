public import Multiformats
public import TreeValues

/// The state of a node of a tree: the newest one, or the one after a journal entry.
public struct TreeNode: Hashable, Sendable, Identifiable {
    public let id: NodeID
    public var kind: TreeNodeKind
    public var parent: NodeID
    /// As it was sent, never changed.
    public var name: String
    /// What may be there once in a directory: see ``Catalog/TreeNode/folded``; `nil` where only names
    /// count.
    public var folded: String?
    /// The JID that last changed it.
    public var revision: JID
    /// The JID that last changed its content.
    public var contentRevision: JID
    /// Whether it was deleted itself; what is below a deleted directory is not live either.
    public var isDeleted = false
    /// The root of a file's content.
    public var content: CID?
    /// Bytes of the content; of the target of a symlink; 0 for a directory.
    public var size: Int64 = 0
    /// Nanoseconds since 1970, any value: data, by which nothing is ordered.
    public var modified: Int64 = 0
    /// Permission bits, if they were given.
    public var mode: UInt32?
    /// Of a symlink.
    public var target: String?
    /// A JSON object, or empty.
    public var meta = ""

    public init(
        id: NodeID, kind: TreeNodeKind, parent: NodeID, name: String, revision: JID, contentRevision: JID
    ) {
        self.id = id
        self.kind = kind
        self.parent = parent
        self.name = name
        self.revision = revision
        self.contentRevision = contentRevision
    }

    /// What orders the children of a directory: `name`, and `name/` for a directory. The order of its bytes
    /// is the order of keys in S3.
    public var nameKey: String { Self.nameKey(name, kind) }

    /// The name key of a node of that name and kind.
    public static func nameKey(_ name: String, _ kind: TreeNodeKind) -> String {
        kind == .directory ? name + "/" : name
    }

    /// Whether the two say the same of content: kind, root or target.
    public func hasContent(of other: TreeNode) -> Bool {
        kind == other.kind && content == other.content && target == other.target
    }
}
