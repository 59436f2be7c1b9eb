import BlockStorage
import Glibc
import TestKit
import Testing

private func write(_ text: String, at offset: Int64, to file: any FileHandle) throws {
    try Array(text.utf8).withUnsafeBytes { try file.write($0, at: offset) }
}

private func content(_ system: some FileSystem, _ path: String) throws -> String {
    let file = try system.open(path, .read)
    var bytes = [UInt8](repeating: 0, count: Int(try file.size()))
    let count = try bytes.withUnsafeMutableBytes { try file.read(into: $0, at: 0) }
    return String(decoding: bytes.prefix(count), as: UTF8.self)
}

@Suite struct MemoryFileSystemTests {
    @Test func behavesAsADiskDoes() throws {
        let system = MemoryFileSystem(capacity: 100)
        try system.createDirectory("/a/b")
        let file = try system.open("/a/b/c", .create)
        try write("hello", at: 2, to: file)
        #expect(try content(system, "/a/b/c") == "\0\0hello")
        try system.rename("/a/b/c", to: "/a/b/d")
        try file.truncate(to: 3)
        #expect(try content(system, "/a/b/d") == "\0\0h")
        #expect(try system.names(in: "/a/b") == ["d"])
        #expect(try system.names(in: "/a") == ["b"])
        #expect(try system.availableBytes(at: "/") == 97)
        #expect(throws: BlockStoreError.file(operation: "use", path: "/a/b/d", code: EEXIST)) {
            try system.open("/a/b/d", .create)
        }
        try system.remove("/a/b/d")
        #expect(throws: BlockStoreError.file(operation: "use", path: "/a/b/d", code: ENOENT)) {
            try system.open("/a/b/d", .update)
        }
        #expect(try file.size() == 3)
    }
}

@Suite struct FaultyFileSystemTests {
    private let memory = MemoryFileSystem()

    private func work(_ system: FaultyFileSystem) throws {
        try system.createDirectory("/a")
        let file = try system.open("/a/b", .create)
        try write("12345678", at: 0, to: file)
        try file.sync()
        try system.rename("/a/b", to: "/a/c")
        try system.syncDirectory("/a")
    }

    @Test func countsTheCallsThatChangeTheDisk() throws {
        let system = FaultyFileSystem(base: memory)
        try work(system)
        #expect(system.calls == 6)
        #expect(system.faults == 0)
        #expect(system.log[2] == "2: write 8 at 0 of /a/b")
    }

    @Test(arguments: 0..<6)
    func theNthCallFailsOnce(call: Int) throws {
        let system = FaultyFileSystem(base: memory, plan: .init(call: call, kind: .noSpace))
        #expect(throws: BlockStoreError.self) { try work(system) }
        #expect(system.calls == call + 1)
        try system.syncDirectory("/a")
    }

    @Test func aShortWriteLeavesItsFirstHalf() throws {
        let system = FaultyFileSystem(base: memory, plan: .init(call: 2, kind: .shortWrite))
        #expect(throws: BlockStoreError.file(operation: "use", path: "/a/b", code: ENOSPC)) {
            try work(system)
        }
        #expect(try content(system, "/a/b") == "1234")
    }

    @Test func aBrokenDiskStaysBroken() throws {
        let system = FaultyFileSystem(base: memory, plan: .init(call: 1, kind: .ioError, staysBroken: true))
        #expect(throws: BlockStoreError.file(operation: "use", path: "/a/b", code: EIO)) { try work(system) }
        #expect(throws: BlockStoreError.file(operation: "use", path: "/a", code: EIO)) {
            try system.syncDirectory("/a")
        }
        #expect(system.faults == 2)
    }
}

@Suite struct RecordingFileSystemTests {
    private let system: RecordingFileSystem

    init() throws { system = try RecordingFileSystem(base: MemoryFileSystem(), root: "/data") }

    /// The files of an image, by path.
    private func files(_ image: CrashImage) throws -> [String: String] {
        let directory = try TemporaryDirectory()
        try image.materialize(at: directory.path)
        return try directory.allFiles().mapValues { String(decoding: $0, as: UTF8.self) }
    }

    private func lastImage(_ variant: CrashVariant) throws -> [String: String] {
        var result: [String: String] = [:]
        try system.forEachImage(from: system.operationCount, variants: { _ in [variant] }) {
            result = try files($0)
        }
        return result
    }

    @Test func whatIsNotSyncedMayBeLost() throws {
        try system.createDirectory("/data/packs")
        try system.syncDirectory("/data")
        let file = try system.open("/data/packs/1", .create)
        try write("durable", at: 0, to: file)
        try file.sync()
        #expect(try lastImage(.everything) == ["packs/1": "durable"])
        #expect(try lastImage(.namesLost) == [:])
        try system.syncDirectory("/data/packs")
        try write("DUR", at: 0, to: file)
        try write("!", at: 7, to: file)
        #expect(try lastImage(.everything) == ["packs/1": "DURable!"])
        #expect(try lastImage(.namesLost) == ["packs/1": "DURable!"])
        #expect(try lastImage(.onlySynced) == ["packs/1": "durable"])
    }

    @Test func aRenameAndARemovalAreLostWithoutASyncOfTheDirectory() throws {
        try system.createDirectory("/data")
        for name in ["a", "b"] { try write(name, at: 0, to: try system.open("/data/\(name)", .create)) }
        try system.syncDirectory("/data")
        try system.rename("/data/a", to: "/data/b")
        #expect(try lastImage(.everything) == ["b": "a"])
        #expect(try lastImage(.namesLost) == ["a": "a", "b": "b"])
        try system.remove("/data/b")
        try system.syncDirectory("/data")
        #expect(try lastImage(.namesLost) == [:])
    }

    @Test(arguments: SeededRandom.seeds(20))
    func aTornWriteEndsAtASector(seed: UInt64) throws {
        let file = try openPack()
        try write(String(repeating: "y", count: 3000), at: 100, to: file)
        let text = try #require(try lastImage(.tornWrite(seed: seed))["p"])
        #expect((text.utf8.count) % 512 == 0)
        #expect(text.hasPrefix(String(repeating: "x", count: 100)))
        #expect(text.utf8.count < 3100)
    }

    @Test(arguments: SeededRandom.seeds(20))
    func reorderingKeepsOrLosesWholePages(seed: UInt64) throws {
        let file = try openPack()
        try write(String(repeating: "1", count: 3 * 4096), at: 0, to: file)
        try write(String(repeating: "2", count: 4096), at: 4096, to: file)
        let text = try #require(try lastImage(.reordered(seed: seed))["p"])
        let pages = stride(from: 0, to: text.utf8.count, by: 4096).map {
            Set(text.utf8.dropFirst($0).prefix(4096))
        }
        for (number, page) in pages.enumerated() {
            let allowed = number == 0 ? "1x\0" : number == 1 ? "12\0" : "1\0"
            #expect(page.isSubset(of: Set(allowed.utf8)))
            #expect(page.count == 1 || number == 0)
        }
    }

    @Test func truncatedBytesAreZeroWhenTheFileGrowsAgain() throws {
        let file = try openPack()
        try file.truncate(to: 10)
        try file.allocate(upTo: 20)
        #expect(
            try lastImage(.everything) == [
                "p": String(repeating: "x", count: 10) + String(repeating: "\0", count: 10)
            ])
        #expect(try lastImage(.onlySynced) == ["p": String(repeating: "x", count: 100)])
    }

    @Test func everyOperationHasItsImages() throws {
        _ = try openPack()
        var seen: [Int] = []
        system.forEachImage(variants: { _ in [.everything] }) { seen.append($0.operationCount) }
        #expect(seen == Array(0...system.operationCount))
        #expect(system.operations.map { "\($0)" }.last == "sync directory ")
    }

    /// A file of 100 bytes that is durable.
    private func openPack() throws -> any FileHandle {
        try system.createDirectory("/data")
        let file = try system.open("/data/p", .create)
        try write(String(repeating: "x", count: 100), at: 0, to: file)
        try file.sync()
        try system.syncDirectory("/data")
        return file
    }
}
