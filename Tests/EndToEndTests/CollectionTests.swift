import Foundation
import TestKit
import Testing

/// Removing gives space back; what is kept stays.
@Suite struct CollectionTests {
    let directory: TemporaryDirectory
    let nacre: NacreProcess

    init() throws {
        directory = try TemporaryDirectory()
        nacre = NacreProcess(data: directory.path("data"))
    }

    @Test func removingAPinAndCollectingShrinksTheDataDirectory() throws {
        let kept = SeededRandom.bytes(seed: 1, count: 20_000_000)
        let gone = SeededRandom.bytes(seed: 2, count: 60_000_000)
        let keptURL = URL(fileURLWithPath: try directory.write(kept, to: "kept"))
        try directory.write(gone, to: "gone")
        let keptRoot = try #require(try nacre.run("add", "-Q", keptURL.path).lines.last)
        let goneRoot = try #require(try nacre.run("add", "-Q", directory.path("gone")).lines.last)
        #expect(try nacre.run("pin", "rm", goneRoot).status == 0)

        let young = try nacre.run("gc")
        #expect(young.status == 0)
        #expect(try nacre.run("cat", goneRoot).status == 0, "within the grace period nothing goes")

        let dry = try nacre.run("gc", "--dry-run", "--grace", "0", "--json")
        #expect(dry.text.contains("\"blocks\":59"), "58 leaves of 1 MiB and a root: \(dry.text)")
        #expect(try nacre.run("cat", goneRoot).status == 0, "a dry run drops nothing")

        let before = try Folder.diskBytes(directory.path("data"))
        let collected = try nacre.run("gc", "--grace", "0")
        #expect(collected.status == 0, "\(collected.errors)")
        let after = try Folder.diskBytes(directory.path("data"))
        #expect(before - after > 55_000_000, "freed \(before - after) bytes")
        // What is held for a full disk is not of the content.
        let held = try directory.read("data/blocks/reserve").count
        #expect(after - Int64(held) < 25_000_000, "\(after) bytes are left")
        #expect(try nacre.run("cat", keptRoot).output == kept)
        #expect(try nacre.run("cat", goneRoot).status == 4)
        #expect(try nacre.run("verify").status == 0)
    }

    @Test func theDryRunNamesRootlessTrees() throws {
        try directory.write([1, 2, 3], to: "file")
        let root = try #require(
            try nacre.run("add", "-Q", "--wrap", "--no-pin", directory.path("file")).lines.last)
        let dry = try nacre.run("gc", "--dry-run", "--grace", "0", "--list")
        #expect(dry.text.contains(root), "\(dry.text)")
    }

    @Test func packsArePlainCARFilesForOtherTools() throws {
        try directory.write(SeededRandom.bytes(seed: 4, count: 3_000_000), to: "file")
        #expect(try nacre.run("add", directory.path("file")).status == 0)
        let packs = try FileManager.default.contentsOfDirectory(atPath: directory.path("data/blocks/packs"))
        #expect(!packs.isEmpty)
        for pack in packs {
            let check = try Script.run("check_car.py", directory.path("data/blocks/packs/" + pack))
            #expect(check.status == 0, "\(check.output)")
        }
    }

    @Test func aSecondProcessIsRefusedByNameAndPID() throws {
        let holder = nacre.process(["add", "-"])
        let pipe = Pipe()
        holder.standardInput = pipe
        holder.standardOutput = FileHandle.nullDevice
        holder.standardError = FileHandle.nullDevice
        try holder.run()
        defer {
            try? pipe.fileHandleForWriting.close()
            holder.waitUntilExit()
        }
        let lock = directory.path("data/LOCK")
        var waited = 0
        while (try? String(contentsOfFile: lock, encoding: .utf8))?.contains("\(holder.processIdentifier)")
            != true
        {
            usleep(10_000)
            waited += 1
            try #require(waited < 1000, "the first process never took the lock")
        }
        let second = try nacre.run("stats")
        #expect(second.status == 6)
        #expect(second.errors.contains("\(holder.processIdentifier)"), "\(second.errors)")
        #expect(second.errors.contains("nacre"))
    }

    @Test func aDataDirectoryOfANewerFormatIsRefusedUntouched() throws {
        try directory.write([1], to: "file")
        _ = try nacre.run("add", directory.path("file"))
        let version = directory.path("data/VERSION")
        try "nacre 99\n".write(toFile: version, atomically: true, encoding: .utf8)
        let before = try Folder.bytes(directory.path("data"))
        let refused = try nacre.run("add", directory.path("file"))
        #expect(refused.status == 1)
        #expect(refused.errors.contains("99"), "\(refused.errors)")
        #expect(try Folder.bytes(directory.path("data")) == before)
    }

    @Test func bitRotIsFoundNamedAndNeverServed() throws {
        let bytes = SeededRandom.bytes(seed: 6, count: 300_000)
        try directory.write(bytes, to: "file")
        let root = try #require(try nacre.run("add", "-Q", directory.path("file")).lines.last)
        let packs = directory.path("data/blocks/packs")
        let pack =
            packs + "/" + (try #require(try FileManager.default.contentsOfDirectory(atPath: packs).first))
        let handle = try FileHandle(forUpdating: URL(fileURLWithPath: pack))
        try handle.seek(toOffset: 150_000)
        let byte = try #require(try handle.read(upToCount: 1)?.first)
        try handle.seek(toOffset: 150_000)
        try handle.write(contentsOf: Data([byte ^ 0x10]))
        try handle.close()
        let read = try nacre.run("cat", root)
        #expect(read.status == 7, "\(read.errors)")
        #expect(read.output.isEmpty)
        let verified = try nacre.run("verify")
        #expect(verified.status == 7)
        #expect((verified.text + verified.errors).contains(root))
        // Adding the file again brings the good bytes back.
        #expect(try nacre.run("add", directory.path("file")).status == 0)
        #expect(try nacre.run("cat", root).output == bytes)
        #expect(try nacre.run("verify").status == 0)
    }
}
