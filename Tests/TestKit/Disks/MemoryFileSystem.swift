public import BlockStorage
import Glibc
import Synchronization

/// Files in memory: a disk without a disk, for tests of what stands on a `FileSystem`.
///
/// Behaves as Linux does: a file that was removed or replaced stays readable through handles that were
/// opened before. Nothing is ever lost; see ``RecordingFileSystem`` for crashes.
public final class MemoryFileSystem: FileSystem {
    private struct State {
        var files: [String: MemoryFile] = [:]
        var directories: Set<String> = ["/"]
    }
    private let state = Mutex(State())
    private let capacity: Int64

    /// - Parameter capacity: bytes that all files may take together.
    public init(capacity: Int64 = 1 << 40) { self.capacity = capacity }

    public func open(_ path: String, _ mode: FileOpenMode) throws -> any FileHandle {
        try state.withLock { state in
            if mode == .create {
                guard state.files[path] == nil else {
                    throw BlockStoreError.file(operation: "use", path: path, code: EEXIST)
                }
                guard state.directories.contains(Self.parent(of: path)) else {
                    throw BlockStoreError.file(operation: "use", path: path, code: ENOENT)
                }
                let file = MemoryFile()
                state.files[path] = file
                return file
            }
            guard let file = state.files[path] else {
                throw BlockStoreError.file(operation: "use", path: path, code: ENOENT)
            }
            return file
        }
    }

    public func rename(_ source: String, to destination: String) throws {
        try state.withLock { state in
            guard let file = state.files.removeValue(forKey: source) else {
                throw BlockStoreError.file(operation: "use", path: source, code: ENOENT)
            }
            state.files[destination] = file
        }
    }

    public func remove(_ path: String) throws {
        try state.withLock { state in
            guard state.files.removeValue(forKey: path) != nil else {
                throw BlockStoreError.file(operation: "use", path: path, code: ENOENT)
            }
        }
    }

    public func createDirectory(_ path: String) throws {
        state.withLock { state in
            var path = path
            while path != "/" && !path.isEmpty {
                state.directories.insert(path)
                path = Self.parent(of: path)
            }
        }
    }

    public func names(in directory: String) throws -> [String] {
        try state.withLock { state in
            guard state.directories.contains(directory) else {
                throw BlockStoreError.file(operation: "use", path: directory, code: ENOENT)
            }
            return (Array(state.files.keys) + state.directories).filter {
                $0 != directory && Self.parent(of: $0) == directory
            }.compactMap { $0.split(separator: "/").last.map(String.init) }
        }
    }

    public func exists(_ path: String) throws -> Bool {
        state.withLock { $0.files[path] != nil || $0.directories.contains(path) }
    }

    public func syncDirectory(_ path: String) throws {}

    public func availableBytes(at path: String) throws -> Int64 {
        let files = state.withLock { Array($0.files.values) }
        return try max(0, capacity - files.reduce(0) { try $0 + $1.size() })
    }

    static func parent(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/"), slash != path.startIndex else { return "/" }
        return String(path[..<slash])
    }
}

private final class MemoryFile: FileHandle {
    private let bytes = Mutex<[UInt8]>([])

    func size() throws -> Int64 { bytes.withLock { Int64($0.count) } }

    func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int64) throws -> Int {
        bytes.withLock { bytes in
            let start = min(Int(offset), bytes.count)
            let count = min(buffer.count, bytes.count - start)
            bytes.withUnsafeBytes {
                buffer.copyMemory(from: UnsafeRawBufferPointer(rebasing: $0[start..<(start + count)]))
            }
            return count
        }
    }

    func write(_ source: UnsafeRawBufferPointer, at offset: Int64) throws {
        bytes.withLock { bytes in
            let end = Int(offset) + source.count
            if bytes.count < end { bytes.append(contentsOf: repeatElement(0, count: end - bytes.count)) }
            bytes.withUnsafeMutableBytes {
                UnsafeMutableRawBufferPointer(rebasing: $0[Int(offset)..<end]).copyMemory(from: source)
            }
        }
    }

    func write(_ buffers: [UnsafeRawBufferPointer], at offset: Int64) throws {
        try buffers.flatMap { $0 }.withUnsafeBytes { try write($0, at: offset) }
    }

    func allocate(upTo size: Int64) throws {
        bytes.withLock { if $0.count < Int(size) { $0 += repeatElement(0, count: Int(size) - $0.count) } }
    }

    func truncate(to size: Int64) throws {
        try allocate(upTo: size)
        bytes.withLock { $0.removeLast($0.count - Int(size)) }
    }

    func sync() throws {}
    func close() throws {}
}
