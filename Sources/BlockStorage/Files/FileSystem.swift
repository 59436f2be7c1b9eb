/// The calls that a pack store makes of a file system.
///
/// Real disks stand behind it (`DiskFileSystem`), and in tests ones that fail at the n-th call or record
/// every call, so that the disk as of any moment can be rebuilt.
public protocol FileSystem: Sendable {
    /// Opens or creates a file for reading and writing.
    func open(_ path: String, _ mode: FileOpenMode) throws -> any FileHandle
    /// Replaces `destination` atomically. Durable after `syncDirectory`.
    func rename(_ source: String, to destination: String) throws
    /// Removes a file. Durable after `syncDirectory`.
    func remove(_ path: String) throws
    /// Creates a directory (and those above it) if it is not there.
    func createDirectory(_ path: String) throws
    /// The names in a directory, in no order, without `.` and `..`.
    func names(in directory: String) throws -> [String]
    /// Whether there is a file or directory of that name.
    func exists(_ path: String) throws -> Bool
    /// Makes creations, renames and removals in the directory durable.
    func syncDirectory(_ path: String) throws
    /// Bytes that an unprivileged process may still write on the file system of `path`.
    func availableBytes(at path: String) throws -> Int64
}

/// How to open a file.
public enum FileOpenMode: Sendable {
    case read
    /// Reading and writing; must exist.
    case update
    /// Reading and writing; must not exist.
    case create
}

/// An open file. Positional calls may run at the same time on many threads.
public protocol FileHandle: AnyObject, Sendable {
    func size() throws -> Int64
    /// Reads until `buffer` is full or the file ends. Returns the bytes read.
    func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int64) throws -> Int
    /// Writes all of the bytes or throws.
    func write(_ bytes: UnsafeRawBufferPointer, at offset: Int64) throws
    /// Writes the buffers one behind the other, or throws; saves copying them together.
    func write(_ buffers: [UnsafeRawBufferPointer], at offset: Int64) throws
    /// Reserves space up to `size` and extends the file with zero bytes; a no-op where it is not supported.
    func allocate(upTo size: Int64) throws

    /// Asks the system to begin writing these bytes to the disk. A hint: nothing is durable before ``sync()``.
    func startWriteback(at offset: Int64, count: Int)
    func truncate(to size: Int64) throws
    /// Makes the contents (and the size) durable.
    func sync() throws
    func close() throws
    /// What system calls know the file by, as long as the handle lives; `nil` if no real file is behind it.
    var systemDescriptor: Int32? { get }
}

extension FileHandle {
    public var systemDescriptor: Int32? { nil }

    public func write(_ buffers: [UnsafeRawBufferPointer], at offset: Int64) throws {
        var offset = offset
        for buffer in buffers {
            try write(buffer, at: offset)
            offset += Int64(buffer.count)
        }
    }
}

extension FileHandle {
    public func startWriteback(at offset: Int64, count: Int) {}
}
