import Foundation
import IPLD
import Multiformats
import TestKit
import Testing
import UnixFS

/// `get --archive tar`, read by GNU tar and by Python.
@Suite struct TarTests {
    let directory: TemporaryDirectory
    let nacre: NacreProcess

    init() throws {
        directory = try TemporaryDirectory(in: TemporaryDirectory.fastParent)
        nacre = NacreProcess(data: directory.path("data"))
    }

    @Test func gnuTarAndPythonReadWhatIsInTheTree() throws {
        var dag = HandmadeDAG()
        let content = dag.file("content")
        let name99 = [UInt8](repeating: UInt8(ascii: "a"), count: 99)
        let name101 = [UInt8](repeating: UInt8(ascii: "b"), count: 101)
        let name255 = [UInt8](repeating: UInt8(ascii: "c"), count: 255)
        let longTarget = String(repeating: "d/", count: 150) + "end"
        let dated = dag.file(
            "dated", UnixFSMetadata(mode: 0o4751, mtime: UnixFSTime(seconds: 1_700_000_000, nanoseconds: 5)))
        let old = dag.file("old", UnixFSMetadata(mtime: UnixFSTime(seconds: -2, nanoseconds: 500_000_000)))
        let future = dag.file("future", UnixFSMetadata(mtime: UnixFSTime(seconds: 1 << 34)))
        // Names within names, so that the whole path has more than 255 bytes too.
        let inner = dag.directory(
            [(name: name255, cid: content)], metadata: UnixFSMetadata(mode: 0o700))
        let entries: [(name: [UInt8], cid: CID)] = [
            (name: name99, cid: content), (name: name101, cid: content), (name: name255, cid: inner),
            (name: [0xFF, 0xFE, 0x41], cid: content), (name: Array("new\nline".utf8), cid: content),
            (name: Array("émile".utf8), cid: content), (name: Array("-rf".utf8), cid: content),
            (name: Array("empty".utf8), cid: dag.file("")),
            (name: Array("link".utf8), cid: dag.symlink("../somewhere")),
            (name: Array("longlink".utf8), cid: dag.symlink(longTarget)),
            (name: Array("dated".utf8), cid: dated), (name: Array("old".utf8), cid: old),
            (name: Array("future".utf8), cid: future),
        ]
        let root = dag.directory(entries.sorted { $0.name.lexicographicallyPrecedes($1.name) })
        _ = try nacre.run(["car", "import", "-"], input: try dag.car(roots: [root]))
        let tar = directory.path("out.tar")
        let got = try nacre.run("get", root.description, "--archive", "tar", "-o", tar)
        try #require(got.status == 0, "\(got.errors)")
        let piped = try nacre.run("get", root.description, "--archive", "tar", "-o", "-")
        #expect(try directory.read("out.tar") == piped.output)

        let listed = try Script.run("list_tar.py", tar)
        try #require(listed.status == 0, "\(listed.output)")
        var rows: [[UInt8]: [String: Any]] = [:]
        for line in listed.output.split(separator: "\n") {
            let row = try #require(
                try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
            rows[try #require((row["name"] as? String).flatMap(Self.bytes))] = row
        }
        let base = Array(root.description.utf8)
        let slash = [UInt8(ascii: "/")]
        var expected = Set(entries.map { base + slash + $0.name })
        expected.formUnion([base, base + slash + name255 + slash + name255])
        #expect(Set(rows.keys) == expected)
        func row(_ name: String) -> [String: Any]? { rows[base + slash + Array(name.utf8)] }
        #expect(row("dated")?["mode"] as? String == "751", "no set-user-ID bit from somebody else's DAG")
        #expect(row("dated")?["mtime"] as? String == "1700000000.000000005")
        #expect(row("old")?["mtime"] as? String == "-1.500000000")
        #expect(row("future")?["mtime"] as? String == "17179869184")
        #expect(row("empty")?["size"] as? Int == 0)
        #expect((row("link")?["target"] as? String).flatMap(Self.bytes) == Array("../somewhere".utf8))
        #expect((row("longlink")?["target"] as? String).flatMap(Self.bytes) == Array(longTarget.utf8))
        #expect(rows[base + slash + name255]?["type"] as? String == "directory")

        // GNU tar makes what `get` makes.
        try FileManager.default.createDirectory(
            atPath: directory.path("tar"), withIntermediateDirectories: true)
        let extracted = try Tool.run("tar", "-C", directory.path("tar"), "-xpf", tar)
        #expect(extracted.status == 0, "\(extracted.output)")
        let plain = try nacre.run("get", root.description, "-o", directory.path("get"))
        #expect(plain.status == 0, "\(plain.errors)")
        let compared = try Tool.run(
            "diff", "-r", "--no-dereference", directory.path("get"), directory.path("tar/\(root)"))
        #expect(compared.status == 0, "\(compared.output)")
        for folder in ["get", "tar/\(root)"] {
            var status = stat()
            #expect(lstat(directory.path(folder + "/dated"), &status) == 0)
            #expect(status.st_mode & 0o7777 == 0o751)
            #expect(status.st_mtim.tv_sec == 1_700_000_000 && status.st_mtim.tv_nsec == 5, "\(folder)")
            #expect(lstat(directory.path(folder + "/old"), &status) == 0)
            #expect(status.st_mtim.tv_sec == -2 && status.st_mtim.tv_nsec == 500_000_000, "\(folder)")
        }
    }

    @Test func aFileThatEndsEarlyIsNoArchive() throws {
        var dag = HandmadeDAG()
        let leaf = dag.file("four")
        // The node claims ten bytes, its only leaf has four.
        let liar = dag.node(
            [DAGPBLink(cid: leaf, name: [], tsize: 10)],
            UnixFSData(kind: .file, fileSize: 10, blockSizes: [10]))
        let root = dag.directory([("file", liar)])
        _ = try nacre.run(["car", "import", "-"], input: try dag.car(roots: [root]))
        for arguments in [["--archive", "tar", "-o", directory.path("out")], ["-o", directory.path("dir")]] {
            let got = try nacre.run(["get", root.description] + arguments)
            #expect(got.status != 0)
            #expect(got.errors.contains("error:"))
        }
        #expect(!FileManager.default.fileExists(atPath: directory.path("out")))
        #expect(!FileManager.default.fileExists(atPath: directory.path("dir/file")))
        let read = try nacre.run("cat", root.description + "/file")
        #expect(read.status != 0, "a stream that ends early is an error")
    }

    private static func bytes(_ hex: String) -> [UInt8]? {
        let digits = Array(hex.utf8)
        guard digits.count.isMultiple(of: 2) else { return nil }
        return stride(from: 0, to: digits.count, by: 2).map {
            UInt8(String(decoding: digits[$0..<($0 + 2)], as: UTF8.self), radix: 16) ?? 0
        }
    }
}
