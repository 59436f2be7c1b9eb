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

    private let state: Mutex<State>
    private let budget: DescriptorBudget

    /// - Parameter budget: shared by all folders of the process.
    init(isOffered: Bool, budget: DescriptorBudget = .process) {
        self.budget = budget
        state = Mutex(State(isOffered: isOffered))
    }

    deinit { removeAll() }

    /// Opens a new file that has no name.
    ///
    /// - Returns: a descriptor for writing, for ``keep(_:_:)`` or ``discard(_:)``; `nil` where the file system
    ///   has no such files, or too many are open.
    func open(in directory: Int32) -> Int32? {
        guard state.withLock({ $0.isOffered }), budget.take() else { return nil }
        let descriptor = openat(directory, ".", O_WRONLY | Self.withoutName | O_CLOEXEC, 0o666)
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
    static func link(_ descriptor: Int32, _ directory: Int32, _ name: String) -> Int32 {
        let result = linkat(AT_FDCWD, "/proc/self/fd/\(descriptor)", directory, name, AT_SYMLINK_FOLLOW)
        return result == 0 ? 0 : errno
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
        let code = UnnamedFiles.link(descriptor, directory.descriptor, name)
        guard code == 0 else {
            unnamed.note(code)
            throw FileError(code, path)
        }
    }

    /// Puts a file that has no name in its place.
    ///
    /// - Returns: whether there was one of that path.
    func place(_ source: String, at destination: String) throws(FileError) -> Bool {
        guard let descriptor = unnamed.take(source) else { return false }
        defer { close(descriptor) }
        let (directory, name) = try parent(of: destination)
        let code = UnnamedFiles.link(descriptor, directory.descriptor, name)
        if code == 0 { return true }
        unnamed.note(code)
        throw FileError(code, destination)
    }
}
