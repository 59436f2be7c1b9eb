import SyncProtocol

/// The system calls that sync makes below the folder: the disk's, or a simulated one's.
///
/// Paths are relative to the folder, `/` between names, empty for the folder itself; names are the bytes on
/// the disk as valid UTF-8 (others are reported and left alone). No call follows a symlink. Synchronous and
/// thread-safe.
public protocol FolderFileSystem: Sendable {
    /// The entries of a directory with what `lstat` says of them, in no particular order.
    func list(_ directory: String) throws(FileError) -> [FileEntry]
    /// `nil` if nothing is there.
    func status(_ path: String) throws(FileError) -> FileStatus?
    /// What a symlink says.
    func readLink(_ path: String) throws(FileError) -> String
    /// Reads up to `buffer.count` bytes at an offset; less only at the end.
    func read(_ path: String, at offset: Int64, into buffer: UnsafeMutableRawBufferPointer)
        throws(FileError) -> Int

    /// Makes an empty directory, which must not be there.
    func makeDirectory(_ path: String) throws(FileError)
    /// Makes a symlink, which must not be there; the target is any text.
    func makeSymlink(_ path: String, target: String) throws(FileError)
    /// Makes an empty file, which must not be there.
    func create(_ path: String) throws(FileError)
    /// Makes a file, which must not be there, with all that it is to hold.
    ///
    /// - Parameter modified: nanoseconds since 1970.
    func create(
        _ path: String, _ content: UnsafeRawBufferPointer, modified: Int64?, mode: UInt32?
    ) throws(FileError)
    func write(_ bytes: UnsafeRawBufferPointer, to path: String, at offset: Int64) throws(FileError)
    /// Copies bytes of one file to another, by reference where the file system can.
    func copy(
        _ source: String, at sourceOffset: Int64, to path: String, at offset: Int64, count: Int64
    ) throws(FileError)
    /// Makes the content of a file durable.
    func synchronize(file path: String) throws(FileError)
    /// Makes the entries of a directory durable.
    func synchronize(directory path: String) throws(FileError)
    /// Makes everything durable that was written below the folder: one barrier for many small files.
    func synchronizeAll() throws(FileError)
    /// Renames. With `replacing` false it fails with `exists` rather than replace anything.
    func rename(_ source: String, to destination: String, replacing: Bool) throws(FileError)
    /// Gives a file in the making its name, and says what is there then.
    ///
    /// - Returns: what the disk says of the file at that name; `nil` if it has its name, and the disk says
    ///   nothing.
    /// - Throws: as ``rename(_:to:replacing:)`` with `replacing` false.
    func place(_ source: String, at destination: String) throws(FileError) -> FileStatus?
    /// Gives each of two files the other's name, in one step.
    ///
    /// - Throws: `system` with the number of "not supported" where the file system cannot; the caller then
    ///   makes do with two renames.
    func exchange(_ first: String, _ second: String) throws(FileError)
    /// Removes anything but a directory.
    func removeFile(_ path: String) throws(FileError)
    /// Fails with `notEmpty` unless it is empty.
    func removeDirectory(_ path: String) throws(FileError)
    /// - Parameter modified: nanoseconds since 1970.
    func setAttributes(_ path: String, modified: Int64?, mode: UInt32?) throws(FileError)
    /// Bytes that are free; 0 also where there is no room for another file.
    func freeBytes() throws(FileError) -> Int64
}

extension FolderFileSystem {
    public func create(
        _ path: String, _ content: UnsafeRawBufferPointer, modified: Int64?, mode: UInt32?
    ) throws(FileError) {
        try create(path)
        if !content.isEmpty { try write(content, to: path, at: 0) }
        try setAttributes(path, modified: modified, mode: mode)
    }

    public func place(_ source: String, at destination: String) throws(FileError) -> FileStatus? {
        try placeByRename(source, at: destination)
    }

    /// ``place(_:at:)`` of a file that has a name already.
    func placeByRename(_ source: String, at destination: String) throws(FileError) -> FileStatus? {
        try rename(source, to: destination, replacing: false)
        do throws(FileError) {
            return try status(destination)
        } catch {
            if case .folderMissing = error { throw error }
            // It is there, under its name.
            return nil
        }
    }

    public func exchange(_ first: String, _ second: String) throws(FileError) {
        throw .system(first, code: FileError.notSupported)
    }
}

/// What `lstat` says.
public struct FileStatus: Hashable, Sendable {
    /// What it is.
    public enum Kind: Hashable, Sendable { case file, directory, symlink, other }

    public var kind: Kind
    public var identity: FileIdentity
    public var size: Int64
    /// Nanoseconds since 1970.
    public var modified: Int64
    /// Nanoseconds since 1970.
    public var changed: Int64
    /// Permission bits.
    public var mode: UInt32
    /// How many names a file has, in the folder or elsewhere: more than one are hard links.
    public var links: Int

    public init(
        kind: Kind, identity: FileIdentity, size: Int64, modified: Int64, changed: Int64, mode: UInt32,
        links: Int = 1
    ) {
        self.kind = kind
        self.identity = identity
        self.size = size
        self.modified = modified
        self.changed = changed
        self.mode = mode
        self.links = links
    }
}

/// An entry of a directory.
public struct FileEntry: Hashable, Sendable {
    /// `nil` if the name is not UTF-8.
    public var name: String?
    /// `nil` if the entry went away, or may not be looked at.
    public var status: FileStatus?

    public init(name: String?, status: FileStatus?) {
        self.name = name
        self.status = status
    }
}

/// Why a call failed.
public enum FileError: Error, Hashable, Sendable {
    case notFound(String)
    case exists(String)
    case notEmpty(String)
    case notDirectory(String)
    case isDirectory(String)
    case denied(String)
    case readOnly(String)
    case noSpace(String)
    case nameTooLong(String)
    /// The folder itself is not there, or another file system is where it was.
    case folderMissing
    /// Anything else, by the system's number.
    case system(String, code: Int32)

    /// `ENOSYS`: what a file system cannot do.
    public static let notSupported: Int32 = 38
    /// EILSEQ, of a directory with a name that is not UTF-8; ENOMSG, which no file system says, of a symlink
    /// to what is not; EOPNOTSUPP, of a pipe, a socket or a device.
    static let notText: Int32 = 84
    static let targetNotText: Int32 = 42
    static let special: Int32 = 95

    /// Whether it is of something that no folder syncs, and that nobody has to do anything about.
    public var isOfSpecialFile: Bool { if case .system(_, Self.special) = self { true } else { false } }
}

extension FileError: CustomStringConvertible {
    /// Whether a path is sync's own, which says nothing to a person: files are made there.
    private static func isOwn(_ path: String) -> Bool {
        path == SyncNames.ownDirectory || FolderPath.isBelow(path, SyncNames.ownDirectory)
    }

    public var description: String {
        switch self {
        case .notFound(let path): "`\(path)` is not there"
        case .exists(let path): "`\(path)` is there already"
        case .notEmpty(let path): "the directory `\(path)` is not empty"
        case .notDirectory(let path): "`\(path)` is no directory"
        case .isDirectory(let path): "`\(path)` is a directory"
        case .denied(let path) where Self.isOwn(path):
            "this user may not write into the folder, or into its `.nacre`: give it the permission; it goes on by "
                + "itself then"
        case .readOnly(let path) where Self.isOwn(path): "the folder is on a read-only file system"
        case .denied(let path): "`\(path)` may not be used: give this user the permission"
        case .readOnly(let path): "`\(path)` is on a read-only file system"
        case .noSpace(let path): "there is no space left for `\(path)`: free some; it goes on by itself then"
        case .nameTooLong(let path): "the path `\(path)` is too long for this file system"
        case .folderMissing: "the folder is not there, or not mounted; nothing is done until it is"
        case .system(let path, Self.notText):
            "a name in \(path.isEmpty ? "the folder" : "`\(path)`") is not text (UTF-8): what has it is not "
                + "synced until it is renamed; `ls -b` shows it"
        case .system(let path, Self.targetNotText):
            "where `\(path)` leads to is not text (UTF-8): it is not synced until it is made anew"
        case .system(let path, Self.special): "`\(path)` is no file, directory or symlink: it is left out"
        case .system(let path, let code): "`\(path)`: error \(code) of the system"
        }
    }
}
