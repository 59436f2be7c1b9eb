import CLinux
import Glibc
import Synchronization

/// An open directory; closed when the last reference goes.
final class DirectoryHandle: Sendable {
    let descriptor: Int32
    private let identity: FileIdentity

    init(descriptor: Int32) {
        self.descriptor = descriptor
        var status = stat()
        // What cannot be looked at is like nothing else, so that it is not taken for the same later.
        let isKnown = fstat(descriptor, &status) == 0
        identity = FileIdentity(
            device: isKnown ? UInt64(status.st_dev) : .max, inode: isKnown ? UInt64(status.st_ino) : .max)
    }

    deinit { close(descriptor) }

    /// Whether the directory is at a path, relative to another one.
    func isAt(_ path: String, below directory: Int32) -> Bool {
        var status = stat()
        guard fstatat(directory, path, &status, AT_SYMLINK_NOFOLLOW) == 0 else { return false }
        return identity == FileIdentity(device: UInt64(status.st_dev), inode: UInt64(status.st_ino))
    }

    func isSame(as other: DirectoryHandle) -> Bool { identity == other.identity }
}

/// How the way to a directory is walked: never through a symlink, never out of the folder, never into
/// another file system.
struct DirectoryOpener: Sendable {
    /// Whether the kernel may be asked to walk several names at once.
    let usesOpenat2: Bool

    /// Of `openat2`: RESOLVE_NO_XDEV | RESOLVE_NO_SYMLINKS | RESOLVE_BENEATH.
    private static let resolve: UInt64 = 0x01 | 0x04 | 0x08
    /// A system call takes 4096 bytes of path; deeper directories are reached in several steps.
    private static let maximumStepBytes = 2048

    /// - Parameter allowingOpenat2: false to walk name by name, as on old kernels.
    init(allowingOpenat2: Bool) {
        guard allowingOpenat2 else {
            usesOpenat2 = false
            return
        }
        // Absent before Linux 5.6, and forbidden by some containers.
        let descriptor = nacre_openat2(AT_FDCWD, ".", UInt64(O_RDONLY | O_DIRECTORY | O_CLOEXEC), 0)
        usesOpenat2 = descriptor >= 0
        if descriptor >= 0 { close(descriptor) }
    }

    /// Opens a directory for reading and as a place to start from.
    ///
    /// - Returns: the descriptor, or the system's error number.
    func open(_ path: String, below root: Int32) -> Result<Int32, SystemFailure> {
        guard !path.isEmpty else { return Self.step(openat(root, ".", Self.flags)) }
        var current: Int32 = -1
        var step = ""
        func enter() -> SystemFailure? {
            let from = current < 0 ? root : current
            let next = walk(step, from: from)
            if current >= 0 { close(current) }
            current = -1
            step = ""
            switch next {
            case .success(let descriptor): current = descriptor
            case .failure(let failure): return failure
            }
            return nil
        }
        for name in path.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false) {
            if !step.isEmpty, !usesOpenat2 || step.utf8.count + name.count > Self.maximumStepBytes {
                if let failure = enter() { return .failure(failure) }
            }
            if !step.isEmpty { step += "/" }
            step += Substring(name)
        }
        if let failure = enter() { return .failure(failure) }
        return .success(current)
    }

    private static let flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC

    private func walk(_ path: String, from directory: Int32) -> Result<Int32, SystemFailure> {
        guard usesOpenat2 else { return walkByName(path, from: directory) }
        // EAGAIN: something was renamed meanwhile, so that the kernel cannot vouch for the way.
        for _ in 0..<100 {
            let found = nacre_openat2(directory, path, UInt64(Self.flags), Self.resolve)
            if found >= 0 || (errno != EAGAIN && errno != EINTR) { return Self.step(found) }
        }
        return .failure(SystemFailure(code: EAGAIN))
    }

    /// One name, of which the kernel follows no symlink; that it is on the same file system is looked up.
    private func walkByName(_ name: String, from directory: Int32) -> Result<Int32, SystemFailure> {
        let found = openat(directory, name, Self.flags)
        guard found >= 0 else { return Self.step(found) }
        var (here, there) = (stat(), stat())
        guard fstat(directory, &here) == 0, fstat(found, &there) == 0, here.st_dev == there.st_dev else {
            close(found)
            return .failure(SystemFailure(code: EXDEV))
        }
        return .success(found)
    }

    private static func step(_ descriptor: Int32) -> Result<Int32, SystemFailure> {
        descriptor >= 0 ? .success(descriptor) : .failure(SystemFailure(code: errno))
    }
}

/// An error number of the system.
struct SystemFailure: Error {
    let code: Int32
}

/// Open directories that were just used, so that many calls for one directory walk to it once.
///
/// Each time it is looked up whether the directory is still the one at that path, which costs half of
/// walking there; that look may pass a symlink, and so an entry counts for a tenth of a second only. Those of
/// the client itself, which nobody else moves, count that long without a look.
final class DirectoryCache: Sendable {
    private struct Entry {
        let handle: DirectoryHandle
        /// By the monotonic clock: nanoseconds.
        let opened: Int64
        /// When it was looked up last, or opened.
        var seen: Int64
    }

    private static let own = SyncNames.ownDirectory + "/"
    /// The most descriptors that are kept.
    private static let capacity = 64
    /// Nanoseconds.
    private static let lifetime: Int64 = 100_000_000

    private let entries = Mutex<[ExactPath: Entry]>([:])

    /// - Parameter trust: so long after a look, nanoseconds, there is no other.
    func find(
        _ path: String, below root: DirectoryHandle, lookingAgainAfter trust: Int64 = 0
    ) -> DirectoryHandle? {
        let now = Self.now
        let key = ExactPath(path)
        let found: Entry? = entries.withLock { entries in
            guard let entry = entries[key], Self.counts(entry.opened, at: now) else { return nil }
            return entry
        }
        guard let found else { return nil }
        if now - found.seen < trust || path.utf8.starts(with: Self.own.utf8) { return found.handle }
        guard found.handle.isAt(path, below: root.descriptor) else { return nil }
        if trust > 0 {
            entries.withLock { entries in
                // Unless another thread has opened what is there now.
                if entries[key]?.handle === found.handle { entries[key]?.seen = now }
            }
        }
        return found.handle
    }

    func keep(_ handle: DirectoryHandle, _ path: String) {
        let now = Self.now
        entries.withLock { entries in
            if entries.count >= Self.capacity {
                entries = entries.filter { Self.counts($0.value.opened, at: now) }
                if entries.count >= Self.capacity { entries.removeAll(keepingCapacity: true) }
            }
            entries[ExactPath(path)] = Entry(handle: handle, opened: now, seen: now)
        }
    }

    /// Whether an entry still counts. Another thread may keep one between a look at the clock and the lock:
    /// that one is of the future, and as good as any.
    static func counts(_ opened: Int64, at now: Int64) -> Bool { now - opened < lifetime }

    func removeAll() { entries.withLock { $0.removeAll() } }

    private static var now: Int64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }
}
