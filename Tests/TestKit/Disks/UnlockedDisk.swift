public import BlockStorage

/// The real disk, for stores that die without letting go of their lock: the lock is taken on
/// `DiskFileSystem` itself only.
public struct UnlockedDisk: FileSystem {
    private let disk = DiskFileSystem()

    public init() {}

    public func open(_ path: String, _ mode: FileOpenMode) throws -> any FileHandle {
        try disk.open(path, mode)
    }
    public func rename(_ source: String, to destination: String) throws {
        try disk.rename(source, to: destination)
    }
    public func remove(_ path: String) throws { try disk.remove(path) }
    public func createDirectory(_ path: String) throws { try disk.createDirectory(path) }
    public func names(in directory: String) throws -> [String] { try disk.names(in: directory) }
    public func exists(_ path: String) throws -> Bool { try disk.exists(path) }
    public func syncDirectory(_ path: String) throws { try disk.syncDirectory(path) }
    public func availableBytes(at path: String) throws -> Int64 { try disk.availableBytes(at: path) }
}
