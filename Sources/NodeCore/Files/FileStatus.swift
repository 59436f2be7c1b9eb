import Glibc

/// What a directory entry is.
public enum FileKind: Equatable, Sendable {
    case file
    case directory
    case symlink
    /// A socket, pipe or device: nothing that has contents to keep.
    case special

    /// From `d_type`; `nil` if the file system does not tell.
    init?(directoryEntry type: UInt8) {
        switch Int(type) {
        case Int(DT_REG): self = .file
        case Int(DT_DIR): self = .directory
        case Int(DT_LNK): self = .symlink
        case Int(DT_UNKNOWN): return nil
        default: self = .special
        }
    }

    init(mode: mode_t) {
        switch mode & S_IFMT {
        case S_IFREG: self = .file
        case S_IFDIR: self = .directory
        case S_IFLNK: self = .symlink
        default: self = .special
        }
    }
}

/// What is known of a file without reading it.
struct FileStatus: Equatable, Sendable {
    let kind: FileKind
    let bytes: Int64
    let permissions: UInt32
    let device: UInt64
    let inode: UInt64
    /// Names of the file: with more than one, writing to it changes what another place shows.
    let names: UInt64
    let modifiedSeconds: Int64
    let modifiedNanoseconds: UInt32
    let changedSeconds: Int64
    let changedNanoseconds: UInt32

    init(_ status: stat) {
        kind = FileKind(mode: status.st_mode)
        bytes = Int64(status.st_size)
        permissions = UInt32(status.st_mode) & 0o7777
        device = UInt64(status.st_dev)
        inode = UInt64(status.st_ino)
        names = UInt64(status.st_nlink)
        modifiedSeconds = Int64(status.st_mtim.tv_sec)
        modifiedNanoseconds = UInt32(clamping: status.st_mtim.tv_nsec)
        changedSeconds = Int64(status.st_ctim.tv_sec)
        changedNanoseconds = UInt32(clamping: status.st_ctim.tv_nsec)
    }

    init(descriptor: Int32, path: [UInt8]) throws {
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw POSIXError.last("look at", path) }
        self.init(status)
    }

    /// Whether the contents cannot have been changed between the two looks.
    func isSameContent(as other: FileStatus) -> Bool {
        bytes == other.bytes && modifiedSeconds == other.modifiedSeconds
            && modifiedNanoseconds == other.modifiedNanoseconds && changedSeconds == other.changedSeconds
            && changedNanoseconds == other.changedNanoseconds && inode == other.inode
    }
}
