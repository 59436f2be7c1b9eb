import BlockStorage

/// The real disk, for stores that die without letting go of their lock: the lock is taken on
/// `DiskFileSystem` itself only.
struct UnlockedDisk: FileSystem {
    private let disk = DiskFileSystem()

    func open(_ path: String, _ mode: FileOpenMode) throws -> any FileHandle { try disk.open(path, mode) }
    func rename(_ source: String, to destination: String) throws { try disk.rename(source, to: destination) }
    func remove(_ path: String) throws { try disk.remove(path) }
    func createDirectory(_ path: String) throws { try disk.createDirectory(path) }
    func names(in directory: String) throws -> [String] { try disk.names(in: directory) }
    func exists(_ path: String) throws -> Bool { try disk.exists(path) }
    func syncDirectory(_ path: String) throws { try disk.syncDirectory(path) }
    func availableBytes(at path: String) throws -> Int64 { try disk.availableBytes(at: path) }
}
