public import TreeValues

/// What is to be done next: state first, then the server, then the disk, each in this order.
///
/// A step that fails takes no other one with it: those that stood on it find at their own checks that they
/// cannot be done, and are planned again.
public struct Plan: Hashable, Sendable {
    public var state: [StateStep] = []
    public var server: [ServerStep] = []
    public var disk: [DiskStep] = []
    /// Nodes for which nothing can be done until somebody does something.
    public var held: [Held] = []

    public init() {}

    /// Whether there is nothing to do.
    public var isEmpty: Bool { state.isEmpty && server.isEmpty && disk.isEmpty }

    /// Whether it makes directories and fetches files, and nothing else.
    var onlyBrings: Bool {
        state.isEmpty && server.isEmpty && held.isEmpty
            && disk.allSatisfy { step in
                switch step {
                case .makeDirectory, .fetch: true
                case .move, .setAside, .remove, .prune, .setAttributes, .merge: false
                }
            }
    }

    /// A node that waits for somebody.
    public struct Held: Hashable, Sendable {
        public var id: NodeID
        public var reason: HoldReason

        public init(id: NodeID, reason: HoldReason) {
            self.id = id
            self.reason = reason
        }
    }
}

/// Why nothing can be done for a node.
public enum HoldReason: String, CaseIterable, Hashable, Sendable {
    /// A change made here that is not sent, since the folder only receives.
    case localChange = "local_change"
    /// A change made here that is not sent, since the node takes none from here.
    case readOnly = "read_only"
    /// A change of the server that is not taken over, since the folder only sends.
    case remoteChange = "remote_change"
    /// The name cannot be on a disk: empty, `.`, `..`, with a slash, or the folder's own `.nacre`.
    case nameNotPossible = "name_not_possible"
    /// Another node has the name but for case or Unicode form, and neither is renamed.
    case nameClash = "name_clash"
}

/// A change of the trees alone.
public enum StateStep: Hashable, Sendable {
    /// Both sides are equal: that is what was synced last.
    case settle(NodeID)
    /// What was synced is no base any more: what one side has is new to the other.
    case forget(NodeID)
    /// A local node is the server's node: it takes over its id.
    case adopt(local: NodeID, as: NodeID)
    /// The local node is another one than the server's: it gets an id of its own.
    case detach(NodeID)
    /// Neither side is followed any more, nor what is below; the file stays, on both.
    case untrack(NodeID)
}

/// A change that is committed to the server. What is sent is read from the local tree when it is done.
public enum ServerStep: Hashable, Sendable {
    /// Content and attributes; a new node if there is no base.
    case put(NodeID, base: JID?)
    case makeDirectory(NodeID)
    case move(NodeID, parent: NodeID, name: String, base: JID)
    case delete(NodeID, base: JID, newestBelow: JID)
    case setAttributes(NodeID)

    /// Whether it makes a node that the server never had.
    var isNew: Bool {
        switch self {
        case .put(_, nil), .makeDirectory: true
        case .put, .move, .delete, .setAttributes: false
        }
    }

    /// Whether it needs room for a file on the server.
    var bringsContent: Bool {
        switch self {
        case .put: true
        case .makeDirectory, .move, .delete, .setAttributes: false
        }
    }

    public var id: NodeID {
        switch self {
        case .put(let id, _), .makeDirectory(let id), .move(let id, _, _, _), .delete(let id, _, _),
            .setAttributes(let id):
            id
        }
    }
}

/// A change of the disk. What is written is read from the remote tree when it is done.
public enum DiskStep: Hashable, Sendable {
    case makeDirectory(NodeID)
    /// Content and attributes of a file or a symlink, new or in the place of an older version, which is
    /// kept.
    case fetch(NodeID)
    case move(NodeID, parent: NodeID, name: String)
    /// Another name in the same directory, so that what the server has can take this one. If `detach`, the
    /// file goes on as a new one, and the node is the server's.
    case setAside(NodeID, name: String, detach: Bool)
    /// A file into the trash; a directory if it is empty.
    case remove(NodeID)
    /// A conflict copy that is one too many into the trash, which is then deleted on the server like
    /// anything that is removed here.
    case prune(NodeID)
    case setAttributes(NodeID)
    /// A text that was changed on both sides: both changes into one, or, if that cannot be, nothing.
    case merge(NodeID)

    public var id: NodeID {
        switch self {
        case .makeDirectory(let id), .fetch(let id), .move(let id, _, _), .setAside(let id, _, _),
            .remove(let id), .prune(let id), .setAttributes(let id), .merge(let id):
            id
        }
    }
}
