import Digests
import Foundation
import Glibc
import Multiformats
import SyncProtocol
import Synchronization
import Testing
import TreeValues

@testable import SyncClient

/// A folder on the disk with a state and a scanner, whose clock stands a day after the machine's.
final class ScannedFolder {
    let scratch: ScratchFolder
    let disk: DiskFolder
    let state: SQLiteSyncState
    let clock = StillClock.afterNow(seconds: 100_000)
    var scanner: FolderScanner
    /// How many files were read.
    let reads: Mutex<Int>
    private let home: ScratchFolder

    final class Counter: Sendable {
        let count = Mutex(0)
    }

    let counter: Counter

    init(_ change: (inout ScannerOptions) -> Void = { _ in }) throws {
        scratch = try ScratchFolder()
        home = try ScratchFolder()
        disk = try DiskFolder(scratch.path)
        state = try SQLiteSyncState(path: home.path("state"), root: NodeID(bits: 1))
        reads = Mutex(0)
        let counter = Counter()
        self.counter = counter
        var options = ScannerOptions()
        change(&options)
        let next = Mutex(UInt128(100))
        let clock = clock
        let counting = MeddlingFolder(base: disk) { counter.count.withLock { $0 += 1 } }
        scanner = FolderScanner(
            fileSystem: counting, state: state, content: ContentReader(fileSystem: counting),
            options: options,
            makeID: {
                next.withLock {
                    $0 += 1
                    return NodeID(bits: $0)
                }
            }, clock: { clock.now })
    }

    @discardableResult
    func scan(_ paths: String...) throws -> ScanReport {
        try scanner.scan(paths.isEmpty ? .everything : .paths(paths))
    }

    /// All paths of the tree, with what they are.
    func tree() throws -> [String: SyncNode] {
        var found: [String: SyncNode] = [:]
        var rest: [(NodeID, String)] = [(state.root, "")]
        while let (id, path) = rest.popLast() {
            for node in try state.children(of: id, in: .local) {
                let here = path + (path.isEmpty ? "" : "/") + node.name
                #expect(found[here] == nil)
                found[here] = node
                rest.append((node.id, here))
            }
        }
        return found
    }

    func id(_ path: String) throws -> NodeID { try #require(try tree()[path]).id }

    /// How many files were read since the last question.
    func takeReads() -> Int {
        counter.count.withLock { count in
            defer { count = 0 }
            return count
        }
    }
}

@Suite struct FolderScannerTests {
    @Test func findsEverythingOnce() throws {
        let folder = try ScannedFolder()
        try folder.scratch.write("one", "a/b/one.txt")
        try folder.scratch.write([], "empty")
        try folder.scratch.makeDirectory("hollow")
        try folder.scratch.write("kept out", ".nacre/tmp/x")
        try folder.disk.makeSymlink("link", target: "no/where")
        let report = try folder.scan()
        #expect(report.problems.isEmpty && report.busy.isEmpty)
        #expect(report.changes == 6)
        let tree = try folder.tree()
        #expect(Set(tree.keys) == ["a", "a/b", "a/b/one.txt", "empty", "hollow", "link"])
        #expect(try tree["a/b/one.txt"]?.content == CID(hashing: Array("one".utf8), codec: .raw))
        #expect(tree["a/b/one.txt"]?.mode == 0o644)
        #expect(tree["link"]?.target == "no/where")
        #expect(try tree["empty"]?.content == CID(hashing: [], codec: .raw))
        #expect(folder.takeReads() == 1)
        #expect(try folder.scan().changes == 0)
        #expect(folder.takeReads() == 0)
        #expect(try folder.tree() == tree)
    }

    /// One of them was left out, and named for it with each scan.
    @Test func twoUnicodeFormsAreTwoNamesTheComposedOneFirst() throws {
        let folder = try ScannedFolder()
        for name in ["e\u{301}", "\u{e9}", "o\u{308}", "\u{f6}"] { try folder.scratch.write(name, name) }
        #expect(try folder.scan().problems.isEmpty)
        let nodes = try folder.state.children(of: folder.state.root, in: .local).sorted { $0.id < $1.id }
        let names = nodes.map { ExactPath($0.name) }
        #expect(names == ["\u{e9}", "e\u{301}", "\u{f6}", "o\u{308}"].map(ExactPath.init))
        #expect(try folder.scan().changes == 0)
        // One at a time as well.
        try folder.scratch.write("new", "a\u{30a}")
        #expect(try folder.scan("a\u{30a}").changes == 1)
        try folder.scratch.write("newer", "\u{e5}")
        #expect(try folder.scan("\u{e5}").changes == 1)
        #expect(try folder.state.children(of: folder.state.root, in: .local).count == 6)
    }

    /// A hard link has the number of the other name, as a second spelling of one file has on some disks.
    @Test func twoUnicodeFormsOfOneInodeAreTwoNames() throws {
        let folder = try ScannedFolder()
        try folder.scratch.write("1", "e\u{301}")
        try folder.scan()
        #expect(link(folder.scratch.path("e\u{301}"), folder.scratch.path("\u{e9}")) == 0)
        #expect(try folder.scan("\u{e9}").problems.isEmpty)
        #expect(try folder.state.children(of: folder.state.root, in: .local).count == 2)
    }

    @Test(arguments: [0, 5_000_000_000])
    func keepsTheNodeOfAFileThatIsReplacedInAnotherUnicodeForm(hold: Int64) throws {
        let folder = try ScannedFolder { $0.deletionHold = hold }
        for name in ["e\u{301}", "o\u{308}"] { try folder.scratch.write("old", name) }
        try folder.scan()
        let before = try folder.state.children(of: folder.state.root, in: .local).map(\.id)
        for (old, new) in [("e\u{301}", "\u{e9}"), ("o\u{308}", "\u{f6}")] {
            try folder.scratch.write("new", new)
            try folder.scratch.remove(old)
        }
        #expect(try folder.scan().problems.isEmpty)
        let after = try folder.state.children(of: folder.state.root, in: .local)
        #expect(after.map(\.id) == before)
        #expect(after.allSatisfy { $0.name.unicodeScalars.count == 1 && $0.size == 3 })
        #expect(try after.allSatisfy { $0.content == (try CID(hashing: Array("new".utf8), codec: .raw)) })
        // A directory in its place is another node, at once.
        try folder.scratch.remove("\u{e9}")
        try folder.scratch.makeDirectory("e\u{301}")
        try folder.scan()
        let last = try folder.state.children(of: folder.state.root, in: .local)
        #expect(last.count == 2 && last.contains { $0.kind == .directory })
    }

    @Test func keepsTheNodeOfAFileThatIsRenamedOrMoved() throws {
        let folder = try ScannedFolder()
        try folder.scratch.write("one", "a/one")
        try folder.scratch.write("two", "b/two")
        try folder.scan()
        let (one, two, a) = (try folder.id("a/one"), try folder.id("b/two"), try folder.id("a"))
        try folder.scratch.rename("a/one", "b/uno")
        try folder.scratch.rename("b/two", "two")
        try folder.scratch.rename("a", "c")
        try folder.scratch.rename("c", "b/c")
        let report = try folder.scan()
        #expect(report.problems.isEmpty)
        #expect(try folder.id("b/uno") == one)
        #expect(try folder.id("two") == two)
        #expect(try folder.id("b/c") == a)
        #expect(try folder.tree().count == 4)
    }

    /// Size and time say nothing of a file that was given them back, and a move changes the only time that does.
    @Test func readsAFileThatWasMovedAgain() throws {
        let folder = try ScannedFolder()
        try folder.scratch.write("one", "a")
        try folder.scan()
        let (id, before) = (try folder.id("a"), try folder.tree()["a"])
        var times = stat()
        try #require(stat(folder.scratch.path("a"), &times) == 0)
        try folder.scratch.write("two", "a")
        let set = [times.st_atim, times.st_mtim]
        try #require(utimensat(AT_FDCWD, folder.scratch.path("a"), set, 0) == 0)
        try folder.scratch.rename("a", "b")
        try folder.scan()
        folder.clock.advance(seconds: 10)
        try folder.scan()
        #expect(try folder.id("b") == id)
        #expect(try folder.tree()["b"]?.content != before?.content)
    }

    @Test func aDirectoryThatMovesIsOneChange() throws {
        let folder = try ScannedFolder()
        for number in 0..<200 { try folder.scratch.write("\(number)", "old/deep/\(number)") }
        try folder.scan()
        _ = folder.takeReads()
        let (old, file) = (try folder.id("old"), try folder.id("old/deep/7"))
        try folder.scratch.rename("old", "new")
        #expect(try folder.scan().changes == 1)
        #expect(folder.takeReads() == 0)
        #expect(try folder.id("new") == old)
        #expect(try folder.id("new/deep/7") == file)
    }

    @Test func directoriesThatSwapNestingKeepTheirNodes() throws {
        let folder = try ScannedFolder()
        try folder.scratch.write("x", "a/b/x")
        try folder.scratch.write("y", "a/y")
        try folder.scan()
        let (a, b) = (try folder.id("a"), try folder.id("a/b"))
        try folder.scratch.rename("a/b", "b")
        try folder.scratch.rename("a", "b/a")
        try folder.scan()
        #expect(Set(try folder.tree().keys) == ["b", "b/x", "b/a", "b/a/y"])
        #expect(try folder.id("b") == b)
        #expect(try folder.id("b/a") == a)
    }

    @Test func aSaveByRenameKeepsTheNodeOfThePath() throws {
        let folder = try ScannedFolder()
        try folder.scratch.write("draft", "text")
        try folder.scan()
        let id = try folder.id("text")
        // A new file over the old one.
        try folder.scratch.write("second draft", "text.tmp")
        try folder.scan("text.tmp")
        try folder.scratch.rename("text.tmp", "text")
        try folder.scan()
        #expect(Array(try folder.tree().keys) == ["text"])
        #expect(try folder.id("text") == id)
        // The old one becomes a backup, and a new file takes its name.
        try folder.scratch.rename("text", "text~")
        try folder.scratch.write("third draft", "text")
        try folder.scan()
        #expect(try folder.id("text") == id)
        #expect(Set(try folder.tree().keys) == ["text", "text~"])
        #expect(try folder.tree()["text"]?.content == CID(hashing: Array("third draft".utf8), codec: .raw))
        #expect(try folder.tree()["text~"]?.content == CID(hashing: Array("second draft".utf8), codec: .raw))
    }

    @Test func hardLinksAreTwoFiles() throws {
        let folder = try ScannedFolder()
        try folder.scratch.write("x", "one")
        try folder.scan()
        let id = try folder.id("one")
        link(folder.scratch.path("one"), folder.scratch.path("two"))
        try folder.scan()
        #expect(try folder.id("one") == id)
        #expect(try folder.id("two") != id)
    }

    /// A watcher tells of the name that was written through; the other names were as they were until all was
    /// scanned again.
    @Test func whatIsWrittenThroughOneNameOfAFileIsSeenForTheOthers() throws {
        let folder = try ScannedFolder()
        var options = FolderWatcher.Options()
        options.quietTime = 20_000_000
        let watcher = try FolderWatcher(folder.disk, options: options)
        func scanWhatIsTold() throws {
            guard case .changed(let paths) = watcher.next(timeout: 30_000_000_000) else {
                Issue.record("nothing is told")
                return
            }
            try folder.scanner.scan(.paths(paths))
        }
        try folder.scratch.write("one", "a")
        try folder.scratch.makeDirectory("d")
        try folder.scan()
        let names = ["b", "d/c"]
        for name in names { #expect(link(folder.scratch.path("a"), folder.scratch.path(name)) == 0) }
        try scanWhatIsTold()
        for (number, name) in (["a"] + names).enumerated() {
            let content = Array("by \(number)".utf8)
            try folder.scratch.write(content, name)
            try scanWhatIsTold()
            let tree = try folder.tree()
            #expect(Set(tree.keys) == ["a", "b", "d", "d/c"])
            for other in ["a"] + names {
                #expect(try tree[other]?.content == CID(hashing: content, codec: .raw), "\(other) by \(name)")
            }
        }
        // A new name, and what is written through it at once.
        #expect(link(folder.scratch.path("d/c"), folder.scratch.path("e")) == 0)
        try folder.scratch.write("all", "e")
        try scanWhatIsTold()
        let tree = try folder.tree()
        for name in ["a", "e"] + names {
            #expect(try tree[name]?.content == CID(hashing: Array("all".utf8), codec: .raw), "\(name)")
        }
    }

    @Test func aNameOfAFileThatHasOthersKeepsItsNodeWhenItIsMoved() throws {
        let folder = try ScannedFolder()
        try folder.scratch.write("one", "a")
        for name in ["b", "c"] { #expect(link(folder.scratch.path("a"), folder.scratch.path(name)) == 0) }
        try folder.scan()
        for name in ["a", "b", "c"] {
            let id = try #require(try folder.tree()[name]?.id)
            try folder.scratch.rename(name, "moved-" + name)
            try folder.scan(name, "moved-" + name)
            #expect(try folder.tree()["moved-" + name]?.id == id)
        }
    }

    /// What changes while it is looked at can leave two: both stayed, and one had the content of the other.
    @Test(arguments: [true, false], [true, false])
    func ofTwoNodesOfOnePlaceTheOneThatIsThereStays(isOlder: Bool, isOfEverything: Bool) throws {
        let folder = try ScannedFolder()
        try folder.scratch.write("one", "f")
        try folder.scan()
        let node = try #require(try folder.tree()["f"])
        var other = node
        other.id = NodeID(bits: isOlder ? 2 : 200)
        other.content = try CID(hashing: Array("two".utf8), codec: .raw)
        let identity = FileIdentity(device: 1, inode: 1)
        let stamp = LocalStamp(identity: identity, size: 3, modified: 1, changed: 1, seen: 1)
        for tree in [TreeName.remote, .synced] { try folder.state.put(other, in: tree) }
        try folder.state.putLocal(other, stamp: stamp)
        try folder.scratch.write("three", "f")
        if isOfEverything { try folder.scan() } else { try folder.scan("f") }
        #expect(try folder.state.node(other.id, in: .local) == nil)
        #expect(try folder.tree()["f"]?.id == node.id)
        #expect(try folder.tree()["f"]?.content == CID(hashing: Array("three".utf8), codec: .raw))
    }

    /// It became two nodes of one name.
    @Test func aNewFileThatIsNamedWithItsDirectoryIsOneNode() throws {
        let folder = try ScannedFolder()
        try folder.scratch.makeDirectory("d")
        try folder.scan()
        try folder.scratch.write("one", "d/new")
        try folder.scan("d", "d/new")
        #expect(try Set(folder.tree().keys) == ["d", "d/new"])
    }

    @Test func seesAnEditThatChangesNeitherSizeNorTime() throws {
        let folder = try ScannedFolder()
        try folder.scratch.write("aaaa", "file")
        try folder.disk.setAttributes("file", modified: 1_000_000_000, mode: nil)
        try folder.scan()
        let before = try folder.tree()["file"]
        try folder.scratch.write("bbbb", "file")
        try folder.disk.setAttributes("file", modified: 1_000_000_000, mode: nil)
        #expect(try folder.scan().changes == 1)
        #expect(try folder.tree()["file"]?.content != before?.content)
        #expect(try folder.tree()["file"]?.id == before?.id)
    }

    @Test func readsAFileAgainThatWasTouchedWithinTwoSecondsOfTheLook() throws {
        let folder = try ScannedFolder { $0.quietTime = 0 }
        try folder.scratch.write("aaaa", "file")
        let status = try #require(try folder.disk.status("file"))
        let now = folder.clock.now
        folder.clock.advance(seconds: (status.changed - now) / 1_000_000_000 + 1)
        try folder.scan()
        #expect(folder.takeReads() == 1)
        folder.clock.advance(seconds: 60)
        #expect(try folder.scan().changes == 0)
        #expect(folder.takeReads() == 1)
        try folder.scan()
        #expect(folder.takeReads() == 0)
    }

    @Test func waitsForAFileThatIsBeingWritten() throws {
        let folder = try ScannedFolder()
        try folder.scratch.write("a", "file")
        let status = try #require(try folder.disk.status("file"))
        folder.clock.advance(seconds: (status.changed - folder.clock.now) / 1_000_000_000)
        #expect(try folder.scan().busy == ["file"])
        #expect(try folder.tree().isEmpty)
        folder.clock.advance(seconds: 5)
        #expect(try folder.scan("file").busy == [])
        #expect(try folder.tree().count == 1)
    }

    @Test func doesNotWaitForEverForABusyFile() throws {
        let folder = try ScannedFolder {
            $0.quietTime = 1_000_000_000_000_000
            $0.maximumBusyTime = 60_000_000_000
        }
        try folder.scratch.write("a", "file")
        for _ in 0..<4 {
            #expect(try folder.scan().busy == ["file"])
            folder.clock.advance(seconds: 15)
        }
        #expect(try folder.scan().busy == [])
        #expect(try folder.tree().count == 1)
    }

    @Test func removesWhatIsGoneAfterTheHold() throws {
        let folder = try ScannedFolder { $0.deletionHold = 5_000_000_000 }
        try folder.scratch.write("x", "a/b/x")
        try folder.scratch.write("y", "y")
        try folder.scan()
        let id = try folder.id("a/b/x")
        try folder.scratch.rename("a/b/x", "x")
        try folder.scratch.remove("a")
        // Seen in the wrong order: gone first, then there.
        #expect(try folder.scan("a").changes == 0)
        #expect(folder.scanner.nextDeadline == folder.clock.now + 5_000_000_000)
        try folder.scan("x")
        #expect(try folder.id("x") == id)
        folder.clock.advance(seconds: 5)
        #expect(try folder.scan("y").changes == 2)
        #expect(Set(try folder.tree().keys) == ["x", "y"])
        #expect(folder.scanner.nextDeadline == nil)
    }

    @Test func aDirectoryAndAFileMayTakeOneAnothersPlace() throws {
        let folder = try ScannedFolder { $0.deletionHold = 5_000_000_000 }
        try folder.scratch.write("x", "a/x")
        try folder.scratch.write("y", "b")
        try folder.scan()
        let ids = (try folder.id("a"), try folder.id("b"))
        try folder.scratch.remove("a")
        try folder.scratch.remove("b")
        try folder.scratch.write("was a directory", "a")
        try folder.scratch.write("was a file", "b/y")
        try folder.scan()
        let tree = try folder.tree()
        #expect(Set(tree.keys) == ["a", "b", "b/y"])
        #expect(tree["a"]?.kind == .file && tree["a"]?.id != ids.0)
        #expect(tree["b"]?.kind == .directory && tree["b"]?.id != ids.1)
        // A symlink in the place of a file is the same node.
        let id = try folder.id("a")
        try folder.scratch.remove("a")
        try folder.disk.makeSymlink("a", target: "b")
        try folder.scan("a")
        #expect(try folder.id("a") == id)
        #expect(try folder.tree()["a"]?.kind == .symlink)
        #expect(try folder.tree()["a"]?.content == nil)
    }

    @Test func whatCannotBeReadIsNotDeleted() throws {
        let scratch = try ScratchFolder()
        let folder = try ScannedFolder()
        try folder.scratch.write("x", "a/x")
        try folder.scratch.write("z", "z")
        try folder.scan()
        let before = try folder.tree()
        // Directories that cannot be listed: the same as for a user without the right.
        let denying = DenyingFolder(base: folder.scanner.fileSystem, paths: ["a", "z"])
        try folder.scratch.write("changed", "z")
        var scanner = FolderScanner(
            fileSystem: denying, state: folder.state, content: ContentReader(fileSystem: denying),
            makeID: { NodeID(bits: 9) }, clock: { folder.clock.now })
        let report = try scanner.scan(.everything)
        #expect(Set(report.problems.map(\.path)) == ["a", "z"])
        #expect(try folder.tree() == before)
        withExtendedLifetime(scratch) {}
    }

    @Test func oddEntriesAreReportedAndLeftAlone() throws {
        let folder = try ScannedFolder()
        try folder.scratch.write("x", "file")
        try folder.scan()
        let before = try folder.tree()
        try folder.scratch.remove("file")
        mkfifo(folder.scratch.path("file"), 0o600)
        let bad = folder.scratch.path.utf8CString.dropLast() + [0x2F, -1, 0]
        close(open(Array(bad), O_CREAT | O_WRONLY, 0o644))
        let report = try folder.scan()
        #expect(report.problems.count == 2)
        #expect(try folder.tree() == before)
    }

    @Test func aNameThatChangesItsCaseKeepsItsNode() throws {
        let strict = try ScannedFolder { $0.ignoresCase = true }
        try strict.scratch.write("3", "Abc")
        try strict.scan()
        let id = try strict.id("Abc")
        try strict.scratch.rename("Abc", "aBC")
        #expect(try strict.scan().problems == [])
        #expect(try strict.id("aBC") == id)
        // And if another file takes its place.
        try strict.scratch.write("4", "new")
        try strict.scratch.remove("aBC")
        try strict.scratch.rename("new", "abC")
        try strict.scan()
        #expect(try strict.id("abC") == id)
    }

    /// `cp readme README; rm readme` was a case conflict with a file that was not there any more.
    @Test(arguments: [true, false])
    func aNameThatIsGoneIsFreeAtOnceForOneThatDiffersByCase(isWhole: Bool) throws {
        let folder = try ScannedFolder {
            $0.ignoresCase = true
            $0.deletionHold = 5_000_000_000
        }
        try folder.scratch.write("text", "readme")
        try folder.scratch.write("x", "docs/x")
        try folder.scan()
        let (file, directory) = (try folder.id("readme"), try folder.id("docs"))
        for (old, new) in [("readme", "README"), ("docs/x", "Docs/x")] {
            try folder.scratch.write(old == "readme" ? "text" : "x", new)
            try folder.scratch.remove(old)
        }
        try folder.scratch.remove("docs")
        if isWhole { try folder.scan() } else { try folder.scan("readme", "README", "docs", "Docs") }
        #expect(try folder.id("README") == file && folder.id("Docs") == directory)
        #expect(try folder.tree().count == 3)
        // Names that are beside each other are two.
        try folder.scratch.write("another", "readMe")
        try folder.scan()
        #expect(try folder.id("README") == file && folder.id("readMe") != file)
    }

    @Test func whatIsExcludedStaysAsItIs() throws {
        let folder = try ScannedFolder()
        try folder.scratch.write("x", "keep/x")
        try folder.scratch.write("y", "y.tmp")
        try folder.scan()
        let before = try folder.tree()
        folder.scanner.options.isExcluded = { path, _ in path == "keep" || path.hasSuffix(".tmp") }
        try folder.scratch.remove("keep")
        try folder.scratch.write("changed", "y.tmp")
        try folder.scratch.write("new", "z.tmp")
        #expect(try folder.scan().changes == 0)
        #expect(try folder.scan("keep/x", "z.tmp", "y.tmp").changes == 0)
        #expect(try folder.tree() == before)
    }

    @Test func looksAtPathsOnly() throws {
        let folder = try ScannedFolder()
        try folder.scratch.write("x", "a/b/c/x")
        try folder.scratch.write("y", "y")
        try folder.scan("a/b/c/x", "../y", "gone")
        #expect(Set(try folder.tree().keys) == ["a", "a/b", "a/b/c", "a/b/c/x"])
        try folder.scratch.remove("a/b")
        try folder.scan("a/b/c/x")
        #expect(Set(try folder.tree().keys) == ["a", "a/b", "a/b/c"])
        try folder.scan("a/b", "y")
        #expect(Set(try folder.tree().keys) == ["a", "y"])
    }

    @Test func noFolderIsNoDeletion() throws {
        let folder = try ScannedFolder()
        try folder.scratch.write("x", "x")
        try folder.scan()
        try FileManager.default.removeItem(atPath: folder.scratch.path)
        #expect(throws: FileError.folderMissing) { try folder.scan() }
        #expect(try folder.tree().count == 1)
    }

    /// Random changes on the disk: after a scan the tree is what the disk is, and another scan finds
    /// nothing.
    @Test(arguments: Array(0..<16) as [UInt64])
    func theTreeIsTheDisk(seed: UInt64) throws {
        let folder = try ScannedFolder()
        var random = LocalRandom(seed: seed)
        let names = ["a", "b", "c", "a/a", "a/b", "b/a", "b/c", "a/a/a", "b/c/a", "c/c", "a/b/c"]
        func pick() -> String { names.randomElement(using: &random) ?? "a" }
        for _ in 0..<20 {
            for _ in 0..<Int.random(in: 1...6, using: &random) {
                // What does not work out is not done.
                switch Int.random(in: 0..<6, using: &random) {
                case 0, 1: try? folder.scratch.write("\(UInt8.random(in: 0...3, using: &random))", pick())
                case 2: try? folder.scratch.makeDirectory(pick())
                case 3: try? folder.scratch.remove(pick())
                case 4: try? folder.scratch.rename(pick(), pick())
                default: try? folder.disk.makeSymlink(pick(), target: pick())
                }
            }
            #expect(try folder.scan().busy.isEmpty)
            let tree = try folder.tree()
            #expect(Set(tree.keys) == Set(try folder.diskPaths()))
            for (path, node) in tree {
                let status = try folder.disk.status(path)
                switch node.kind {
                case .file:
                    #expect(status?.kind == .file)
                    #expect(try node.content == CID(hashing: folder.scratch.read(path), codec: .raw))
                case .symlink: #expect(try node.target == folder.disk.readLink(path))
                case .directory: #expect(status?.kind == .directory)
                }
            }
            #expect(try folder.scan().changes == 0)
        }
    }
}

extension ScannedFolder {
    func diskPaths() throws -> [String] {
        var (paths, rest) = ([String](), [""])
        while let directory = rest.popLast() {
            for entry in try disk.list(directory) {
                let path = ScanPass.join(directory, try #require(entry.name))
                paths.append(path)
                if entry.status?.kind == .directory { rest.append(path) }
            }
        }
        return paths
    }
}

/// A folder in which some paths may not be read.
private struct DenyingFolder: FolderFileSystem {
    let base: any FolderFileSystem
    let paths: Set<String>

    private func check(_ path: String) throws(FileError) {
        if paths.contains(path) { throw .denied(path) }
    }

    func list(_ directory: String) throws(FileError) -> [FileEntry] {
        try check(directory)
        return try base.list(directory)
    }
    func status(_ path: String) throws(FileError) -> FileStatus? { try base.status(path) }
    func readLink(_ path: String) throws(FileError) -> String { try base.readLink(path) }
    func read(_ path: String, at offset: Int64, into buffer: UnsafeMutableRawBufferPointer) throws(FileError)
        -> Int
    {
        try check(path)
        return try base.read(path, at: offset, into: buffer)
    }
    func makeDirectory(_ path: String) throws(FileError) { throw .readOnly(path) }
    func makeSymlink(_ path: String, target: String) throws(FileError) { throw .readOnly(path) }
    func create(_ path: String) throws(FileError) { throw .readOnly(path) }
    func write(_ bytes: UnsafeRawBufferPointer, to path: String, at offset: Int64) throws(FileError) {
        throw .readOnly(path)
    }
    func copy(
        _ source: String, at sourceOffset: Int64, to path: String, at offset: Int64, count: Int64
    ) throws(FileError) { throw .readOnly(path) }
    func synchronize(file path: String) throws(FileError) { throw .readOnly(path) }
    func synchronize(directory path: String) throws(FileError) { throw .readOnly(path) }
    func synchronizeAll() throws(FileError) { throw .readOnly("") }
    func rename(_ source: String, to destination: String, replacing: Bool) throws(FileError) {
        throw .readOnly(source)
    }
    func removeFile(_ path: String) throws(FileError) { throw .readOnly(path) }
    func removeDirectory(_ path: String) throws(FileError) { throw .readOnly(path) }
    func setAttributes(_ path: String, modified: Int64?, mode: UInt32?) throws(FileError) {
        throw .readOnly(path)
    }
    func freeBytes() throws(FileError) -> Int64 { 0 }
}
