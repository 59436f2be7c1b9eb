public import Multiformats
public import TreeValues

/// A file, directory or symlink as one of the three trees has it.
///
/// Nodes are known by id in all of them. The scanner gives a new file an id of its own; when the planner
/// finds that the server has the same file already, the local node takes over the server's id.
public struct SyncNode: Hashable, Sendable, Identifiable {
    public var id: NodeID
    /// The id of the directory that it is in; the root of the namespace has no node of its own.
    public var parent: NodeID
    /// As it is written on the disk and on the server; compared by its NFC form.
    public var name: String
    public var kind: TreeNodeKind
    /// The root CID of a file's content.
    public var content: CID?
    /// Of a symlink: any text, never followed.
    public var target: String?
    /// Bytes of the content; of the target of a symlink; 0 for a directory.
    public var size: Int64
    /// Nanoseconds since 1970, any value. Data: nothing is ordered by it.
    public var modified: Int64
    /// Permission bits (`0o777`), where they are known.
    public var mode: UInt32?
    /// The JID that last changed it; 0 in the local tree.
    public var revision: JID
    /// The JID that last changed its content; 0 in the local tree.
    public var contentRevision: JID

    public init(
        id: NodeID, parent: NodeID, name: String, kind: TreeNodeKind, content: CID? = nil,
        target: String? = nil, size: Int64 = 0, modified: Int64 = 0, mode: UInt32? = nil,
        revision: JID = 0, contentRevision: JID = 0
    ) {
        self.id = id
        self.parent = parent
        self.name = name
        self.kind = kind
        self.content = content
        self.target = target
        self.size = size
        self.modified = modified
        self.mode = mode
        self.revision = revision
        self.contentRevision = contentRevision
    }

    /// Whether the two say the same of content: kind, root or target.
    public func hasContent(of other: SyncNode) -> Bool {
        kind == other.kind && content == other.content && target == other.target
    }

    /// Whether the two are at the same place, byte for byte.
    public func hasPlace(of other: SyncNode) -> Bool {
        parent == other.parent && name.utf8.elementsEqual(other.name.utf8)
    }
}
