import BlockStorage
import Foundation
import IPLD
import Multiformats
import NodeCore
import TestKit
import Testing
import UnixFS

/// Folders come back as they were, over what is there already, and from DAGs that want something else.
@Suite struct TreeExportTests {
    private let directory: TemporaryDirectory
    private let store = MemoryBlockStore()
    private let parameters = NodeLaboratory.parameters

    init() throws { directory = try TemporaryDirectory(in: TemporaryDirectory.fastParent) }

    private func export(
        _ root: CID, to name: String = "out", overwriting: Bool = false, from source: (any BlockSource)? = nil
    ) throws -> [String] {
        var options = ExportOptions(threads: 2)
        if overwriting { options.existing = .overwrite }
        var lines: [String] = []
        try TreeExport(source: source ?? store, options: options) { event in
            switch event {
            case .written(let path, _): lines.append("written " + PathText.printable(path))
            case .unchanged(let path, _): lines.append("unchanged " + PathText.printable(path))
            case .failed(let path, _): lines.append("failed " + PathText.printable(path))
            case .progress: break
            }
        }.run(root: root, to: Array(directory.path(name).utf8))
        return lines.sorted()
    }

    private func link(_ name: String, _ block: Block) throws -> DAGPBLink {
        try store.put(block)
        return DAGPBLink(cid: block.cid, name: Array(name.utf8), tsize: 1)
    }

    /// A directory put together by hand, as a stranger could: nothing is checked, nothing is sorted.
    private func forged(_ links: [DAGPBLink], metadata: UnixFSMetadata = UnixFSMetadata()) throws -> Block {
        let data = UnixFSData(kind: .directory, metadata: metadata).encoded()
        let block = Block(content: DAGPBNode(links: links, data: data).encoded(), codec: .dagPB)
        try store.put(block)
        return block
    }

    private func symlink(_ target: String) throws -> Block {
        try UnixFSSymlink(target: Array(target.utf8)).block(parameters: parameters)
    }

    private func status(_ name: String) throws -> stat {
        var status = stat()
        try #require(lstat(directory.path(name), &status) == 0, "\(name) is not there")
        return status
    }

    // MARK: What is written

    @Test(arguments: SeededRandom.seeds(scaled(5, full: 50)))
    func aTreeComesBackByteForByteAndASecondTimeNothingIsWritten(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        let tree = Tree(&random)
        let root = try tree.store(in: store)
        #expect(try export(root).allSatisfy { $0.hasPrefix("written ") })
        #expect(try directory.contents(of: "out") == tree.files)
        let again = try export(root)
        #expect(again.count == tree.files.count)
        #expect(again.allSatisfy { $0.hasPrefix("unchanged ") })
    }

    @Test func aLargeFileIsWrittenInPiecesAndGoesOnWhereItStopped() throws {
        var random = SeededRandom(seed: 1)
        let bytes = random.bytes(18_000_000)
        try directory.write(bytes, to: "source")
        let root = try Importer(store: store, options: ImportOptions(threads: 2))
            .add(path: Array(directory.path("source").utf8)).cid
        // The first run breaks off at a block that cannot be had.
        let leaves = try #require(try store.block(root)?.links())
        let gap = LossySource(base: store, missing: leaves[16])
        #expect(throws: (any Error).self) { try export(root, from: gap) }
        #expect(!FileManager.default.fileExists(atPath: directory.path("out")), "no name for half a file")
        let part = try #require(try directory.parts().first)
        // What is right in it is not written again, what is wrong is.
        let handle = try #require(FileHandle(forUpdatingAtPath: directory.path(part)))
        try handle.seek(toOffset: 100)
        try handle.write(contentsOf: [bytes[100] ^ 1])
        try handle.close()
        #expect(try export(root).count == 1)
        #expect(
            FileManager.default.contentsEqual(
                atPath: directory.path("out"), andPath: directory.path("source")))
        #expect(try directory.parts() == [])
        #expect(try export(root).first?.hasPrefix("unchanged") == true)
    }

    @Test func zerosComeBack() throws {
        try directory.write([], to: "source")
        #expect(truncate(directory.path("source"), 20_000_000) == 0)
        let root = try Importer(store: store, options: ImportOptions(threads: 2))
            .add(path: Array(directory.path("source").utf8)).cid
        _ = try export(root)
        #expect(
            FileManager.default.contentsEqual(
                atPath: directory.path("out"), andPath: directory.path("source")))
    }

    @Test func modeAndTimeOfFilesAndFoldersComeBackFoldersLast() throws {
        try FolderTree.directory(["d": .directory(["e": .directory(["f": .file([1])])]), "g": .file([2])])
            .write(to: directory.path("in"))
        #expect(symlink("in/g", at: "in/link"))
        let times: [(String, mode_t, Int)] = [
            ("in/d/e/f", 0o640, 1_000_000_001), ("in/d/e", 0o555, 1_000_000_002),
            ("in/d", 0o700, 1_000_000_003), ("in/g", 0o444, 1_000_000_004), ("in", 0o750, 1_000_000_005),
        ]
        for (name, mode, time) in times {
            #expect(chmod(directory.path(name), mode) == 0)
            var both = [timespec(tv_sec: time, tv_nsec: 77), timespec(tv_sec: time, tv_nsec: 77)]
            #expect(utimensat(AT_FDCWD, directory.path(name), &both, 0) == 0)
        }
        var options = ImportOptions(parameters: .unixfsV0_2015, threads: 2)
        options.metadata = [.mode, .modificationTime]
        let root = try Importer(store: store, options: options)
            .add(path: Array(directory.path("in").utf8)).cid
        for _ in 0..<2 {
            _ = try export(root)
            for (name, mode, time) in times {
                let out = try status("out" + name.dropFirst(2))
                #expect(out.st_mode & 0o7777 == mode, "\(name)")
                #expect(out.st_mtim.tv_sec == time && out.st_mtim.tv_nsec == 77, "\(name)")
            }
        }
    }

    private func symlink(_ target: String, at name: String) -> Bool {
        Glibc.symlink(target, directory.path(name)) == 0
    }

    @Test func setUserIDFromADAGIsNotTaken() throws {
        let data = UnixFSData(
            kind: .file, content: [1, 2], fileSize: 2, metadata: UnixFSMetadata(mode: 0o6755))
        let file = Block(content: DAGPBNode(links: [], data: data.encoded()).encoded(), codec: .dagPB)
        let root = try forged([link("tool", file)], metadata: UnixFSMetadata(mode: 0o7777))
        _ = try export(root.cid)
        #expect(try status("out/tool").st_mode & 0o7777 == 0o755)
        #expect(try status("out").st_mode & 0o7777 == 0o777)
    }

    // MARK: What is there already

    @Test func otherContentIsLeftAloneUnlessOverwritingIsAskedFor() throws {
        let root = try Tree(["a": [1], "b": [UInt8](repeating: 2, count: 5000)]).store(in: store)
        try directory.write([9], to: "out/a")
        try directory.write([UInt8](repeating: 9, count: 5000), to: "out/b")
        #expect(try export(root) == ["failed a", "failed b"])
        #expect(try directory.read("out/a") == [9])
        #expect(try export(root, overwriting: true) == ["written a", "written b"])
        #expect(try directory.contents(of: "out") == ["a": [1], "b": [UInt8](repeating: 2, count: 5000)])
    }

    @Test func aFolderStandsInTheWayOfAFileAndAFileInThatOfAFolder() throws {
        let root = try Tree(["file": [1], "folder/inner": [2], "other": [3]]).store(in: store)
        try directory.write([8], to: "out/file/precious")
        try directory.write([9], to: "out/folder")
        for overwriting in [false, true] {
            let told = try export(root, overwriting: overwriting)
            #expect(told.filter { $0.hasPrefix("failed") } == ["failed file", "failed folder"])
        }
        #expect(try directory.read("out/file/precious") == [8])
        #expect(try directory.read("out/folder") == [9])
        #expect(try directory.read("out/other") == [3])
    }

    /// Neither through a symlink that stood there before, nor through one of the DAG itself.
    @Test func badInput17NothingIsWrittenThroughASymlink() throws {
        let root = try Tree(["a": [1], "d/b": [2]]).store(in: store)
        try directory.write([7], to: "outside/a")
        try FileManager.default.createDirectory(
            atPath: directory.path("out"), withIntermediateDirectories: true)
        #expect(symlink("../outside/a", at: "out/a"))
        #expect(symlink("../outside", at: "out/d"))
        let first = try export(root)
        #expect(first == ["failed a", "failed d"])
        let second = try export(root, overwriting: true)
        #expect(second == ["failed d", "written a"])
        #expect(try status("out/a").st_mode & S_IFMT == S_IFREG)
        #expect(try directory.contents(of: "outside") == ["a": [7]])

        let outside = directory.path("outside")
        let inner = try forged([link("b", Block(content: [3]))])
        for links in [
            [try link("x", symlink(outside)), try link("x", inner)],
            [try link("x", inner), try link("x", symlink(outside))],
        ] {
            let hostile = try forged(links)
            let name = "hostile \(links[0].cid)"
            _ = try export(hostile.cid, to: name, overwriting: true)
            _ = try export(hostile.cid, to: name, overwriting: true)
            #expect(try directory.contents(of: "outside") == ["a": [7]])
        }
    }

    @Test func badInput15NamesThatLeadElsewhereAreRefusedAndTheRestIsWritten() throws {
        let file = Block(content: [1])
        let names = ["..", ".", "fine", "../up"]
        let root = try forged(names.map { try link($0, file) })
        // A slash makes the whole node unreadable as a directory; without it, entries are refused one by one.
        #expect(throws: (any Error).self) { try export(root.cid, to: "slash") }
        let rest = try forged(names.dropLast().map { try link($0, file) })
        #expect(try export(rest.cid) == ["failed .", "failed ..", "written fine"])
        #expect(try directory.contents(of: "out") == ["fine": [1]])
    }

    @Test func aSymlinkWithoutAUsableTargetIsNamedAndTheRestIsWritten() throws {
        let root = try forged([
            link("empty", symlink("")), link("good", symlink("else/where")), link("zero", symlink("a\0b")),
        ])
        #expect(try export(root.cid) == ["failed empty", "failed zero", "written good"])
        let target = try FileManager.default.destinationOfSymbolicLink(atPath: directory.path("out/good"))
        #expect(target == "else/where")
    }

    @Test func aDamagedOrMissingBlockCostsItsFileAndNoOther() throws {
        let whole = Tree(["a": [1], "b": [UInt8](repeating: 2, count: 9000), "c": [3], "d/e": [4]])
        let root = try whole.store(in: store)
        for path in ["a", "b", "c", "d/e"] {
            var cid = root
            for part in path.split(separator: "/") {
                cid = try #require(
                    try DirectoryReader(source: store, root: cid).entry(named: Array(part.utf8))?.cid)
            }
            if let leaf = try store.block(cid)?.links().first { cid = leaf }
            let lossy = LossySource(base: store, missing: cid)
            let told = try export(root, to: "without \(path.count)\(path.first ?? " ")", from: lossy)
            #expect(told.filter { $0.hasPrefix("failed") } == ["failed \(path)"])
            #expect(told.count == 4)
        }
    }
}

/// Blocks without one of them.
private struct LossySource: BlockSource {
    let base: MemoryBlockStore
    let missing: CID

    func block(_ cid: CID) throws -> Block? {
        cid.multihash == missing.multihash ? nil : try base.block(cid)
    }
}

extension TemporaryDirectory {
    /// The contents of every file below a folder, by path.
    func contents(of folder: String) throws -> [String: [UInt8]] {
        let prefix = folder + "/"
        return Dictionary(
            uniqueKeysWithValues: try allFiles().filter { $0.key.hasPrefix(prefix) }
                .map { (String($0.key.dropFirst(prefix.count)), $0.value) })
    }

    /// Files of passing names that an export has left.
    func parts() throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: path).filter { $0.hasPrefix(".nacre-part") }
    }
}
