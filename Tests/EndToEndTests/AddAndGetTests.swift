import Foundation
import TestKit
import Testing

/// A folder goes in by the command line and comes back byte for byte.
@Suite struct AddAndGetTests {
    let directory: TemporaryDirectory
    let nacre: NacreProcess

    init() throws {
        directory = try TemporaryDirectory()
        nacre = NacreProcess(data: directory.path("data"))
    }

    @Test func printsALineForEachEntryAndTheRootLast() throws {
        try makeTree("planets", ["mars.txt": "Hello Mars!\n", "venus.txt": "Hello Venus!\n"])
        let added = try nacre.run("add", "--profile", "unixfs-v0-2015", directory.path("planets"))
        #expect(added.status == 0)
        #expect(
            added.lines == [
                "QmPrrHqJzto9m7SyiRzarwkqPcCSsKR2EB1AyqJfe8L8tN planets/mars.txt",
                "QmU5kp3BH3B8tnWUU2Pikdb2maksBNkb92FHRr56hyghh4 planets/venus.txt",
                "QmWSgS32xQEcXMeqd3YPJLrNBLSdsfYCep2U7CFkyrjXwY planets",
            ])
    }

    @Test func quietPrintsCIDsAndQuieterOnlyTheRoot() throws {
        try makeTree("two", ["mfs1.txt": "file1\n", "mfs2.txt": "file2\n"])
        let quiet = try nacre.run("add", "-q", directory.path("two"))
        #expect(quiet.lines.count == 3)
        #expect(quiet.lines.last == "bafybeic7xwqwovt4g4bax6d3udp6222i63vj2rblpbim7uy2uw4a5gahha")
        let quieter = try nacre.run("add", "-Q", directory.path("two"))
        #expect(quieter.lines == ["bafybeic7xwqwovt4g4bax6d3udp6222i63vj2rblpbim7uy2uw4a5gahha"])
    }

    @Test func aTreeComesBackByteForByte() throws {
        var random = SeededRandom(seed: 20_26)
        var files: [String: [UInt8]] = ["empty": [], "one": [7]]
        for index in 0..<200 {
            files["small/\(index % 7)/file-\(index)"] = random.bytes(random.number(0...5000))
        }
        files["large/exact"] = random.bytes(16 * 1024 * 1024)
        files["large/more"] = random.bytes(17 * 1024 * 1024 + 13)
        for (path, bytes) in files { try write(bytes, "tree/" + path) }
        try FileManager.default.createDirectory(
            atPath: directory.path("tree/hollow"), withIntermediateDirectories: true)
        try FileManager.default.createSymbolicLink(
            atPath: directory.path("tree/link"), withDestinationPath: "small/0/file-0")

        let root = try #require(try nacre.run("add", "-Q", directory.path("tree")).lines.last)
        let got = try nacre.run("get", root, "-o", directory.path("back"))
        #expect(got.status == 0, "\(got.errors)")
        for (path, bytes) in files { #expect(try directory.read("back/" + path) == bytes, "\(path)") }
        var isDirectory: ObjCBool = false
        #expect(
            FileManager.default.fileExists(atPath: directory.path("back/hollow"), isDirectory: &isDirectory))
        #expect(isDirectory.boolValue)
        #expect(
            try FileManager.default.destinationOfSymbolicLink(atPath: directory.path("back/link"))
                == "small/0/file-0")
        let again = try nacre.run("get", root, "-o", directory.path("back"))
        #expect(again.status == 0, "a repeated get finds everything in place: \(again.errors)")
        #expect(try nacre.run("verify").status == 0)
    }

    @Test func theNumberOfThreadsDoesNotChangeTheCID() throws {
        var random = SeededRandom(seed: 5)
        for index in 0..<300 {
            try write(random.bytes(random.number(0...9000)), "many/\(index % 11)/f\(index)")
        }
        try write(random.bytes(33 * 1024 * 1024 + 1), "many/large")
        var roots: Set<String> = []
        for threads in ["1", "2", "7"] {
            var nacre = nacre
            nacre.environment = ["NACRE_IMPORT_THREADS": threads]
            roots.formUnion(try nacre.run("add", "-Q", "--only-hash", directory.path("many")).lines)
        }
        #expect(roots.count == 1)
    }

    @Test func fileNamesWithAnyBytesSurvive() throws {
        let names: [[UInt8]] = [
            Array("new\nline".utf8), [0xFF, 0xFE, 0x41], Array("quote\"'\\".utf8), Array("émile 🌊".utf8),
            [0x1B, 0x5B, 0x32, 0x4A],
            Array("-rf".utf8), Array(repeating: UInt8(ascii: "n"), count: 255),
        ]
        let folder = directory.path("odd")
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        for name in names { try RawFile.write([1, 2, 3], folder: folder, name: name) }
        let root = try #require(try nacre.run("add", "-Q", folder).lines.last)
        #expect(try nacre.run("get", root, "-o", directory.path("back")).status == 0)
        #expect(try RawFile.names(in: directory.path("back")) == Set(names))
        let listing = try nacre.run("ls", root)
        #expect(listing.status == 0)
        for name in names {
            let isThere = listing.output.firstRange(of: name) != nil
            #expect(isThere, "\(name)")
        }
    }

    @Test func standardInputAndOutputCarryAnyBytes() throws {
        let bytes = SeededRandom.bytes(seed: 3, count: 3_000_001)
        let root = try #require(try nacre.run(["add", "-Q", "-"], input: bytes).lines.last)
        #expect(try nacre.run("cat", root).output == bytes)
        let part = try nacre.run("cat", "--offset", "1048570", "--length", "20", root)
        #expect(part.output == Array(bytes[1_048_570..<1_048_590]))
        #expect(try nacre.run("cat", "--offset", "3000001", root).output.isEmpty)
    }

    @Test func hiddenEntriesStayOutUnlessAskedFor() throws {
        try makeTree("shy", ["seen": "1", ".hidden": "2", ".dir/inner": "3"])
        let plain = try nacre.run("add", directory.path("shy"))
        #expect(plain.lines.count == 2)
        #expect(plain.errors.contains("2 hidden entries were left out; --hidden takes them in"))
        #expect(try nacre.run("add", "--hidden", directory.path("shy")).lines.count == 5)
    }

    @Test func ignoreRulesLeaveOutWhatTheyName() throws {
        try makeTree(
            "project",
            [
                "main.c": "", "main.o": "", "build/out": "", "docs/build/page": "", "docs/a.tmp": "",
                "keep.o": "",
                ".nacreignore": "# comment\n*.tmp\n/build/\n",
            ])
        let added = try nacre.run("add", "--ignore", "*.o", "--ignore", "!keep.o", directory.path("project"))
        let names = Set(added.lines.map { $0.split(separator: " ", maxSplits: 1)[1] })
        #expect(
            names == [
                "project/main.c", "project/docs/build/page", "project/docs/build", "project/docs",
                "project/keep.o", "project",
            ])
    }

    @Test func specialFilesAreSkippedWithANote() throws {
        try makeTree("special", ["file": "x"])
        #expect(mkfifo(directory.path("special/pipe"), 0o600) == 0)
        let added = try nacre.run("add", directory.path("special"))
        #expect(added.status == 0)
        #expect(added.lines.count == 2)
        #expect(added.errors.contains("skipped special/pipe"))
    }

    @Test func missingPathsAndWrongUsageHaveTheirExitCodes() throws {
        #expect(try nacre.run("add", directory.path("nothing")).status == 4)
        #expect(try nacre.run("add").status == 2)
        #expect(try nacre.run("frobnicate").status == 2)
        #expect(
            try nacre.run("cat", "bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku").status == 4)
        #expect(
            try nacre.run("cat", "bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvy0u").status == 2)
        #expect(try nacre.run("--help").status == 0)
        #expect(try nacre.run("--version").status == 0)
    }

    @Test func addingTwiceStoresNothingNew() throws {
        try write(SeededRandom.bytes(seed: 9, count: 5_000_000), "data.bin")
        let first = try nacre.run("add", "-Q", directory.path("data.bin"))
        let before = try Folder.bytes(directory.path("data/blocks/packs"))
        let second = try nacre.run("add", "-Q", directory.path("data.bin"))
        #expect(first.lines == second.lines)
        #expect(try Folder.bytes(directory.path("data/blocks/packs")) == before)
    }

    private func makeTree(_ root: String, _ files: [String: String]) throws {
        for (path, text) in files { try write(Array(text.utf8), root + "/" + path) }
    }

    private func write(_ bytes: [UInt8], _ path: String) throws {
        let url = URL(fileURLWithPath: directory.path(path))
        try FileManager.default.createDirectory(
            at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(bytes).write(to: url)
    }
}
