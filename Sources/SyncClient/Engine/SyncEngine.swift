import SyncProtocol
import TreeValues

/// Keeps one folder equal with a namespace: scans, reads the server's journal, plans, and carries plans
/// out.
///
/// Owns nothing that lasts: what is known is in the ``SyncState``, and it is changed only after the disk or
/// the server was, in one transaction with all that came of it. A run that ends at any moment is followed
/// by one that scans and reads again, and finds what was done already as equal on both sides. Nothing but
/// what is new in an empty namespace (``EarlySending``) is planned before the first scan of a run has seen the
/// whole folder and the journal was read to its end, so that nothing is taken for deleted that was only not
/// looked at.
///
/// Not thread-safe: one thread at a time calls it. Calls return when there is nothing more to do at once.
public final class SyncEngine {
    let state: any SyncState
    let disk: any FolderFileSystem
    let server: any SyncServer
    var scanner: any LocalScanning
    let content: any ContentReading
    let blocks: any LocalBlockSource
    let environment: SyncEnvironment
    public let options: SyncOptions

    public internal(set) var status = FolderStatus()
    /// Items that were tried and are to be tried again, and those that wait for somebody.
    var items: [NodeID: ItemStatus] = [:]
    /// Items beyond this are not remembered, and are tried in each pass.
    static let maximumItems = 10_000

    var own: OwnDirectory
    var isPrepared = false
    var hasScanned = false
    /// Whether the pass may end early: see ``SyncEnvironment/shouldStop``.
    var isInterruptible = false
    /// Paths that turned out not to be what the local tree says.
    var rescans = PathSet()
    /// The server has something that the remote tree has not.
    var needsPull = true
    /// Whether the namespace takes names for one that differ by case: learned from an answer.
    var ignoresCaseRemotely: Bool
    /// Paths of local directories.
    var directoryPaths: [NodeID: String] = [:]
    /// Contents that came within entries.
    var inlineContents = InlineCache()
    /// Changes of larger files that came within entries.
    var fileEdits = FileEditCache()
    /// Whether removals here are held back; `nil` if it was not asked yet in this pass.
    var removalsHeld: Bool?
    var removalConfirmation: String?
    /// How many removals on the server a person agreed to that were not asked about yet.
    var agreedRemovals: Int64 = 0
    /// Whether the node asked about removals made here, and nobody has answered: none goes there meanwhile.
    /// Kept in the state, and read from there by each pass.
    var removalsHeldThere = false
    /// Whether the removals that are to be sent were counted in this pass.
    var hasWeighedRemovals = false
    /// Contents that were tried to merge, and cannot be.
    var unmergeable: Set<MergePair> = []
    /// Whether texts that both sides changed are merged: the namespace says so with each answer.
    var mergesText = false
    /// Directories that the server did not take in this push: what is in them is not sent.
    var untakenDirectories: Set<NodeID> = []
    /// Places on the disk that a plan was to free, and that were not: what the plan puts there waits.
    var unfreedPlaces: Set<LocalPlace> = []
    /// The file that is offered to a node that had no room: once it is taken there is some.
    var roomProbe: NodeID?
    /// Steps that were done.
    var steps = 0
    /// How much is sent, and fetched, in one call.
    var uploadPace: TransferPace
    var downloadPace: TransferPace

    public init(
        state: any SyncState, disk: any FolderFileSystem, server: any SyncServer,
        scanner: any LocalScanning, content: any ContentReading,
        blocks: any LocalBlockSource = NoLocalBlocks(),
        environment: SyncEnvironment, options: SyncOptions
    ) {
        self.state = state
        self.disk = disk
        self.server = server
        self.scanner = scanner
        self.content = content
        self.blocks = blocks
        self.environment = environment
        self.options = options
        uploadPace = TransferPace(maximum: options.windowBytes)
        downloadPace = TransferPace(maximum: options.windowBytes)
        ignoresCaseRemotely = options.ignoresCaseRemotely
        own = OwnDirectory(disk: disk, environment: environment)
    }

    /// Items that are not done, the earliest to be tried first; at most `limit`.
    public func waitingItems(limit: Int = 100) -> [ItemStatus] {
        Array(items.values.sorted { ($0.retryAt, $0.id) < ($1.retryAt, $1.id) }.prefix(limit))
    }

    /// When something is tried again by itself, by the steady clock; `nil` if nothing is.
    public var nextRetry: Int64? {
        items.values.lazy.filter { item in
            // What waits for somebody is looked at with each change anyway.
            switch item.reason {
            case .held: false
            // It goes with all that waits for room.
            case .refused(let code, _) where code.isForRoom: false
            default: item.retryAt < .max
            }
        }.map(\.retryAt).min()
    }

    /// Checks that a folder which is to be added is none that is synced already, here or by another user.
    ///
    /// - Throws: `SyncEngineError.otherFolder`; `FileError`.
    public static func checkUnmarked(_ disk: any FolderFileSystem) throws {
        if let found = try OwnDirectory.readMarker(on: disk) {
            throw SyncEngineError.otherFolder(found: found)
        }
    }

    /// Makes the marker of a folder that is added.
    ///
    /// - Throws: `otherFolder` if there is a marker of another one; what the state throws; `FileError`.
    public func addFolder() throws {
        guard try disk.status("")?.kind == .directory else { throw SyncEngineError.folderMissing }
        if let found = try own.readMarker(), found != options.folderID {
            throw SyncEngineError.otherFolder(found: found)
        }
        try own.make(folderID: options.folderID)
        try state.transaction { try state.setValue(options.folderID, StateKey.folder) }
    }

    /// Checks that the folder is there: the marker, on the file system that the folder's root is on.
    ///
    /// - Throws: `SyncEngineError`, and what else the disk says.
    func checkFolder() throws {
        let status: FileStatus?
        let marker: String?
        let markerStatus: FileStatus?
        do throws(FileError) {
            status = try disk.status("")
            marker = try own.readMarker()
            markerStatus = try disk.status(OwnDirectory.marker)
        } catch {
            switch error {
            case .notFound, .notDirectory, .folderMissing: throw SyncEngineError.folderMissing
            default: throw error
            }
        }
        guard let status, status.kind == .directory, let marker, let markerStatus,
            markerStatus.identity.device == status.identity.device
        else { throw SyncEngineError.folderMissing }
        guard marker == options.folderID else { throw SyncEngineError.otherFolder(found: marker) }
        guard !isPrepared else { return }
        try own.recover()
        isPrepared = true
    }

    /// Agrees to what ``FolderStatus/removalsToConfirm`` says.
    ///
    /// - Parameter token: what the server gave, if it asked.
    public func confirmRemovals(token: String? = nil) throws {
        try state.transaction {
            try state.setValue(String(status.removalsToConfirm ?? 0), StateKey.allowedRemovals)
        }
        agreedRemovals = Int64(status.removalsToConfirm ?? 0)
        try letRemovalsGo(token: token)
    }

    /// Removes what has been in the trash for longer than so many days.
    ///
    /// - Throws: `FileError`, also where the folder is not there.
    public func emptyTrash(keepingDays days: Int64 = 30) throws {
        try checkFolder()
        try own.emptyTrash(keepingDays: days)
    }

    /// Tries everything again at once, whatever waits for its time.
    public func retryNow() {
        items.removeAll()
        status.downloadsPaused = nil
        status.uploadsPaused = nil
        removalsHeld = nil
    }

    /// Says whether the node takes changes from here, where somebody knows: else a change that it refuses does.
    public func setMayWrite(_ mayWrite: Bool) {
        if mayWrite {
            status.readOnly = nil
        } else {
            noteReadOnly("the key may only read")
        }
    }

    /// How long it is believed that the node takes no changes.
    private static let readOnlyMilliseconds: Int64 = 600_000

    func noteReadOnly(_ reason: String) {
        if status.readOnly == nil { environment.report(.paused(reason: reason)) }
        status.readOnly = .init(
            reason: reason, until: environment.steadyClock() + Self.readOnlyMilliseconds)
    }

    var policy: SyncPolicy {
        let now = CalendarText(nanoseconds: environment.wallClock())
        var policy = SyncPolicy(
            mode: options.mode, ignoresCaseLocally: options.ignoresCaseLocally,
            ignoresCaseRemotely: ignoresCaseRemotely,
            conflictTag: "\(now.date) \(now.time) \(options.device.asConflictDevice)",
            isExcluded: options.isExcluded)
        policy.mergesText = mergesText
        policy.mayWrite = status.readOnly == nil
        policy.unmergeable = unmergeable
        return policy
    }
}

/// What the engine keeps by name in the state.
enum StateKey {
    static let folder = "folder"
    /// Operations that were sent and not answered, see ``PendingOperations``.
    static let operations = "operations"
    /// Up to how many removals a person agreed to.
    static let allowedRemovals = "removals.allowed"
    /// There while removals made here wait for an answer, see ``SyncEngine/removalsHeldThere``.
    static let heldRemovals = "removals.held"
    /// The rules by which paths were excluded last, see ``SyncOptions/rulesFingerprint``.
    static let rules = "rules"
    /// Directories that the journal says are gone, while it is read: what was in them may be elsewhere.
    static let goneDirectories = "directories.gone"
}
