public import TreeValues

/// What a journal entry did. Of what it did, the first in this order: delete, restore, create, content,
/// move, metadata. The numbers are those of the rows.
public enum JournalOperation: Int64, CaseIterable, Hashable, Sendable {
    case create = 1
    case content = 2
    case move = 3
    case delete = 4
    case restore = 5
    case metadata = 6
}

/// One change of one node.
///
/// A directory that is moved, deleted or restored is one entry, whatever is below it.
public struct JournalEntry: Hashable, Sendable {
    public let jid: JID
    public let operation: JournalOperation
    /// The node after the change.
    public var node: TreeNode
    /// Its revision before; 0 for a new node.
    public let previous: JID
    /// Where it was before, if it was elsewhere.
    public let origin: Place?
    /// How many nodes went or came with a directory, itself included; 1 otherwise.
    public let below: Int64
    public let author: ChangeAuthor
    /// Unix milliseconds of the server, for people to read.
    public let time: Int64

    /// A place in a tree.
    public struct Place: Hashable, Sendable {
        public let parent: NodeID
        public let name: String

        public init(parent: NodeID, name: String) {
            self.parent = parent
            self.name = name
        }
    }

    package init(
        jid: JID, operation: JournalOperation, node: TreeNode, previous: JID, origin: Place?,
        below: Int64 = 1,
        author: ChangeAuthor, time: Int64
    ) {
        self.jid = jid
        self.operation = operation
        self.node = node
        self.previous = previous
        self.origin = origin
        self.below = below
        self.author = author
        self.time = time
    }
}

/// Who made a change, with what, and under which id.
public struct ChangeAuthor: Hashable, Sendable {
    public var user: String?
    public var device: String?
    /// Made by the client, so that an operation that is sent again is known: 128 bits.
    public var operation: OperationID?

    public init(user: String? = nil, device: String? = nil, operation: OperationID? = nil) {
        self.user = user
        self.device = device
        self.operation = operation
    }
}
