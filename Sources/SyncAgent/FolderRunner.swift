import Dispatch
import Foundation
import Glibc
import Synchronization
public import SyncClient
import SyncProtocol
import TreeValues

/// Keeps one folder equal with its namespace, on threads of its own: one that works, one that waits for the
/// node, one that waits for the disk.
///
/// Proof of Sendable: everything that changes is in `Mutex`es and in the mailbox; the engine is touched by
/// the working thread alone.
public final class FolderRunner: @unchecked Sendable {
    public let record: FolderRecord
    private let home: AgentHome
    let server: NodeDialer
    private let device: String
    let mailbox = Mailbox()
    let report: Mutex<FolderReport>
    private let event: @Sendable (FolderRecord, SyncEvent) -> Void
    /// Where the journal was read up to after the last pass, how many passes there were, and whether one is
    /// under way.
    let position = Mutex<(cursor: SyncCursor?, passes: Int, isWorking: Bool)>((nil, 0, false))
    /// When both sides were equal last, by the steady clock.
    private let settled = Mutex<Int64?>(nil)
    private let finished = DispatchSemaphore(value: 0)
    /// What is on its way.
    private let meter = Mutex(TransferMeter())
    /// What is worked with; touched by the working thread alone, as its engine is.
    private var opened: OpenFolder?
    /// When what waits is counted next in the middle of a pass, and whether it was; when it is told next that
    /// something was moved. By the steady clock; touched by the working thread alone.
    private var nextCount: Int64 = 0
    private var hasCounted = false
    private var nextTelling: Int64 = 0
    /// Is told how a folder is in the middle of a pass, on the working thread.
    private let progress: (@Sendable (FolderReport) -> Void)?
    /// What reads ahead, while the folder is open.
    let ahead = Mutex<FolderPrefetching?>(nil)

    /// - Parameters:
    ///   - progress: is told now and then, in the middle of a pass, how the folder is, on the working thread.
    ///   - event: is told what happens, on the working thread.
    public init(
        _ record: FolderRecord, home: AgentHome, device: String,
        dial: @escaping @Sendable () throws -> HTTPSyncServer.Options,
        progress: (@Sendable (FolderReport) -> Void)? = nil,
        event: @escaping @Sendable (FolderRecord, SyncEvent) -> Void
    ) {
        self.record = record
        self.home = home
        self.device = device
        self.event = event
        self.progress = progress
        server = NodeDialer(
            namespace: record.namespace, device: device, deviceName: try? home.deviceName(),
            uploadLimit: record.uploadLimit, downloadLimit: record.downloadLimit,
            shouldStop: { [mailbox] in mailbox.isInterrupting }, dial: dial)
        report = Mutex(FolderReport(record))
    }

    /// The state of the folder at this moment.
    public var status: FolderReport {
        var now = report.withLock { $0 }
        now.transfer = meter.withLock { $0.transfer }
        now.settledAgo = settled.withLock { $0 }.map { MachineClock.steadyMilliseconds() - $0 }
        if let counters = ahead.withLock({ $0 })?.counters {
            now.counters.prefetchedBlocks = counters.blocks
            now.counters.prefetchedBytes = counters.bytes
            now.counters.prefetchedBytesUsed = counters.bytesUsed
        }
        return now
    }

    /// Begins to work, until ``stop()``.
    public func start() {
        report.withLock { if $0.state == "not-running" { $0.state = "starting" } }
        thread("nacre-folder") { [self] in
            // What cannot be opened is tried again: the disk may be mounted by then. A loop, since a disk may
            // be away for weeks.
            while !run(isOnce: false, { try work($0) }) {
                if mailbox.take(waiting: 10_000).isStopping { break }
            }
            finished.signal()
        }
        thread("nacre-wait") { [self] in waitForNode() }
    }

    private func thread(_ name: String, _ body: @escaping @Sendable () -> Void) {
        let thread = Thread(block: body)
        thread.name = name
        thread.stackSize = 4 << 20
        thread.start()
    }

    /// Works until there is nothing more to do at once, on this thread.
    ///
    /// - Returns: the state of the folder then.
    public func runOnce() -> FolderReport {
        run { [self] folder in
            begin()
            defer { end() }
            try work(once: folder)
            switch folder.engine.status.activity {
            // It is told to people, and nothing depends on it.
            case .settled, .waiting, .working: try? checkClock()
            case .offline, .folderMissing, .stopped: break
            }
        }
        server.close()
        return status
    }

    /// Does what a person decided, on this thread: see ``SyncEngine/decide(for:)`` and
    /// ``SyncEngine/answerRemovals(_:)``.
    ///
    /// - Returns: the state of the folder then, with the decision.
    public func runOnce(deciding choice: FolderChoice) -> FolderReport {
        run { [self] folder in
            begin()
            defer { end() }
            try decide(choice, id: "", in: folder)
        }
        server.close()
        return status
    }

    /// Says that the folder, which nobody else has, is worked with in a process that cannot be asked.
    private func begin() {
        report.withLock { report in
            report.run = .init(process: getpid(), began: MachineClock.wallNanoseconds() / 1_000_000)
            report.state = "working"
        }
        home.setRun(status, of: record)
    }

    private func end() {
        report.withLock { $0.run = nil }
        home.setRun(nil, of: record)
    }

    /// Ends at the next step; returns when it has.
    public func stop() {
        mailbox.stop()
        server.close()
        finished.wait()
    }

    func send(_ command: FolderCommand) { mailbox.send(command) }

    // MARK: Working

    /// - Returns: whether it came to its end; not if the folder could not be opened or its state used.
    @discardableResult
    private func run(isOnce: Bool = true, _ body: (OpenFolder) throws -> Void) -> Bool {
        var isOurs = true
        // What another process does with it is told by that one.
        defer { if isOurs { home.setLastRun(status, of: record) } }
        do {
            let folder = try OpenFolder(
                record, home: home, device: device, server: server, isOnce: isOnce,
                shouldStop: { [mailbox] in mailbox.isInterrupting },
                progress: { [weak self] in self?.noteProgress($0) }
            ) { [record, event] in event(record, $0) }
            opened = folder
            defer {
                opened = nil
                folder.close()
            }
            try body(folder)
            return true
        } catch let error as FileError where error == .folderMissing {
            report.withLock { report in
                report.state = "missing"
                report.detail = error.description
            }
        } catch {
            if case SyncStateError.inUse = error { isOurs = false }
            report.withLock { report in
                report.state = "stopped"
                report.detail = String(describing: error)
            }
        }
        return false
    }

    private func work(once folder: OpenFolder) throws {
        // What was written meanwhile, and what is to be tried again at once.
        for round in 0..<20 where !mailbox.isStopping {
            try pass(folder, round == 0 ? .everything : folder.nextScope())
            let status = folder.engine.status
            guard status.activity != .settled || folder.hasBusyFiles else { return }
            switch status.activity {
            case .settled, .waiting, .working: break
            case .offline, .folderMissing, .stopped: return
            }
            guard folder.hasBusyFiles || folder.hasItemsToRetry(within: 2000) else { return }
            _ = mailbox.take(waiting: min(folder.delay, 2000))
        }
    }

    private func work(_ folder: OpenFolder) throws {
        var isPaused = record.isPaused
        var scope: ScanScope? = .everything
        var backOff: Int64 = 1000
        var watching = folder.watch(mailbox)
        defer { watching?.stop() }
        let prefetching = folder.readAhead(server)
        ahead.withLock { $0 = prefetching }
        defer {
            ahead.withLock { $0 = nil }
            prefetching?.stop()
        }
        while !mailbox.isStopping {
            if !isPaused {
                try pass(folder, scope)
                if folder.isWatchStale {
                    watching?.stop()
                    watching = folder.watch(mailbox)
                    // What happened until then was not told.
                    mailbox.noteChanges(nil)
                }
                folder.emptyTrash()
                if case .offline = folder.engine.status.activity {
                    backOff = min(backOff * 2, 60_000)
                } else {
                    backOff = 1000
                }
                report.withLock { $0.watchDegraded = watching?.problem }
            }
            let isOffline = if case .offline = folder.engine.status.activity { true } else { false }
            let delay = isPaused ? 3_600_000 : isOffline ? backOff : folder.delay
            let mail = nextMail(for: folder, within: delay, atOnce: isPaused)
            scope = folder.scope(for: mail)
            for command in mail.commands {
                try obey(command, in: folder, &isPaused, &scope)
            }
        }
    }

    /// - Parameter scope: what is to be scanned next; `nil` for nothing.
    private func obey(
        _ command: FolderCommand, in folder: OpenFolder, _ isPaused: inout Bool, _ scope: inout ScanScope?
    ) throws {
        let prefetching = ahead.withLock { $0 }
        switch command {
        case .pause:
            isPaused = true
            prefetching?.hold()
            report.withLock { ($0.state, $0.detail) = ("paused", nil) }
        case .resume:
            isPaused = false
            folder.noteAbsence()
            scope = .everything
            folder.engine.retryNow()
        case .rescan:
            scope = .everything
            folder.engine.retryNow()
        case .take(let paths):
            guard !isPaused else { return }
            try pass { try folder.synchronize(finished: paths) }
            try note(folder)
        case .mayWrite(let mayWrite):
            folder.engine.setMayWrite(mayWrite)
            scope = scope ?? .paths([])
        case .decide(let choice, let id):
            guard !isPaused else {
                let refusal = "the folder is paused: resume it first"
                return report.withLock { $0.decision = .init(id: id, refusal: refusal) }
            }
            prefetching?.hold()
            if choice == .revert || choice == .override { try waitForQuiet(folder) }
            try decide(choice, id: id, in: folder)
        }
    }

    /// What was written a moment ago is changed as well.
    private func waitForQuiet(_ folder: OpenFolder) throws {
        for _ in 0..<100 where !mailbox.isStopping {
            try folder.engine.synchronize(.everything)
            guard folder.isUnquiet else { return }
            Thread.sleep(forTimeInterval: 0.1)
        }
    }

    private func decide(_ choice: FolderChoice, id: String, in folder: OpenFolder) throws {
        var decision = FolderReport.Decision(id: id)
        let before = FolderReport.Counters(folder.engine.status.counters)
        report.withLock { $0.state = "working" }
        do {
            switch choice {
            case .revert: try folder.engine.decide(for: .node)
            case .override: try folder.engine.decide(for: .folder)
            case .confirm: decision.removals = try folder.engine.answerRemovals(.agree)
            case .decline: decision.removals = try folder.engine.answerRemovals(.decline)
            }
        } catch let error as SyncEngineError {
            decision.refusal = error.description
        }
        decision.counters = FolderReport.Counters(folder.engine.status.counters).since(before)
        try note(folder)
        report.withLock { $0.decision = decision }
    }

    private func pass(_ folder: OpenFolder, _ scope: ScanScope?) throws {
        report.withLock { if $0.state != "settled" || scope != nil { $0.state = "working" } }
        try pass { try folder.synchronize(scope) }
        try note(folder)
    }

    private func pass(_ body: () throws -> Void) throws {
        position.withLock { $0.isWorking = true }
        defer {
            position.withLock { $0.isWorking = false }
            meter.withLock { $0.note(nil, now: 0) }
        }
        (nextCount, hasCounted) = (MachineClock.steadyMilliseconds() + Self.countInterval, false)
        ahead.withLock { $0 }?.hold()
        try body()
    }

    /// How often what waits is counted in the middle of a pass, and how often it is told how far it is, at most:
    /// milliseconds.
    private static let countInterval: Int64 = 1000
    private static let tellingInterval: Int64 = 250
    private static let largeBytes: Int64 = 1024 * 1024

    /// Takes over into the report how a folder is in the middle of a pass.
    private func noteProgress(_ progress: TransferProgress?) {
        let now = MachineClock.steadyMilliseconds()
        meter.withLock { $0.note(progress, now: now) }
        guard let folder = opened else { return }
        let counters = FolderReport.Counters(folder.engine.status.counters)
        report.withLock { ($0.state, $0.counters) = ("working", counters) }
        // A large file is one that people look for at once.
        let isLarge = (progress?.bytesTotal ?? 0) >= Self.largeBytes
        if now >= nextCount || isLarge && !hasCounted {
            hasCounted = true
            // What cannot be counted now is after the pass.
            let items = try? folder.countOpen(now: now)
            let pending = folder.engine.status.pending
            report.withLock { report in
                report.pending = pending
                if let items { report.items = items }
                report.moreItems = pending > report.items.count ? pending - report.items.count : nil
            }
            // Of a large folder that takes a while: a twentieth of the time at most.
            let spent = MachineClock.steadyMilliseconds() - now
            nextCount = now + max(Self.countInterval, 20 * spent)
        }
        guard now >= nextTelling else { return }
        nextTelling = now + Self.tellingInterval
        let status = status
        if status.run != nil { home.setRun(status, of: record) }
        self.progress?(status)
    }

    /// Takes over into the report how a folder is after a pass.
    private func note(_ folder: OpenFolder) throws {
        let cursor = try folder.cursor()
        switch folder.engine.status.activity {
        case .settled, .waiting, .working: ahead.withLock { $0 }?.goOn(after: cursor)
        case .offline, .folderMissing, .stopped: break
        }
        let now = MachineClock.steadyMilliseconds()
        let items = try folder.openItems(now: now)
        let conflicts = try folder.openConflicts()
        report.withLock { report in
            report.update(from: folder, items)
            report.conflicts = conflicts
        }
        // It is told to people, and nothing depends on it.
        try? folder.keepItems(items)
        if folder.engine.status.activity == .settled { settled.withLock { $0 = now } }
        position.withLock { $0 = (cursor, $0.passes + 1, false) }
    }
}
