import CAR
import Foundation
import IPLD
import Multiformats
import TestKit
import Testing

/// `car import`: any CAR file that is right comes in and is kept; one that is not says where it is wrong.
@Suite struct CARImportTests {
    let directory: TemporaryDirectory
    let nacre: NacreProcess

    init() throws {
        directory = try TemporaryDirectory(in: TemporaryDirectory.fastParent)
        nacre = NacreProcess(data: directory.path("data"))
    }

    @Test func aQuietImportSaysTheRootsAndWarningsAlone() throws {
        let part = Vectors.url("car/simple-unixfs-missing-blocks.car").path
        let missing = try nacre.run("car", "import", "-q", part)
        #expect(missing.status == 3 && missing.errors.contains("missing"), "\(missing.errors)")
        #expect(!missing.errors.contains("held already"))
        let whole = try nacre.run("car", "import", "--quiet", Vectors.url("car/simple-unixfs.car").path)
        #expect(whole.status == 0 && whole.lines.count == 1 && whole.errors.isEmpty, "\(whole.errors)")
    }

    @Test func everyBlockOfTheFixturesComesInAndTheirRootsArePinned() throws {
        let whole: [(file: String, options: [String], missing: Int)] = [
            ("sample-v1.car", [], 0), ("sample-v1-noidentity.car", [], 0), ("sample-wrapped-v2.car", [], 0),
            ("sample-v2-indexless.car", [], 0), ("sample-unixfs-v2.car", [], 0),
            ("sample-rw-bs-v2.car", [], 0),
            ("simple-unixfs-missing-blocks.car", [], 3), ("simple-unixfs.car", [], 0),
            ("wikipedia-cryptographic-hash-function.car", [], 680),
            ("sample-v1-with-zero-len-section.car", ["--zero-length-is-end"], 0),
            ("sample-v1-with-zero-len-section2.car", ["--zero-length-is-end"], 0),
        ]
        var roots: Set<String> = []
        var sizes: [String] = []
        for (file, options, missing) in whole {
            let expected = try ExpectedCAR(file)
            let path = Vectors.url("car/" + file).path
            let imported = try nacre.run(["car", "import", "--json"] + options + [path])
            #expect(imported.status == (missing == 0 ? 0 : 3), "\(file): \(imported.errors)")
            let rows = try imported.objects()
            #expect(Set(rows.map { $0["root"] as? String }) == Set(expected.roots), "\(file)")
            #expect(rows.allSatisfy { $0["blocks"] as? Int == expected.blocks }, "\(file)")
            #expect(rows.compactMap { $0["missingBlocks"] as? Int }.max() == missing, "\(file)")
            let status = missing == 0 ? "pinned" : "pinning"
            #expect(rows.allSatisfy { $0["status"] as? String == status }, "\(file)")
            roots.formUnion(expected.roots)

            let listed = try nacre.run(["car", "ls"] + options + [path])
            #expect(listed.status == 0)
            #expect(listed.lines.count == expected.blocks)
            #expect(listed.lines.first?.hasPrefix(expected.first + " ") == true, "\(file)")
            #expect(listed.lines.last?.hasPrefix(expected.last + " ") == true, "\(file)")
            sizes += listed.lines
        }
        let pins = try nacre.run("pin", "ls", "--json").objects()
        #expect(Set(pins.map { $0["cid"] as? String }) == roots)
        let cids = sizes.map { String($0.prefix { $0 != " " }) }
        let asked = try nacre.run(["block", "stat"] + cids)
        #expect(asked.status == 0, "\(asked.errors)")
        #expect(asked.lines == sizes, "the sizes in the store are those in the files")
        #expect(try nacre.run("verify").status == 0)
    }

    @Test func aDamagedFileDoesNotKeepTheOthersOut() throws {
        var (first, second) = (HandmadeDAG(), HandmadeDAG())
        let (a, b) = (first.file("first"), second.file("second"))
        try directory.write(first.car(roots: [a]), to: "a.car")
        try directory.write(second.car(roots: [b]), to: "b.car")
        try directory.write([1, 2, 3], to: "bad.car")
        let paths = ["a.car", "bad.car", "no-such.car", "b.car"].map { directory.path($0) }
        let imported = try nacre.run(["car", "import"] + paths)
        #expect(imported.status == 3, "\(imported.errors)")
        #expect(imported.lines == ["\(a) pinned", "\(b) pinned"])
        #expect(imported.errors.contains("bad.car") && imported.errors.contains("no-such.car"))
    }

    @Test func damagedFixturesAreRefusedWithTheirPlaceAndNothingIsPinned() throws {
        let damaged = [
            ("badheaderlength.car", "byte 0 "), ("badsectionlength.car", "byte 18 "),
            ("sample-corrupt-pragma.car", "byte 0:"), ("sample-rootless-v42.car", "byte 1 "),
            ("sample-v1-tailing-corrupt-section.car", "byte 479518:"),
            ("sample-v1-with-zero-len-section.car", "byte 479907 "),
            ("sample-v1-with-zero-len-section2.car", "byte 20819 "),
            ("sample-v2-corrupt-data-and-index.car", "byte 27:"),
            ("fuzz-blockreader-c3c7eedeb496.bin", "byte 0 "), ("fuzz-carreader-21a90a70853c.bin", "byte 0 "),
            ("fuzz-carreader-5857e57e4072.bin", "byte 9:"), ("fuzz-reader-c640dd07c027.bin", "byte 11:"),
            ("fuzz-reader-e1d7f87ee37f.bin", "byte 11:"), ("fuzz-reader-fe93cec1356a.bin", "byte 110 "),
            ("sample-index.carindex", "byte 2:"), ("sample-multihash-index-sorted.carindex", "byte 2:"),
        ]
        for (index, (file, place)) in damaged.enumerated() {
            let path = Vectors.url("car/" + file).path
            let refused = try nacre.run("car", "import", path)
            #expect(refused.status == 7, "\(file): \(refused.text)")
            #expect(refused.output.isEmpty, "\(file)")
            let isPlain = refused.errors.contains(file) && refused.errors.contains(place)
            #expect(isPlain, "\(place)? \(refused.errors)")
            guard index % 3 == 0 else { continue }
            let checked = try nacre.run("car", "verify", path)
            #expect(checked.status == 7 && checked.errors.contains(place), "\(checked.errors)")
        }
        #expect(try nacre.run("pin", "ls").output.isEmpty)
        let verified = try nacre.run("verify")
        #expect(verified.status == 0, "\(verified.text)\(verified.errors)")
    }

    @Test func aBlockThatIsNotWhatItsCodecSaysIsNamedAndNothingIsPinned() throws {
        let bad = Block(content: [0xFF, 0xFF], codec: .dagPB)
        let file = try HandmadeDAG.car(roots: [bad.cid], [bad])
        let refused = try nacre.run(["car", "import", "-"], input: file)
        #expect(refused.status == 1)
        #expect(refused.errors.contains(bad.cid.description), "\(refused.errors)")
        #expect(try nacre.run("pin", "ls").output.isEmpty)
    }

    @Test func noPinLeavesTheBlocksWithoutAPin() throws {
        let path = Vectors.url("car/simple-unixfs.car").path
        let imported = try nacre.run("car", "import", "--no-pin", path)
        #expect(imported.status == 0)
        #expect(imported.lines == ["QmPLPpnptHc1DMhJAWNYMTqBTqqRQNy5WsY7F9pZgsBfMT unpinned"])
        #expect(try nacre.run("pin", "ls").output.isEmpty)
        #expect(try nacre.run("gc", "--grace", "0").status == 0)
        let gone = try nacre.run("block", "stat", "QmPLPpnptHc1DMhJAWNYMTqBTqqRQNy5WsY7F9pZgsBfMT")
        #expect(gone.status == 4)
    }

    @Test func duplicatesAreCounted() throws {
        let block = Block(content: [1, 2, 3])
        let other = Block(content: [4])
        try directory.write(
            try HandmadeDAG.car(roots: [block.cid], [block, other, block, block]), to: "twice.car")
        let first = try nacre.run("car", "import", "--json", directory.path("twice.car"))
        #expect(try first.objects().first?["duplicateBlocks"] as? Int == 2)
        #expect(first.errors.contains("4 blocks") && first.errors.contains("2 of them held already"))
        let again = try nacre.run("car", "import", "--json", directory.path("twice.car"))
        #expect(again.status == 0)
        #expect(try again.objects().first?["duplicateBlocks"] as? Int == 4)
    }

    @Test func missingBlocksAreReportedAndTheRestComesInLater() throws {
        let root = "QmPLPpnptHc1DMhJAWNYMTqBTqqRQNy5WsY7F9pZgsBfMT"
        let partial = try nacre.run(
            "car", "import", Vectors.url("car/simple-unixfs-missing-blocks.car").path)
        #expect(partial.status == 3)
        #expect(partial.lines == ["\(root) pinning"])
        #expect(partial.errors.contains("3 blocks below \(root) are missing"), "\(partial.errors)")
        let exported = try nacre.run("car", "export", root, "-o", directory.path("out.car"))
        #expect(exported.status == 4)
        #expect(!FileManager.default.fileExists(atPath: directory.path("out.car")))

        let rest = try nacre.run("car", "import", Vectors.url("car/simple-unixfs.car").path)
        #expect(rest.status == 0, "\(rest.errors)")
        #expect(rest.lines == ["\(root) pinned"])
        #expect(try nacre.run("verify").status == 0)
    }

    @Test func aFileWithoutRootsPinsNothingAndSaysSo() throws {
        let block = Block(content: [5, 6])
        let imported = try nacre.run(
            ["car", "import", "-"], input: try HandmadeDAG.car([block]))
        #expect(imported.status == 3, "without a pin the blocks are not kept: that is no success")
        #expect(imported.errors.contains("no roots"))
        #expect(try nacre.run("pin", "ls").output.isEmpty)
        #expect(try nacre.run("block", "get", block.cid.description).output == [5, 6])
    }

    @Test func standardInputIsRead() throws {
        let bytes = try Vectors.bytes("car/sample-wrapped-v2.car")
        let imported = try nacre.run(["car", "import", "--name", "piped", "-"], input: bytes)
        #expect(imported.status == 0, "\(imported.errors)")
        let pins = try nacre.run("pin", "ls", "--json").objects()
        #expect(pins.compactMap { $0["name"] as? String } == ["piped"])
        let verified = try nacre.run(["car", "verify", "-"], input: bytes)
        #expect(verified.status == 0 && verified.text.contains("CARv2"), "\(verified.text)")
        #expect(try nacre.run(["car", "ls", "-"], input: bytes).lines.count == 1049)
    }

    @Test func aFileThatIsNotThereHasStatusFour() throws {
        #expect(try nacre.run("car", "import", directory.path("nothing.car")).status == 4)
        #expect(try nacre.run("car", "ls", directory.path("nothing.car")).status == 4)
        #expect(try nacre.run("car", "verify", directory.path("nothing.car")).status == 4)
    }

    // MARK: Bad inputs 1 to 5

    @Test func badInput1AHeaderThatClaimsTooMuchIsRefusedAtOnce() throws {
        var file: [UInt8] = []
        Varint.append(1 << 62, to: &file)
        try refuse(file + [UInt8](repeating: 0, count: 100), at: "byte 0")
    }

    @Test func badInput2ASectionThatClaimsGigabytesIsRefused() throws {
        var file = CARv1.header()
        Varint.append(3 << 30, to: &file)
        try refuse(file + [UInt8](repeating: 1, count: 10_000_000), at: "byte 18")
    }

    @Test func badInput2ABlockOverTheLimitNeedsTheOption() throws {
        let big = Block(content: [UInt8](repeating: 7, count: Block.defaultMaximumBytes + 1))
        let file = try HandmadeDAG.car(roots: [big.cid], [big])
        try refuse(file, at: "byte")
        let allowed = try nacre.run(["car", "import", "--allow-big-block", "-"], input: file)
        #expect(allowed.status == 0, "\(allowed.errors)")
    }

    @Test func badInput3ABlockThatIsNotWhatItsCIDNamesEndsTheImport() throws {
        let good = Block(content: [1])
        let bad = Block(cid: Block(content: [2]).cid, bytes: [3])
        let file = try HandmadeDAG.car(roots: [good.cid], [good, bad])
        let place = "byte \(try HandmadeDAG.car(roots: [good.cid], [good]).count)"
        try refuse(file, at: place, naming: bad.cid.description)
        #expect(try nacre.run("block", "get", bad.cid.description).status == 4, "it was never stored")
        #expect(try nacre.run("verify").status == 0)
    }

    @Test func badInput4AVersion2HeaderThatLiesIsRefusedAndALyingIndexIsNotUsed() throws {
        var dag = HandmadeDAG()
        let leaf = dag.file("leaf")
        let root = dag.directory([("leaf", leaf)])
        let payload = try dag.car(roots: [root])
        func container(_ header: CARv2Header, index: [UInt8] = []) -> [UInt8] {
            CARv2Header.pragma + header.bytes + payload + index
        }
        let size = UInt64(payload.count)
        try refuse(container(CARv2Header(dataBytes: 0, indexOffset: nil)), at: "byte 35")
        try refuse(container(CARv2Header(dataOffset: 11, dataBytes: size, indexOffset: nil)), at: "byte 27")
        try refuse(
            container(CARv2Header(dataOffset: .max, dataBytes: size, indexOffset: nil)), at: "byte 27")
        try refuse(container(CARv2Header(dataOffset: 1 << 40, dataBytes: size, indexOffset: nil)), at: "byte")
        try refuse(container(CARv2Header(dataBytes: size + 1, indexOffset: nil)), at: "byte")
        // The index within the payload, beyond the file, or full of nonsense: nobody needs it.
        for offset in [60, 51 + size, 1 << 50] as [UInt64] {
            let file = container(
                CARv2Header(dataBytes: size, indexOffset: offset),
                index: [UInt8](repeating: 0xFF, count: 300))
            let imported = try nacre.run(["car", "import", "-"], input: file)
            #expect(imported.status == 0, "\(imported.errors)")
            #expect(imported.lines == ["\(root) pinned"])
        }
    }

    @Test func badInput5RootsThatAreNotInTheFileAreNoSuccess() throws {
        let root = Block(content: [1, 1]).cid
        let other = Block(content: [2, 2])
        let file = try HandmadeDAG.car(roots: [root], [other])
        let imported = try nacre.run(["car", "import", "-"], input: file)
        #expect(imported.status == 3)
        #expect(imported.lines == ["\(root) pinning"])
        #expect(imported.errors.contains("\(root)"), "\(imported.errors)")
        let verified = try nacre.run(["car", "verify", "-"], input: file)
        #expect(verified.status == 3)
        #expect(verified.errors.contains("1 of the roots"))
    }

    @Test func badInput5AHeaderOfTenMillionRootsIsRefused() throws {
        var file: [UInt8] = []
        Varint.append(10_000_000 * 41, to: &file)
        try refuse(file + [UInt8](repeating: 0x42, count: 2_000_000), at: "byte 0")
    }

    /// Refused with its place; nothing is pinned.
    private func refuse(
        _ file: [UInt8], at place: String, naming name: String? = nil,
        sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        let refused = try nacre.run(["car", "import", "-"], input: file)
        #expect(refused.status == 7, "\(refused.errors)", sourceLocation: sourceLocation)
        #expect(refused.output.isEmpty, sourceLocation: sourceLocation)
        let isPlain = refused.errors.contains(place) && name.map { refused.errors.contains($0) } ?? true
        #expect(isPlain, "\(refused.errors)", sourceLocation: sourceLocation)
        #expect(try nacre.run("pin", "ls").output.isEmpty, sourceLocation: sourceLocation)
    }
}

/// What `expected.json` says of a fixture.
private struct ExpectedCAR {
    let roots: [String]
    let blocks: Int
    let first: String
    let last: String

    init(_ file: String) throws {
        let all = try #require(try Vectors.jsonObject("car/expected.json") as? [String: Any])
        let entry = try #require(all[file] as? [String: Any])
        let payload = try #require(entry["payload"] as? [String: Any])
        roots = try #require(payload["roots"] as? [String])
        blocks = try #require(payload["blocks"] as? Int)
        first = try #require(payload["first_cid"] as? String)
        last = try #require(payload["last_cid"] as? String)
    }
}
