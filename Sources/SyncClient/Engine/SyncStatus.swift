public import SyncProtocol
public import TreeValues

/// What a folder does, or waits for.
public enum FolderActivity: Hashable, Sendable {
    /// Both sides are equal, as far as this one knows.
    case settled
    case working
    /// Some items wait: for their time, or for somebody.
    case waiting
    /// The node cannot be reached.
    case offline(String)
    /// The folder is not there. Nothing is done until it is.
    case folderMissing
    /// A person has to do something; `code` as in the protocol.
    case stopped(code: String, message: String)
}

/// Why an item is not done.
public enum ItemReason: Hashable, Sendable {
    case held(HoldReason)
    case file(FileError)
    /// It is not what it was when it was looked at last; it is looked at again.
    case changedMeanwhile
    /// What is in a directory is not synced, so that it cannot be removed.
    case notEmpty
    /// The server holds something against it; reason as in the protocol.
    case conflict(String)
    case refused(code: SyncCode, message: String)
    /// The server does not have a block that it names.
    case blockMissing(String)
    /// What came is not what its name says.
    case damaged(String)
    /// So much would be removed that a person has to agree.
    case confirmationNeeded
    /// The node has not taken the directory that it is in.
    case waitsForFolder
    /// Nothing is in its way: it waits for its turn.
    case pending(PendingWork)

    /// For programs and status lines.
    public var code: String {
        switch self {
        case .held(let reason): reason.rawValue
        case .file: "file_error"
        case .changedMeanwhile: "changed_meanwhile"
        case .notEmpty: "not_empty"
        case .conflict(let reason): "conflict_" + reason
        case .refused(let code, _): code.rawValue
        case .blockMissing: "block_missing"
        case .damaged: "damaged"
        case .confirmationNeeded: "confirmation_needed"
        case .waitsForFolder: "waits_for_folder"
        case .pending(let work): work.rawValue
        }
    }
}

extension ItemReason: CustomStringConvertible {
    public var description: String {
        switch self {
        case .held(.localChange): "changed here; the folder only receives"
        case .held(.readOnly): "changed here; the node takes no changes from this machine"
        case .held(.remoteChange): "changed on the node; the folder only sends"
        case .held(.nameNotPossible): "the name cannot be on this disk"
        case .held(.nameClash): "another file has the name here"
        case .file(let error): error.description
        case .changedMeanwhile: "changed while it was looked at; it is looked at again"
        case .notEmpty: "removed on the node, kept here: it holds files that are not synced"
        case .conflict(let reason): "the node answered conflict `\(reason)`; it is compared again"
        case .refused(_, let message): message
        case .blockMissing(let cid): "the node does not have block \(cid)"
        case .damaged(let text): "what the node sent is damaged: \(text)"
        case .confirmationNeeded: "a large part of the folder would be removed; confirm if that is meant"
        case .waitsForFolder: "waits for its folder, which the node has not taken"
        case .pending(let work): work.description
        }
    }
}

extension SyncCode {
    /// Whether there is no room for content: in the namespace, or on the node.
    public var isForRoom: Bool { self == .quotaExceeded || self == .insufficientStorage }
}

/// An item that is not done.
public struct ItemStatus: Hashable, Sendable {
    public var id: NodeID
    /// Where it is here, or is to be; empty if that is not known.
    public var path: String
    public var reason: ItemReason
    /// How often it was tried.
    public var attempts: Int
    /// When it is tried again, by the steady clock.
    public var retryAt: Int64
}

/// The state of a folder, for people and programs.
public struct FolderStatus: Hashable, Sendable {
    public var activity: FolderActivity = .waiting
    /// When new files cannot come, why, and until when by the steady clock.
    public var downloadsPaused: Pause?
    public var uploadsPaused: Pause?
    /// The node takes no changes from here: why, and when it is asked again by the steady clock.
    public var readOnly: Pause?
    /// How many files and directories a person is asked about before they are removed here, or on the
    /// server.
    public var removalsToConfirm: Int?
    /// What to agree with, if it was the server that held them back.
    public var removalsToken: String?
    /// Unsettled nodes after the last pass.
    public var pending = 0
    public var counters = SyncCounters()

    public init() {}

    /// A direction that waits.
    public struct Pause: Hashable, Sendable {
        public var reason: String
        public var until: Int64
        /// Whether there is no room for content: what needs none goes all the same, and when the time is over
        /// one file is offered before the others.
        public var isForRoom = false
    }
}

/// What was done since the engine was made.
public struct SyncCounters: Hashable, Sendable {
    public var uploaded = 0
    public var downloaded = 0
    public var movedHere = 0
    public var movedThere = 0
    public var removedHere = 0
    public var removedThere = 0
    public var conflictCopies = 0
    /// Texts that both sides had changed, and that were merged.
    public var merged = 0
    /// Files that were equal on both sides already.
    public var adopted = 0
    public var bytesSent: Int64 = 0
    public var bytesReceived: Int64 = 0
    /// Bytes that were taken from local files instead.
    public var bytesReused: Int64 = 0
    /// Steps that failed.
    public var failures = 0

    public init() {}
}

/// Something that a person may want to read in the log.
public enum SyncEvent: Hashable, Sendable {
    case folderMissing
    case uploaded(path: String)
    case downloaded(path: String)
    case movedHere(from: String, to: String)
    case removedHere(path: String)
    case removedThere(NodeID)
    case conflictCopy(path: String, copy: String)
    /// A text that both sides had changed has both changes.
    case merged(path: String)
    /// A file that was deleted on one side and edited on the other is there again.
    case editWins(path: String)
    /// The server's journal is another one: everything is compared, nothing is deleted for it.
    case reset
    case failed(path: String, ItemReason)
    case paused(reason: String)
    case confirmationNeeded(removals: Int)
}
