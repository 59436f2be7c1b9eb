import Foundation
import IPLD
import Multiformats
import TestKit
import Testing

/// A byte that changed on the disk: found, named, status 7, and never served by any verb.
@Suite struct DamageTests {
    let directory: TemporaryDirectory
    let nacre: NacreProcess

    init() throws {
        directory = try TemporaryDirectory(in: TemporaryDirectory.fastParent)
        nacre = NacreProcess(data: directory.path("data"))
    }

    @Test func noVerbServesADamagedBlock() throws {
        // Small blocks are told from one another by what is in them.
        let bad = Array("the content that will be damaged".utf8)
        try directory.write(bad, to: "tree/bad")
        try directory.write([1, 2, 3], to: "tree/good")
        let root = try #require(try nacre.run("add", "-Q", directory.path("tree")).lines.last)
        let leaf = Block(content: bad).cid.description
        try flipAByte(within: bad)

        for arguments in [
            ["cat", leaf], ["cat", root + "/bad"], ["block", "get", leaf], ["car", "export", root],
            ["get", root, "--archive", "tar", "-o", "-"], ["get", root, "--archive", "car", "-o", "-"],
            ["dag", "get", "--output-codec", "raw", leaf],
        ] {
            let outcome = try nacre.run(arguments)
            #expect(outcome.status == 7, "\(arguments): \(outcome.errors)")
            #expect(outcome.errors.contains(leaf), "\(arguments): \(outcome.errors)")
            let isServed = outcome.output.firstRange(of: Array("content that will".utf8)) != nil
            #expect(!isServed, "\(arguments)")
        }
        let got = try nacre.run("get", root, "-o", directory.path("out"))
        #expect(got.status == 7, "\(got.errors)")
        #expect(got.errors.contains("bad") && got.errors.contains(leaf), "\(got.errors)")
        #expect(try RawFile.names(in: directory.path("out")) == [Array("good".utf8)], "the rest is written")
        let found = try nacre.run("verify", "--json")
        #expect(found.status == 7)
        #expect((found.text + found.errors).contains(leaf), "\(found.text)\(found.errors)")
        #expect(try nacre.run("cat", root + "/good").output == [1, 2, 3])

        // A good copy that comes by takes its place.
        try directory.write(try HandmadeDAG.car(roots: [], [Block(content: bad)]), to: "good.car")
        _ = try nacre.run("car", "import", directory.path("good.car"))
        #expect(try nacre.run("cat", leaf).output == bad)
        #expect(try nacre.run("get", root, "-o", directory.path("out")).status == 0)
        #expect(try nacre.run("verify").status == 0)
    }

    /// Finds content in the packs and changes one bit of it.
    private func flipAByte(within content: [UInt8]) throws {
        let packs = directory.path("data/blocks/packs")
        for name in try FileManager.default.contentsOfDirectory(atPath: packs) {
            let url = URL(fileURLWithPath: packs + "/" + name)
            var bytes = try Data(contentsOf: url)
            guard let range = bytes.firstRange(of: Data(content)) else { continue }
            bytes[range.lowerBound + 5] ^= 0x20
            // In place: the store keeps this file, only its content is another.
            let handle = try FileHandle(forWritingTo: url)
            try handle.seek(toOffset: UInt64(range.lowerBound))
            try handle.write(contentsOf: bytes[range])
            try handle.close()
            return
        }
        Issue.record("the content is in no pack")
    }
}
