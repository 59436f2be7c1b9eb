public import Catalog
public import TreeValues

/// What became of an operation.
public enum ChangeOutcome: Hashable, Sendable {
    /// The node is as it was to be. `isNew` if a journal entry was needed for that.
    case done(TreeNode, isNew: Bool)
    /// It was based on something that is not so any more; with what is there.
    case conflict(ChangeConflict, current: TreeNode?)
    case refused(ChangeRefusal)

    /// Whether the node is as it was to be.
    public var isDone: Bool { if case .done = self { true } else { false } }
}

/// What an operation collided with.
public enum ChangeConflict: String, CaseIterable, Hashable, Sendable {
    /// The content changed, or the node went, since the client looked.
    case stale
    /// Another node has the name.
    case nameTaken = "name_taken"
    /// The node was moved elsewhere.
    case moved
    /// There is something in the directory that the client has not seen.
    case notEmpty = "not_empty"
    /// A directory would come to be below itself.
    case cycle
    /// The directory that it was to be in is not there.
    case parentMissing = "parent_missing"
    /// What is there is of another kind.
    case kindMismatch = "kind_mismatch"
}

/// Why an operation was not done at all.
public enum ChangeRefusal: Hashable, Sendable {
    case badName(NameProblem)
    case unknownNode(NodeID)
    /// A new node was to have the id of the root.
    case idOfRoot(NodeID)
    /// An operation lacks the place or the name that it needs.
    case placeMissing
    case targetTooLong(bytes: Int, maximum: Int)
    /// No file system has a symlink with such a target: it is empty, or has a NUL.
    case badTarget
    /// An operation with this id was done already, and was another one.
    case operationReused(NodeID)
    /// A file below 0 bytes, or larger than any may be.
    case sizeNotAllowed(bytes: Int64, maximum: Int64)
    /// A limit of the namespace.
    case quotaExceeded(NamespaceQuota, limit: Int64, wanted: Int64)
    /// What is to come back is not kept any more, or a part of it.
    case contentRemoved(NodeID)
    /// So much would go that a person has to agree: the operation goes through with the token.
    case massDelete(nodes: Int64, token: String)
}

/// What of a namespace has a limit.
public enum NamespaceQuota: Hashable, Sendable {
    /// Of the files that are in it.
    case bytes
    /// Files, directories and symlinks.
    case entries

    /// How much there may be, and how much there would be.
    func text(limit: Int64, wanted: Int64) -> String {
        let unit =
            switch self {
            case .bytes: limit == 1 ? "byte" : "bytes"
            case .entries: limit == 1 ? "file or folder" : "files and folders"
            }
        return "the namespace may hold \(limit) \(unit), and would hold \(wanted)"
    }
}

extension ChangeOutcome: CustomStringConvertible {
    public var description: String {
        switch self {
        case .done(let node, let isNew):
            "node \(node.id) is at version \(node.revision)\(isNew ? "" : " already")"
        case .conflict(let conflict, let current):
            "conflict \(conflict.rawValue)" + (current.map { " with \($0.id), version \($0.revision)" } ?? "")
        case .refused(let refusal): refusal.description
        }
    }
}

extension ChangeRefusal: CustomStringConvertible {
    public var description: String {
        switch self {
        case .badName(let problem): problem.description
        case .unknownNode(let id): "there is no node \(id) in the namespace"
        case .idOfRoot(let id): "\(id) is the root of the namespace: a new node needs an id of its own"
        case .placeMissing: "a new node needs a parent and a name"
        case .badTarget: "the target of a symlink is to have one byte at least, and no NUL"
        case .operationReused(let id):
            "operation \(id) was another one: give each its own id, and use it again only to send the same"
        case .targetTooLong(let bytes, let maximum):
            "the target of a symlink has \(bytes) bytes, \(maximum) are allowed"
        case .sizeNotAllowed(let bytes, let maximum):
            "a file is said to have \(bytes) bytes; it may have 0 to \(maximum)"
        case .quotaExceeded(let quota, let limit, let wanted):
            "\(quota.text(limit: limit, wanted: wanted)); remove something, or raise its quota"
        case .contentRemoved(let id):
            "the content of \(id), or of what was in it, is not kept any more"
        case .massDelete(let nodes, _):
            "\(nodes) files and directories would be removed at once; confirm if that is meant"
        }
    }
}
