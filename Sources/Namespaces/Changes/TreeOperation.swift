public import Catalog
public import Multiformats
public import TreeValues

/// A change that a client asks for, with what it is based on.
public struct TreeOperation: Hashable, Sendable {
    /// Made by the client; an operation that is sent again under it is answered as the first time.
    public var id: OperationID?
    public var change: TreeChange
    /// The answer to ``ChangeRefusal/massDelete(nodes:token:)``, once a person has agreed.
    public var confirmation: String?

    public init(_ change: TreeChange, id: OperationID? = nil, confirmation: String? = nil) {
        self.id = id
        self.change = change
        self.confirmation = confirmation
    }
}

/// The kinds of changes.
public enum TreeChange: Hashable, Sendable {
    /// New content, of a node that is there or of a new one.
    case put(Put)
    /// A new directory. `node` is the id that it is to have, if the client made one.
    case makeDirectory(at: Place, node: NodeID?, Attributes)
    /// Another place. Everything below a directory goes with it.
    ///
    /// `base` is the revision that the client has seen.
    case move(NodeID, to: Place, base: JID)
    /// Removal, with everything below.
    ///
    /// `base` is the revision that the client has seen, `newestBelow` the newest that it has seen below a
    /// directory.
    case delete(NodeID, base: JID, newestBelow: JID)
    /// Attributes alone.
    case setAttributes(NodeID, Attributes)
    /// A deleted node comes back, with everything that was below it: where it was, or at a given place.
    case restore(NodeID, to: Place?)

    /// A place in the tree.
    public typealias Place = JournalEntry.Place

    /// New content.
    public struct Put: Hashable, Sendable {
        /// The node that gets it, or the id that a new node is to have; `nil` leaves that to the server.
        public var node: NodeID?
        /// Where a new node is to be; for a node that is there only if it was deleted.
        public var place: Place?
        public var content: NodeContent
        /// The content revision that the client has seen; `nil` for a new node.
        public var base: JID?
        public var attributes: Attributes

        public init(
            _ content: NodeContent, node: NodeID? = nil, place: Place? = nil, base: JID? = nil,
            attributes: Attributes = Attributes()
        ) {
            self.node = node
            self.place = place
            self.content = content
            self.base = base
            self.attributes = attributes
        }
    }

    /// What a node may have besides content. What is `nil` stays as it is.
    public struct Attributes: Hashable, Sendable {
        /// Nanoseconds since 1970.
        public var modified: Int64?
        /// Permission bits.
        public var mode: UInt32?
        /// A JSON object.
        public var meta: String?

        public init(modified: Int64? = nil, mode: UInt32? = nil, meta: String? = nil) {
            self.modified = modified
            self.mode = mode
            self.meta = meta
        }
    }
}

/// What a file or a symlink holds.
public enum NodeContent: Hashable, Sendable {
    /// The root of a file, and its bytes. The blocks are in the store, and marked for the project.
    case file(CID, bytes: Int64)
    /// Any text; it is never followed here.
    case symlink(String)

    /// The most bytes of a file: 16 TiB. What a client says of a size is bounded before anything is added
    /// up.
    public static let maximumFileBytes: Int64 = 16 << 40
    /// The most bytes of a symlink's target.
    public static let maximumTargetBytes = 4096

    /// Why no node may hold it; `nil` if one may.
    var refusal: ChangeRefusal? {
        switch self {
        case .file(_, let bytes) where !(0...Self.maximumFileBytes).contains(bytes):
            .sizeNotAllowed(bytes: bytes, maximum: Self.maximumFileBytes)
        case .symlink(let target) where target.isEmpty || target.utf8.contains(0): .badTarget
        case .symlink(let target) where target.utf8.count > Self.maximumTargetBytes:
            .targetTooLong(bytes: target.utf8.count, maximum: Self.maximumTargetBytes)
        case .file, .symlink: nil
        }
    }

    var kind: TreeNodeKind {
        switch self {
        case .file: .file
        case .symlink: .symlink
        }
    }

    /// Writes it into the state of a node.
    func fill(_ node: inout TreeNode) {
        switch self {
        case .file(let root, let bytes):
            (node.content, node.size, node.target) = (root, bytes, nil)
        case .symlink(let target):
            (node.content, node.size, node.target) = (nil, Int64(target.utf8.count), target)
        }
    }
}

extension TreeChange {
    /// The node that it makes unless it is there; `nil` where the server gives it its id, or none is made.
    var madeNode: NodeID? {
        switch self {
        case .put(let put): put.node
        case .makeDirectory(_, let node, _): node
        case .move, .delete, .setAttributes, .restore: nil
        }
    }

    /// Whether an entry of the journal may be of this change: it is about the same node, and made of it what
    /// was asked for.
    ///
    /// - Parameter byName: whether what is new has the name that was asked for.
    func isWhat(_ entry: JournalEntry, byName: Bool = true) -> Bool {
        let node = entry.node
        switch self {
        case .put(let put):
            return (put.node ?? node.id) == node.id && put.content.isContent(of: node)
        case .makeDirectory(let place, let id, _):
            return node.kind == .directory && (id ?? node.id) == node.id && node.parent == place.parent
                && (node.name == place.name || !byName)
        case .move(let id, let place, _):
            return node.id == id && node.parent == place.parent && node.name == place.name
        case .delete(let id, _, _): return node.id == id && entry.operation == .delete
        case .setAttributes(let id, _): return node.id == id && entry.operation == .metadata
        case .restore(let id, _): return node.id == id && entry.operation == .restore
        }
    }
}

extension NodeContent {
    /// Whether a node has it.
    fileprivate func isContent(of node: TreeNode) -> Bool {
        switch self {
        case .file(let root, let bytes): node.kind == .file && node.content == root && node.size == bytes
        case .symlink(let target): node.kind == .symlink && node.target == target
        }
    }
}
