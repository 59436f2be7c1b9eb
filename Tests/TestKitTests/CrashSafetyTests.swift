import BlockStorage
import Digests
import Glibc
import IPLD
import Multiformats
import Synchronization
import TestKit
import Testing

/// The crash and fault checks pass a store that is right, and find what is wrong with others.
@Suite struct CrashSafetyTests {
    enum Flaw: CaseIterable {
        case commitsWithoutSync, forgetsTheDirectory, believesWhatItReads, swallowsErrors
    }

    @Test(arguments: SeededRandom.seeds(3))
    func aRightStoreSurvivesEveryPowerCut(seed: UInt64) throws {
        #expect(try cutPower(flaw: nil, seed: seed) > 50)
    }

    @Test(arguments: [Flaw.commitsWithoutSync, .forgetsTheDirectory, .believesWhatItReads])
    func aPowerCutFindsTheFlaw(flaw: Flaw) throws {
        withKnownIssue { for seed in SeededRandom.seeds(3) { try cutPower(flaw: flaw, seed: seed) } }
    }

    @Test func aRightStoreSurvivesEveryFault() throws {
        #expect(try breakDisk(flaw: nil) > 30)
    }

    @Test func aFaultFindsTheStoreThatSwallowsErrors() throws {
        withKnownIssue { try breakDisk(flaw: .swallowsErrors) }
    }

    @discardableResult
    private func cutPower(flaw: Flaw?, seed: UInt64) throws -> Int {
        let system = MemoryFileSystem()
        try system.createDirectory("/data")
        return try checkCrashSafety(seed: seed, base: system, root: "/data") { recording, ledger in
            try Self.work(LogStore(recording, "/data", flaw: flaw), ledger, seed: seed)
        } reopen: { _, path in
            try LogStore(PlainDisk(), path, flaw: flaw)
        }
    }

    @discardableResult
    private func breakDisk(flaw: Flaw?) throws -> Int {
        try checkFaultSafety(base: PlainDisk(), isTyped: { $0 is BlockStoreError || $0 is LogStore.Broken }) {
            system, path, ledger in
            try Self.work(LogStore(system, path, flaw: flaw), ledger, seed: 1)
        } reopen: { path, _ in
            try LogStore(PlainDisk(), path, flaw: flaw)
        }
    }

    private static func work(_ store: LogStore, _ ledger: StoreLedger, seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        for _ in 0..<6 {
            let blocks = random.blocks(count: 1...3, bytes: [0, 10, 600, 5000])
            ledger.willPut(blocks)
            for block in blocks { try store.put(block) }
            if random.oneIn(3) { continue }
            try store.commit()
            ledger.didCommit(blocks)
        }
    }
}

/// A store in one file of records: length of CID, CID, length of bytes, bytes. Simple enough to be right.
private final class LogStore: BlockStore {
    struct Broken: Error {}
    private struct State {
        var blocks: [Multihash: [UInt8]] = [:]
        var end: Int64 = 0
        var isBroken = false
    }
    private let state = Mutex(State())
    private let file: any FileHandle
    private let flaw: CrashSafetyTests.Flaw?

    init(_ system: any FileSystem, _ directory: String, flaw: CrashSafetyTests.Flaw?) throws {
        self.flaw = flaw
        let path = directory + "/log"
        if try system.exists(path) {
            file = try system.open(path, .update)
        } else {
            file = try system.open(path, .create)
            if flaw != .forgetsTheDirectory { try system.syncDirectory(directory) }
        }
        try recover()
    }

    private func recover() throws {
        var bytes = [UInt8](repeating: 0, count: Int(try file.size()))
        _ = try bytes.withUnsafeMutableBytes { try file.read(into: $0, at: 0) }
        var offset = 0
        var good = 0
        var blocks: [Multihash: [UInt8]] = [:]
        while let block = Self.record(bytes, &offset),
            flaw == .believesWhatItReads || block.cid.isRight(block.bytes)
        {
            blocks[block.cid.multihash] = block.bytes
            good = offset
        }
        // A torn rest would otherwise hide what is appended behind it.
        if good < bytes.count { try file.truncate(to: Int64(good)) }
        state.withLock { $0 = State(blocks: blocks, end: Int64(good)) }
    }

    private static func record(_ bytes: [UInt8], _ offset: inout Int) -> Block? {
        var index = offset
        guard let length = try? Varint.decode(bytes.span.bytes, at: &index), length > 0,
            let cid = try? CID.decode(bytes.span.bytes, at: &index),
            let count = (try? Varint.decode(bytes.span.bytes, at: &index)).flatMap({ Int(exactly: $0) }),
            count <= bytes.count - index
        else { return nil }
        offset = index + count
        return Block(cid: cid, bytes: Array(bytes[index..<offset]))
    }

    func size(of cid: CID) throws -> Int? { try block(cid)?.bytes.count }

    func block(_ cid: CID) throws -> Block? {
        state.withLock { $0.blocks[cid.multihash].map { Block(cid: cid, bytes: $0) } }
    }

    func put(_ views: [BlockView], scope: ScopeMarks) throws -> PutSummary {
        try state.withLock { state in
            guard !state.isBroken else { throw Broken() }
            for view in views where state.blocks[view.cid.multihash] == nil {
                var record: [UInt8] = [1]
                view.cid.append(to: &record)
                Varint.append(UInt64(view.bytes.count), to: &record)
                record += view.bytes
                try guarding(&state) { end in try record.withUnsafeBytes { try file.write($0, at: end) } }
                state.end += Int64(record.count)
                state.blocks[view.cid.multihash] = [UInt8](view.bytes)
            }
            return PutSummary()
        }
    }

    func commit() throws {
        guard flaw != .commitsWithoutSync else { return }
        try state.withLock { state in
            guard !state.isBroken else { throw Broken() }
            try guarding(&state) { _ in try file.sync() }
        }
    }

    private func guarding(_ state: inout State, _ body: (Int64) throws -> Void) throws {
        do {
            try body(state.end)
        } catch {
            if flaw == .swallowsErrors { return }
            state.isBroken = true
            throw error
        }
    }
}

extension CID {
    fileprivate func isRight(_ bytes: [UInt8]) -> Bool { (try? verify(bytes)) != nil }
}

/// The real disk, without the syncs.
private struct PlainDisk: FileSystem {
    func open(_ path: String, _ mode: FileOpenMode) throws -> any FileHandle {
        let flags = mode == .create ? O_CREAT | O_EXCL | O_RDWR : O_RDWR
        let descriptor = Glibc.open(path, flags | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { throw BlockStoreError.file(operation: "use", path: path, code: errno) }
        return PlainFile(descriptor: descriptor)
    }
    func rename(_ source: String, to destination: String) throws { _ = Glibc.rename(source, destination) }
    func remove(_ path: String) throws { _ = unlink(path) }
    func createDirectory(_ path: String) throws { _ = mkdir(path, 0o755) }
    func names(in directory: String) throws -> [String] { [] }
    func exists(_ path: String) throws -> Bool { access(path, F_OK) == 0 }
    func syncDirectory(_ path: String) throws {}
    func availableBytes(at path: String) throws -> Int64 { 1 << 40 }
}

private final class PlainFile: FileHandle {
    private let descriptor: Int32
    init(descriptor: Int32) { self.descriptor = descriptor }
    deinit { _ = Glibc.close(descriptor) }

    func size() throws -> Int64 { Int64(lseek(descriptor, 0, SEEK_END)) }
    func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int64) throws -> Int {
        max(0, pread(descriptor, buffer.baseAddress, buffer.count, off_t(offset)))
    }
    func write(_ bytes: UnsafeRawBufferPointer, at offset: Int64) throws {
        _ = pwrite(descriptor, bytes.baseAddress, bytes.count, off_t(offset))
    }
    func write(_ buffers: [UnsafeRawBufferPointer], at offset: Int64) throws {
        try buffers.flatMap { $0 }.withUnsafeBytes { try write($0, at: offset) }
    }
    func allocate(upTo size: Int64) throws {}
    func truncate(to size: Int64) throws { _ = ftruncate(descriptor, off_t(size)) }
    func sync() throws {}
    func close() throws {}
}
