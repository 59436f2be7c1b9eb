/// One change of a disk. Paths are relative to the directory that is recorded; files are known by a number
/// that they keep when they are renamed.
public enum DiskOperation: Sendable {
    case create(path: String, file: Int)
    case write(file: Int, offset: Int64, bytes: [UInt8])
    /// Extends with zero bytes, never shortens.
    case allocate(file: Int, size: Int64)
    case truncate(file: Int, size: Int64)
    case sync(file: Int)
    case rename(String, to: String)
    case remove(String)
    case createDirectory(String)
    case syncDirectory(String)
    /// Something that happened elsewhere, at this moment.
    case note(String)
}

extension DiskOperation: CustomStringConvertible {
    public var description: String {
        switch self {
        case .create(let path, let file): "create \(path) (file \(file))"
        case .write(let file, let offset, let bytes): "write \(bytes.count) at \(offset) of file \(file)"
        case .allocate(let file, let size): "allocate \(size) for file \(file)"
        case .truncate(let file, let size): "truncate file \(file) to \(size)"
        case .sync(let file): "sync file \(file)"
        case .rename(let source, let destination): "rename \(source) to \(destination)"
        case .remove(let path): "remove \(path)"
        case .createDirectory(let path): "create directory \(path)"
        case .syncDirectory(let path): "sync directory \(path)"
        case .note(let text): text
        }
    }
}

/// What a power cut leaves of the changes that nobody had synced.
public enum CrashVariant: Hashable, Sendable {
    /// All of them: as if the process was killed.
    case everything
    /// None of them, neither bytes nor names.
    case onlySynced
    /// All bytes, but no creation, renaming or removal whose directory was not synced.
    case namesLost
    /// All, but of the last write only a part that ends at a sector.
    case tornWrite(seed: UInt64)
    /// Any of the pages, in any order of time; names up to a random one; sizes of any moment since the sync.
    case reordered(seed: UInt64)
}
