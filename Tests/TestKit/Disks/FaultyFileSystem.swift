public import BlockStorage
import Glibc
import Synchronization

/// A file system that fails when told to.
///
/// Count the calls of a workload first (``calls``), then run it once for every n with a fault at the n-th
/// call until it passes. Failures are the ones that the real disk has: `BlockStoreError.file`. Only calls
/// that can change the disk are counted, and reads if asked for.
public final class FaultyFileSystem: FileSystem {
    /// How a call fails.
    public enum Kind: CaseIterable, Hashable, Sendable {
        /// `EIO`; nothing was done.
        case ioError
        /// `ENOSPC`; nothing was done.
        case noSpace
        /// A write did its first half and then failed with `ENOSPC`; other calls fail with `EIO`.
        case shortWrite
    }

    /// Which calls fail, and how.
    public struct Plan: Hashable, Sendable {
        /// 0 is the first call that counts.
        public var call: Int
        public var kind: Kind
        /// All later calls fail as well, as on a disk that died.
        public var staysBroken: Bool

        public init(call: Int, kind: Kind, staysBroken: Bool = false) {
            self.call = call
            self.kind = kind
            self.staysBroken = staysBroken
        }
    }

    private struct State {
        var calls = 0
        var plan: Plan?
        var log: [String] = []
        var faults = 0
    }
    private let base: any FileSystem
    private let countsReads: Bool
    private let state: Mutex<State>

    public init(base: any FileSystem, plan: Plan? = nil, countsReads: Bool = false) {
        self.base = base
        self.countsReads = countsReads
        state = Mutex(State(plan: plan))
    }

    /// How many calls counted so far.
    public var calls: Int { state.withLock { $0.calls } }
    /// How many calls failed so far.
    public var faults: Int { state.withLock { $0.faults } }
    /// The calls that counted, in words: what a failing test shows.
    public var log: [String] { state.withLock { $0.log } }

    /// Fails by another plan from here on; `calls` go on counting.
    public func fail(_ plan: Plan?) { state.withLock { $0.plan = plan } }

    public func open(_ path: String, _ mode: FileOpenMode) throws -> any FileHandle {
        if mode == .create || countsReads { try check("open \(mode) \(path)", path) }
        return FaultyFileHandle(base: try base.open(path, mode), path: path, system: self)
    }

    public func rename(_ source: String, to destination: String) throws {
        try check("rename \(source) to \(destination)", source)
        try base.rename(source, to: destination)
    }

    public func remove(_ path: String) throws {
        try check("remove \(path)", path)
        try base.remove(path)
    }

    public func createDirectory(_ path: String) throws {
        try check("create directory \(path)", path)
        try base.createDirectory(path)
    }

    public func names(in directory: String) throws -> [String] {
        if countsReads { try check("names in \(directory)", directory) }
        return try base.names(in: directory)
    }

    public func exists(_ path: String) throws -> Bool { try base.exists(path) }

    public func syncDirectory(_ path: String) throws {
        try check("sync directory \(path)", path)
        try base.syncDirectory(path)
    }

    public func availableBytes(at path: String) throws -> Int64 { try base.availableBytes(at: path) }

    fileprivate func checkRead(_ path: String) throws {
        if countsReads { try check("read \(path)", path) }
    }

    fileprivate func check(_ call: String, _ path: String) throws {
        guard let kind = count(call) else { return }
        throw BlockStoreError.file(operation: "use", path: path, code: kind == .noSpace ? ENOSPC : EIO)
    }

    /// Counts a call. Returns how it is to fail, if it is.
    fileprivate func count(_ call: String) -> Kind? {
        state.withLock { state in
            let number = state.calls
            state.calls += 1
            state.log.append("\(number): \(call)")
            guard let plan = state.plan, number == plan.call || plan.staysBroken && number > plan.call else {
                return nil
            }
            state.faults += 1
            return plan.kind
        }
    }
}

private final class FaultyFileHandle: FileHandle {
    private let base: any FileHandle
    private let path: String
    private let system: FaultyFileSystem

    init(base: any FileHandle, path: String, system: FaultyFileSystem) {
        self.base = base
        self.path = path
        self.system = system
    }

    func size() throws -> Int64 { try base.size() }

    func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int64) throws -> Int {
        try system.checkRead(path)
        return try base.read(into: buffer, at: offset)
    }

    func write(_ bytes: UnsafeRawBufferPointer, at offset: Int64) throws {
        guard let kind = system.count("write \(bytes.count) at \(offset) of \(path)") else {
            return try base.write(bytes, at: offset)
        }
        if kind == .shortWrite {
            try base.write(UnsafeRawBufferPointer(rebasing: bytes[..<(bytes.count / 2)]), at: offset)
        }
        throw BlockStoreError.file(operation: "use", path: path, code: kind == .ioError ? EIO : ENOSPC)
    }

    /// One call of the system below, so one operation here.
    func write(_ buffers: [UnsafeRawBufferPointer], at offset: Int64) throws {
        try buffers.flatMap { $0 }.withUnsafeBytes { try write($0, at: offset) }
    }

    func allocate(upTo size: Int64) throws {
        try system.check("allocate \(size) of \(path)", path)
        try base.allocate(upTo: size)
    }

    func truncate(to size: Int64) throws {
        try system.check("truncate \(path) to \(size)", path)
        try base.truncate(to: size)
    }

    func sync() throws {
        try system.check("sync \(path)", path)
        try base.sync()
    }

    func close() throws { try base.close() }
}
