import CAR
import Foundation
import IPLD
import Multiformats
import TestKit
import Testing

/// `car export`: the right blocks, in one order, in files that other readers take.
@Suite struct CARExportTests {
    let directory: TemporaryDirectory
    let nacre: NacreProcess

    init() throws {
        directory = try TemporaryDirectory(in: TemporaryDirectory.fastParent)
        nacre = NacreProcess(data: directory.path("data"))
    }

    @Test func theSameDAGGivesTheSameBytesInBothVersions() throws {
        let root = try addTree()
        let (first, second) = (directory.path("1.car"), directory.path("2.car"))
        #expect(try nacre.run("car", "export", root, "-o", first).status == 0)
        #expect(try nacre.run("car", "export", root, "--car-version", "2", "-o", second).status == 0)
        let plain = try directory.read("1.car")
        #expect(try nacre.run("car", "export", root).output == plain, "standard output has the same bytes")

        // Another data directory, filled in another order, gives the same file.
        let other = NacreProcess(data: directory.path("other"))
        #expect(try other.run("car", "import", second).status == 0)
        #expect(try other.run("car", "export", root, "-o", directory.path("again.car")).status == 0)
        #expect(try directory.read("again.car") == plain)

        let checked = try Script.run("check_car.py", "--roots-present", first, second)
        #expect(checked.status == 0, "\(checked.output)")
        for path in [first, second] { #expect(try nacre.run("car", "verify", path).status == 0) }
        let files = try FileManager.default.contentsOfDirectory(atPath: directory.path)
        #expect(!files.contains { $0.contains("nacre-part") }, "\(files)")
    }

    @Test func theOrderIsDepthFirstAndEachBlockIsThereOnce() throws {
        var dag = HandmadeDAG()
        let (a, b, shared) = (dag.file("a"), dag.file("b"), dag.file("shared"))
        let left = dag.directory([("a", a), ("s", shared)])
        let right = dag.directory([("b", b), ("s", shared)])
        let root = dag.directory([("left", left), ("right", right), ("s", shared)])
        _ = dag.file("not of this root")
        #expect(
            try nacre.run(["car", "import", "-"], input: try dag.car(roots: [root])).status == 0)
        let exported = try nacre.run("car", "export", root.description)
        let expected = [root, left, a, shared, right, b]
        #expect(try cids(in: exported.output) == expected.map(\.description))
    }

    @Test func theIndexOfVersion2FindsEveryBlock() throws {
        let root = try addTree()
        let file = try nacre.run("car", "export", root, "--car-version", "2").output
        var reader = CARReader()
        reader.feed(file)
        reader.finish()
        var sections: [CARSection] = []
        while let section = try reader.next() { sections.append(section) }
        let offset = try #require(reader.version2Header?.indexOffset)
        let index = try CARIndex(bytes: Array(file[Int(offset)...]))
        #expect(index.format == .multihashSorted)
        #expect(index.count == sections.count)
        for section in sections {
            // Offsets count from the payload within the container.
            #expect(index.offsets(of: section.cid.multihash) == [section.offset - reader.payloadOffset])
        }
    }

    @Test func scopesTakeTheBlocksThatTheyName() throws {
        let root = try addTree()
        let all = try cids(in: try nacre.run("car", "export", root, "--dag-scope", "all").output)
        let entity = try cids(in: try nacre.run("car", "export", root, "--dag-scope", "entity").output)
        #expect(entity == [root], "a directory without the files in it")
        let block = try cids(in: try nacre.run("car", "export", root, "--dag-scope", "block").output)
        #expect(block == [root])
        let file = try nacre.run("car", "export", root + "/sub/large", "--dag-scope", "entity")
        let large = try cids(in: file.output)
        #expect(large.count == 5, "four leaves and their root: \(large)")
        #expect(large.allSatisfy { all.contains($0) })
        let one = try nacre.run("car", "export", root + "/sub/large", "--dag-scope", "block")
        #expect(try cids(in: one.output) == [large[0]])
        #expect(try nacre.run("car", "export", root, "--dag-scope", "tree").status == 2)
        #expect(try nacre.run("car", "export", root, "--car-version", "3").status == 2)
    }

    @Test func entityBytesTakeOnlyTheLeavesThatHoldThem() throws {
        let root = try addTree()
        let large = root + "/sub/large"
        let all = try cids(in: try nacre.run("car", "export", large).output)
        func exported(_ range: String) throws -> [String] {
            let exported = try nacre.run("car", "export", large, "--entity-bytes=" + range)
            #expect(exported.status == 0, "\(exported.errors)")
            return try cids(in: exported.output)
        }
        let leaf = 1024 * 1024
        #expect(try exported("0:0") == [all[0], all[1]])
        #expect(try exported("\(leaf - 1):\(leaf)") == [all[0], all[1], all[2]])
        #expect(try exported("\(leaf):\(2 * leaf - 1)") == [all[0], all[2]])
        #expect(try exported("-1:*") == [all[0], all[4]])
        #expect(try exported("0:*") == all)
        for bad in ["5", "a:b"] {
            #expect(try nacre.run("car", "export", large, "--entity-bytes=" + bad).status == 2, "\(bad)")
        }
    }

    @Test func aDAGThatIsNotWholeIsNoFileUnderItsName() throws {
        let root = "QmPLPpnptHc1DMhJAWNYMTqBTqqRQNy5WsY7F9pZgsBfMT"
        _ = try nacre.run("car", "import", Vectors.url("car/simple-unixfs-missing-blocks.car").path)
        for version in ["1", "2"] {
            let exported = try nacre.run(
                "car", "export", root, "--car-version", version, "-o", directory.path("out.car"))
            #expect(exported.status == 4)
            #expect(exported.errors.contains("QmVKt1VVkgfYcbSZqLD9sxZAkDpbH3L7RM6mJ6LHbkj5Bm"))
        }
        let left = try FileManager.default.contentsOfDirectory(atPath: directory.path)
        #expect(left == ["data"], "neither the file nor a beginning of it: \(left)")
        #expect(try nacre.run("car", "export", "bafkqaaa").status == 0, "an identity CID has all it needs")
        #expect(
            try nacre.run("car", "export", "bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku")
                .status == 4)
    }

    /// Two small files, and one of four leaves in a directory below.
    private func addTree() throws -> String {
        try directory.write([1, 2, 3], to: "tree/a")
        try directory.write([4], to: "tree/b")
        try directory.write(SeededRandom.bytes(seed: 8, count: 3_500_000), to: "tree/sub/large")
        return try #require(try nacre.run("add", "-Q", directory.path("tree")).lines.last)
    }

    private func cids(in file: [UInt8]) throws -> [String] {
        var reader = CARReader()
        reader.feed(file)
        reader.finish()
        var cids: [String] = []
        while let section = try reader.next() { cids.append(section.cid.description) }
        return cids
    }
}
