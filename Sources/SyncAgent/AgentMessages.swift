/// The state of a folder, as `nacre sync status` shows it.
public struct FolderReport: Codable, Hashable, Sendable {
    public var id: String
    public var path: String
    public var namespace: String
    public var node: String
    public var mode: String
    /// `starting`, `settled`, `working`, `waiting`, `read_only`, `offline`, `missing`, `stopped`, `paused`, or
    /// `not-running`.
    public var state: String
    /// Why, in words.
    public var detail: String?
    /// Files and directories that are not equal on both sides yet.
    public var pending = 0
    /// What waits, and for what; the first hundred.
    public var items: [Item] = []
    /// How many of ``pending`` are not among the items; `nil` for none.
    public var moreItems: Int?
    /// Conflict copies that nobody decided about yet; the first hundred.
    public var conflicts: [Conflict]?
    /// The file that is being sent or received; `nil` for none.
    public var transfer: Transfer?
    /// The run of its own that has the folder, such as `nacre sync DIR --once`: it cannot be asked, and this is
    /// what it wrote down last. `nil` for none.
    public var run: Run?
    /// Files that are being written, and are looked at again soon.
    public var busy: Int?
    /// Files and directories that are gone here, and are removed on the node once they have turned up
    /// nowhere else for some seconds; what is in a directory is not counted.
    public var heldRemovals: Int?
    /// How often everything was looked at since the start.
    public var fullScans: Int?
    public var uploadsPaused: String?
    /// Milliseconds until it is tried again, or the node is asked whether it has room by now.
    public var uploadsRetryIn: Int64?
    /// Whether it is for room that nothing is sent: then what needs none is, and all of it as soon as there is
    /// some.
    public var waitsForRoom: Bool?
    public var downloadsPaused: String?
    /// So many would be removed that a person is asked: `nacre sync confirm`, or `decline`.
    public var removalsToConfirm: Int?
    public var counters = Counters()
    /// Milliseconds since both sides were last equal; `nil` if they were not since the start, or, where nothing
    /// runs, ever.
    public var settledAgo: Int64?
    public var scanMilliseconds: Int64?
    /// Changes are not told by the system: the folder is scanned instead.
    public var watchDegraded: String?
    /// Milliseconds by which the clock of this machine is ahead of the node's, less than 0 where it is
    /// behind; `nil` where it is about the same, two minutes at most.
    public var clockLead: Int64?
    /// How it was when it was synced last, where nothing runs.
    public var last: LastRun?
    /// What came of the last `revert`, `override`, `confirm` or `decline`.
    public var decision: Decision?

    /// What was said of the folder and is not as it is for one of which nothing was said; `nil` for nothing.
    public var settings: Settings?

    /// What was said of how a folder is synced, beside its mode; each `nil` where nothing was.
    public struct Settings: Codable, Hashable, Sendable {
        /// The paths that are synced.
        public var only: [String]?
        /// Bytes a second.
        public var uploadLimit: Int?
        /// Bytes a second.
        public var downloadLimit: Int?
        /// Milliseconds for which a file must be quiet before it is sent.
        public var quietMilliseconds: Int?
        /// The most bytes of files that others are sending.
        public var prefetchBytes: Int?

        /// - Returns: `nil` where nothing was said.
        public init?(_ record: FolderRecord) {
            only = record.only.isEmpty ? nil : record.only
            uploadLimit = record.uploadLimit > 0 ? record.uploadLimit : nil
            downloadLimit = record.downloadLimit > 0 ? record.downloadLimit : nil
            quietMilliseconds =
                record.quietMilliseconds == FolderRecord.quietMilliseconds ? nil : record.quietMilliseconds
            prefetchBytes = record.prefetchBytes == OpenFolder.prefetchBytes ? nil : record.prefetchBytes
            let isNothing =
                only == nil && uploadLimit == nil && downloadLimit == nil && quietMilliseconds == nil
                && prefetchBytes == nil
            if isNothing { return nil }
        }
    }

    /// A file on its way.
    public struct Transfer: Codable, Hashable, Sendable {
        /// Relative to the folder.
        public var path: String
        /// `send` or `receive`.
        public var direction: String
        public var bytesDone: Int64
        /// Of what is to be moved, which may be less than the file has.
        public var bytesTotal: Int64
        /// Of the last half minute; `nil` where that is not known yet.
        public var bytesPerSecond: Int64?
        /// At that rate; `nil` where it is not known.
        public var secondsLeft: Int64?
    }

    /// A run of one folder, in a process of its own.
    public struct Run: Codable, Hashable, Sendable {
        public var process: Int32
        /// When it began: milliseconds since 1970.
        public var began: Int64
    }

    /// How a folder was at the end of a run.
    public struct LastRun: Codable, Hashable, Sendable {
        public var state: String
        public var detail: String?
        public var pending: Int
        /// When it ended: milliseconds since 1970.
        public var ended: Int64
        /// When both sides were equal last, in this run or an earlier one; `nil` if they never were.
        public var settled: Int64?
        public var counters: Counters
    }

    /// What came of a decision about changes that were held.
    public struct Decision: Codable, Hashable, Sendable {
        /// Of the request.
        public var id: String
        /// Why nothing was done; `nil` if it was.
        public var refusal: String?
        /// How many removals were agreed to or declined; `nil` if none were held.
        public var removals: Int?
        /// What was done for it.
        public var counters = Counters()
    }

    /// A file or directory that is not done, and what it waits for.
    public struct Item: Codable, Hashable, Sendable {
        public var path: String
        /// For programs.
        public var code: String
        public var reason: String
        public var attempts: Int
        /// Milliseconds until it is tried again.
        public var retryIn: Int64
    }

    /// A conflict copy, and what it is a copy of; paths are relative to the folder.
    public struct Conflict: Codable, Hashable, Sendable {
        public var path: String
        public var original: String
        /// When the copy was made, such as `2026-11-21T19:25Z`; `nil` where its name does not say.
        public var since: String?
        /// What decides about it: for the file as it is; `copy` and `both` are the other choices.
        public var command: String
    }

    /// What was done since the process was started.
    public struct Counters: Codable, Hashable, Sendable {
        public var uploaded = 0
        public var downloaded = 0
        public var movedHere = 0
        public var movedThere = 0
        public var removedHere = 0
        public var removedThere = 0
        public var conflictCopies = 0
        public var merged = 0
        public var adopted = 0
        public var failures = 0
        public var bytesSent: Int64 = 0
        public var bytesReceived: Int64 = 0
        public var bytesReused: Int64 = 0
        /// Leaves that were read while other devices were sending them, and of these bytes those that
        /// became files here.
        public var prefetchedBlocks: Int?
        public var prefetchedBytes: Int64?
        public var prefetchedBytesUsed: Int64?

        public init() {}
    }

    public init(_ record: FolderRecord) {
        id = record.id
        path = record.path
        namespace = record.namespaceName
        node = record.node ?? record.dataDirectory ?? ""
        mode = record.mode
        settings = Settings(record)
        state = record.isPaused ? "paused" : "not-running"
    }
}

/// What a person decides about a folder.
public enum FolderChoice: String, CaseIterable, Codable, Hashable, Sendable {
    /// A folder that only receives becomes what the node has.
    case revert
    /// The namespace of a folder that only sends becomes what the folder is.
    case override
    /// What would be removed is removed, though it is much.
    case confirm
    /// What would be removed comes back.
    case decline
}

/// What is asked over the control socket: one JSON object on a line, answered by one.
public struct ControlRequest: Codable, Hashable, Sendable {
    /// `status`, `pause`, `resume`, `rescan`, `take`, `reload`, `stop`, or a ``FolderChoice``.
    public var verb: String
    /// Id of a folder; all if it is left out. `reload` names one that is to be run as well.
    public var folder: String?
    /// By which the report names what came of a ``FolderChoice``.
    public var id: String?
    /// For `take`: paths within the folder that were changed in one step, and are not written to any more. They
    /// are synced without a wait for quiet.
    public var paths: [String]?

    public init(verb: String, folder: String? = nil, id: String? = nil, paths: [String]? = nil) {
        self.verb = verb
        self.folder = folder
        self.id = id
        self.paths = paths
    }
}

/// What is answered over the control socket.
public struct ControlAnswer: Codable, Hashable, Sendable {
    public var folders: [FolderReport]?
    public var error: String?

    public init(folders: [FolderReport]? = nil, error: String? = nil) {
        self.folders = folders
        self.error = error
    }
}
