public import BlockStorage
public import UnixFS

/// How files become blocks: the import parameters, and what of a folder is taken.
public struct ImportOptions: Sendable {
    /// What decides the CIDs of files and directories.
    public var parameters: ImportParameters
    /// Entries whose name begins with a dot.
    public var hiddenEntries: HiddenEntries = .leaveOut
    public var symlinks: Symlinks = .keep
    public var emptyDirectories: EmptyDirectories = .keep
    /// Which metadata is recorded (UnixFS 1.5); it changes the CIDs.
    public var metadata: RecordedMetadata = []
    /// Paths that are left out.
    public var ignoring = IgnoreRules()
    /// Who the blocks are marked for.
    public var scope: ScopeMarks = .defaultProject
    /// Threads that read, hash and store.
    public var threads: Int
    /// The size of a buffer, of which there are two more than threads. By default 16 leaves of the default
    /// profile and a bit: enough to fill the lanes.
    public var bufferBytes = 16 * 1024 * 1024 + 4096

    public init(parameters: ImportParameters = .unixfsV1_2025, threads: Int) {
        self.parameters = parameters
        self.threads = max(1, threads)
    }

    /// What to do with names that begin with a dot.
    public enum HiddenEntries: Sendable {
        case leaveOut
        case include
    }

    /// What to do with symlinks.
    public enum Symlinks: Sendable {
        /// A symlink is stored as what it is.
        case keep
        /// What it points to is stored in its place.
        case follow
    }

    /// What to do with directories that hold nothing.
    public enum EmptyDirectories: Sendable {
        case keep
        case leaveOut
    }

    /// Metadata of files that can go into their nodes.
    public struct RecordedMetadata: OptionSet, Sendable {
        public let rawValue: UInt8
        public init(rawValue: UInt8) { self.rawValue = rawValue }
        public static let mode = RecordedMetadata(rawValue: 1)
        public static let modificationTime = RecordedMetadata(rawValue: 2)
    }
}
