import Multiformats
import SyncProtocol
import Synchronization
import TreeValues

@testable import SyncClient

/// Somebody who wants a pass to end after it has asked for that so many times.
final class StopSwitch: Sendable {
    private let left = Mutex<Int?>(nil)

    func set(after questions: Int?) { left.withLock { $0 = questions } }

    func shouldStop() -> Bool {
        left.withLock { left in
            guard let now = left else { return false }
            left = max(0, now - 1)
            return now == 0
        }
    }
}

/// A machine with a folder, which runs an engine until it is stopped.
final class SimulatedDevice {
    let name: String
    let disk: VirtualDisk
    let state: SimulatedState
    let server: SimulatedServer
    let clock: SimulatedClock
    /// By how much the machine's clock is ahead: nanoseconds. What it makes has its ids by that.
    let clockLead: Int64
    let random: SimulationRandom
    var options: SyncOptions
    private(set) var engine: SyncEngine?
    private let leaves = LeafCache()
    private(set) var events = EventLog()
    let stopping = StopSwitch()
    /// What was told of files on their way.
    let progress = ProgressLog()

    init(
        name: String, server: ModelServer, names: VirtualDisk.Names, canExchange: Bool,
        maximumUnnamed: Int = 0,
        clock: SimulatedClock, clockLead: Int64 = 0, random: SimulationRandom, batch: Int
    ) throws {
        self.name = name
        self.clock = clock
        self.clockLead = clockLead
        self.random = random
        disk = VirtualDisk(
            names: names, canExchange: canExchange, maximumUnnamed: maximumUnnamed,
            clock: { clock.now() + clockLead })
        let removals = RemovalLog()
        state = SimulatedState(root: server.root, disk: disk, epoch: { server.epoch }, removals: removals)
        self.server = SimulatedServer(
            server, device: name, random: random, pageSize: batch, removals: removals)
        options = SyncOptions(folderID: "folder", device: name)
        options.ignoresCaseLocally = disk.ignoresCase
        options.ignoresCaseRemotely = server.ignoresCase
        options.planBatch = batch
        options.commitBatch = batch
        options.fetchBatch = batch
        // Large files are small here, and some come in several pieces.
        options.resumedBytes = 0
        if batch == 2 { options.windowBytes = 4096 }
        state.whenGone = { [weak self] in self?.bringBack($0) }
        try startEngine().addFolder()
    }

    @discardableResult
    func startEngine() -> SyncEngine {
        if let engine { return engine }
        let (clock, clockLead, random, events) = (clock, clockLead, random, events)
        let wallClock: @Sendable () -> Int64 = { clock.now() + clockLead }
        var environment = SyncEnvironment(
            wallClock: wallClock, steadyClock: { clock.steady() }, random: { random.next() },
            parallelForEach: { count, body in for index in 0..<count { body(index) } },
            report: { events.add($0) })
        let stopping = stopping
        environment.shouldStop = { stopping.shouldStop() }
        environment.progress = { [progress] in progress.add($0) }
        var scanning = ScannerOptions()
        scanning.quietTime = 0
        scanning.ignoresCase = disk.ignoresCase || options.ignoresCaseRemotely
        scanning.isExcluded = options.isExcluded
        scanning.filesReadTogether = options.commitBatch
        let reader = ContentReader(fileSystem: disk, recent: RecentContents(limit: 100))
        let ids = SimulatedIDs()
        let scanner = FolderScanner(
            fileSystem: disk, state: state, content: reader, options: scanning,
            makeID: { ids.next(now: wallClock() / 1_000_000, random) },
            clock: wallClock)
        let engine = SyncEngine(
            state: state, disk: disk, server: server, scanner: scanner,
            content: SimulatedContent(reader: reader, cache: leaves),
            environment: environment, options: options)
        self.engine = engine
        return engine
    }

    /// Where somebody works on the server meanwhile: brings back what this device just learned to be gone, and
    /// the machine may stand before it has thought about that.
    private func bringBack(_ ids: Set<NodeID>) {
        guard server.isBusy, !random.oneIn(4) else { return }
        server.server.undelete(random, among: ids)
        if !random.oneIn(3) { state.crashIn = min(state.crashIn ?? .max, random.number(0...1)) }
    }

    /// Runs once; a machine that stands is started again with what was durable.
    func synchronize(_ scope: ScanScope? = .everything) throws {
        server.set(isAsked: try state.value(StateKey.heldRemovals) != nil)
        try run { try $0.synchronize(scope) }
        server.set(isAsked: false)
    }

    /// Has a person answer about removals that are held.
    ///
    /// - Returns: whether it came to an end, and both sides are equal.
    func answer(_ answer: RemovalAnswer) throws -> Bool {
        var count: Int?
        let isDone = try run { engine in
            do { count = try engine.answerRemovals(answer) } catch is SyncEngineError {}
        }
        guard isDone, count != nil, engine?.status.activity == .settled else { return false }
        state.checkpoint()
        return true
    }

    /// Whether power is cut when the machine stands; else the program is killed.
    var isPowerCut = true

    /// - Returns: whether it came to its end.
    @discardableResult
    private func run(_ body: (SyncEngine) throws -> Void) throws -> Bool {
        do {
            try body(startEngine())
        } catch is SimulatedState.Stopped {}
        guard disk.isCrashed else { return true }
        engine = nil
        disk.restart(random, isPowerCut: isPowerCut)
        state.restart(random, isPowerCut: isPowerCut)
        return false
    }

    /// Ends the engine, as a person does who stops the program.
    func stop() {
        engine = nil
        disk.endProcess()
        disk.crash(afterCalls: nil)
        state.crashIn = nil
    }

    /// What is in the folder, by path with NFC names; sync's own directory left out. Where names are bytes,
    /// two may be the same but for the Unicode form, until one of them gets another name.
    func tree() throws -> [String: Set<FolderEntry>] {
        try disk.asUser { disk throws(FileError) in try FolderEntry.tree(of: disk, below: "") }
    }

    /// What there is in the folder, by the names of the disk.
    var paths: [String] {
        let found = try? disk.asUser { disk throws(FileError) in
            var found: [String] = []
            var stack = [""]
            while let directory = stack.popLast() {
                for entry in try disk.list(directory) {
                    guard let name = entry.name, let status = entry.status else { continue }
                    if directory.isEmpty, name == SyncNames.ownDirectory { continue }
                    let path = directory.isEmpty ? name : directory + "/" + name
                    if status.kind == .directory { stack.append(path) }
                    found.append(status.kind == .directory ? path + "/" : path)
                }
            }
            return found
        }
        return (found ?? []).sorted()
    }

    /// The contents of the files in the folder.
    func files() throws -> Set<[UInt8]> {
        Set(
            try tree().values.joined().compactMap { entry in
                if case .file(let bytes) = entry { bytes } else { nil }
            })
    }

    /// Conflict copies that were one too many.
    func copiesInTrash() throws -> Set<[UInt8]> {
        let trash = try disk.asUser { disk throws(FileError) in
            try FolderEntry.tree(of: disk, below: OwnDirectory.trash)
        }
        var found: Set<[UInt8]> = []
        for (path, entries) in trash where ConflictName(FolderPath.name(of: path)) != nil {
            for case .file(let bytes) in entries { found.insert(bytes) }
        }
        return found
    }

    /// All contents on the disk, the trash and files in the making included.
    func contents() throws -> Set<[UInt8]> {
        try disk.asUser { disk throws(FileError) in
            var found: Set<[UInt8]> = []
            var stack = [""]
            while let directory = stack.popLast() {
                for entry in try disk.list(directory) {
                    guard let name = entry.name, let status = entry.status else { continue }
                    let path = directory.isEmpty ? name : directory + "/" + name
                    if status.kind == .directory {
                        stack.append(path)
                    } else if status.kind == .file {
                        found.insert(try disk.contents(of: path))
                    }
                }
            }
            return found
        }
    }
}

/// Ids as ``NodeIDGenerator`` makes them: they only grow, within a run.
final class SimulatedIDs: Sendable {
    private let last = Mutex(UInt128(0))

    /// - Parameter now: Unix milliseconds.
    func next(now: Int64, _ random: SimulationRandom) -> NodeID {
        let low = UInt128(random.next() >> 48) << 64 | UInt128(random.next())
        let step = UInt128(random.next() >> 32) + 1
        return last.withLock { last in
            let start = UInt128(UInt64(clamping: now) & 0xFFFF_FFFF_FFFF) << 80
            last = start > (last >> 80) << 80 ? start | low : last &+ step
            return NodeID(bits: last)
        }
    }
}

/// Something in a folder, as two devices compare it.
enum FolderEntry: Hashable {
    case directory
    case file([UInt8])
    case symlink(String)

    static func tree(of disk: VirtualDisk, below top: String) throws(FileError) -> [String: Set<FolderEntry>]
    {
        var found: [String: Set<FolderEntry>] = [:]
        var stack = [(top, "")]
        while let (directory, key) = stack.popLast() {
            for entry in try disk.list(directory) {
                guard let name = entry.name, let status = entry.status else { continue }
                if directory.isEmpty, name == SyncNames.ownDirectory { continue }
                let path = directory.isEmpty ? name : directory + "/" + name
                let below = key + (key.isEmpty ? "" : "/") + NameKey(name).text
                switch status.kind {
                case .directory:
                    found[below, default: []].insert(.directory)
                    stack.append((path, below))
                case .file: found[below, default: []].insert(.file(try disk.contents(of: path)))
                case .symlink: found[below, default: []].insert(.symlink(try disk.readLink(path)))
                case .other: break
                }
            }
        }
        return found
    }
}

/// A clock that jumps, and one that does not.
final class SimulatedClock: Sendable {
    private let time: Mutex<(wall: Int64, steady: Int64)>

    init() { time = Mutex((1_790_000_000_000_000_000, 0)) }

    /// Each look takes a millisecond.
    func now() -> Int64 {
        time.withLock { time in
            time.wall += 1_000_000
            return time.wall
        }
    }

    func steady() -> Int64 { time.withLock { $0.steady } }
    func advance(milliseconds: Int64) {
        time.withLock { time in
            time.wall += milliseconds * 1_000_000
            time.steady += milliseconds
        }
    }
    func jump(milliseconds: Int64) { time.withLock { $0.wall += milliseconds * 1_000_000 } }
}

/// The last events of a device.
final class EventLog: Sendable {
    private let events = Mutex<(last: [SyncEvent], count: Int)>(([], 0))

    func add(_ event: SyncEvent) {
        events.withLock { events in
            if events.last.count >= 500 { events.last.removeFirst(100) }
            events.last.append(event)
            events.count += 1
        }
    }

    var all: [SyncEvent] { events.withLock { $0.last } }
    /// How many there were, those that are not kept with them.
    var count: Int { events.withLock { $0.count } }
}

/// The last that was told of files on their way.
final class ProgressLog: Sendable {
    private let told = Mutex<[TransferProgress?]>([])

    func add(_ progress: TransferProgress?) {
        told.withLock { told in
            if told.count >= 500 { told.removeFirst(100) }
            told.append(progress)
        }
    }

    var all: [TransferProgress?] { told.withLock { $0 } }
}

/// Lists of leaves of files that were read or written.
final class LeafCache: Sendable {
    let lists = Mutex<[CID: [Leaf]]>([:])
}

struct SimulatedContent: ContentReading {
    let reader: ContentReader
    let cache: LeafCache

    func leaves(of root: CID, at path: String) throws(FileError) -> [Leaf]? {
        if let known = cachedLeaves(of: root) { return known }
        guard let content = try reader.read(path, keepingInline: false), content.root == root else {
            return nil
        }
        remember(content.leaves, of: root)
        return content.leaves
    }

    func cachedLeaves(of root: CID) -> [Leaf]? { cache.lists.withLock { $0[root] } }

    func takeContent(of root: CID) -> [UInt8]? { reader.takeContent(of: root) }

    func forgetContents() { reader.forgetContents() }

    func remember(_ leaves: [Leaf], of root: CID) {
        if leaves.count > 1 { cache.lists.withLock { $0[root] = leaves } }
    }
}
