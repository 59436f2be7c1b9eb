import Foundation
import IPLD
import Multiformats
import TestKit
import Testing
import UnixFS

/// Ctrl-C, kills and closed outputs: what was said stays true, and a repeated command goes on.
@Suite struct InterruptionTests {
    let directory: TemporaryDirectory
    let nacre: NacreProcess

    init() throws {
        directory = try TemporaryDirectory(in: TemporaryDirectory.fastParent)
        nacre = NacreProcess(data: directory.path("data"))
    }

    @Test(arguments: [SIGINT, SIGTERM])
    func anInterruptedAddSaysWhatIsKeptAndLeavesACleanStore(number: Int32) throws {
        let first = try nacre.run(["add", "-Q", "-"], input: [1, 2, 3])
        let running = try RunningNacre(nacre, ["add", "-"])
        try running.feed(SeededRandom.bytes(seed: 1, count: 40_000_000))
        try running.wait("blocks are stored") { isStored(beyond: 2_000_000) }
        // Nothing more comes in: it waits for input when the signal does.
        running.signal(number)
        let outcome = try running.end()
        #expect(outcome.status == 130 && !outcome.wasSignalled, "\(outcome.errors)")
        #expect(outcome.errors.contains("interrupted"), "\(outcome.errors)")
        #expect(outcome.errors.contains("kept"), "\(outcome.errors)")
        #expect(outcome.output.isEmpty)
        let verified = try nacre.run("verify")
        #expect(verified.status == 0, "\(verified.text)\(verified.errors)")
        #expect(try nacre.run("cat", first.lines[0]).output == [1, 2, 3])
        #expect(try nacre.run("pin", "ls").lines.count == 1)
    }

    @Test func anAddOfALargeFileStopsAtOnceAndWhatItPrintedIsThere() throws {
        try directory.write([1, 2, 3], to: "folder/a")
        // Eight GiB of zeros take no space on the disk, but seconds to read and hash.
        let large = try directory.write([], to: "folder/b")
        try #require(truncate(large, 8 << 30) == 0)
        let running = try RunningNacre(nacre, ["add", directory.path("folder")])
        let lock = directory.path("data/LOCK")
        try running.wait("it is at work") {
            (try? String(contentsOfFile: lock, encoding: .utf8))?.contains("\(running.pid)") == true
        }
        running.signal(SIGINT)
        let outcome = try running.end()
        #expect(outcome.status == 130, "\(outcome.errors)")
        #expect(outcome.errors.contains("interrupted"), "\(outcome.errors)")
        for line in outcome.lines {
            let cid = String(line.prefix { $0 != " " })
            #expect(try nacre.run("block", "stat", cid).status == 0, "\(line)")
        }
        #expect(try nacre.run("pin", "ls").output.isEmpty)
        #expect(try nacre.run("verify").status == 0)
    }

    @Test(arguments: [["car", "import", "-"], ["block", "put"], ["cid", "format"]])
    func everyVerbThatWaitsForInputCanBeInterrupted(arguments: [String]) throws {
        let running = try RunningNacre(nacre, arguments)
        try running.feed(Array("baf".utf8))
        // It catches SIGINT, and sleeps.
        try running.wait("it waits for input") {
            let status = try String(contentsOfFile: "/proc/\(running.pid)/status", encoding: .utf8)
            let caught = status.split(separator: "\n").first { $0.hasPrefix("SigCgt:") }?.suffix(16)
            let mask = caught.flatMap { UInt64($0, radix: 16) } ?? 0
            return status.contains("State:\tS") && mask & (1 << UInt64(SIGINT - 1)) != 0
        }
        running.signal(SIGINT)
        let outcome = try running.end()
        #expect(outcome.status == 130 && !outcome.wasSignalled, "\(outcome.errors)")
    }

    @Test func aKilledAddThatIsRepeatedStoresOnlyWhatWasMissing() throws {
        let bytes = SeededRandom.bytes(seed: 2, count: 48 * 1024 * 1024)
        let running = try RunningNacre(nacre, ["add", "-Q", "-"])
        try running.feed(Array(bytes[..<(40 * 1024 * 1024)]))
        try running.wait("some of it is stored") { isStored(beyond: 4 * 1024 * 1024) }
        running.signal(SIGKILL)
        #expect(try running.end().wasSignalled)

        let again = try nacre.run(["add", "-Q", "-"], input: bytes)
        #expect(again.status == 0, "\(again.errors)")
        let stats = try #require(try nacre.run("stats", "--json").objects().first)
        let live = try #require(stats["liveBytes"] as? Int)
        let packs = try #require(stats["packBytes"] as? Int)
        #expect(live < bytes.count + 100_000)
        #expect(packs < live + 1_200_000, "nothing is stored twice: \(stats)")
        #expect(try nacre.run("cat", again.lines[0]).output == bytes)
        #expect(try nacre.run("verify").status == 0)
    }

    /// SIGINT or SIGKILL in the middle of a large file: nothing has its name, and a repeated get completes it.
    @Test(arguments: [SIGINT, SIGKILL])
    func aStoppedGetLeavesNothingUnderTheFinalNameAndCompletesWhenRepeated(number: Int32) throws {
        let (root, leaf, count) = try putRepetitiveFile(leaves: 400)
        let out = directory.path("out")
        var slow = nacre
        slow.environment = ["NACRE_IMPORT_THREADS": "1"]
        let running = try RunningNacre(slow, ["get", root.description, "-o", out])
        try running.wait("something is written") {
            ((try? Folder.bytes(out)) ?? 0) > 0
        }
        running.signal(number)
        let outcome = try running.end()
        #expect(outcome.status == (number == SIGINT ? 130 : SIGKILL), "\(outcome.errors)")
        let left = try FileManager.default.contentsOfDirectory(atPath: out)
        #expect(!left.contains("large"), "\(left)")

        let again = try nacre.run("get", root.description, "-o", out)
        #expect(again.status == 0, "\(again.errors)")
        #expect(try FileManager.default.contentsOfDirectory(atPath: out) == ["large"])
        let handle = try FileHandle(forReadingFrom: URL(fileURLWithPath: out + "/large"))
        for index in 0..<count {
            let piece = try handle.read(upToCount: leaf.count)
            try #require(piece == leaf, "piece \(index)")
        }
        #expect(try handle.read(upToCount: 1)?.isEmpty ?? true)
    }

    @Test func manyFilesOfTheSameContentAreWrittenAtTheSameTime() throws {
        // Several leaves each, so that they are written under passing names first.
        let content = SeededRandom.bytes(seed: 3, count: 3000)
        for index in 0..<300 { try directory.write(content, to: "same/f\(index)") }
        let root = try #require(
            try nacre.run("add", "-Q", "--chunker", "size-1024", directory.path("same")).lines.last)
        var nacre = nacre
        nacre.environment = ["NACRE_IMPORT_THREADS": "6"]
        let got = try nacre.run("get", root, "-o", directory.path("out"))
        #expect(got.status == 0, "\(got.errors)")
        let names = try FileManager.default.contentsOfDirectory(atPath: directory.path("out"))
        #expect(Set(names) == Set((0..<300).map { "f\($0)" }))
        #expect(try names.allSatisfy { try directory.read("out/" + $0) == content })
    }

    @Test func aFileOfOtherContentStopsGetUnlessItMayBeOverwritten() throws {
        for (name, bytes) in [("a", [1, 2, 3]), ("b", [4])] as [(String, [UInt8])] {
            try directory.write(bytes, to: "tree/" + name)
        }
        try directory.write(SeededRandom.bytes(seed: 4, count: 2_500_000), to: "tree/c")
        let root = try #require(try nacre.run("add", "-Q", directory.path("tree")).lines.last)
        let out = directory.path("out")
        #expect(try nacre.run("get", root, "-o", out).status == 0)
        let whole = try directory.read("tree/c")
        var changed = whole
        changed[2_000_000] ^= 1
        try directory.write([9, 9, 9], to: "out/a")
        try directory.write(changed, to: "out/c")
        try FileManager.default.removeItem(atPath: out + "/b")

        let refused = try nacre.run("get", root, "-o", out)
        #expect(refused.status == 3, "\(refused.errors)")
        #expect(
            refused.errors.contains("a exists") && refused.errors.contains("c exists"), "\(refused.errors)")
        #expect(refused.errors.contains("--overwrite"))
        #expect(try directory.read("out/a") == [9, 9, 9])
        #expect(try directory.read("out/c") == changed)
        #expect(try directory.read("out/b") == [4], "what is missing is written all the same")
        #expect(try nacre.run("get", root, "-o", out).status == 6, "nothing could be written")

        #expect(try nacre.run("get", root, "-o", out, "--overwrite").status == 0)
        #expect(try directory.read("out/a") == [1, 2, 3])
        #expect(try directory.read("out/c") == whole)
        #expect(try FileManager.default.contentsOfDirectory(atPath: out).sorted() == ["a", "b", "c"])
    }

    // MARK: Outputs that end

    @Test func aReaderThatGoesAwayEndsAListingQuietlyAndAnAddWithAnError() throws {
        for index in 0..<300 { try directory.write([UInt8(index & 0xFF), 1], to: "many/file-\(index)") }
        let root = try #require(try nacre.run("add", "-Q", directory.path("many")).lines.last)
        let listing = try closedOutput(["ls", root])
        #expect(listing.status == 0, "\(listing.errors)")
        #expect(listing.errors.isEmpty, "\(listing.errors)")
        let added = try closedOutput(["add", "--name", "again", directory.path("many")])
        #expect(added.status == 1, "what was to be done is not done: \(added.errors)")
        #expect(added.errors.contains("standard output was closed"), "\(added.errors)")
        #expect(try nacre.run("verify").status == 0)
    }

    @Test func aFullDeviceBehindStandardOutputIsAnError() throws {
        let root = try #require(try nacre.run(["add", "-Q", "-"], input: [1, 2, 3]).lines.last)
        for verb in ["cat", "ls", "stat"] {
            let process = nacre.process([verb, root])
            process.standardOutput = FileHandle(forWritingAtPath: "/dev/full")
            let errors = Pipe()
            process.standardError = errors
            try process.run()
            let text = String(decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
            process.waitUntilExit()
            #expect(process.terminationStatus == 1, "\(verb)")
            #expect(text.contains("standard output"), "\(verb): \(text)")
        }
    }

    // MARK: Helpers

    /// Runs with a standard output that nobody reads any more.
    private func closedOutput(_ arguments: [String]) throws -> (status: Int32, errors: String) {
        let process = nacre.process(arguments)
        let output = Pipe()
        let errors = Pipe()
        process.standardOutput = output
        process.standardError = errors
        try output.fileHandleForReading.close()
        try process.run()
        let text = String(decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        #expect(process.terminationReason == .exit)
        return (process.terminationStatus, text)
    }

    /// Whether a pack has content at an offset: space is taken beforehand and reads as zeros.
    private func isStored(beyond offset: Int) -> Bool {
        let packs = directory.path("data/blocks/packs")
        let names = (try? FileManager.default.contentsOfDirectory(atPath: packs)) ?? []
        return names.contains { name in
            guard let handle = FileHandle(forReadingAtPath: packs + "/" + name) else { return false }
            defer { try? handle.close() }
            try? handle.seek(toOffset: UInt64(offset))
            return (try? handle.read(upToCount: 64))?.contains { $0 != 0 } ?? false
        }
    }

    /// A directory with a file of so many times the same MiB: large to write, small to store.
    private func putRepetitiveFile(leaves count: Int) throws -> (root: CID, leaf: Data, count: Int) {
        let leaf = SeededRandom.bytes(seed: 9, count: 1024 * 1024)
        var dag = HandmadeDAG()
        let cid = dag.file(leaf)
        let sizes = [UInt64](repeating: UInt64(leaf.count), count: count)
        let file = dag.node(
            sizes.map { DAGPBLink(cid: cid, name: [], tsize: $0) },
            UnixFSData(kind: .file, fileSize: sizes.reduce(0, +), blockSizes: sizes))
        let root = dag.directory([("large", file)])
        let imported = try nacre.run(["car", "import", "-"], input: try dag.car(roots: [root]))
        try #require(imported.status == 0, "\(imported.errors)")
        return (root, Data(leaf), count)
    }
}
