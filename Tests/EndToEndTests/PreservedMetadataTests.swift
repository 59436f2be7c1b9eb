import Foundation
import TestKit
import Testing

/// Mode and mtime of UnixFS 1.5, taken in by `add --preserve-…` and given back by `get`.
@Suite struct PreservedMetadataTests {
    /// The rows for files of Kubo's test/sharness/t0047, as kept in Tests/Vectors/unixfs/vectors.json.
    struct Row: Decodable, CustomTestStringConvertible {
        let type: String
        let mode: String?
        let seconds: Int?
        let nanoseconds: Int?
        let cid: String

        enum CodingKeys: String, CodingKey {
            case type, cid
            case mode = "mode_octal"
            case seconds = "mtime_seconds"
            case nanoseconds = "mtime_nanoseconds"
        }

        var testDescription: String { cid }
    }

    private struct File: Decodable {
        let rows: [Row]
        enum CodingKeys: String, CodingKey { case rows = "mode_mtime" }
    }

    static let emptyFiles: [Row] = {
        guard let bytes = try? Vectors.bytes("unixfs/vectors.json"),
            let file = try? JSONDecoder().decode(File.self, from: Data(bytes))
        else { return [] }
        return file.rows.filter { $0.type == "file" }
    }()

    let directory: TemporaryDirectory
    let nacre: NacreProcess

    init() throws {
        directory = try TemporaryDirectory()
        nacre = NacreProcess(data: directory.path("data"))
    }

    @Test func thereAreRows() {
        #expect(Self.emptyFiles.count >= 7)
    }

    @Test(arguments: emptyFiles) func anEmptyFileHasThePublishedCID(row: Row) throws {
        let path = directory.path("empty")
        try RawFile.write([], folder: directory.path, name: Array("empty".utf8))
        var arguments = ["add", "-Q", "--only-hash", "--profile", "unixfs-v0-2015"]
        if let mode = row.mode {
            chmod(path, try #require(mode_t(mode, radix: 8)))
            arguments.append("--preserve-mode")
        }
        if let seconds = row.seconds {
            let time = timespec(tv_sec: seconds, tv_nsec: row.nanoseconds ?? 0)
            #expect(utimensat(AT_FDCWD, path, [time, time], 0) == 0)
            arguments.append("--preserve-mtime")
        }
        #expect(try nacre.run(arguments + [path]).lines == [row.cid])
    }

    @Test func modesAndTimesComeBack() throws {
        let tree = directory.path("tree")
        try FileManager.default.createDirectory(atPath: tree + "/inner", withIntermediateDirectories: true)
        let names = ["small", "large", "inner/script"]
        try RawFile.write([1, 2, 3], folder: tree, name: Array("small".utf8))
        try RawFile.write(
            SeededRandom.bytes(seed: 1, count: 3_000_000), folder: tree, name: Array("large".utf8))
        try RawFile.write([35, 33], folder: tree + "/inner", name: Array("script".utf8))
        for (index, name) in names.enumerated() {
            chmod(tree + "/" + name, mode_t(0o640 + index))
            let time = timespec(tv_sec: 1_600_000_000 + index, tv_nsec: 123_456_789)
            #expect(utimensat(AT_FDCWD, tree + "/" + name, [time, time], 0) == 0)
        }
        chmod(tree + "/inner", 0o710)
        let added = try nacre.run("add", "-Q", "--preserve-mode", "--preserve-mtime", tree)
        let root = try #require(added.lines.last)
        let got = try nacre.run("get", root, "-o", directory.path("back"))
        #expect(got.status == 0, "\(got.errors)")
        for name in names + ["inner"] {
            var before = stat()
            var after = stat()
            #expect(lstat(tree + "/" + name, &before) == 0)
            #expect(lstat(directory.path("back/" + name), &after) == 0)
            #expect(before.st_mode == after.st_mode, "\(name)")
            #expect(before.st_mtim.tv_sec == after.st_mtim.tv_sec, "\(name)")
            #expect(before.st_mtim.tv_nsec == after.st_mtim.tv_nsec, "\(name)")
        }
    }

    @Test func rawLeavesAndPreservationExcludeEachOther() throws {
        try RawFile.write([1], folder: directory.path, name: Array("one".utf8))
        let refused = try nacre.run("add", "--preserve-mode", "--raw-leaves", "true", directory.path("one"))
        #expect(refused.status == 2)
        #expect(refused.errors.contains("raw leaves carry no mode or time"))
    }
}
