import Foundation
import Glibc
import SyncProtocol
import Testing

@testable import SyncClient

/// Every way to the disk that a kernel may offer.
private let abilities: [DiskFolder.Abilities] = [
    DiskFolder.Abilities(), DiskFolder.Abilities(openat2: false, renameNoReplace: false),
]

@Suite struct DiskFolderTests {
    @Test(arguments: abilities.indices)
    func writesWhatItReads(way: Int) throws {
        let scratch = try ScratchFolder()
        let folder = try DiskFolder(scratch.path, volume: nil, abilities: abilities[way])
        try folder.makeDirectory("a")
        try folder.makeDirectory("a/b")
        try folder.create("a/b/file")
        let bytes = Array("some bytes".utf8)
        try bytes.withUnsafeBytes { try folder.write($0, to: "a/b/file", at: 2) }
        #expect(try scratch.read("a/b/file") == [0, 0] + bytes)
        var buffer = [UInt8](repeating: 9, count: 20)
        let count = try buffer.withUnsafeMutableBytes { try folder.read("a/b/file", at: 7, into: $0) }
        #expect(Array(buffer[..<count]) == Array("bytes".utf8))
        try folder.synchronize(file: "a/b/file")
        try folder.synchronize(directory: "a/b")
        try folder.synchronizeAll()
        #expect(try folder.freeBytes() > 0)
    }

    @Test(arguments: [[UInt8](), Array("some bytes".utf8)])
    func makesAFileInOneGo(bytes: [UInt8]) throws {
        let scratch = try ScratchFolder()
        let folder = try DiskFolder(scratch.path)
        try bytes.withUnsafeBytes { try folder.create("file", $0, modified: -1, mode: 0o640) }
        #expect(try scratch.read("file") == bytes)
        let status = try #require(try folder.status("file"))
        #expect(status.modified == -1 && status.mode & 0o777 == 0o640)
        #expect(throws: FileError.exists("file")) {
            try bytes.withUnsafeBytes { try folder.create("file", $0, modified: nil, mode: nil) }
        }
    }

    /// Two threads looked at the clock, the later one was quicker, and the difference of unsigned numbers
    /// ended the process.
    @Test func aHandleThatAnotherThreadKeptAMomentLaterCounts() {
        #expect(DirectoryCache.counts(1_000_000_000, at: 999_999_000))
        #expect(DirectoryCache.counts(1_000_000_000, at: 1_099_999_999))
        #expect(!DirectoryCache.counts(1_000_000_000, at: 1_100_000_000))
    }

    @Test(arguments: abilities.indices)
    func neverFollowsASymlink(way: Int) throws {
        let (scratch, outside) = (try ScratchFolder(), try ScratchFolder())
        try outside.write("secret", "file")
        let folder = try DiskFolder(scratch.path, volume: nil, abilities: abilities[way])
        try folder.makeSymlink("out", target: outside.path)
        try folder.makeSymlink("file", target: outside.path("file"))
        #expect(throws: FileError.self) { try folder.list("out") }
        #expect(throws: FileError.self) { try folder.create("out/new") }
        #expect(throws: FileError.self) { try folder.removeFile("out/file") }
        #expect(throws: FileError.self) { try folder.rename("file", to: "out/file", replacing: true) }
        #expect(try folder.status("out/file") == nil)
        var byte: UInt8 = 0
        #expect(throws: FileError.self) {
            try withUnsafeMutableBytes(of: &byte) { try folder.read("file", at: 0, into: $0) }
        }
        #expect(throws: FileError.self) {
            try withUnsafeBytes(of: &byte) { try folder.write($0, to: "file", at: 0) }
        }
        #expect(try folder.readLink("out") == outside.path)
        #expect(try outside.read("file") == Array("secret".utf8))
    }

    @Test(arguments: ["..", "a/../../x", "/etc/passwd", "a//b", ".", "a/.", "nul\0byte", "a/"])
    func refusesPathsThatAreNotBelow(path: String) throws {
        let scratch = try ScratchFolder()
        try scratch.makeDirectory("a")
        let folder = try DiskFolder(scratch.path)
        #expect(throws: FileError.system(path, code: EINVAL)) { try folder.create(path) }
        #expect(throws: FileError.system(path, code: EINVAL)) { try folder.status(path) }
        #expect(throws: FileError.system(path, code: EINVAL)) { try folder.list(path) }
    }

    @Test(arguments: abilities.indices)
    func renamesOverNothingUnlessAsked(way: Int) throws {
        let scratch = try ScratchFolder()
        try scratch.write("one", "one")
        try scratch.write("two", "two")
        try scratch.makeDirectory("directory")
        let folder = try DiskFolder(scratch.path, volume: nil, abilities: abilities[way])
        #expect(throws: FileError.exists("two")) { try folder.rename("one", to: "two", replacing: false) }
        #expect(throws: FileError.exists("two")) {
            try folder.rename("directory", to: "two", replacing: false)
        }
        #expect(try scratch.read("two") == Array("two".utf8))
        try folder.rename("one", to: "three", replacing: false)
        try folder.rename("directory", to: "other", replacing: false)
        try folder.rename("three", to: "two", replacing: true)
        #expect(try scratch.read("two") == Array("one".utf8))
        #expect(Set(try folder.list("").compactMap(\.name)) == ["two", "other"])
        #expect(throws: FileError.notFound("gone")) { try folder.rename("gone", to: "x", replacing: false) }
    }

    private func making(_ text: String, in folder: DiskFolder, at path: String = ".nacre/tmp/new") throws {
        let bytes = Array(text.utf8)
        try bytes.withUnsafeBytes { try folder.create(path, $0, modified: 1_000_000_007, mode: 0o640) }
    }

    @Test(arguments: [true, false])
    func aFileInTheMakingIsPutInPlaceWhole(isUnnamed: Bool) throws {
        let scratch = try ScratchFolder()
        try scratch.makeDirectory(".nacre/tmp")
        try scratch.write("old", "taken")
        let abilities = DiskFolder.Abilities(unnamedFiles: isUnnamed)
        let folder = try DiskFolder(scratch.path, volume: nil, abilities: abilities)
        try making("first", in: folder)
        #expect(try folder.list(".nacre/tmp").count == (isUnnamed ? 0 : 1))
        #expect(throws: FileError.exists("taken")) {
            try folder.rename(".nacre/tmp/new", to: "taken", replacing: false)
        }
        #expect(try scratch.read("taken") == Array("old".utf8))
        try? folder.removeFile(".nacre/tmp/new")
        try making("second", in: folder)
        try folder.synchronize(file: ".nacre/tmp/new")
        try folder.synchronizeAll()
        try folder.rename(".nacre/tmp/new", to: "placed", replacing: false)
        #expect(try scratch.read("placed") == Array("second".utf8))
        let status = try #require(try folder.status("placed"))
        #expect(status.modified == 1_000_000_007 && status.mode & 0o777 == 0o640)
        #expect(try folder.list(".nacre/tmp").isEmpty)
        #expect(throws: FileError.notFound(".nacre/tmp/new")) {
            try folder.rename(".nacre/tmp/new", to: "again", replacing: false)
        }
    }

    /// Each folder had as many as the process may have.
    @Test func foldersShareWhatTheProcessMayHaveOpen() throws {
        let scratch = try ScratchFolder()
        let directory = open(scratch.path, O_RDONLY | O_DIRECTORY)
        defer { close(directory) }
        let budget = DescriptorBudget(3)
        let folders = [0, 1].map { _ in UnnamedFiles(isOffered: true, budget: budget) }
        for (index, path) in ["a", "b", "c"].enumerated() {
            let folder = folders[index % 2]
            folder.keep(try #require(folder.open(in: directory)), path)
        }
        #expect(folders.allSatisfy { $0.open(in: directory) == nil }, "the fourth gets a name")
        #expect(try folders[0].synchronize("a") && folders[0].open(in: directory) == nil)
        close(try #require(folders[0].take("a")))
        let next = try #require(folders[1].open(in: directory))
        #expect(folders[0].open(in: directory) == nil)
        folders[1].discard(next)
        folders[1].removeAll()
        for path in ["d", "e"] {
            folders[0].keep(try #require(folders[0].open(in: directory)), path)
        }
        #expect(folders[0].open(in: directory) == nil)
        // In the place of another: what it had is free again.
        let free = DescriptorBudget(2)
        let folder = UnnamedFiles(isOffered: true, budget: free)
        for _ in 0..<4 { folder.keep(try #require(folder.open(in: directory)), "a") }
        #expect(folder.open(in: -1) == nil && free.take() && !free.take(), "one that was not made costs none")
    }

    /// What the disk says of it is of the file itself; it has the permissions that it is to have, whatever the
    /// mask of the process is; and older systems give it its name by another way.
    @Test(arguments: [true, false], [true, false])
    func whatIsPutInPlaceIsSaidOfTheFile(isUnnamed: Bool, linksByDescriptor: Bool) throws {
        let scratch = try ScratchFolder()
        try scratch.makeDirectory(".nacre/tmp")
        try scratch.makeDirectory("one")
        let abilities = DiskFolder.Abilities(unnamedFiles: isUnnamed, linksByDescriptor: linksByDescriptor)
        let folder = try DiskFolder(scratch.path, volume: nil, abilities: abilities)
        for (number, mode) in [UInt32(0o640), 0o666, 0o777, 0o444, 0o600].enumerated() {
            let name = ".nacre/tmp/\(number)"
            let bytes = Array("content \(number)".utf8)
            try bytes.withUnsafeBytes { try folder.create(name, $0, modified: 1_000_000_007, mode: mode) }
            let placed = try #require(try folder.place(name, at: "one/\(number)"))
            #expect(placed == (try folder.status("one/\(number)")))
            #expect(placed.size == 9 && placed.modified == 1_000_000_007 && placed.mode == mode)
            #expect(try scratch.read("one/\(number)") == bytes)
        }
        // A name that is taken stays; a directory that went away takes nothing in.
        try making("new", in: folder)
        #expect(throws: FileError.exists("one/1")) { try folder.place(".nacre/tmp/new", at: "one/1") }
        #expect(try scratch.read("one/1") == Array("content 1".utf8))
        try? folder.removeFile(".nacre/tmp/new")
        try making("new", in: folder, at: ".nacre/tmp/other")
        try scratch.remove("one")
        #expect(throws: FileError.notFound("one/new")) { try folder.place(".nacre/tmp/other", at: "one/new") }
    }

    /// To whoever asks for it by its path it is there, as one with a name is.
    @Test func aFileInTheMakingIsAtItsPath() throws {
        let scratch = try ScratchFolder()
        try scratch.makeDirectory(".nacre/tmp")
        try scratch.write("old", "file")
        let folder = try DiskFolder(scratch.path)
        try making("new", in: folder)
        try folder.exchange(".nacre/tmp/new", "file")
        #expect(try scratch.read("file") == Array("new".utf8))
        #expect(try scratch.read(".nacre/tmp/new") == Array("old".utf8))
        try making("status", in: folder, at: ".nacre/tmp/a")
        #expect(try folder.status(".nacre/tmp/a")?.size == 6)
        try making("attributes", in: folder, at: ".nacre/tmp/b")
        try folder.setAttributes(".nacre/tmp/b", modified: 5, mode: nil)
        #expect(try folder.status(".nacre/tmp/b")?.modified == 5)
        try making("replaced", in: folder, at: ".nacre/tmp/c")
        try folder.rename(".nacre/tmp/c", to: "file", replacing: true)
        #expect(try scratch.read("file") == Array("replaced".utf8))
        try making("removed", in: folder, at: ".nacre/tmp/d")
        try folder.removeFile(".nacre/tmp/d")
        #expect(try folder.status(".nacre/tmp/d") == nil)
        // What is let go of leaves nothing behind.
        try making("let go", in: folder, at: ".nacre/tmp/e")
        folder.releaseDescriptors()
        #expect(try folder.status(".nacre/tmp/e") == nil)
    }

    @Test func twoFilesExchangeTheirNames() throws {
        let scratch = try ScratchFolder()
        try scratch.write("one", "a/one")
        try scratch.write("two", "two")
        let folder = try DiskFolder(scratch.path)
        try folder.exchange("a/one", "two")
        #expect(try scratch.read("a/one") == Array("two".utf8))
        #expect(try scratch.read("two") == Array("one".utf8))
        #expect(throws: FileError.notFound("gone")) { try folder.exchange("two", "gone") }
        #expect(try scratch.read("two") == Array("one".utf8))
    }

    @Test func seesADirectoryAtItsNewPlaceAfterARename() throws {
        let scratch = try ScratchFolder()
        try scratch.write("x", "a/b/file")
        let folder = try DiskFolder(scratch.path)
        #expect(try folder.status("a/b/file") != nil)
        try folder.rename("a", to: "c", replacing: false)
        #expect(try folder.status("a/b/file") == nil)
        #expect(try folder.status("c/b/file")?.size == 1)
        try scratch.write("y", "a/b/file2")
        #expect(try folder.status("a/b/file2")?.size == 1)
        // Nor does what others do stay unseen.
        try scratch.rename("a", "d")
        #expect(try folder.status("a/b/file2") == nil)
        #expect(try folder.status("d/b/file2") != nil)
    }

    @Test(arguments: [-1, 0, 1_700_000_000_123_456_789, -1_500_000_001, 9_000_000_000_000_000_001])
    func keepsTimesToTheNanosecond(time: Int64) throws {
        let scratch = try ScratchFolder()
        try scratch.write("x", "file")
        let folder = try DiskFolder(scratch.path)
        try folder.setAttributes("file", modified: time, mode: 0o640)
        let status = try #require(try folder.status("file"))
        #expect(status.modified == time)
        #expect(status.mode == 0o640)
    }

    @Test func listsNamesThatAreNotTextAndReadsDeepDirectories() throws {
        let scratch = try ScratchFolder()
        let folder = try DiskFolder(scratch.path)
        let bad = scratch.path.utf8CString.dropLast() + [0x2F, -1, -2, 0]
        close(open(Array(bad), O_CREAT | O_WRONLY, 0o644))
        #expect(try folder.list("").map(\.name) == [nil])
        // Deeper than one system call can say.
        var path = ""
        let name = String(repeating: "d", count: 200)
        for _ in 0..<40 {
            path += (path.isEmpty ? "" : "/") + name
            try folder.makeDirectory(path)
        }
        try folder.create(path + "/file")
        #expect(try folder.list(path).map(\.name) == ["file"])
        #expect(throws: FileError.nameTooLong(path + "/" + String(repeating: "n", count: 256))) {
            try folder.create(path + "/" + String(repeating: "n", count: 256))
        }
        // Too deep for others to remove in one go.
        try folder.removeFile(path + "/file")
        while !path.isEmpty {
            try folder.removeDirectory(path)
            path = path.lastIndex(of: "/").map { String(path[..<$0]) } ?? ""
        }
    }

    @Test func copiesRangesAndSaysWhenTheSourceEnds() throws {
        let scratch = try ScratchFolder()
        var random = LocalRandom(seed: 3)
        let bytes = random.bytes(300_000)
        try scratch.write(bytes, "source")
        try scratch.write([], "target")
        let folder = try DiskFolder(scratch.path)
        try folder.copy("source", at: 1000, to: "target", at: 5, count: 200_000)
        #expect(try scratch.read("target") == [0, 0, 0, 0, 0] + bytes[1000..<201_000])
        #expect(throws: FileError.self) {
            try folder.copy("source", at: 200_000, to: "target", at: 0, count: 200_000)
        }
    }

    @Test func saysThatTheFolderIsMissing() throws {
        let scratch = try ScratchFolder()
        try scratch.makeDirectory("folder")
        let folder = try DiskFolder(scratch.path("folder"))
        let volume = folder.volume
        #expect(throws: FileError.folderMissing) {
            try DiskFolder(scratch.path("folder"), volume: volume + "0")
        }
        try scratch.remove("folder")
        // Also while it is still open, when it looks like an empty one.
        #expect(throws: FileError.folderMissing) { try folder.status("x") }
        #expect(throws: FileError.folderMissing) { try folder.list("") }
        #expect(throws: FileError.folderMissing) { try DiskFolder(scratch.path("folder")) }
        try scratch.makeDirectory("folder")
        #expect(try folder.list("").isEmpty)
    }

    @Test func doesNotWaitForAPipe() throws {
        let scratch = try ScratchFolder()
        mkfifo(scratch.path("pipe"), 0o644)
        let folder = try DiskFolder(scratch.path)
        var byte: UInt8 = 0
        #expect(throws: FileError.denied("pipe")) {
            try withUnsafeMutableBytes(of: &byte) { try folder.read("pipe", at: 0, into: $0) }
        }
        #expect(try folder.status("pipe")?.kind == .other)
        #expect(throws: FileError.notEmpty("")) { throw FileError(ENOTEMPTY, "") }
        #expect(FileError(EDQUOT, "x") == .noSpace("x"))
    }
}
