/// What a look through everything that a namespace needs has found.
public struct NamespaceVerificationMessage: Codable, Hashable, Sendable {
    /// Something that is wrong.
    public struct Finding: Codable, Hashable, Sendable {
        /// `missing`, `damaged` or `unreadable`: a block; `row`: of the catalog; `counters`.
        public var kind: String
        /// In a sentence.
        public var detail: String
        public var block: String?
        /// What the block is of: a path as of `version`.
        public var path: String?
        public var version: Int64?

        public init(kind: String, detail: String, block: String?, path: String?, version: Int64?) {
            self.kind = kind
            self.detail = detail
            self.block = block
            self.path = path
            self.version = version
        }
    }

    /// Files, directories and symlinks that were looked at, deleted ones too.
    public var nodes: Int
    /// Entries of the journal.
    public var changes: Int
    public var snapshots: Int
    /// Different contents of files, in the newest state and in kept history.
    public var contents: Int
    /// Blocks that were read and hashed, each once.
    public var blocks: Int
    public var bytes: Int64
    /// Different blocks that are not there.
    public var missing: Int
    /// Different blocks that are not what they were.
    public var damaged: Int
    /// At most 200.
    public var findings: [Finding]
    public var moreFindings: Int

    public init(
        nodes: Int, changes: Int, snapshots: Int, contents: Int, blocks: Int, bytes: Int64, missing: Int,
        damaged: Int, findings: [Finding], moreFindings: Int
    ) {
        self.nodes = nodes
        self.changes = changes
        self.snapshots = snapshots
        self.contents = contents
        self.blocks = blocks
        self.bytes = bytes
        self.missing = missing
        self.damaged = damaged
        self.findings = findings
        self.moreFindings = moreFindings
    }
}

/// A namespace: a folder with its history.
public struct NamespaceMessage: Codable, Hashable, Sendable {
    public var id: String
    public var name: String
    /// The id of the project that owns it.
    public var project: String
    /// `public` or `private`.
    public var visibility: String
    /// The newest version; 0 while there was no change.
    public var head: Int64
    /// Files, directories and symlinks.
    public var nodes: Int64
    /// Bytes of the files.
    public var bytes: Int64
    /// RFC 3339.
    public var created: String
    /// RFC 3339.
    public var updated: String
    public var policy: NamespacePolicyMessage
    /// RFC 3339; of a namespace that was deleted.
    public var deleted: String?
    /// RFC 3339: until when a deleted namespace can be had back.
    public var keptUntil: String?

    public init(
        id: String, name: String, project: String, visibility: String, head: Int64, nodes: Int64,
        bytes: Int64, created: String, updated: String, policy: NamespacePolicyMessage
    ) {
        self.id = id
        self.name = name
        self.project = project
        self.visibility = visibility
        self.head = head
        self.nodes = nodes
        self.bytes = bytes
        self.created = created
        self.updated = updated
        self.policy = policy
    }
}

/// What is allowed in a namespace, and how long its history is kept. What is left out stays, or has its
/// default.
public struct NamespacePolicyMessage: Codable, Hashable, Sendable {
    /// `files` or `objects`.
    public var names: String?
    /// `sensitive` or `insensitive`.
    public var `case`: String?
    /// `none` or `lines`.
    public var merge: String?
    /// Seconds for which every version is kept.
    public var keepAllSeconds: Int64?
    /// Seconds for which, after that, the last version of each day is kept.
    public var keepDailySeconds: Int64?
    /// The most bytes of live files; 0 for no limit.
    public var maximumBytes: Int64?
    /// The most live files, directories and symlinks.
    public var maximumNodes: Int64?

    public init() {}
}

/// A namespace to make.
public struct NamespaceDraftMessage: Codable, Hashable, Sendable {
    public var name: String
    public var visibility: String?
    public var policy: NamespacePolicyMessage?

    public init(name: String, visibility: String? = nil, policy: NamespacePolicyMessage? = nil) {
        self.name = name
        self.visibility = visibility
        self.policy = policy
    }
}

/// What to change of a namespace; what is left out stays.
public struct NamespaceChangeMessage: Codable, Hashable, Sendable {
    public var name: String?
    public var policy: NamespacePolicyMessage?

    public init(name: String? = nil, policy: NamespacePolicyMessage? = nil) {
        self.name = name
        self.policy = policy
    }
}

/// A version of a namespace that is kept.
public struct NamespaceVersionMessage: Codable, Hashable, Sendable {
    public var version: Int64
    /// The root CID: a UnixFS directory; left out if nobody asked for it yet.
    public var root: String?
    /// When its last change was made; RFC 3339.
    public var time: String
    /// When the policy lets go of it; RFC 3339. Left out for the newest.
    public var keptUntil: String?
    /// Why somebody holds on to it, perhaps empty; left out if nobody does.
    public var held: String?

    public init(version: Int64, root: String?, time: String, keptUntil: String?, held: String?) {
        self.version = version
        self.root = root
        self.time = time
        self.keptUntil = keptUntil
        self.held = held
    }
}

/// A change of a namespace.
public struct NamespaceEntryMessage: Codable, Hashable, Sendable {
    public var version: Int64
    /// `create`, `content`, `move`, `delete`, `restore` or `metadata`.
    public var operation: String
    public var node: String
    /// `dir`, `file` or `symlink`.
    public var kind: String
    /// What it is called after the change.
    public var name: String
    /// Where it is by its newest state; left out if it is nowhere.
    public var path: String?
    public var size: Int64
    /// The root CID of a file's content, if it is still kept.
    public var content: String?
    /// How many came or went with a directory.
    public var below: Int64
    /// The id of the machine that made the change, and what people call it, if it made itself known.
    public var device: String?
    public var deviceName: String?
    public var user: String?
    /// RFC 3339.
    public var time: String

    public init(
        version: Int64, operation: String, node: String, kind: String, name: String, path: String?,
        size: Int64, content: String?, below: Int64, device: String?,
        deviceName: String? = nil, user: String?, time: String
    ) {
        self.version = version
        self.operation = operation
        self.node = node
        self.kind = kind
        self.name = name
        self.path = path
        self.size = size
        self.content = content
        self.below = below
        self.device = device
        self.deviceName = deviceName
        self.user = user
        self.time = time
    }
}

/// Which versions are to be compared, and how.
public struct NamespaceDifferenceQuestion: Hashable, Sendable {
    /// Versions: a number, a time (RFC 3339), or the root CID of a snapshot; `to` is the newest state if
    /// it is left out.
    public var from: String
    public var to: String?
    /// Whether everything in a directory that came or went is listed, or the directory alone with how much is
    /// below it.
    public var isRecursive: Bool

    public init(from: String, to: String? = nil, isRecursive: Bool = true) {
        self.from = from
        self.to = to
        self.isRecursive = isRecursive
    }
}

/// A path that is not the same in two versions.
public struct NamespaceDifferenceMessage: Codable, Hashable, Sendable {
    /// Of what was removed, where it was.
    public var path: String
    /// `added`, `removed`, `changed` or `renamed`.
    public var change: String
    /// `dir`, `file` or `symlink`; nodes of 0.3.0 and before leave it out.
    public var kind: String?
    /// Of what was renamed or moved: its path before.
    public var from: String?
    public var old: String?
    public var new: String?
    /// Of a directory that stands for all that came or went with it: how many files, links and directories
    /// are below it.
    public var below: Int64?

    public init(
        path: String, change: String, kind: String?, from: String?, old: String?, new: String?, below: Int64?
    ) {
        self.path = path
        self.change = change
        self.kind = kind
        self.from = from
        self.old = old
        self.new = new
        self.below = below
    }
}

/// To which version a namespace, or a part of it, is to be brought back.
public struct NamespaceRestoreMessage: Codable, Hashable, Sendable {
    /// A number, a time (RFC 3339), or the root CID of a snapshot.
    public var version: String
    /// What is to be brought back; everything if it is left out.
    public var path: String?
    /// Whether everything may be removed, where nothing is in the version.
    public var mayEmpty: Bool?
    /// Whether `.syncignore` is brought back as well; left out, it stays as it is unless it is the path.
    public var rules: Bool?

    public init(version: String, path: String? = nil, mayEmpty: Bool? = nil, rules: Bool? = nil) {
        self.rules = rules
        self.version = version
        self.path = path
        self.mayEmpty = mayEmpty
    }
}

/// What a restore did.
public struct NamespaceRestoredMessage: Codable, Hashable, Sendable {
    /// The newest version afterwards.
    public var head: Int64
    /// How many changes it took.
    public var changes: Int64
    /// Paths that were left as they are, though they were something else then; left out for none.
    public var kept: [String]?

    public init(head: Int64, changes: Int64, kept: [String]? = nil) {
        self.kept = kept
        self.head = head
        self.changes = changes
    }
}
