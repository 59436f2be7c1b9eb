import Dispatch

/// How a folder is scanned. Times are nanoseconds.
public struct ScannerOptions: Sendable {
    /// A file is read when nothing has touched it for so long. 50 ms suit a person who waits for it.
    public var quietTime: Int64 = 2_000_000_000
    /// A file that is touched all the time is read after so long all the same.
    public var maximumBusyTime: Int64 = 60_000_000_000
    /// Paths that somebody changed in one step and is done with: what is there is read at once, and what is
    /// gone is gone. May be set for one scan.
    package var finished = PathSet()
    /// What is gone from the disk stays in the tree for so long, so that it can turn up elsewhere: 5 s
    /// where a watcher reports; 0 where scans are of everything.
    public var deletionHold: Int64 = 0
    /// Whether the file system or the namespace takes names that differ by case only for one: then what appears
    /// under such a name where another one is gone is the same node.
    public var ignoresCase = false
    /// Whether a path is ignored, or not among those that are selected; with whether it is a directory.
    /// What is below one that is excluded is not asked for.
    public var isExcluded: (@Sendable (_ path: String, _ isDirectory: Bool) -> Bool)?
    /// New and changed files that are listed before they are read and written into the tree.
    public var filesReadTogether = 1024
    /// Does work `0..<count`, several at a time where it can, and returns when all is done.
    public var forEach: @Sendable (_ count: Int, _ work: @Sendable (Int) -> Void) -> Void = ScannerOptions
        .inOrder

    public init() {}

    /// One after the other.
    public static let inOrder: @Sendable (Int, @Sendable (Int) -> Void) -> Void = { count, work in
        for index in 0..<count { work(index) }
    }

    /// On as many threads as the machine has cores.
    public static let onAllCores: @Sendable (Int, @Sendable (Int) -> Void) -> Void = { count, work in
        DispatchQueue.concurrentPerform(iterations: count) { work($0) }
    }

    /// A file that was touched within so long before it was looked at may be touched again without a trace.
    static let racyTime: Int64 = 2_000_000_000
    /// The most problems, and the most busy files, of a report.
    package static let maximumListed = 1000
}
