import BlockStorage
import Foundation
import IPLD
import Multiformats
import NodeCore
import TestKit
import Testing
import UnixFS

/// What of a folder is taken, what is told meanwhile, and what a world that changes does to it.
@Suite struct ImporterTests {
    private let directory: TemporaryDirectory
    private let store = MemoryBlockStore()

    init() throws { directory = try TemporaryDirectory(in: TemporaryDirectory.fastParent) }

    /// What an import told, in words, in order.
    private final class Log {
        var lines: [String] = []
        var added: [String] { lines.filter { $0.hasPrefix("added ") }.map { String($0.dropFirst(6)) } }
        var others: [String] { lines.filter { !$0.hasPrefix("added ") } }
    }

    private func add(
        _ name: String, threads: Int = 2, _ change: (inout ImportOptions) -> Void = { _ in },
        onEvent: @escaping (ImportEvent) throws -> Void = { _ in }
    ) throws -> (entry: ImportedEntry, log: Log) {
        var options = ImportOptions(parameters: NodeLaboratory.parameters, threads: threads)
        change(&options)
        let log = Log()
        let importer = Importer(store: store, options: options) { event in
            try onEvent(event)
            switch event {
            case .added(let path, _): log.lines.append("added " + String(decoding: path, as: UTF8.self))
            case .skipped(let path, let reason):
                log.lines.append("skipped \(String(decoding: path, as: UTF8.self)): \(reason)")
            case .unstable(let path): log.lines.append("unstable \(String(decoding: path, as: UTF8.self))")
            case .failed(let path, _): log.lines.append("failed \(String(decoding: path, as: UTF8.self))")
            case .read: break
            }
        }
        return (try importer.add(path: Array(directory.path(name).utf8)), log)
    }

    // MARK: What is taken

    @Test func hiddenEntriesAreLeftOutOrTakenIn() throws {
        try FolderTree.directory([".a": .file([1]), ".d": .directory(["b": .file([2])]), "c": .file([3])])
            .write(to: directory.path("f"))
        let plain = try add("f")
        #expect(plain.log.added == ["f/c", "f"])
        #expect(plain.log.others.count == 2)
        #expect(try Tree(plain.entry.cid, from: store).files == ["c": [3]])
        let all = try add("f") { $0.hiddenEntries = .include }
        #expect(try Tree(all.entry.cid, from: store).files == [".a": [1], ".d/b": [2], "c": [3]])
    }

    @Test func emptyDirectoriesAreKeptOrLeftOutWithThoseThatBecomeEmptyByIt() throws {
        try FolderTree.directory(["x": .directory(["y": .directory([:])]), "z": .file([1])])
            .write(to: directory.path("f"))
        let kept = try add("f")
        #expect(kept.log.added == ["f/x/y", "f/x", "f/z", "f"])
        let without = try add("f") { $0.emptyDirectories = .leaveOut }
        #expect(without.log.added == ["f/z", "f"])
        let expected = try FolderTree.directory(["z": .file([1])]).root(NodeLaboratory.parameters).cid
        #expect(without.entry.cid == expected)
    }

    @Test func symlinksAreKeptAsWhatTheyAreOrFollowed() throws {
        let tree = FolderTree.directory([
            "to file": .symlink("d/inner"), "to folder": .symlink("d"), "dangling": .symlink("nowhere"),
            "d": .directory(["inner": .file([5, 6])]),
        ])
        try tree.write(to: directory.path("f"))
        let kept = try add("f")
        #expect(kept.entry.cid == (try tree.root(NodeLaboratory.parameters).cid))
        #expect(kept.log.others == [])
        let followed = try add("f") { $0.symlinks = .follow }
        #expect(
            try Tree(followed.entry.cid, from: store).files
                == ["to file": [5, 6], "to folder/inner": [5, 6], "d/inner": [5, 6]])
        #expect(followed.log.others == ["failed f/dangling"])
    }

    @Test func loopsOfSymlinksEndAndAreNamed() throws {
        try FolderTree.directory([
            "up": .symlink(".."), "self": .symlink("self"), "here": .symlink("."),
            "d": .directory(["back": .symlink("../../f/d"), "file": .file([1])]),
        ]).write(to: directory.path("f"))
        let followed = try add("f") { $0.symlinks = .follow }
        let told = Set(followed.log.others.map { $0.split(separator: ":")[0] })
        #expect(told.isSuperset(of: ["skipped f/d/back", "skipped f/here", "failed f/self"]))
        #expect(try Tree(followed.entry.cid, from: store).files["d/file"] == [1])
    }

    @Test func pipesSocketsAndDevicesAreSkippedAndTheRestIsAdded() throws {
        try FolderTree.directory(["file": .file([1]), "device": .symlink("/dev/zero")])
            .write(to: directory.path("f"))
        #expect(mkfifo(directory.path("f/pipe"), 0o600) == 0)
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(descriptor) }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let path = directory.path("f/socket")
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8.prefix(100)) }
        let isBound = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size)) == 0
            }
        }
        #expect(isBound)
        let added = try add("f") { $0.symlinks = .follow }
        #expect(try Tree(added.entry.cid, from: store).files == ["file": [1]])
        #expect(
            added.log.others.map { $0.split(separator: ":")[0] }
                == ["skipped f/device", "skipped f/pipe", "skipped f/socket"])
    }

    @Test func aPathThatIsNoFileIsRefusedByName() throws {
        #expect(throws: ImportError.notAFile(Array("/dev/zero".utf8))) {
            try Importer(store: store, options: ImportOptions(threads: 1)).add(path: Array("/dev/zero".utf8))
        }
        #expect(throws: NodeCore.POSIXError.self) { try add("absent") }
    }

    /// The memory of the process is a regular file whose first page cannot be read: EIO, as from a disk with
    /// a bad sector.
    @Test func aFileThatCannotBeReadIsNamedAndTheRestIsAdded() throws {
        try FolderTree.directory([
            "a": .file([1]), "bad": .symlink("/proc/self/mem"), "c": .directory(["d": .file([2])]),
        ]).write(to: directory.path("f"))
        let added = try add("f") { $0.symlinks = .follow }
        #expect(added.log.others == ["failed f/bad"])
        #expect(try Tree(added.entry.cid, from: store).files == ["a": [1], "c/d": [2]])
    }

    @Test func whatTheRootIsCalledIsTheLastPartOfItsRealPath() throws {
        try FolderTree.directory(["x": .file([1])]).write(to: directory.path("f/inner"))
        for path in ["f/inner", "f/inner/", "f/inner/.", "f/inner/../inner"] {
            #expect(try add(path).entry.name == Array("inner".utf8), "\(path)")
        }
    }

    // MARK: Order

    @Test(arguments: SeededRandom.seeds(scaled(2, full: 20)))
    func orderAndCIDsDoNotDependOnTheNumberOfThreads(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        for number in 0..<400 {
            let folder = (0..<random.number(0...3)).map { _ in "d\(random.number(0..<6))/" }.joined()
            try directory.write(
                random.bytes(random.pick([0, 1, 999, 1000, 5001])), to: "f/\(folder)n\(number)")
        }
        try directory.write(random.bytes(20_000_000), to: "f/d1/large")
        let runs = try [1, 2, 5].map { threads in
            var lines: [String] = []
            _ = try add("f", threads: threads) {
                $0.parameters = .unixfsV1_2025
            } onEvent: { event in
                guard case .added(let path, let entry) = event else { return }
                lines.append("\(String(decoding: path, as: UTF8.self)) \(entry.cid) \(entry.dagBytes)")
            }
            return lines
        }
        #expect(runs[1] == runs[0])
        #expect(runs[2] == runs[0])
        #expect(runs[0].count > 400)
        #expect(runs[0].last?.hasPrefix("f ") == true)
    }

    @Test func anErrorOfTheListenerEndsTheImport() throws {
        struct Enough: Error {}
        for number in 0..<300 { try directory.write([UInt8(number & 255)], to: "f/\(number)") }
        var seen = 0
        #expect(throws: Enough.self) {
            try add("f") { _ in
            } onEvent: { _ in
                seen += 1
                if seen == 10 { throw Enough() }
            }
        }
        #expect(seen == 10)
    }

    // MARK: Files that change

    /// What is done to a file once its first piece was read.
    enum Change: CaseIterable, Sendable {
        case grows
        case shrinks
        case isReplaced
        case isOverwritten
    }

    @Test(arguments: Change.allCases, ["size-1048576", "fastcdc-65536-262144-1048576"])
    func aFileThatChangesWhileItIsReadIsReadAgain(_ change: Change, chunker: String) throws {
        var random = SeededRandom(seed: 6)
        var expected = random.bytes(18_000_000)
        let path = try directory.write(expected, to: "file")
        switch change {
        case .grows: expected.append(1)
        case .shrinks: expected.removeLast(10_000_000)
        case .isReplaced: expected = random.bytes(17_000_000)
        case .isOverwritten: expected[5] ^= 1
        }
        let content = expected
        var isFirst = true
        let kind = try ChunkerKind(text: chunker)
        let added = try add("file") {
            $0.parameters = .unixfsV1_2025; $0.parameters.chunker = kind
        } onEvent: {
            guard case .read = $0, isFirst else { return }
            isFirst = false
            if change == .isReplaced { unlink(path) }
            let descriptor = open(path, O_WRONLY | O_CREAT, 0o644)
            defer { close(descriptor) }
            #expect(pwrite(descriptor, content, content.count, 0) == content.count)
            #expect(ftruncate(descriptor, off_t(content.count)) == 0)
        }
        #expect(!isFirst)
        #expect(added.log.lines == ["added file"])
        #expect(added.entry.contentBytes == UInt64(expected.count))
        var stored: [UInt8] = []
        try UnixFSFileReader(source: store, root: added.entry.cid).read { stored += $0 }
        #expect(Data(stored) == Data(expected))
    }

    @Test func aFileThatNeverHoldsStillIsReported() throws {
        var random = SeededRandom(seed: 7)
        let path = try directory.write(random.bytes(20_000_000), to: "f/file")
        try directory.write([1], to: "f/other")
        let added = try add("f") {
            $0.parameters = .unixfsV1_2025
        } onEvent: {
            guard case .read(let bytes) = $0, bytes > 1 else { return }
            let descriptor = open(path, O_WRONLY | O_APPEND)
            defer { close(descriptor) }
            #expect(write(descriptor, [1], 1) == 1)
        }
        #expect(added.log.lines == ["unstable f/file", "added f/file", "added f/other", "added f"])
    }

    /// Files of the kernel say that they have no bytes, and have some.
    @Test func aSmallFileOfAnotherSizeThanItSaysIsReported() throws {
        try FolderTree.directory(["version": .symlink("/proc/version")]).write(to: directory.path("f"))
        let added = try add("f") { $0.symlinks = .follow }
        #expect(added.log.lines == ["unstable f/version", "added f/version", "added f"])
    }

    // MARK: Memory

    /// The bound is on the buffers: `threads + 2` of 16 MiB, and what a layout of 2,048 leaves takes.
    @Test(.enabled(if: isFullTest), arguments: ["size-1048576", "fastcdc-65536-262144-1048576"])
    func aFileOfTwoGiBTakesABoundedPartOfMemory(_ chunker: String) throws {
        try directory.write([], to: "sparse")
        #expect(truncate(directory.path("sparse"), 2 << 30) == 0)
        var options = ImportOptions(threads: 2)
        options.parameters.chunker = try ChunkerKind(text: chunker)
        // Resets the highest value of the resident set.
        try "5".write(toFile: "/proc/self/clear_refs", atomically: false, encoding: .utf8)
        let before = try Self.highestResidentKiB()
        let entry = try Importer(store: DiscardingBlockStore(), options: options)
            .add(path: Array(directory.path("sparse").utf8))
        #expect(entry.contentBytes == 2 << 30)
        #expect(try Self.highestResidentKiB() - before < 128 * 1024)
    }

    private static func highestResidentKiB() throws -> Int {
        let status = try String(contentsOfFile: "/proc/self/status", encoding: .utf8)
        let line = try #require(status.split(separator: "\n").first { $0.hasPrefix("VmHWM:") })
        return try #require(line.split(separator: " ").dropFirst().first.flatMap { Int($0) })
    }
}
