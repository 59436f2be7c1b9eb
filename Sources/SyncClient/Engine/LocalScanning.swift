public import TreeValues

/// Compares the disk with the local tree, and writes into the tree what changed.
///
/// What it must keep to: a file that was replaced at its place by another of a compatible kind (anything
/// but a directory for anything but a directory) keeps its node; a file that turns up elsewhere with a
/// known ``FileIdentity`` is the same node, moved; a file or directory that cannot be read is never taken
/// for deleted; content is hashed with a `stat` before and after, and a file that changes meanwhile is left
/// for later. A node whose stamp is the same keeps the attributes that the tree has. `.nacre` in the folder
/// itself is not looked at, nor what is ignored or not selected.
public protocol LocalScanning {
    /// - Parameter onPart: is called each time a part of what was found is in the tree, with no transaction
    ///   open. It may change the other trees, and not the ids of nodes.
    /// - Throws: what the state throws, what `onPart` throws, and `FileError.folderMissing`; other failures are
    ///   in the report.
    mutating func scan(_ scope: ScanScope, onPart: () throws -> Void) throws -> ScanReport

    /// A node of the local tree has another id from now on: what is remembered of it, such as since when it is
    /// gone from the disk, is of that one.
    mutating func nodeIsRenamed(_ id: NodeID, to new: NodeID)
}

extension LocalScanning {
    /// Scans without a word in between.
    @discardableResult
    public mutating func scan(_ scope: ScanScope) throws -> ScanReport { try scan(scope) {} }
}

/// What is scanned.
public enum ScanScope: Hashable, Sendable {
    case everything
    /// These directories, with what is below them, and these files; paths relative to the folder.
    case paths([String])
}

/// What a scan found.
public struct ScanReport: Hashable, Sendable {
    /// Something that could not be looked at, and was left as the tree had it.
    public struct Problem: Hashable, Sendable {
        public var path: String
        public var error: FileError

        public init(path: String, error: FileError) {
            self.path = path
            self.error = error
        }
    }

    /// Whether the scan came to its end; problems with single files are no obstacle.
    public var isComplete: Bool
    /// Nodes that were written into the tree or removed from it.
    public var changes: Int
    /// Files and directories that were looked at.
    public var seen: Int
    /// At most 1000 of them.
    public var problems: [Problem]
    /// Files that were being written: they are to be looked at again soon. At most 1000.
    public var busy: [String]

    public init(
        isComplete: Bool = true, changes: Int = 0, seen: Int = 0, problems: [Problem] = [],
        busy: [String] = []
    ) {
        self.isComplete = isComplete
        self.changes = changes
        self.seen = seen
        self.problems = problems
        self.busy = busy
    }
}
