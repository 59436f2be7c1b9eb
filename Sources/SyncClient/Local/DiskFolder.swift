import CLinux
import Glibc
import Synchronization

/// A folder on a disk of this machine.
///
/// Everything happens relative to an open descriptor of the folder and of directories below it. No
/// component of a path is followed if it is a symlink, no other file system that is mounted below is
/// entered, and a path that leaves the folder is refused. The folder is opened anew four times a second at
/// most, and refused with `folderMissing` as soon as it is not there, or another file system is where it
/// was.
///
/// Descriptors: one of the folder, up to 64 of directories below, and those of ``UnnamedFiles``;
/// ``releaseDescriptors()`` lets them go, so that a disk at rest can be taken out. Thread-safe.
public final class DiskFolder: FolderFileSystem {
    /// The absolute path of the folder.
    public let path: String
    /// Names the file system that the folder is on, as well after a restart of the machine.
    public let volume: String

    private struct Root {
        var handle: DirectoryHandle?
        var checked: Int64 = 0
    }

    /// How long the folder is believed to be where it was: nanoseconds.
    private static let rootLifetime: Int64 = 250_000_000

    private let root = Mutex(Root())
    private let cache = DirectoryCache()
    private let opener: DirectoryOpener
    let offersRenameNoReplace: Bool
    /// Files in the making that have no name yet.
    let unnamed: UnnamedFiles

    /// What the kernel and the file system may be asked for; tests take things away.
    struct Abilities: Sendable {
        var openat2 = true
        var renameNoReplace = true
        var unnamedFiles = true
        var linksByDescriptor = true
    }

    /// Opens a folder.
    ///
    /// - Parameter volume: what ``volume`` was before; `nil` the first time.
    /// - Throws: `folderMissing` if there is no directory, or it is on another volume.
    public convenience init(_ path: String, volume: String? = nil) throws(FileError) {
        try self.init(path, volume: volume, abilities: Abilities())
    }

    init(_ path: String, volume: String?, abilities: Abilities) throws(FileError) {
        self.path = path
        opener = DirectoryOpener(allowingOpenat2: abilities.openat2)
        offersRenameNoReplace = abilities.renameNoReplace
        unnamed = UnnamedFiles(
            isOffered: abilities.unnamedFiles, linksByDescriptor: abilities.linksByDescriptor)
        guard let opened = Self.openFolder(path), volume == nil || volume == opened.volume else {
            throw .folderMissing
        }
        self.volume = opened.volume
        root.withLock { $0 = Root(handle: opened.handle, checked: Self.monotonicNanoseconds) }
    }

    /// Closes what is kept open between calls.
    public func releaseDescriptors() {
        root.withLock { $0.handle = nil }
        cache.removeAll()
        unnamed.removeAll()
    }

    private static func openFolder(_ path: String) -> (handle: DirectoryHandle, volume: String)? {
        let descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        let handle = DirectoryHandle(descriptor: descriptor)
        var status = CLinux.statfs()
        guard fstatfs(descriptor, &status) == 0 else { return nil }
        let low = UInt32(bitPattern: status.f_fsid.__val.0)
        let high = UInt32(bitPattern: status.f_fsid.__val.1)
        let parts = [UInt64(UInt(bitPattern: status.f_type)), UInt64(low), UInt64(high)]
        return (handle, parts.map { String($0, radix: 16) }.joined(separator: "-"))
    }

    /// The open folder.
    func rootHandle() throws(FileError) -> DirectoryHandle {
        let found: DirectoryHandle? = root.withLock { root in
            // Read within the lock: another thread may have looked since, and its look is not in the future.
            let now = Self.monotonicNanoseconds
            if let handle = root.handle, now - root.checked < Self.rootLifetime { return handle }
            guard let opened = Self.openFolder(path), opened.volume == volume else {
                root.handle = nil
                return nil
            }
            root = Root(handle: opened.handle, checked: now)
            return opened.handle
        }
        guard let found else {
            cache.removeAll()
            throw .folderMissing
        }
        return found
    }

    /// To be called before anything is said to be absent: a folder that was removed or unmounted a moment
    /// ago is empty as long as it is open.
    ///
    /// - Throws: `folderMissing` if the folder is not the one that `handle` is.
    func checkRoot(_ handle: DirectoryHandle) throws(FileError) {
        if handle.isAt(path, below: AT_FDCWD) { return }
        // The path may as well be a symlink to the folder.
        if let opened = Self.openFolder(path), opened.volume == volume, opened.handle.isSame(as: handle) {
            return
        }
        releaseDescriptors()
        throw .folderMissing
    }

    /// Opens a directory; not kept.
    func openDirectory(_ path: String) throws(FileError) -> DirectoryHandle {
        try Self.check(path)
        let root = try rootHandle()
        switch opener.open(path, below: root.descriptor) {
        case .success(let descriptor): return DirectoryHandle(descriptor: descriptor)
        case .failure(let failure): throw FileError(failure.code, path)
        }
    }

    /// The directory that `path` is in, kept for the next call, and the name in it.
    ///
    /// - Parameter trust: so long after it was looked up, nanoseconds, it is not looked up again.
    func parent(
        of path: String, lookingAgainAfter trust: Int64 = 0
    ) throws(FileError) -> (directory: DirectoryHandle, name: String) {
        try Self.check(path)
        guard !path.isEmpty else { return (try rootHandle(), ".") }
        guard let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")) else {
            return (try rootHandle(), path)
        }
        let directory = String(path[..<slash])
        let name = String(path[path.utf8.index(after: slash)...])
        // Before the cache, which knows nothing of a folder that went away.
        let root = try rootHandle()
        if let handle = cache.find(directory, below: root, lookingAgainAfter: trust) { return (handle, name) }
        switch opener.open(directory, below: root.descriptor) {
        case .success(let descriptor):
            let handle = DirectoryHandle(descriptor: descriptor)
            cache.keep(handle, directory)
            return (handle, name)
        case .failure(let failure): throw FileError(failure.code, path)
        }
    }

    /// Paths come from names that others chose: none may be empty, `.` or `..`, or contain a zero byte.
    private static func check(_ path: String) throws(FileError) {
        guard !path.isEmpty else { return }
        var (length, dots) = (0, 0)
        var isGood = true
        for byte in path.utf8 {
            if byte == UInt8(ascii: "/") {
                isGood = isGood && length > 0 && !(length == dots && length <= 2)
                (length, dots) = (0, 0)
            } else {
                isGood = isGood && byte != 0
                length += 1
                if byte == UInt8(ascii: ".") { dots += 1 }
            }
        }
        guard isGood, length > 0, !(length == dots && length <= 2) else { throw .system(path, code: EINVAL) }
    }

    private static var monotonicNanoseconds: Int64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }
}

extension FileError {
    /// What an error number of the system means for a path.
    init(_ code: Int32, _ path: String) {
        self =
            switch code {
            case ENOENT: .notFound(path)
            case EEXIST: .exists(path)
            case ENOTEMPTY: .notEmpty(path)
            // O_NOFOLLOW says ELOOP of a symlink.
            case ENOTDIR, ELOOP: .notDirectory(path)
            case EISDIR: .isDirectory(path)
            case EACCES, EPERM: .denied(path)
            case EROFS: .readOnly(path)
            case ENOSPC, EDQUOT: .noSpace(path)
            case ENAMETOOLONG: .nameTooLong(path)
            default: .system(path, code: code)
            }
    }
}
