import Dispatch
import Foundation
import SyncClient
import SyncProtocol
import TreeValues

/// A folder with everything that its engine works with. For one thread.
final class OpenFolder {
    let record: FolderRecord
    let engine: SyncEngine
    private let state: SQLiteSyncState
    private let scanner: NotingScanner
    private let disk: DiskFolder
    private let isOnce: Bool
    private let rules: CurrentRules
    private var lastFullScan: Int64 = 0
    private var lastTrash = -86_400_001 as Int64
    /// The share of the regular time after which everything is scanned again: not all folders at once.
    private let jitter = Double.random(in: 0.75...1.25)
    private var isWatched = false
    /// The rules by which directories are watched.
    private var watchedRules = ""
    /// Whether the folder was away since then, or may have been: watches go with a file system that is
    /// unmounted.
    private var wasAway = false
    private let content: ContentReader
    private let blocks: IndexedBlocks
    private let environment: SyncEnvironment
    private let cache: PrefetchCache?
    private var keptItems: [KeptItem]?

    /// What is read ahead where nothing else is said: bytes.
    static let prefetchBytes = 512 * 1024 * 1024

    /// How often everything is scanned, in milliseconds: where a watcher tells of changes, and where none
    /// does.
    private static let watchedInterval = 3_600_000.0
    private static let unwatchedInterval = 60_000.0
    /// How often a folder is looked for that is not there, and how often one is tried whose disk fails, in
    /// milliseconds.
    private static let missingInterval: Int64 = 5000
    private static let failingInterval: Int64 = 60_000

    init(
        _ record: FolderRecord, home: AgentHome, device: String, server: NodeDialer, isOnce: Bool,
        shouldStop: @escaping @Sendable () -> Bool,
        progress: @escaping @Sendable (TransferProgress?) -> Void = { _ in },
        report: @escaping @Sendable (SyncEvent) -> Void
    ) throws {
        self.record = record
        self.isOnce = isOnce
        let directory = home.stateDirectory(of: record.id)
        try FileManager.default.createDirectory(
            atPath: directory, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        let root = try NodeID(text: record.root)
        state = try SQLiteSyncState(path: directory + "/state.sqlite", root: root)
        disk = try DiskFolder(record.path, volume: try state.value(Self.volumeKey))
        let (state, disk) = (state, disk)
        try state.transaction { try state.setValue(disk.volume, Self.volumeKey) }
        let localRules = (try? String(contentsOfFile: directory + "/ignore", encoding: .utf8)) ?? ""
        let rules = try CurrentRules(disk, selected: record.only, local: localRules)
        self.rules = rules
        let index = try BlockIndex(path: directory + "/blocks.sqlite")
        let content = ContentReader(fileSystem: disk, index: index, recent: RecentContents())
        var scanning = ScannerOptions()
        scanning.quietTime = isOnce ? 0 : Int64(record.quietMilliseconds) * 1_000_000
        scanning.deletionHold = isOnce ? 0 : min(5_000_000_000, 2 * scanning.quietTime)
        scanning.ignoresCase = record.ignoresCase
        scanning.isExcluded = { rules.isExcluded($0, $1) }
        scanning.forEach = ScannerOptions.onAllCores
        let ids = NodeIDGenerator()
        scanner = NotingScanner(
            FolderScanner(
                fileSystem: disk, state: state, content: content, options: scanning,
                makeID: { ids.next(now: MachineClock.wallNanoseconds() / 1_000_000) },
                clock: MachineClock.wallNanoseconds))
        var options = SyncOptions(folderID: record.id, device: device)
        options.mode = try Self.mode(record.mode)
        options.ignoresCaseRemotely = record.ignoresCase
        options.isExcluded = { rules.isExcluded($0, $1) }
        options.rulesFingerprint = { rules.fingerprint }
        var environment = SyncEnvironment(
            wallClock: MachineClock.wallNanoseconds, steadyClock: MachineClock.steadyMilliseconds,
            random: MachineRandom.next, parallelForEach: ScannerOptions.onAllCores,
            report: report)
        environment.shouldStop = shouldStop
        environment.progress = progress
        environment.start = { DispatchQueue.global().async(execute: $0) }
        self.content = content
        self.environment = environment
        blocks = IndexedBlocks(index: index, state: state, fileSystem: disk)
        // Made in any case: it removes what an earlier run left.
        let budget = record.prefetchBytes ?? Self.prefetchBytes
        let cache = PrefetchCache(disk: disk, budget: Int64(budget))
        let readsAhead = !isOnce && options.mode != .pushOnly && budget > 0
        self.cache = readsAhead ? cache : nil
        engine = SyncEngine(
            state: state, disk: disk, server: server, scanner: scanner, content: content,
            blocks: readsAhead ? PrefetchedBlocks(blocks, cache: cache) : blocks,
            environment: environment, options: options)
    }

    static let volumeKey = "volume"

    static func mode(_ text: String) throws(AgentError) -> SyncPolicy.Mode {
        switch text {
        case "two-way": return .twoWay
        case "pull-only": return .pullOnly
        case "push-only": return .pushOnly
        default: throw .badMode(text)
        }
    }

    /// Begins to read ahead what other devices send; `nil` where that is not wanted.
    func readAhead(_ server: NodeDialer) -> FolderPrefetching? {
        guard let cache else { return nil }
        // Half a second of what may be received: the journal does not wait for longer.
        let limit = record.downloadLimit > 0 ? record.downloadLimit / 2 : .max
        let (state, rules) = (state, rules)
        let prefetcher = Prefetcher(
            server, into: cache, disk: disk, content: content, blocks: blocks, environment: environment,
            maximumBytes: min(4 * 1024 * 1024, limit)
        ) { file in
            guard Self.isSynced(file, state, rules) else { return nil }
            return Prefetcher.Known(base: (try? state.node(file.node, in: .local))?.content)
        }
        return FolderPrefetching(prefetcher, cache)
    }

    /// Whether a file that is not here yet would be taken.
    private static func isSynced(
        _ file: InflightFile, _ state: SQLiteSyncState, _ rules: CurrentRules
    ) -> Bool {
        var names = [file.name]
        var next = file.parent
        while next != state.root {
            // What is in a directory that is not known yet is looked at another time.
            guard names.count < 1000, let node = try? state.node(next, in: .remote) else { return false }
            names.append(node.name)
            next = node.parent
        }
        var path = ""
        for (index, name) in names.reversed().enumerated() {
            path += index == 0 ? name : "/" + name
            if rules.isExcluded(path, index < names.count - 1) { return false }
        }
        return true
    }

    func cursor() throws -> SyncCursor? { try state.cursor() }

    // MARK: What a person is told

    /// What is not done, and why: the first hundred.
    func openItems(now: Int64) throws -> [FolderReport.Item] {
        let maximum = FolderReport.maximumListed
        // What cannot be read is on one side only, and nothing but a person gets it on.
        let problems = unreadable.prefix(maximum).map { path, error in
            FolderReport.Item(
                path: path, code: ItemReason.file(error).code, reason: error.description, attempts: 1,
                retryIn: 0)
        }
        let room = engine.status.uploadsPaused.flatMap { $0.isForRoom ? $0.until : nil }
        let items = try engine.openItems(limit: maximum).map { item in
            var retryAt = item.retryAt
            if case .refused(let code, _) = item.reason, code.isForRoom, let room { retryAt = room }
            return FolderReport.Item(
                path: item.path, code: item.reason.code, reason: item.reason.description,
                // What waits for somebody is not tried again by itself.
                attempts: item.attempts, retryIn: retryAt == .max ? 0 : max(0, retryAt - now))
        }
        return Array((items.prefix(maximum - min(problems.count, maximum / 2)) + problems).prefix(maximum))
    }

    /// Counts what is not done in the middle of a pass; the first hundred, and why.
    func countOpen(now: Int64) throws -> [FolderReport.Item] {
        try engine.countOpen()
        return try openItems(now: now)
    }

    func openConflicts() throws -> [FolderReport.Conflict]? {
        FolderReport.conflicts(try state.openConflicts(limit: FolderReport.maximumListed), in: record)
    }

    /// Keeps why items wait, for who asks when no process syncs the folder.
    func keepItems(_ items: [FolderReport.Item]) throws {
        let kept = items.compactMap(KeptItem.init)
        guard kept != keptItems else { return }
        let text = try KeptItem.text(of: kept)
        if try state.value(KeptItem.key) != text {
            try state.transaction { try state.setValue(text, KeptItem.key) }
        }
        keptItems = kept
    }

    /// Closes what is kept open between calls: a disk at rest can be taken out.
    func close() { disk.releaseDescriptors() }

    // MARK: Working

    /// How often a pass goes on with other rules before it is told of.
    private static let maximumRules = 10

    /// A pass of the engine. Where it brought other rules it goes on with those: a folder is not settled
    /// before what they let in is here as well.
    func synchronize(_ scope: ScanScope?) throws {
        defer { if engine.status.activity == .folderMissing { wasAway = true } }
        try engine.synchronize(scope)
        var count = 0
        while count < Self.maximumRules, rules.refresh() {
            count += 1
            try engine.synchronize(.everything)
        }
    }

    /// A pass of the engine over paths that somebody changed in one step and is done with.
    func synchronize(finished paths: [String]) throws {
        scanner.finished.insert(paths)
        defer { scanner.finished = PathSet() }
        try synchronize(.paths(paths))
    }

    // MARK: When to go on

    /// Whether files wait for room on the node.
    var waitsForRoom: Bool { engine.status.uploadsPaused?.isForRoom == true }

    var hasBusyFiles: Bool { !(scanner.report?.busy.isEmpty ?? true) }
    var busyFiles: Int { scanner.report?.busy.count ?? 0 }
    /// Files and directories that are gone, and may turn up elsewhere yet.
    var heldRemovals: Int { scanner.heldCount }
    var fullScans: Int { scanner.fullScans }
    /// What the last looks could not take, by path.
    var unreadable: [(String, FileError)] {
        scanner.problems.sorted { $0.key < $1.key }.map { ($0.key.text, $0.value) }
    }
    var scanMilliseconds: Int64? { scanner.milliseconds }

    func hasItemsToRetry(within milliseconds: Int64) -> Bool {
        guard let next = engine.nextRetry else { return false }
        return next - MachineClock.steadyMilliseconds() < milliseconds
    }

    /// Whether files are being written, or gone ones may turn up elsewhere yet.
    var isUnquiet: Bool { hasBusyFiles || scanner.nextDeadline != nil }

    /// Milliseconds after which there is something to do even if nothing is told.
    var delay: Int64 {
        let now = MachineClock.steadyMilliseconds()
        var due = lastFullScan + Int64(jitter * (isWatched ? Self.watchedInterval : Self.unwatchedInterval))
        switch engine.status.activity {
        case .folderMissing, .stopped(code: "other_folder", _): due = min(due, now + Self.missingInterval)
        case .stopped(code: "file_error", _): due = min(due, now + Self.failingInterval)
        case .settled, .working, .waiting, .offline, .stopped: break
        }
        if hasBusyFiles { due = min(due, now + max(20, Int64(record.quietMilliseconds) / 2)) }
        if let deadline = scanner.nextDeadline {
            due = min(due, now + max(0, (deadline - MachineClock.wallNanoseconds()) / 1_000_000) + 1)
        }
        if let next = engine.nextRetry { due = min(due, max(next, now + 100)) }
        // A pass that failed may have left it as it was.
        if let pause = engine.status.uploadsPaused { due = min(due, max(pause.until, now + 1000)) }
        if let pause = engine.status.downloadsPaused { due = min(due, max(pause.until, now + 1000)) }
        return max(0, due - now)
    }

    /// Once a day, removes what has been in the trash for 30 days.
    func emptyTrash() {
        let now = MachineClock.steadyMilliseconds()
        guard now - lastTrash > 86_400_000 else { return }
        lastTrash = now
        // What cannot be removed now is removed tomorrow.
        try? engine.emptyTrash()
    }

    /// What is to be scanned for what came; `nil` for nothing.
    func scope(for mail: Mailbox.Mail) -> ScanScope? {
        let now = MachineClock.steadyMilliseconds()
        let interval = isWatched ? Self.watchedInterval : Self.unwatchedInterval
        // A list of so many busy files is not whole.
        if rules.refresh() || (scanner.report?.busy.count ?? 0) >= Self.maximumBusy { return .everything }
        guard let paths = mail.paths, now - lastFullScan < Int64(jitter * interval) else {
            lastFullScan = now
            return .everything
        }
        var all = paths
        all.insert(scanner.report?.busy ?? [])
        if !all.isEmpty { return .paths(all.sorted) }
        // A scan of no path decides about what was held.
        if let deadline = scanner.nextDeadline, deadline <= MachineClock.wallNanoseconds() {
            return .paths([])
        }
        return nil
    }

    func nextScope() -> ScanScope? {
        let busy = scanner.report?.busy ?? []
        return busy.count >= Self.maximumBusy ? .everything : .paths(busy)
    }

    /// As many as a report lists.
    private static let maximumBusy = 1000

    /// Whether what was begun to be told of is not what is to be told of any more: the folder was away, or
    /// rules let in directories that had no part before.
    var isWatchStale: Bool {
        engine.status.activity != .folderMissing && (wasAway || watchedRules != rules.fingerprint)
    }

    /// The folder may have been away while nobody looked.
    func noteAbsence() { wasAway = true }

    /// Begins to be told of changes on the disk.
    func watch(_ mailbox: Mailbox) -> FolderWatching? {
        lastFullScan = MachineClock.steadyMilliseconds()
        (watchedRules, wasAway) = (rules.fingerprint, false)
        var options = FolderWatcher.Options()
        options.quietTime = Int64(record.quietMilliseconds) * 1_000_000
        let rules = rules
        options.isExcluded = { rules.isExcluded($0, $1) }
        let watching = FolderWatching(disk, options: options, mailbox)
        isWatched = watching != nil
        return watching
    }
}
