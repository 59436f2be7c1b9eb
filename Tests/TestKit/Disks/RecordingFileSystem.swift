public import BlockStorage
import Synchronization

/// Records every change of a directory, so that the disk as of any moment can be built again.
///
/// Run a workload on it and note ``operationCount`` whenever something is acknowledged. Then
/// ``forEachImage(from:variants:_:)`` gives the disk that a power cut after each operation leaves: what was
/// acknowledged up to there must be on it.
/// Changes that do not go through the file system are not recorded.
public final class RecordingFileSystem: FileSystem {
    private struct State {
        var operations: [DiskOperation] = []
        var numbers: [String: Int] = [:]
        var lastNumber = 0
    }
    private let base: any FileSystem
    private let root: String
    private let state: Mutex<State>
    private let initial: DiskState

    /// Records what happens in `root`. What is there already counts as durable.
    ///
    /// - Parameters:
    ///   - base: the file system that does the work.
    ///   - root: an absolute path on it. Changes elsewhere are passed on and not recorded.
    public init(base: any FileSystem, root: String) throws {
        self.base = base
        self.root = root
        let (files, directories) = try DiskState.contents(of: root)
        var state = State()
        var numbered: [String: (number: Int, bytes: [UInt8])] = [:]
        for (name, bytes) in files {
            state.lastNumber += 1
            state.numbers[name] = state.lastNumber
            numbered[name] = (state.lastNumber, bytes)
        }
        initial = DiskState(files: numbered, directories: directories)
        self.state = Mutex(state)
    }

    /// How many changes were recorded so far. Whatever is acknowledged now must survive a crash after as
    /// many operations.
    public var operationCount: Int { state.withLock { $0.operations.count } }

    /// Puts a mark into the record: a moment of its own, at which the disk does not change.
    public func note(_ text: String) { state.withLock { $0.operations.append(.note(text)) } }

    /// The changes in order.
    public var operations: [DiskOperation] { state.withLock { $0.operations } }

    // The lock is held over the call itself: the order of the record is the order of the disk.

    public func open(_ path: String, _ mode: FileOpenMode) throws -> any FileHandle {
        try state.withLock { state in
            let handle = try base.open(path, mode)
            guard let name = relative(path), mode != .read else { return handle }
            if mode == .create {
                state.lastNumber += 1
                state.numbers[name] = state.lastNumber
                state.operations.append(.create(path: name, file: state.lastNumber))
            }
            guard let file = state.numbers[name] else { return handle }
            return RecordingFileHandle(base: handle, file: file, system: self)
        }
    }

    public func rename(_ source: String, to destination: String) throws {
        try state.withLock { state in
            try base.rename(source, to: destination)
            guard let from = relative(source), let to = relative(destination) else { return }
            state.numbers[to] = state.numbers.removeValue(forKey: from)
            state.operations.append(.rename(from, to: to))
        }
    }

    public func remove(_ path: String) throws {
        try state.withLock { state in
            try base.remove(path)
            guard let name = relative(path) else { return }
            state.numbers[name] = nil
            state.operations.append(.remove(name))
        }
    }

    public func createDirectory(_ path: String) throws {
        try state.withLock { state in
            var missing: [String] = []
            var ancestor = path
            while let name = relative(ancestor), try !base.exists(ancestor) {
                missing.append(name)
                ancestor = DiskState.parent(of: ancestor)
            }
            try base.createDirectory(path)
            state.operations += missing.reversed().map { .createDirectory($0) }
        }
    }

    public func names(in directory: String) throws -> [String] { try base.names(in: directory) }
    public func exists(_ path: String) throws -> Bool { try base.exists(path) }
    public func availableBytes(at path: String) throws -> Int64 { try base.availableBytes(at: path) }

    public func syncDirectory(_ path: String) throws {
        try state.withLock { state in
            try base.syncDirectory(path)
            if let name = path == root ? "" : relative(path) { state.operations.append(.syncDirectory(name)) }
        }
    }

    fileprivate func record(_ operation: DiskOperation, _ body: () throws -> Void) rethrows {
        try state.withLock { state in
            try body()
            state.operations.append(operation)
        }
    }

    /// The path below the root; `nil` for what is not there.
    private func relative(_ path: String) -> String? {
        path.hasPrefix(root + "/") ? String(path.dropFirst(root.count + 1)) : nil
    }
}

private final class RecordingFileHandle: FileHandle {
    private let base: any FileHandle
    private let file: Int
    private let system: RecordingFileSystem

    init(base: any FileHandle, file: Int, system: RecordingFileSystem) {
        self.base = base
        self.file = file
        self.system = system
    }

    func size() throws -> Int64 { try base.size() }
    func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int64) throws -> Int {
        try base.read(into: buffer, at: offset)
    }
    func write(_ bytes: UnsafeRawBufferPointer, at offset: Int64) throws {
        try system.record(.write(file: file, offset: offset, bytes: [UInt8](bytes))) {
            try base.write(bytes, at: offset)
        }
    }
    /// One call of the system below, so one operation here.
    func write(_ buffers: [UnsafeRawBufferPointer], at offset: Int64) throws {
        try buffers.flatMap { $0 }.withUnsafeBytes { try write($0, at: offset) }
    }

    func allocate(upTo size: Int64) throws {
        try system.record(.allocate(file: file, size: size)) { try base.allocate(upTo: size) }
    }
    func truncate(to size: Int64) throws {
        try system.record(.truncate(file: file, size: size)) { try base.truncate(to: size) }
    }
    func sync() throws {
        try system.record(.sync(file: file)) { try base.sync() }
    }
    func close() throws { try base.close() }
}

/// The disk after a power cut.
public struct CrashImage: CustomStringConvertible {
    /// How many operations had been made.
    public let operationCount: Int
    /// The last of them.
    public let last: DiskOperation?
    public let variant: CrashVariant
    let state: DiskState

    /// Builds the image in a directory of a real disk, which must exist and be empty.
    public func materialize(at path: String) throws { try state.materialize(variant, at: path) }

    public var description: String {
        "after \(operationCount) operations (\(last.map(String.init(describing:)) ?? "none")), \(variant)"
    }
}

extension RecordingFileSystem {
    /// Every variant for one seed.
    public static func allVariants(seed: UInt64) -> [CrashVariant] {
        [.everything, .onlySynced, .namesLost, .tornWrite(seed: seed), .reordered(seed: seed)]
    }

    /// Gives the disk after each operation from `first` on, in each variant, to `body`.
    ///
    /// - Parameter variants: the variants for a number of operations made; each once that can differ.
    public func forEachImage(
        from first: Int = 0, variants: (Int) -> [CrashVariant], _ body: (CrashImage) throws -> Void
    ) rethrows {
        let operations = operations
        var state = initial
        var previous = initial
        for count in 0...operations.count {
            let last = count > 0 ? operations[count - 1] : nil
            if let last {
                previous = state
                state.apply(last)
            }
            guard count >= first else { continue }
            for variant in variants(count) {
                var image = state
                if case .tornWrite(let seed) = variant {
                    guard let torn = last.flatMap({ Self.torn($0, seed: seed &+ UInt64(count)) }) else {
                        continue
                    }
                    image = previous
                    image.apply(torn)
                }
                try body(CrashImage(operationCount: count, last: last, variant: variant, state: image))
            }
        }
    }

    /// The part of a write that ends at a sector; `nil` if there is nothing to tear.
    private static func torn(_ operation: DiskOperation, seed: UInt64) -> DiskOperation? {
        guard case .write(let file, let offset, let bytes) = operation else { return nil }
        let sector = Int64(DiskState.sectorBytes)
        let first = (offset / sector + 1) * sector
        let ends = Array(stride(from: first, to: offset + Int64(bytes.count), by: Int(sector)))
        guard !ends.isEmpty else { return nil }
        var random = SeededRandom(seed: seed)
        return .write(file: file, offset: offset, bytes: Array(bytes.prefix(Int(random.pick(ends) - offset))))
    }
}
