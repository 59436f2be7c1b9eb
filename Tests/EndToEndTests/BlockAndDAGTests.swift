import Foundation
import IPLD
import Multiformats
import TestKit
import Testing
import UnixFS

/// `block`, `dag`, `cid`: single blocks, structured ones, and their names.
@Suite struct BlockAndDAGTests {
    let directory: TemporaryDirectory
    let nacre: NacreProcess

    init() throws {
        directory = try TemporaryDirectory(in: TemporaryDirectory.fastParent)
        nacre = NacreProcess(data: directory.path("data"))
    }

    @Test func pathsGoThroughBlocksOfEveryCodec() throws {
        let leaf = try put(["block", "put"], "leaf bytes")
        let json = try put(
            ["dag", "put", "--store-codec", "dag-json"], #"{"leaf":{"/":"\#(leaf)"},"n":[1,2,{"deep":true}]}"#
        )
        let cbor = try put(["dag", "put"], #"{"list":[0,{"/":"\#(json)"}],"text":"höhe"}"#)
        let pb = try put(
            ["dag", "put", "--store-codec", "dag-pb"],
            #"{"Data":{"/":{"bytes":"CAE"}},"Links":[{"Hash":{"/":"\#(cbor)"},"Name":"inner","Tsize":7}]}"#)
        #expect(pb.hasPrefix("bafybei") && cbor.hasPrefix("bafyrei"))
        #expect(try nacre.run("dag", "get", cbor + "/text").text == "\"höhe\"\n")
        #expect(try nacre.run("dag", "get", cbor + "/list/1/n/2/deep").text == "true\n")
        #expect(try nacre.run("dag", "get", pb + "/Links/0/Hash/list/1/n/0").text == "1\n")
        let raw = try nacre.run("dag", "get", "--output-codec", "raw", cbor + "/list/1/leaf")
        #expect(raw.text == "leaf bytes")
        // The block itself, in its own codec, is the block.
        let block = try nacre.run("block", "get", cbor).output
        #expect(try nacre.run("dag", "get", "--output-codec", "dag-cbor", cbor).output == block)
        let missing = try nacre.run("dag", "get", cbor + "/list/7")
        #expect(missing.status == 4 && missing.errors.contains("7"), "\(missing.errors)")
        #expect(try nacre.run("dag", "get", "--output-codec", "dag-xml", cbor).status == 2)

        let counted = try #require(try nacre.run("dag", "stat", "--json", pb).objects().first)
        #expect(counted["blocks"] as? Int == 4)
        #expect(counted["missing"] as? Int == 0)
        let sizes = try nacre.run("block", "stat", leaf, json, cbor, pb).lines
        #expect(
            counted["bytes"] as? Int == sizes.compactMap { Int($0.split(separator: " ")[1]) }.reduce(0, +))
    }

    @Test func aValueThatIsWrongIsRefused() throws {
        for text in [#"{"b":1,"b":2}"#, "{", #"{"/":"no cid"}"#, "1e999"] {
            let refused = try nacre.run(["dag", "put"], input: Array(text.utf8))
            #expect(refused.status == 1 && refused.errors.hasPrefix("error:"), "\(text): \(refused.errors)")
        }
        let absent = Block(content: [9, 9, 9]).cid
        let unpinned = try nacre.run(["dag", "put", "--pin"], input: Array(#"{"/":"\#(absent)"}"#.utf8))
        #expect(unpinned.status == 4 && unpinned.errors.contains("\(absent)"), "\(unpinned.errors)")
        // Blocks that are not what their codec says are not taken in by hand.
        for codec in ["dag-pb", "dag-cbor"] {
            #expect(try nacre.run(["block", "put", "--codec", codec], input: [0xFF, 0xFF]).status == 1)
        }
        #expect(try nacre.run(["block", "put", "--codec", "no-such"], input: [1]).status == 2)
        #expect(try nacre.run(["block", "put", "--hash", "no-such"], input: [1]).status == 2)
    }

    @Test(arguments: ["sha2-512", "sha3-256", "blake2b-256", "sha1", "identity"])
    func blocksOfOtherHashFunctionsAreKeptAndVerified(hash: String) throws {
        let cid = try put(["block", "put", "--hash", hash], "some bytes")
        #expect(try nacre.run("block", "get", cid).text == "some bytes")
        #expect(try nacre.run("block", "stat", cid).lines == ["\(cid) 10"])
        let inspected = try #require(try nacre.run("cid", "inspect", "--json", cid).objects().first)
        #expect(inspected["hash"] as? String == hash)
        #expect(try nacre.run("verify").status == 0)
    }

    @Test func badInput13AnIdentityCIDHoldsAtMost128Bytes() throws {
        let most = try nacre.run(
            ["block", "put", "--hash", "identity"], input: [UInt8](repeating: 1, count: 128))
        #expect(most.status == 0)
        let more = try nacre.run(
            ["block", "put", "--hash", "identity"], input: [UInt8](repeating: 1, count: 129))
        #expect(more.status == 1 || more.status == 2, "\(more.errors)")
        #expect(more.errors.contains("128"), "\(more.errors)")
    }

    @Test func aBlockOfMoreThanTwoMebibytesNeedsTheOption() throws {
        let bytes = [UInt8](repeating: 3, count: Block.defaultMaximumBytes + 1)
        let refused = try nacre.run(["block", "put"], input: bytes)
        #expect(refused.status == 1 && refused.errors.contains("\(Block.defaultMaximumBytes)"))
        let taken = try nacre.run(["block", "put", "--allow-big-block"], input: bytes)
        #expect(taken.status == 0, "\(taken.errors)")
        #expect(try nacre.run("block", "get", taken.lines[0]).output == bytes)
    }

    @Test func aPathGoesThroughNamesThatAreNoText() throws {
        var dag = HandmadeDAG()
        let leaf = dag.file("inside")
        let inner = dag.directory([(name: [0xFF, 0xFE], cid: leaf), (name: Array("plain".utf8), cid: leaf)])
        let root = dag.directory([("sub", inner)])
        let imported = try nacre.run(["car", "import", "-"], input: try dag.car(roots: [root]))
        try #require(imported.status == 0, "\(imported.errors)")
        let (base, bytes) = (root.description, #"{"/":{"bytes":"aW5zaWRl"}}"#)
        #expect(try nacre.run("dag", "get", base + "/sub/plain").text == bytes + "\n")
        #expect(try nacre.run("dag", "get", base + "/Links/0/Hash/Links/1/Name").text == "\"plain\"\n")
        let shell = "exec \"$0\" --data \"$1\" dag get \"$2/sub/\"$'\\xff\\xfe'"
        let throughBytes = try Tool.run(
            "bash", "-c", shell, NacreProcess.executable.path, nacre.data, base)
        #expect(throughBytes.output == bytes + "\n")
        let whole = try nacre.run("dag", "get", base + "/sub")
        #expect(whole.status == 1 && whole.errors.contains(inner.description), "\(whole.errors)")
    }

    @Test func cidFormatGoesOnBehindALineThatIsNoCID() throws {
        let good = Block(content: Array("x".utf8)).cid.description
        let mixed = try nacre.run(["cid", "format"], input: Array("\(good)\nnonsense\n\(good)\n".utf8))
        #expect(mixed.status == 3 && mixed.lines == [good, good])
        #expect(mixed.errors.contains("line 2"), "\(mixed.errors)")
    }

    @Test func cidFormatGivesTheTextsOfTheFixtures() throws {
        let fixtures = try #require(try Vectors.jsonObject("multiformats/cid.json") as? [String: Any])
        let same = try #require(fixtures["same_cid"] as? [[String: String]])
        for (base, key) in [("base32", "base32"), ("base58btc", "base58btc")] {
            let given = same.compactMap { $0["given"] }
            let formatted = try nacre.run(["cid", "format", "-v", "1", "-b", base] + given)
            #expect(formatted.lines == same.compactMap { $0[key] })
        }
        let lines = same.compactMap { $0["given"] }.joined(separator: "\n")
        let piped = try nacre.run(["cid", "format", "-v", "1", "-b", "base32"], input: Array(lines.utf8))
        #expect(piped.lines == same.compactMap { $0["base32"] })

        let rejected = try #require(fixtures["reject"] as? [[String: Any]])
        for text in rejected.compactMap({ $0["text"] as? String })
        where !text.isEmpty && !text.contains("\u{0}") {
            let refused = try nacre.run(["cid", "format", "--", text])
            #expect(refused.status == 2, "\(text): \(refused.text)")
        }
        let names = try #require(fixtures["ipns_names"] as? [[String: String]])
        // A peer id that begins with Qm reads as a CID of version 0, which it is as well.
        for name in names where name["peer_id"]?.hasPrefix("1") == true {
            let inspected = try nacre.run("cid", "inspect", "--json", try #require(name["peer_id"])).objects()
            #expect(inspected.first?["base36"] as? String == name["base36"])
            let formatted = try nacre.run(
                "cid", "format", "--codec", "libp2p-key", "-b", "base36", try #require(name["peer_id"]))
            #expect(formatted.lines.first == name["base36"])
        }
    }

    private func put(_ arguments: [String], _ text: String) throws -> String {
        let done = try nacre.run(arguments, input: Array(text.utf8))
        try #require(done.status == 0, "\(done.errors)")
        return try #require(done.lines.last)
    }
}
