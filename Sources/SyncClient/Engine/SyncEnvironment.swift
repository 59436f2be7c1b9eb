import TreeValues

/// Runs a body for each number from 0 up to a count, on several threads, and returns when all are done.
///
/// The body waits for files and hashes: whoever gives this bounds the threads.
public typealias ParallelForEach = @Sendable (_ count: Int, _ body: @Sendable (Int) -> Void) -> Void

/// What a folder's engine takes from the machine: all that is not the same in each run.
public struct SyncEnvironment: Sendable {
    /// Nanoseconds since 1970; may jump. Names copies, stamps and trash, and orders nothing.
    public var wallClock: @Sendable () -> Int64
    /// Milliseconds since any moment; never goes back. Back-off is counted by it.
    public var steadyClock: @Sendable () -> Int64
    public var random: @Sendable () -> UInt64
    public var parallelForEach: ParallelForEach
    /// Begins something that waits for the network or the disk, so that something else can be done meanwhile;
    /// at once and to its end where nothing is said. The engine waits for it before it returns.
    public var start: @Sendable (_ body: @escaping @Sendable () -> Void) -> Void = { $0() }
    /// Whether a pass is to end at the next step at which nothing is lost by it: somebody wants the program to
    /// stop, or the folder to rest. Asked often, from one thread.
    public var shouldStop: @Sendable () -> Bool = { false }
    /// Is told, on the thread of the engine, how far a file is that is being sent or received, and, by `nil`, that
    /// something was done and no file is under way. Outside of transactions.
    public var progress: @Sendable (TransferProgress?) -> Void = { _ in }
    /// Is given what happens, for the log.
    public var report: @Sendable (SyncEvent) -> Void

    public init(
        wallClock: @escaping @Sendable () -> Int64, steadyClock: @escaping @Sendable () -> Int64,
        random: @escaping @Sendable () -> UInt64, parallelForEach: @escaping ParallelForEach,
        report: @escaping @Sendable (SyncEvent) -> Void = { _ in }
    ) {
        self.wallClock = wallClock
        self.steadyClock = steadyClock
        self.random = random
        self.parallelForEach = parallelForEach
        self.report = report
    }

    /// An id for a node or an operation: 48 bits of time, then random ones, as ``NodeIDGenerator`` makes
    /// them.
    func makeID() -> NodeID {
        let time = UInt128(UInt64(clamping: wallClock() / 1_000_000) & 0xFFFF_FFFF_FFFF) << 80
        return NodeID(bits: time | UInt128(random() & 0xFFFF) << 64 | UInt128(random()))
    }

    func randomName() -> String {
        let digits = String(random(), radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }
}

/// How a folder is synced.
public struct SyncOptions: Sendable {
    /// Stands in the marker `.nacre/folder`.
    public var folderID: String
    /// Stands in the names of conflict copies.
    public var device: String
    public var mode: SyncPolicy.Mode = .twoWay
    public var ignoresCaseLocally = false
    public var ignoresCaseRemotely = true
    /// See ``SyncPolicy/isExcluded``.
    public var isExcluded: (@Sendable (_ path: String, _ isDirectory: Bool) -> Bool)?
    /// Names the rules by which ``isExcluded`` decides at the moment. Where it says another text than the last
    /// time, what is excluded by then is followed no more.
    public var rulesFingerprint: (@Sendable () -> String)?
    /// Whether a person is asked before a large part of the folder is removed at once.
    public var guardsRemovals = true
    /// So many may be removed at once in any case: as many as the node lets a device remove.
    public var freeRemovals = 100
    /// Bytes that downloads leave free on the disk.
    public var minimumFreeBytes: Int64 = 0
    /// Nodes that are planned at once.
    public var planBatch = 8000
    /// Operations in a commit.
    public var commitBatch = 1000
    /// Files that are fetched between two barriers; while so many get their names, as many are made.
    public var fetchBatch = 2000
    /// Bytes of content of a batch in memory, in each direction.
    public var windowBytes = 16 * 1024 * 1024
    /// Of files of several leaves and at least so many bytes, what was received is used again after a run that
    /// ended in the middle: with smaller ones that would take longer than to receive them.
    public var resumedBytes: Int64 = 1024 * 1024
    /// Files up to this size are sent within the commit.
    public var inlineBytes: Int64 = 4096
    /// Bytes of small files that came within entries and are kept until they are written.
    public var inlineCacheBytes = 32 * 1024 * 1024

    public init(folderID: String, device: String) {
        self.folderID = folderID
        self.device = device
    }
}
