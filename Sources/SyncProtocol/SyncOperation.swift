public import TreeValues

/// A change that is to be committed.
public struct SyncOperation: Hashable, Sendable {
    /// Made by the client and kept until there is an answer: one that is sent again is answered as the
    /// first time.
    public var id: OperationID
    public var change: Change
    /// What a person agreed to after `massDelete`.
    public var confirmation: String?

    public init(id: OperationID, _ change: Change, confirmation: String? = nil) {
        self.id = id
        self.change = change
        self.confirmation = confirmation
    }

    /// What is to be done, with what it is based on.
    public enum Change: Hashable, Sendable {
        /// New content of a file or a symlink. `base` is the content revision that the client has seen;
        /// `nil` for a new node, which gets the id in the node. Where `base` is given and the node was
        /// deleted since, it comes back.
        case put(SyncNode, base: JID?, PutContent)
        /// A new directory.
        case makeDirectory(SyncNode)
        /// `base` is the revision that the client has seen.
        case move(NodeID, parent: NodeID, name: String, base: JID)
        /// `newestBelow`: the newest revision that the client has seen below a directory.
        case delete(NodeID, base: JID, newestBelow: JID)
        case setAttributes(NodeID, modified: Int64?, mode: UInt32?)
        /// A deleted node comes back with what was below it, at this place.
        case restore(NodeID, parent: NodeID, name: String)
    }
}

extension SyncOperation {
    /// The node that a `put` or a new directory makes if all goes as asked; `nil` for other operations.
    func node(revision: JID, contentRevision: JID) -> SyncNode? {
        switch change {
        case .put(var node, _, _), .makeDirectory(var node):
            node.revision = revision
            node.contentRevision = contentRevision
            return node
        case .move, .delete, .setAttributes, .restore: return nil
        }
    }
}

/// How the content of a `put` is said.
public enum PutContent: Hashable, Sendable {
    /// The bytes of a small file, so that no block needs to be sent: 4096 at most.
    case inline([UInt8])
    /// The leaves of a file. The server builds the blocks above them, and finds the root in the node.
    /// `blocks`: the bytes of leaves that it will not have, so that a small edit is one message; 16 KiB
    /// in all at most.
    case leaves(LeafEdit, blocks: [[UInt8]] = [])
    /// Of a symlink: the target in the node is all there is.
    case none
}
