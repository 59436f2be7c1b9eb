import CLinux
import Glibc
import Synchronization

/// Tells which paths of a folder changed, by inotify.
///
/// Every directory that takes part has a watch, of which the system gives a user a limited number; when
/// they run out, the watcher says so once, and the caller scans the folder from time to time. Events that
/// come faster than they are read are lost, which is said as well.
///
/// Owns the inotify descriptor and one to be woken with. One thread calls ``next(timeout:)``; ``stop()``
/// may be called by any. Memory: some 200 bytes a directory.
public final class FolderWatcher: Sendable {
    /// What happened.
    public enum Event: Hashable, Sendable {
        /// These paths, with what is below them.
        case changed([String])
        /// Anything: events were lost, or the folder itself was moved or unmounted.
        case everything
        /// There are no more watches: what happens in some directories is not seen any more. Said once.
        case degraded
        case timeout
        case stopped
    }

    /// Times are nanoseconds.
    public struct Options: Sendable {
        /// Paths are given out when nothing happened for so long; 50 ms suit a person who waits for it.
        public var quietTime: Int64 = 2_000_000_000
        /// Where something happens all the time, paths are given out after so long all the same.
        public var maximumDelay: Int64 = 10_000_000_000
        /// The most watches; fewer than the system allows leave some for other programs.
        public var maximumWatches = 1_000_000
        /// As in ``ScannerOptions/isExcluded``.
        public var isExcluded: (@Sendable (_ path: String, _ isDirectory: Bool) -> Bool)?

        public init() {}
    }

    private let inotify: Int32
    private let wake: Int32
    private let isStopped = Atomic(false)
    private let watches: Atomic<Int>
    private let state: Mutex<WatchState>

    /// Begins to watch. What changes after this is told.
    ///
    /// - Throws: `folderMissing`, or `system` if the system gives no inotify descriptor.
    public init(_ folder: DiskFolder, options: Options = Options()) throws(FileError) {
        let inotify = inotify_init1(Int32(IN_NONBLOCK | IN_CLOEXEC))
        guard inotify >= 0 else { throw FileError(errno, "") }
        let wake = eventfd(0, O_NONBLOCK | O_CLOEXEC)
        guard wake >= 0 else {
            let code = errno
            close(inotify)
            throw FileError(code, "")
        }
        var watching = WatchState(inotify: inotify, folder: folder, options: options)
        do throws(FileError) {
            try watching.start()
        } catch {
            close(inotify)
            close(wake)
            throw error
        }
        self.inotify = inotify
        self.wake = wake
        watches = Atomic(watching.tree.count)
        state = Mutex(watching)
    }

    deinit {
        close(inotify)
        close(wake)
    }

    /// How many directories are watched, as of the last events that were read.
    public var watchCount: Int { watches.load(ordering: .relaxed) }

    /// Wakes who waits; every further call says `stopped`.
    public func stop() {
        isStopped.store(true, ordering: .sequentiallyConsistent)
        var one: UInt64 = 1
        _ = write(wake, &one, 8)
    }

    /// Waits until something happened and it is quiet again.
    ///
    /// - Parameter timeout: nanoseconds.
    public func next(timeout: Int64) -> Event {
        state.withLock { state in
            let start = Self.now
            while true {
                if isStopped.load(ordering: .sequentiallyConsistent) { return .stopped }
                let event = state.takeEvent(now: Self.now)
                watches.store(state.tree.count, ordering: .relaxed)
                if let event { return event }
                let left = timeout - (Self.now - start)
                guard left > 0 else { return .timeout }
                if let quiet = state.timeUntilQuiet(now: Self.now) {
                    // What comes now only makes it later: many events are read at once, and whoever writes
                    // them does not wake this thread for each.
                    Self.sleep(min(left, quiet, Self.gatheringTime))
                    state.read(now: Self.now)
                } else if waitForInput(left) {
                    state.read(now: Self.now)
                }
            }
        }
    }

    /// The system keeps some 16,000 events: in this time, nanoseconds, hardly as many come.
    private static let gatheringTime: Int64 = 10_000_000

    private static func sleep(_ nanoseconds: Int64) {
        var time = timespec(
            tv_sec: Int(nanoseconds / 1_000_000_000), tv_nsec: Int(nanoseconds % 1_000_000_000))
        // A signal may cut it short: then it is read earlier.
        nanosleep(&time, nil)
    }

    /// Whether there is anything to read.
    private func waitForInput(_ nanoseconds: Int64) -> Bool {
        var descriptors = [
            pollfd(fd: inotify, events: Int16(POLLIN), revents: 0),
            pollfd(fd: wake, events: Int16(POLLIN), revents: 0),
        ]
        // Rounded up, so that a wait of less than a millisecond is not one of none.
        let milliseconds = min(Int64(Int32.max), nanoseconds / 1_000_000 + 1)
        let ready = poll(&descriptors, 2, Int32(milliseconds))
        return ready > 0 && descriptors[0].revents != 0
    }

    private static var now: Int64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }
}
