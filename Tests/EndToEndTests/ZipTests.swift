import Digests
import Foundation
import Glibc
import IPLD
import Multiformats
import TestKit
import Testing
import UnixFS

/// `?format=zip` of the gateway, read by Info-ZIP and by Python.
@Suite struct ZipTests {
    let directory: TemporaryDirectory
    let nacre: NacreProcess

    init() throws {
        directory = try TemporaryDirectory(in: TemporaryDirectory.fastParent)
        nacre = NacreProcess(data: directory.path("data"))
    }

    private struct Row: Decodable {
        let name: String
        let text: Bool
        let mode: String
        let time: [Int]
        let size: UInt64
        let method: Int
        let sha256: String
    }

    private static func hexadecimal(_ bytes: [UInt8]) -> String {
        bytes.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
    }

    private static func sha256(_ bytes: [UInt8]) throws -> String {
        hexadecimal(Array(try Multihash(hashing: bytes, with: .sha2_256).bytes.dropFirst(2)))
    }

    /// Fetches the archive of a root, with holes for zeros, and lists it.
    private func rows(_ root: CID, _ dag: HandmadeDAG) throws -> [Row] {
        let imported = try nacre.run(["car", "import", "-"], input: try dag.car(roots: [root]))
        try #require(imported.status == 0, "\(imported.errors)")
        let node = try ServedNode(nacre)
        let url = "http://127.0.0.1:\(node.port)/ipfs/\(root)?format=zip"
        let fetched = try Tool.run(
            "sh", "-c", "curl -sSf '\(url)' | dd conv=sparse bs=1M iflag=fullblock status=none of=\(archive)")
        try node.stop()
        try #require(fetched.status == 0, "\(fetched.output)")
        let listed = try Script.run("list_zip.py", archive)
        try #require(listed.status == 0, "\(listed.output)")
        return try listed.output.split(separator: "\n").map {
            try JSONDecoder().decode(Row.self, from: Data($0.utf8))
        }
    }

    private var archive: String { directory.path("out.zip") }

    @Test func unzipAndPythonReadWhatIsInTheTree() throws {
        guard Tool.areHere("curl", "unzip", "zipinfo") else { return }
        var dag = HandmadeDAG()
        let dated = dag.file(
            "dated", UnixFSMetadata(mode: 0o4751, mtime: UnixFSTime(seconds: 1_700_000_001)))
        let old = dag.file("old", UnixFSMetadata(mtime: UnixFSTime(seconds: -5)))
        let content = dag.file("content")
        // Content in several leaves.
        let leaves = [dag.file("first"), dag.file("second")]
        let parts = dag.node(
            leaves.map { DAGPBLink(cid: $0, name: [], tsize: 6) },
            UnixFSData(kind: .file, fileSize: 11, blockSizes: [5, 6]))
        let inner = dag.directory(
            [("plain", content)], metadata: UnixFSMetadata(mode: 0o700))
        let entries: [(name: [UInt8], cid: CID)] = [
            (name: [0xE9, 0x41], cid: content), (name: Array("émile 日本".utf8), cid: content),
            (name: Array("PK\u{1}\u{2}".utf8), cid: dag.file("PK\u{5}\u{6} in the content")),
            (name: Array("dated".utf8), cid: dated), (name: Array("empty".utf8), cid: dag.file("")),
            (name: Array("inner".utf8), cid: inner),
            (name: Array("link".utf8), cid: dag.symlink("inner/plain")),
            (name: Array("nothing".utf8), cid: dag.directory([(String, CID)]())),
            (name: Array("old".utf8), cid: old), (name: Array("parts".utf8), cid: parts),
        ]
        let root = dag.directory(entries.sorted { $0.name.lexicographicallyPrecedes($1.name) })
        var rows: [String: Row] = [:]
        for row in try self.rows(root, dag) { rows[row.name] = row }
        func row(_ name: [UInt8]) -> Row? { rows[Self.hexadecimal(Array("\(root)".utf8) + name)] }
        func row(_ name: String) -> Row? { row(Array(name.utf8)) }
        #expect(rows.count == entries.count + 2, "the root and what is in `inner`")
        #expect(rows.values.allSatisfy { $0.method == 0 })
        #expect(row("/")?.mode == "40755" && row("/nothing/")?.size == 0)
        #expect(row("/inner/")?.mode == "40700" && row("/inner/plain")?.size == 7)
        #expect(row("/dated")?.mode == "100751", "no set-user-ID bit from somebody else's DAG")
        #expect(row("/dated")?.time == [2023, 11, 14, 22, 13, 20])
        #expect(row("/old")?.time == [1980, 1, 1, 0, 0, 0] && row("/empty")?.size == 0)
        #expect(try row("/parts")?.sha256 == Self.sha256(Array("firstsecond".utf8)))
        #expect(row("/link")?.mode == "120777")
        #expect(try row("/link")?.sha256 == Self.sha256(Array("inner/plain".utf8)))
        #expect(row("/émile 日本")?.text == true && row([0x2F, 0xE9, 0x41])?.text == false)

        // Info-ZIP makes what `get` makes, times included.
        let tested = try Tool.run("unzip", "-tqq", archive)
        #expect(tested.status == 0, "\(tested.output)")
        let extracted = try Tool.run(
            "env", "TZ=UTC", "LC_ALL=C.UTF-8", "unzip", "-^", "-qq", archive, "-d", directory.path("zip"))
        #expect(extracted.status == 0, "\(extracted.output)")
        let plain = try nacre.run("get", root.description, "-o", directory.path("get"))
        #expect(plain.status == 0, "\(plain.errors)")
        let compared = try Tool.run(
            "diff", "-r", "--no-dereference", directory.path("get"), directory.path("zip/\(root)"))
        #expect(compared.status == 0, "\(compared.output)")
        var status = stat()
        #expect(lstat(directory.path("zip/\(root)/dated"), &status) == 0)
        #expect(status.st_mode & 0o7777 == 0o751 && status.st_mtim.tv_sec == 1_700_000_001)
    }

    /// Beyond what 16 and 32 bits count: more than 65,535 entries, and of those behind 4 GiB.
    @Test func whatIsLargeIsZIP64() throws {
        guard Tool.areHere("curl", "unzip", "zipinfo") else { return }
        var dag = HandmadeDAG()
        let leaf = dag.file([UInt8](repeating: 0, count: 1 << 20))
        let sizes = [UInt64](repeating: 1 << 20, count: 4096)
        let large = dag.node(
            sizes.map { DAGPBLink(cid: leaf, name: [], tsize: $0) },
            UnixFSData(kind: .file, fileSize: sizes.reduce(0, +), blockSizes: sizes))
        let last = dag.file("behind it")
        var folders: [(String, CID)] = [("a", large), ("z", last)]
        let empty = dag.file("")
        for number in 10..<26 {
            let files = (0..<4096).map { ("\(100_000 + $0)", empty) }
            folders.append(("f\(number)", dag.directory(files)))
        }
        let root = dag.directory(folders.sorted { $0.0 < $1.0 })
        let rows = try rows(root, dag)
        #expect(rows.count == 16 * 4096 + 16 + 3)
        #expect(rows.filter { $0.size == 1 << 32 }.count == 1)
        #expect(try rows.last?.sha256 == Self.sha256(Array("behind it".utf8)))
        let listed = try Tool.run("zipinfo", "-h", archive)
        #expect(listed.status == 0 && listed.output.contains("number of entries: 65555"), "\(listed.output)")
        let read = try Tool.run("unzip", "-p", archive, "\(root)/z")
        #expect(read.status == 0 && read.output == "behind it", "\(read.output)")
    }

    @Test func aFileThatEndsEarlyIsNoArchive() throws {
        guard Tool.areHere("curl") else { return }
        var dag = HandmadeDAG()
        let leaf = dag.file("four")
        let liar = dag.node(
            [DAGPBLink(cid: leaf, name: [], tsize: 10)],
            UnixFSData(kind: .file, fileSize: 10, blockSizes: [10]))
        let root = dag.directory([("file", liar)])
        _ = try nacre.run(["car", "import", "-"], input: try dag.car(roots: [root]))
        let node = try ServedNode(nacre)
        let answer = try node.get("/ipfs/\(root)?format=zip")
        try node.stop()
        #expect(answer.hasPrefix("HTTP/1.1 500 "), "\(answer.prefix(200))")
    }
}
