import Foundation
import TestKit
import Testing

/// Bad input 40: parts of a data directory that are missing or damaged are found and named, and never taken for
/// good; what is still there goes on.
@Suite struct LostPartsTests {
    let directory: TemporaryDirectory
    let nacre: NacreProcess
    let root: String

    init() throws {
        directory = try TemporaryDirectory()
        nacre = NacreProcess(data: directory.path("data"))
        try FileManager.default.createDirectory(
            atPath: directory.path("tree"), withIntermediateDirectories: true)
        for number in 0..<20 {
            try directory.write(
                SeededRandom.bytes(seed: UInt64(number), count: 50_000 * number), to: "tree/f\(number)")
        }
        root = try #require(try nacre.run("add", "-Q", directory.path("tree")).lines.last)
    }

    private func packs() throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: directory.path("data/blocks/packs"))
            .map { directory.path("data/blocks/packs/" + $0) }
    }

    @Test func badInput40ALostCatalogIsNotReplacedByAnEmptyOne() throws {
        for name in ["catalog.sqlite", "catalog.sqlite-wal", "catalog.sqlite-shm"] {
            try? FileManager.default.removeItem(atPath: directory.path("data/" + name))
        }
        for arguments in [
            ["gc", "--grace", "0"], ["pin", "ls"], ["verify"], ["add", directory.path("tree")],
        ] {
            let refused = try nacre.run(arguments)
            #expect(refused.status == 7, "\(arguments)")
            #expect(refused.errors.contains("catalog.sqlite is gone"))
            #expect(refused.errors.contains("--new-catalog"))
        }
        #expect(try nacre.run("verify", "--new-catalog").status == 0)
        #expect(try nacre.run("pin", "add", root, "--name", "again").status == 0)
        #expect(try nacre.run("gc", "--grace", "0").status == 0)
        #expect(try nacre.run("get", root, "-o", directory.path("back")).status == 0)
    }

    @Test func badInput40ADamagedCatalogIsAFindingAndTheBlocksAreChecked() throws {
        let path = directory.path("data/catalog.sqlite")
        var bytes = try directory.read("data/catalog.sqlite")
        for offset in 0..<3000 { bytes[offset] = 0xAA }
        try Data(bytes).write(to: URL(fileURLWithPath: path))
        let verified = try nacre.run("verify")
        #expect(verified.status == 7)
        #expect(verified.text.contains("catalog"))
        let blocks = verified.text.split(separator: "verified ").last.flatMap {
            Int($0.prefix { $0.isNumber })
        }
        #expect((blocks ?? 0) > 19, "the blocks are checked all the same: \(verified.text)")
    }

    @Test func addingAgainBringsBackWhatALostPackHeld() throws {
        for pack in try packs() { try FileManager.default.removeItem(atPath: pack) }
        let damaged = try nacre.run("verify")
        #expect(damaged.status == 7)
        #expect(damaged.text.contains("pin tree"), "the pins are named: \(damaged.text)")
        #expect(try nacre.run("cat", root + "/f7").status == 7)
        #expect(try nacre.run("add", "-Q", directory.path("tree")).lines == [root])
        #expect(try nacre.run("get", root, "-o", directory.path("back")).status == 0)
        #expect(try nacre.run("gc", "--grace", "0").status == 0)
        let verified = try nacre.run("verify")
        #expect(verified.status == 0, "\(verified.text)")
    }

    @Test func collectingStopsWhereWhatLiesBelowAPinCannotBeKnown() throws {
        for pack in try packs() { try FileManager.default.removeItem(atPath: pack) }
        let stopped = try nacre.run("gc", "--grace", "0")
        #expect(stopped.status == 7)
        #expect(stopped.errors.contains("pin tree is not whole"))
        #expect(try nacre.run("pin", "rm", "tree").status == 0)
        #expect(try nacre.run("gc", "--grace", "0").status == 0)
    }

    @Test func contentThatIsNotOfItsCodecDoesNotKeepOthersFromBeingCollected() throws {
        // A pin that is still being filled, above a block that claims to be DAG-CBOR and is not.
        let bad = try #require(
            try nacre.run(["block", "put", "--codec", "raw", "-"], input: [0xFF, 0xFF, 1, 2]).lines.last)
        let named = try #require(
            try nacre.run("cid", "format", "--codec", "dag-cbor", bad).lines.last)
        let above = try nacre.run(
            ["dag", "put", "-"], input: Array("{\"down\": {\"/\": \"\(named)\"}}".utf8))
        let parent = try #require(above.lines.last)
        let pinned = try nacre.run("pin", "add", parent)
        #expect(pinned.status != 0)
        #expect(pinned.errors.contains(named), "the block is named: \(pinned.errors)")
        #expect(try nacre.run("gc", "--grace", "0").status == 0)
    }

    @Test func aNameOfSeveralRootsRemovesNone() throws {
        try FileManager.default.createDirectory(
            atPath: directory.path("other"), withIntermediateDirectories: true)
        try directory.write([1], to: "other/tree")
        #expect(try nacre.run("add", directory.path("other/tree")).status == 0)
        let refused = try nacre.run("pin", "rm", "tree")
        #expect(refused.status == 6)
        #expect(try nacre.run("pin", "ls").lines.count == 2)
        #expect(try nacre.run("pin", "rm", "--all", "tree").lines.count == 2)
        #expect(try nacre.run("pin", "ls").lines.isEmpty)
    }

    @Test func aFolderOfOtherThingsDoesNotBecomeADataDirectory() throws {
        var stranger = nacre
        stranger = NacreProcess(data: directory.path("tree"))
        let refused = try stranger.run("add", directory.path("tree/f3"))
        #expect(refused.status == 1)
        #expect(refused.errors.contains("name an empty directory"))
        #expect(!FileManager.default.fileExists(atPath: directory.path("tree/VERSION")))
    }

    @Test func nobodyElseReadsADataDirectory() throws {
        for name in ["", "/blocks/packs", "/catalog.sqlite", "/VERSION"] {
            let attributes = try FileManager.default.attributesOfItem(atPath: directory.path("data") + name)
            let mode = try #require(attributes[.posixPermissions] as? Int)
            #expect(mode & 0o077 == 0, "\(name) has mode \(String(mode, radix: 8))")
        }
    }

    @Test(arguments: ["1>&-", "0<&- 1>&- 2>&-"])
    func nothingIsPrintedIntoTheDataDirectoryWhereOutputIsClosed(redirections: String) throws {
        let before = try Folder.bytes(directory.path("data/blocks/packs"))
        let shell = Process()
        shell.executableURL = URL(fileURLWithPath: "/bin/sh")
        shell.arguments = [
            "-c", "exec \"$0\" --data \"$1\" cat \"$2\" \(redirections)", NacreProcess.executable.path,
            directory.path("data"), root + "/f19",
        ]
        try shell.run()
        shell.waitUntilExit()
        #expect(shell.terminationStatus == 1, "what was asked for went nowhere")
        #expect(try Folder.bytes(directory.path("data/blocks/packs")) == before)
        #expect(try directory.read("data/LOCK").count < 200)
        #expect(try nacre.run("verify").status == 0)
    }

    /// An index from a backup points into packs that compaction has removed since.
    @Test func badInput40AnIndexOlderThanThePacksHidesNothing() throws {
        let index = directory.path("data/blocks/index")
        let saved = directory.path("saved")
        try FileManager.default.copyItem(atPath: index, toPath: saved)
        try directory.write(SeededRandom.bytes(seed: 77, count: 2_000_000), to: "gone")
        let gone = try #require(try nacre.run("add", "-Q", directory.path("gone")).lines.last)
        #expect(try nacre.run("pin", "rm", gone).status == 0)
        #expect(try nacre.run("gc", "--grace", "0", "--max-unused", "0%").status == 0)
        try FileManager.default.removeItem(atPath: index)
        try FileManager.default.moveItem(atPath: saved, toPath: index)
        let got = try nacre.run("get", root, "-o", directory.path("back"))
        #expect(got.status == 0, "\(got.errors)")
    }

    @Test func aDamagedRowOfTheCatalogIsNamedAndCanBeRemoved() throws {
        try directory.write([1], to: "other")
        #expect(try nacre.run("add", directory.path("other")).status == 0)
        let sqlite = Process()
        sqlite.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        sqlite.arguments = [
            "python3", "-c",
            """
            import sqlite3, sys
            db = sqlite3.connect(sys.argv[1])
            db.execute("UPDATE pins SET created = created + 1 WHERE name = 'other'")
            db.commit()
            db.close()
            """, directory.path("data/catalog.sqlite"),
        ]
        try sqlite.run()
        sqlite.waitUntilExit()
        #expect(sqlite.terminationStatus == 0)
        let verified = try nacre.run("verify")
        #expect(verified.status == 7)
        let id = try #require(
            verified.text.components(separatedBy: "nacre pin rm ").dropFirst().first?.prefix { $0 != "`" })
        #expect(verified.text.contains("verified 3") || verified.text.contains("blocks ("))
        #expect(try nacre.run("gc", "--grace", "0").status == 7, "nobody knows what the row kept")
        #expect(try nacre.run("pin", "rm", String(id)).status == 0)
        #expect(try nacre.run("verify").status == 0)
        #expect(try nacre.run("gc", "--grace", "0").status == 0)
        #expect(try nacre.run("get", root, "-o", directory.path("back")).status == 0)
    }

    @Test func badInput36OnADiskThatOthersHaveFilledReadingAndRemovingGoOn() throws {
        let mount = directory.path("small")
        try FileManager.default.createDirectory(atPath: mount, withIntermediateDirectories: true)
        guard try run("mount", "-t", "tmpfs", "-o", "size=300m", "tmpfs", mount) == 0 else {
            print("not allowed to mount: not shown here")
            return
        }
        defer { _ = try? run("umount", mount) }
        let small = NacreProcess(data: mount + "/data")
        let bytes = SeededRandom.bytes(seed: 5, count: 20_000_000)
        try directory.write(bytes, to: "big")
        let big = try #require(try small.run("add", "-Q", directory.path("big")).lines.last)
        #expect(try small.run("add", "-Q", directory.path("tree")).status == 0)
        _ = try run("dd", "if=/dev/zero", "of=" + mount + "/foreign", "bs=64k", "status=none")
        let free =
            try FileManager.default.attributesOfFileSystem(forPath: mount)[.systemFreeSize] as? Int ?? -1
        #expect(free < 65536)
        #expect(try small.run("ls", root).status == 0)
        #expect(try small.run("cat", big).output == bytes)
        let refused = try small.run("add", NacreProcess.executable.path)
        #expect(refused.status == 1)
        #expect(!refused.errors.contains("rebuild-index"), "\(refused.errors)")
        let removed = try small.run("pin", "rm", big)
        #expect(removed.status == 0, "\(removed.errors)")
        let collected = try small.run("gc", "--grace", "0")
        #expect(collected.status == 0, "\(collected.errors)")
    }

    private func run(_ arguments: String...) throws -> Int32 {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = arguments
        process.standardError = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        return process.terminationStatus
    }
}
