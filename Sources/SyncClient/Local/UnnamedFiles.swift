import CLinux
import Glibc
import Synchronization

/// Files in the making that the system has under no name: they get their first one when they are in place.
///
/// Making a file in one directory and moving it to another takes the system twice as long as making it where it
/// is to be, and both directories are locked for it; one without a name is put in place by a single entry, and
/// if the machine stops before, nothing of it is left. To the outside such a file is at the path under which it
/// was made: whatever is to be done with it there but to rename or to remove it gives it that name first.
///
/// Thread-safe.
final class UnnamedFiles: Sendable {
    private struct State {
        var isOffered: Bool
        var descriptors: [String: Int32] = [:]
    }

    /// O_TMPFILE, which Glibc hides from Swift.
    private static let withoutName = 0o20_000_000 | O_DIRECTORY
    /// AT_EMPTY_PATH, which it hides as well.
    private static let emptyPath: Int32 = 0x1000

    private let state: Mutex<State>
    private let budget: DescriptorBudget
    /// Whether a file is given a name by its descriptor alone, without a walk through /proc: from Linux 6.10 on
    /// for whoever opened it, before that for the system's administrator.
    private let linksByDescriptor: Atomic<Bool>

    /// - Parameter budget: shared by all folders of the process.
    init(isOffered: Bool, linksByDescriptor: Bool = true, budget: DescriptorBudget = .process) {
        self.budget = budget
        state = Mutex(State(isOffered: isOffered))
        self.linksByDescriptor = Atomic(linksByDescriptor)
    }

    deinit { removeAll() }

    /// Opens a new file that has no name.
    ///
    /// - Parameter mode: its permissions, as far as the system's mask leaves them.
    /// - Returns: a descriptor for writing, for ``keep(_:_:)`` or ``discard(_:)``; `nil` where the file system
    ///   has no such files, or too many are open.
    func open(in directory: Int32, mode: UInt32 = 0o666) -> Int32? {
        guard state.withLock({ $0.isOffered }), budget.take() else { return nil }
        let descriptor = openat(directory, ".", O_WRONLY | Self.withoutName | O_CLOEXEC, mode)
        if descriptor >= 0 { return descriptor }
        let code = errno
        budget.give(1)
        // What the disk has to say of room or rights is said of the named file as well.
        if [EOPNOTSUPP, EISDIR, EINVAL, ENOENT].contains(code) { state.withLock { $0.isOffered = false } }
        return nil
    }

    /// From here on the file counts as being at that path.
    func keep(_ descriptor: Int32, _ path: String) {
        let old = state.withLock { $0.descriptors.updateValue(descriptor, forKey: path) }
        if let old { discard(old) }
    }

    /// Lets a file go that was opened and is not kept.
    func discard(_ descriptor: Int32) {
        close(descriptor)
        budget.give(1)
    }

    /// The file that was made under a path; whoever takes it closes it soon.
    func take(_ path: String) -> Int32? {
        let descriptor = state.withLock { $0.descriptors.removeValue(forKey: path) }
        if descriptor != nil { budget.give(1) }
        return descriptor
    }

    /// Makes one durable; `false` if there is none of that path.
    func synchronize(_ path: String) throws(FileError) -> Bool {
        guard let descriptor = state.withLock({ $0.descriptors.removeValue(forKey: path) }) else {
            return false
        }
        defer { keep(descriptor, path) }
        guard fsync(descriptor) == 0 else { throw FileError(errno, path) }
        return true
    }

    /// Gives a file a name, unless something has it.
    ///
    /// - Returns: 0 or the number of the error.
    func link(_ descriptor: Int32, _ directory: Int32, _ name: String) -> Int32 {
        if linksByDescriptor.load(ordering: .relaxed) {
            if linkat(descriptor, "", directory, name, Self.emptyPath) == 0 { return 0 }
            // Older systems say ENOENT, as of a directory that is gone; what confines a process, anything.
            guard [ENOENT, EPERM, EACCES, EINVAL].contains(errno) else { return errno }
        }
        let result = linkat(AT_FDCWD, "/proc/self/fd/\(descriptor)", directory, name, AT_SYMLINK_FOLLOW)
        guard result == 0 else { return errno }
        linksByDescriptor.store(false, ordering: .relaxed)
        return 0
    }

    /// After an error of ``link(_:_:_:)``: whether files without a name can be put in place here at all. If
    /// not, files are made under names from now on.
    func note(_ code: Int32) {
        let isForGood = [EXDEV, EPERM, EOPNOTSUPP, EINVAL].contains(code)
        guard isForGood || (code == ENOENT && access("/proc/self/fd", F_OK) != 0) else { return }
        state.withLock { $0.isOffered = false }
    }

    /// Lets all of them go.
    func removeAll() {
        let all = state.withLock { state in
            defer { state.descriptors.removeAll() }
            return Array(state.descriptors.values)
        }
        for descriptor in all { close(descriptor) }
        budget.give(all.count)
    }
}

/// How many files in the making may be open: descriptors are the process's, however many folders it has.
final class DescriptorBudget: Sendable {
    /// A part of what the process may have open when it is asked for first.
    static let process: DescriptorBudget = {
        var limit = rlimit()
        let isKnown = getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0
        return DescriptorBudget(isKnown ? min(4096, Int(clamping: limit.rlim_cur / 4)) : 0)
    }()

    private let left: Mutex<Int>

    init(_ count: Int) { left = Mutex(count) }

    /// - Returns: whether one was left.
    func take() -> Bool {
        left.withLock { left in
            guard left > 0 else { return false }
            left -= 1
            return true
        }
    }

    func give(_ count: Int) { left.withLock { $0 += count } }
}

extension DiskFolder {
    /// Gives a file that has none the name under which it was made.
    func name(_ path: String) throws(FileError) {
        guard let descriptor = unnamed.take(path) else { return }
        defer { close(descriptor) }
        let (directory, name) = try parent(of: path)
        let code = unnamed.link(descriptor, directory.descriptor, name)
        guard code == 0 else {
            unnamed.note(code)
            throw FileError(code, path)
        }
    }

    /// Puts a file that has no name in its place.
    ///
    /// - Parameter body: is given the descriptor once it has its name.
    /// - Returns: what `body` does; `nil` if there is no file of that path.
    func placeUnnamed<Result>(
        _ source: String, at destination: String, _ body: (Int32) -> Result
    ) throws(FileError) -> Result? {
        guard let descriptor = unnamed.take(source) else { return nil }
        defer { close(descriptor) }
        let (directory, name) = try parent(of: destination, lookingAgainAfter: Self.placingTime)
        let code = unnamed.link(descriptor, directory.descriptor, name)
        if code == 0 { return body(descriptor) }
        unnamed.note(code)
        throw FileError(code, destination)
    }

    /// Many files are put into one directory one after the other: so long, nanoseconds, it is believed to be
    /// where it was. Whoever moves it in that time moves what is put into it as well, as between any look and
    /// the call after it, and the next scan finds it by its inode.
    private static let placingTime: Int64 = 5_000_000
}
