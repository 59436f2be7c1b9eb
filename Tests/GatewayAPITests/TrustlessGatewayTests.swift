import BlockStorage
import CAR
import GatewayAPI
import IPLD
import Multiformats
import NodeCore
import TestKit
import Testing
import UnixFS

/// Blocks and CARs, for clients that verify.
@Suite struct TrustlessGatewayTests {
    let laboratory: GatewayLaboratory

    init() throws { laboratory = try GatewayLaboratory() }

    private func blocks(_ answer: GatewayLaboratory.Answer) throws -> [CID] {
        var rest = answer.bytes[...]
        var stream = CARStream(options: CARReadingOptions()) { buffer in
            let count = min(buffer.count, rest.count)
            buffer.copyBytes(from: rest.prefix(count))
            rest = rest.dropFirst(count)
            return count
        }
        _ = try stream.header()
        var cids: [CID] = []
        while let section = try stream.next() { cids.append(section.cid) }
        return cids
    }

    @Test func aBlockComesAsItIs() throws {
        try laboratory.load("gateway-raw-block.car")
        let cid = "bafkreihhpc5y2pqvl5rbe5uuyhqjouybfs3rvlmisccgzue2kkt5zq6upq"
        for (target, fields) in [
            ("/ipfs/\(cid)?format=raw", [:]), ("/ipfs/\(cid)", ["Accept": "application/vnd.ipld.raw"]),
        ] as [(String, [String: String])] {
            let answer = try laboratory.get(target, fields)
            #expect(answer.status == 200)
            #expect(answer["Content-Type"] == "application/vnd.ipld.raw")
            #expect(answer["Content-Disposition"] == "attachment; filename=\"\(cid).bin\"")
            #expect(answer["X-Content-Type-Options"] == "nosniff")
            #expect(answer["Etag"] == "\"\(cid).raw\"")
            #expect(Block(content: answer.bytes).cid.description == cid)
        }
        let accepted = try laboratory.get("/ipfs/\(cid)?x=1", ["Accept": "application/vnd.ipld.raw"])
        #expect(accepted["Content-Location"] == "/ipfs/\(cid)?format=raw&x=1")
    }

    /// What the header chose must be in the URL of the very answer, or a cache takes one form for another.
    @Test(
        arguments: [
            ("", "application/vnd.ipld.car", "format=car"),
            (
                "", "application/vnd.ipld.car; version=1; order=dfs; dups=y",
                "format=car&car-version=1&car-order=dfs&car-dups=y"
            ),
            (
                "dag-scope=entity", "application/vnd.ipld.car;dups=n;order=unk",
                "format=car&dag-scope=entity&car-order=unk&car-dups=n"
            ),
            ("car-dups=n", "application/vnd.ipld.car; dups=y", "format=car&car-dups=n"),
            ("format=raw", "application/vnd.ipld.car; dups=y", "format=raw"),
            // The URL says it already.
            ("format=car", "application/vnd.ipld.car; dups=y", nil),
        ] as [(String, String, String?)])
    func whatAcceptChoseOfACARIsInItsLocation(query: String, accept: String, expected: String?) throws {
        let root = try laboratory.load("path_gateway_unixfs__dir-with-files.car")
        let path = "/ipfs/\(root)/hello.txt"
        let answer = try laboratory.get(path + (query.isEmpty ? "" : "?" + query), ["Accept": accept])
        #expect(answer.status == 200, "\(answer.text)")
        guard let expected else {
            #expect(answer["Content-Location"] == nil)
            return
        }
        #expect(answer["Content-Location"] == path + "?" + expected)
        // Whoever asks there, and shows no preference, gets the same.
        let again = try laboratory.get(path + "?" + expected)
        #expect(again.bytes == answer.bytes && again["Content-Type"] == answer["Content-Type"])
    }

    @Test func theProbeIsAnswered() throws {
        let raw = try laboratory.get("/ipfs/bafkqaaa?format=raw")
        #expect(raw.status == 200 && raw.bytes.isEmpty)
        let car = try laboratory.get("/ipfs/bafkqaaa?format=car")
        #expect(car.status == 200)
        #expect(try blocks(car) == [])
    }

    @Test func aCARHoldsThePathAndWhatIsBelow() throws {
        let root = try laboratory.load("path_gateway_unixfs__dir-with-files.car")
        let all = try laboratory.get("/ipfs/\(root)?format=car")
        #expect(all["Content-Type"] == "application/vnd.ipld.car; version=1; order=dfs; dups=n")
        let everything = try blocks(all)
        #expect(everything.first == root && Set(everything).count == everything.count)
        let repeated = try blocks(try laboratory.get("/ipfs/\(root)?format=car&car-dups=y"))
        #expect(repeated.count == everything.count + 1, "one file is there twice")
        let file = try blocks(try laboratory.get("/ipfs/\(root)/hello.txt?format=car"))
        #expect(file.count == 2 && file.first == root)
        let block = try blocks(try laboratory.get("/ipfs/\(root)/multiblock.txt?format=car&dag-scope=block"))
        #expect(block.count == 2)
        let entity = try blocks(try laboratory.get("/ipfs/\(root)/?format=car&dag-scope=entity"))
        #expect(entity == [root], "a directory without the files in it")
        let whole = try blocks(try laboratory.get("/ipfs/\(root)/multiblock.txt?format=car&dag-scope=entity"))
        for (range, count) in [
            ("0:0", 1), ("0:*", whole.count - 2), ("-1:*", 1), ("0:-1000", 1), ("2000:3000", 0),
        ] {
            let part = try blocks(
                try laboratory.get("/ipfs/\(root)/multiblock.txt?format=car&entity-bytes=\(range)"))
            #expect(part.count == 2 + count, "\(range)")
        }
    }

    @Test func parametersComeFromTheURLBeforeTheHeader() throws {
        let root = try laboratory.load("path_gateway_unixfs__dir-with-files.car")
        let accept = ["Accept": "application/vnd.ipld.car; version=1; order=dfs; dups=y"]
        #expect(try laboratory.get("/ipfs/\(root)", accept)["Content-Type"]?.hasSuffix("dups=y") == true)
        #expect(
            try laboratory.get("/ipfs/\(root)?car-dups=n", accept)["Content-Type"]?.hasSuffix("dups=n")
                == true)
        #expect(
            try laboratory.get("/ipfs/\(root)?format=car", accept)["Content-Type"]?.hasSuffix("dups=y")
                == true)
        #expect(
            try laboratory.get("/ipfs/\(root)?format=raw", accept)["Content-Type"]
                == "application/vnd.ipld.raw")
        let tags = try Set(
            ["", "&car-dups=y", "&dag-scope=block", "&entity-bytes=0:5", "&entity-bytes=0:6"].map {
                try #require(try laboratory.get("/ipfs/\(root)/hello.txt?format=car" + $0)["Etag"])
            })
        #expect(tags.count == 5)
    }

    @Test func aCARThatIsNotWholeIsBrokenOff() throws {
        let leaves = (0..<80).map { Block(content: [UInt8](repeating: UInt8($0), count: 100_000)) }
        let links = leaves.enumerated().map { index, block in
            DAGPBLink(cid: block.cid, name: Array("f\(index + 10)".utf8), tsize: 6)
        }
        let root = Block(
            content: DAGPBNode(links: links, data: UnixFSData(kind: .directory).encoded()).encoded(),
            codec: .dagPB)
        for block in leaves.dropLast() + [root] { try laboratory.node.store.put(block, scope: .public) }
        let answer = try laboratory.get("/ipfs/\(root.cid)?format=car")
        #expect(answer.status == 200 && answer.error != nil, "the end is not reached")
        let tar = try laboratory.get("/ipfs/\(root.cid)?format=tar")
        #expect(tar.status == 200 && tar.error != nil)
        // Where the first block is missing, it can still be said.
        #expect(try laboratory.get("/ipfs/\(root.cid)/f89?format=car").status == 404)
    }

    @Test func documentsAreServedAndNotConverted() throws {
        let json = try laboratory.load("path_gateway_dag__plain-json.car")
        #expect(try laboratory.get("/ipfs/\(json)")["Content-Type"] == "application/json")
        #expect(try laboratory.get("/ipfs/\(json)?format=json").status == 200)
        for format in ["dag-json", "dag-cbor", "cbor", "tar"] {
            #expect(try laboratory.get("/ipfs/\(json)?format=\(format)").status == 406, "\(format)")
        }
        let leaf = Block(content: Array("leaf".utf8))
        let document = try IPLDValue.map([
            IPLDEntry(key: "link", value: .link(leaf.cid)), IPLDEntry(key: "text", value: .string("x")),
        ]).encoded(as: .dagCBOR)
        let block = Block(content: document, codec: .dagCBOR)
        for each in [leaf, block] { try laboratory.node.store.put(each, scope: .public) }
        let native = try laboratory.get("/ipfs/\(block.cid)")
        #expect(native["Content-Type"] == "application/vnd.ipld.dag-cbor" && native.bytes == document)
        #expect(try laboratory.get("/ipfs/\(block.cid)?format=cbor")["Content-Type"] == "application/cbor")
        #expect(try laboratory.get("/ipfs/\(block.cid)?format=dag-json").status == 406)
        #expect(try laboratory.get("/ipfs/\(block.cid)/link").text == "leaf")
        #expect(try laboratory.get("/ipfs/\(block.cid)/text").status == 501)
        #expect(try laboratory.get("/ipfs/\(block.cid)/none").status == 404)
        let page = try laboratory.get("/ipfs/\(block.cid)", ["Accept": "text/html"])
        #expect(page["Content-Type"] == "text/html; charset=utf-8" && page.text.contains("/ipfs/\(leaf.cid)"))
        #expect(page["Etag"]?.hasPrefix("\"DagIndex-") == true)
    }
}
