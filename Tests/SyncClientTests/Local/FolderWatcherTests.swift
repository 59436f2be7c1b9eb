import Foundation
import Glibc
import Synchronization
import Testing

@testable import SyncClient

@Suite struct FolderWatcherTests {
    private let second: Int64 = 1_000_000_000

    private func watcher(
        _ scratch: ScratchFolder, _ change: (inout FolderWatcher.Options) -> Void = { _ in }
    ) throws -> FolderWatcher {
        var options = FolderWatcher.Options()
        options.quietTime = 20_000_000
        change(&options)
        return try FolderWatcher(try DiskFolder(scratch.path), options: options)
    }

    @Test func tellsWhatChanged() throws {
        let scratch = try ScratchFolder()
        try scratch.write("x", "a/b/file")
        let watcher = try watcher(scratch)
        #expect(watcher.watchCount == 3)
        try scratch.write("y", "a/b/file")
        try scratch.write("z", "new")
        #expect(watcher.next(timeout: 30 * second) == .changed(["a/b/file", "new"]))
        try scratch.remove("new")
        #expect(watcher.next(timeout: 30 * second) == .changed(["new"]))
        #expect(watcher.next(timeout: 1) == .timeout)
    }

    @Test func followsDirectoriesThatComeMoveAndGo() throws {
        let (scratch, outside) = (try ScratchFolder(), try ScratchFolder())
        let watcher = try watcher(scratch)
        try scratch.write("x", "a/b/file")
        #expect(watcher.next(timeout: 30 * second) == .changed(["a"]))
        try scratch.write("y", "a/b/file")
        #expect(watcher.next(timeout: 30 * second) == .changed(["a/b/file"]))
        try scratch.rename("a", "c")
        #expect(watcher.next(timeout: 30 * second) == .changed(["a", "c"]))
        try scratch.write("z", "c/b/file")
        #expect(watcher.next(timeout: 30 * second) == .changed(["c/b/file"]))
        #expect(watcher.watchCount == 3)
        #expect(Glibc.rename(scratch.path("c/b"), outside.path("b")) == 0)
        #expect(watcher.next(timeout: 30 * second) == .changed(["c/b"]))
        try outside.write("elsewhere", "b/file")
        #expect(watcher.next(timeout: second / 20) == .timeout)
        #expect(watcher.watchCount == 2)
    }

    /// Told of as two moves, of which the second begins where the first one ends.
    @Test func followsDirectoriesThatChangePlaces() throws {
        let scratch = try ScratchFolder()
        try scratch.write("x", "a/one/file")
        try scratch.write("y", "b/two/file")
        let watcher = try watcher(scratch)
        for _ in 0..<2 {
            try DiskFolder(scratch.path).exchange("a", "b")
            #expect(watcher.next(timeout: 30 * second) == .changed(["a", "b"]))
            for path in ["a/one", "a/two", "b/one", "b/two"]
            where FileManager.default.fileExists(atPath: scratch.path(path)) {
                try scratch.write("z", path + "/file")
                #expect(watcher.next(timeout: 30 * second) == .changed([path + "/file"]))
            }
        }
        #expect(watcher.watchCount == 5)
    }

    @Test func seesNothingOfWhatIsExcluded() throws {
        let scratch = try ScratchFolder()
        try scratch.makeDirectory("out/below")
        try scratch.makeDirectory(".nacre/tmp")
        let watcher = try watcher(scratch) {
            $0.isExcluded = { path, _ in path == "out" || path.hasSuffix(".tmp") }
        }
        #expect(watcher.watchCount == 1)
        try scratch.write("x", "out/below/file")
        try scratch.write("x", ".nacre/tmp/file")
        try scratch.write("x", "a.tmp")
        try scratch.write("x", "seen")
        #expect(watcher.next(timeout: 30 * second) == .changed(["seen"]))
    }

    /// A directory of which so much changed that all of it is looked at: what is in it is read no more, and what
    /// changes elsewhere, or after that was given out, is.
    @Test func aDirectoryThatIsLookedAtAsAWholeCostsNothingMore() throws {
        let scratch = try ScratchFolder()
        try scratch.makeDirectory("many/below")
        let watcher = try watcher(scratch)
        for number in 0..<(2 * DirtyPaths.maximumNames) { try scratch.write("x", "many/\(number)") }
        try scratch.write("x", "many/below/file")
        try scratch.write("x", "other")
        #expect(watcher.next(timeout: 30 * second) == .changed(["many", "other"]))
        try scratch.write("y", "many/7")
        try scratch.rename("many", "moved")
        try scratch.write("z", "moved/below/file")
        #expect(watcher.next(timeout: 30 * second) == .changed(["many", "moved"]))
        try scratch.write("z", "moved/7")
        #expect(watcher.next(timeout: 30 * second) == .changed(["moved/7"]))
    }

    @Test func aDirectoryWithANameThatIsNoTextIsLookedAt() throws {
        let scratch = try ScratchFolder()
        try scratch.makeDirectory("d")
        let watcher = try watcher(scratch)
        let path = Array((scratch.path("d") + "/bad").utf8) + [0xFF, 0]
        let descriptor = path.map { CChar(bitPattern: $0) }.withUnsafeBufferPointer { path in
            path.baseAddress.map { Glibc.open($0, O_WRONLY | O_CREAT, 0o600) } ?? -1
        }
        #expect(descriptor >= 0)
        close(descriptor)
        #expect(watcher.next(timeout: 30 * second) == .changed(["d"]))
    }

    @Test func saysOnceThatWatchesRanOut() throws {
        let scratch = try ScratchFolder()
        for number in 0..<5 { try scratch.makeDirectory("\(number)") }
        let watcher = try watcher(scratch) { $0.maximumWatches = 3 }
        #expect(watcher.next(timeout: second) == .degraded)
        #expect(watcher.watchCount == 3)
        #expect(watcher.next(timeout: 1) == .timeout)
        try scratch.write("x", "file")
        #expect(watcher.next(timeout: 30 * second) == .changed(["file"]))
    }

    @Test func wakesWhenItIsStopped() throws {
        let scratch = try ScratchFolder()
        let watcher = try watcher(scratch)
        let thread = Thread { watcher.stop() }
        thread.start()
        #expect(watcher.next(timeout: 60 * second) == .stopped)
        #expect(watcher.next(timeout: 0) == .stopped)
    }

    @Test func manyChangesBecomeTheirDirectory() throws {
        let scratch = try ScratchFolder()
        try scratch.makeDirectory("a/b")
        let watcher = try watcher(scratch)
        for number in 0..<200 { try scratch.write("x", "a/b/\(number)") }
        #expect(watcher.next(timeout: 30 * second) == .changed(["a/b"]))
    }

    @Test func aFolderThatIsMovedIsLookedAtAsAWhole() throws {
        let (scratch, home) = (try ScratchFolder(), try ScratchFolder())
        try scratch.makeDirectory("folder")
        var options = FolderWatcher.Options()
        options.quietTime = 1_000_000
        let watcher = try FolderWatcher(try DiskFolder(scratch.path("folder")), options: options)
        #expect(Glibc.rename(scratch.path("folder"), home.path("folder")) == 0)
        #expect(watcher.next(timeout: 30 * second) == .everything)
    }
}

@Suite struct DirtyPathsTests {
    @Test func manyNamesAreTheDirectoryAndManyPathsWhatIsAboveThem() {
        var dirty = DirtyPaths()
        for number in 0..<128 { dirty.add("a/b/\(number)") }
        dirty.add("a/b/1")
        dirty.add("c")
        #expect(dirty.take().count == 129)
        #expect(dirty.isEmpty)
        for number in 0..<129 { dirty.add("a/b/\(number)") }
        dirty.add("a/b/c/d")
        dirty.add("a/bc")
        #expect(dirty.take() == ["a/b", "a/bc"])
        for number in 0..<513 { dirty.add("top/\(number % 100)/\(number)") }
        #expect(dirty.take() == ["top"])
        for number in 0..<513 { dirty.addSubtree("x\(number)/y") }
        #expect(dirty.take() == [""])
        dirty.addSubtree("a/b")
        dirty.add("a/x")
        dirty.addSubtree("a")
        #expect(dirty.take() == ["a"])
        dirty.add("")
        #expect(dirty.take() == [""])
    }

    @Test func directoriesAreFoundByNumber() {
        var tree = WatchTree()
        #expect(tree.path(of: 1) == nil)
        tree.setRoot(1)
        tree.add(2, "a", in: 1)
        tree.add(3, "b", in: 2)
        tree.add(9, "lost", in: 8)
        #expect(tree.path(of: 3) == "a/b")
        #expect(tree.path(of: 1) == "")
        tree.add(2, "c", in: 1)
        #expect(tree.path(of: 3) == "c/b")
        #expect(tree.child("a", of: 1) == nil && tree.isAt(2, "c", in: 1))
        // Another directory takes the name before the first one is forgotten.
        tree.add(4, "c", in: 1)
        #expect(tree.remove(4) == [4])
        #expect(Set(tree.remove(2)) == [2, 3])
        #expect(tree.count == 1 && !tree.contains(3))
        #expect(tree.path(of: 9) == nil)
    }

    private static func events(in bytes: UnsafeRawBufferPointer) -> [(watch: Int32, name: String?)] {
        var events: [(watch: Int32, name: String?)] = []
        let count = WatchBuffer.parse(bytes) { events.append(($0.watch, $0.name)) }
        #expect(count == events.count)
        return events
    }

    @Test func cutEventsAreNotRead() {
        var bytes: [UInt8] = []
        for word in [7, 2, 0, 16] as [UInt32] { withUnsafeBytes(of: word) { bytes += $0 } }
        bytes += Array("name".utf8) + [UInt8](repeating: 0, count: 12)
        let whole = bytes.withUnsafeBytes { Self.events(in: $0) }
        #expect(whole.count == 1 && whole[0].name == "name" && whole[0].watch == 7)
        for count in 0..<bytes.count {
            let events = bytes[..<count].withUnsafeBytes { Self.events(in: $0) }
            #expect(events.isEmpty)
        }
    }
}
