import ContentCoding
import Digests
import HTTPTypes
import IPLD
import Multiformats
import NodeServer
import NodeService
import SyncAgent
import SyncClient
import SyncProtocol
import TestKit
import Testing
import TreeValues

/// How bodies travel, and how many: packed both ways, and no more than a device may ask. Over sockets.
@Suite struct SyncTransportTests {
    private static let words = String(repeating: "flour, salt and water. ", count: 2000)

    private static func headers(_ key: String, _ coding: String) -> String {
        key + "Content-Encoding: \(coding)\r\n"
    }

    @Test(arguments: ContentCoding.allCases)
    func messagesAndBlocksArePackedBothWays(coding: ContentCoding) async throws {
        try await ServerLaboratory.serve { laboratory in
            _ = try laboratory.owner.create(NamespaceRequest(name: "recipes"))
            let key = try laboratory.key()
            let block = SyncCalls.block(Self.words)
            try await laboratory.connect { connection in
                let car = try coding.compress(SyncCalls.car([block]))
                #expect(car.count < block.bytes.count / 10)
                connection.sendCall(
                    "POST", "/ns/recipes/blocks/store", car, type: "application/vnd.ipld.car",
                    Self.headers(key, coding.rawValue) + "X-Block-Count: 1\r\n")
                let stored = try connection.answer()
                #expect(stored.status == 200 && stored.text.contains("\"stored\":1"))
                // Who can take it says so; everybody learns what can be sent.
                #expect(stored.fields["accept-encoding"] == "zstd, gzip")
                let asked = try coding.compress(WireForm.cbor.encode(BlockList([block.cid]).value(.cbor)))
                connection.sendCall(
                    "POST", "/ns/recipes/blocks/retrieve", asked, type: "application/cbor",
                    Self.headers(key, coding.rawValue) + "Accept-Encoding: \(coding.rawValue)\r\n")
                let answer = try connection.answer()
                #expect(answer.status == 200 && answer.fields["content-encoding"] == coding.rawValue)
                #expect(answer.fields["vary"] == "Accept-Encoding")
                let plain = try coding.decompress(answer.body, maximumBytes: 100_000)
                #expect(try SyncCalls.blocks(ofCAR: plain) == [block])
                let unpacked = try connection.post(
                    "/ns/recipes/blocks/retrieve", BlockList([block.cid]).value(.cbor), key)
                #expect(unpacked.fields["content-encoding"] == nil && unpacked.body == plain)
            }
        }
    }

    @Test func whatDoesNotGetSmallerIsSentAsItIs() async throws {
        try await ServerLaboratory.serve { laboratory in
            _ = try laboratory.owner.create(NamespaceRequest(name: "recipes"))
            let key = try laboratory.key() + "Accept-Encoding: gzip, zstd\r\n"
            let bytes = SeededRandom.bytes(seed: 1, count: 100_000)
            let block = Block(
                cid: CID(codec: .raw, multihash: bytes.withUnsafeBytes { Multihash.sha256(of: $0) }),
                bytes: bytes)
            try await laboratory.connect { connection in
                _ = try connection.store("recipes", [block], key, count: 1)
                for cids in [[block.cid], []] {
                    let answer = try connection.post(
                        "/ns/recipes/blocks/retrieve", BlockList(cids).value(.cbor), key)
                    #expect(answer.status == 200 && answer.fields["content-encoding"] == nil)
                }
            }
        }
    }

    @Test(arguments: ContentCoding.allCases)
    func bombsAndBrokenBodiesAreRefusedAndChangeNothing(coding: ContentCoding) async throws {
        try await ServerLaboratory.serve { laboratory in
            _ = try laboratory.owner.create(NamespaceRequest(name: "recipes"))
            let key = try laboratory.key()
            let message = try WireForm.cbor.encode(BlockList([]).value(.cbor))
            let packed = try coding.compress(message)
            let bomb = try coding.compress([UInt8](repeating: 0, count: 200 << 20))
            let name = coding.rawValue
            // What is sent, how it is said to be packed, and what comes of it.
            let cases: [(String, [UInt8], String, Int, String)] = [
                ("blocks/have", packed, name, 200, ""),
                ("blocks/have", message, name, 400, "bad_request"),
                ("blocks/have", Array(packed.dropLast()), name, 400, "bad_request"),
                ("blocks/have", packed + [1], name, 400, "bad_request"),
                ("blocks/have", [], name, 400, "bad_request"),
                ("blocks/have", bomb, name, 413, "too_large"),
                ("commit", bomb, name, 413, "too_large"),
                ("blocks/store", bomb, name, 400, "bad_request"),
                ("blocks/have", packed, "br", 415, "unsupported_encoding"),
                ("blocks/have", packed, "gzip, zstd", 415, "unsupported_encoding"),
                ("blocks/have", message, "identity", 200, ""),
            ]
            for (path, body, said, status, code) in cases {
                try await laboratory.connect { connection in
                    let type = path == "blocks/store" ? "application/vnd.ipld.car" : "application/cbor"
                    connection.sendCall(
                        "POST", "/ns/recipes/" + path, body, type: type, Self.headers(key, said))
                    let answer = try connection.answer()
                    #expect(answer.status == status, "\(path) \(said): \(answer.text)")
                    if status != 200 { #expect(answer.problem?.code.rawValue == code, "\(path) \(said)") }
                    if status == 415 { #expect(answer.fields["accept-encoding"] == "zstd, gzip") }
                }
            }
            #expect(try laboratory.owner.info("recipes").head == 0)
        }
    }

    @Test func aCARThatUnpacksToTooMuchEndsAtTheLimit() async throws {
        try await ServerLaboratory.serve { laboratory in
            _ = try laboratory.owner.create(NamespaceRequest(name: "recipes"))
            let key = try laboratory.key()
            // Zeros in blocks of the largest size: 80 MiB, and next to nothing on the wire.
            let bytes = [UInt8](repeating: 0, count: SyncLimits.maximumLeafBytes)
            let block = Block(
                cid: CID(codec: .raw, multihash: bytes.withUnsafeBytes { Multihash.sha256(of: $0) }),
                bytes: bytes)
            let car = try ContentCoding.zstd.compress(
                SyncCalls.car([Block](repeating: block, count: 40)))
            #expect(car.count < 100_000)
            try await laboratory.connect { connection in
                connection.sendCall(
                    "POST", "/ns/recipes/blocks/store", car, type: "application/vnd.ipld.car",
                    Self.headers(key, "zstd"))
                let answer = try connection.answer()
                #expect(
                    answer.status == 413 && answer.problem?.code.rawValue == "too_large", "\(answer.text)")
            }
        }
    }

    @Test func theClientPacksWhereTheNodeSaysThatItReadsIt() async throws {
        try await ServerLaboratory.serve { laboratory in
            _ = try laboratory.owner.create(NamespaceRequest(name: "recipes"))
            let token = try laboratory.key().split(separator: " ").last.map {
                String($0.filter { !$0.isWhitespace })
            }
            let port = laboratory.port
            let block = SyncCalls.block(Self.words)
            let noise = SeededRandom.bytes(seed: 1, count: 50_000)
            let dense = Block(
                cid: CID(codec: .raw, multihash: noise.withUnsafeBytes { Multihash.sha256(of: $0) }),
                bytes: noise)
            try await laboratory.onThread {
                for packs in [true, false] {
                    var options = HTTPSyncServer.Options(node: "http://127.0.0.1:\(port)", token: token)
                    options.packs = packs
                    let server = try HTTPSyncServer(options, namespace: "recipes", device: "d")
                    defer { server.close() }
                    _ = try server.info()
                    let before = server.transfers
                    try server.store([block, dense])
                    #expect(try server.retrieve([block.cid, dense.cid]).blocks == [block, dense])
                    try server.store([block])
                    let (sent, received) = (
                        server.transfers.sent - before.sent, server.transfers.received - before.received
                    )
                    let whole = Int64(2 * block.bytes.count + dense.bytes.count)
                    #expect(packs ? sent < whole - 40_000 : sent >= whole, "\(sent) of \(whole)")
                    #expect(packs == (received < Int64(block.bytes.count + dense.bytes.count)))
                }
            }
        }
    }

    @Test func whoAsksTooOftenIsToldToWaitAndTheClientDoes() async throws {
        try await ServerLaboratory.serve({
            $0.syncRates.requestsPerSecond = 40
            $0.syncRates.burst = 3
        }) { laboratory in
            _ = try laboratory.owner.create(NamespaceRequest(name: "recipes"))
            let key = try laboratory.key()
            try await laboratory.connect { connection in
                let hello = try connection.get("/sync/v1/hello").text
                #expect(hello.contains("\"requests_per_second\":40") && hello.contains("\"burst\":3"))
                // At such a rate the burst is spent after a few, however slow the machine is.
                var refused: HTTPConnection.Answer?
                for _ in 0..<100_000 where refused == nil {
                    let answer = try connection.get("/sync/v1/ns", key)
                    if answer.status != 200 { refused = answer }
                }
                #expect(refused?.status == 429 && refused?.problem?.code.rawValue == "rate_limited")
                #expect(refused?.fields["retry-after"] == "1")
                #expect((1...25).contains(refused?.problem?.retryAfterMilliseconds ?? 0))
                let page = try connection.get("/metrics").text
                let series = SyncStatusTests.series("nacre_sync_rate_limited_total", page)
                #expect(series["reason=\"rate\""] ?? 0 >= 1 && series["reason=\"streams\""] == 0)
            }
            let token = key.split(separator: " ").last.map { String($0.filter { !$0.isWhitespace }) }
            let port = laboratory.port
            try await laboratory.onThread {
                let server = try HTTPSyncServer(
                    HTTPSyncServer.Options(node: "http://127.0.0.1:\(port)", token: token),
                    namespace: "recipes", device: "d")
                defer { server.close() }
                for _ in 0..<20 { #expect(try server.info().name == "recipes") }
            }
        }
    }

    @Test func oneDeviceMayHaveSoManyUnderWayAndAnotherHasItsOwn() async throws {
        try await ServerLaboratory.serve({ options in
            options.syncRates.streams = 1
            options.syncRates.requestsPerSecond = 0
        }) { laboratory in
            let info = try laboratory.owner.create(NamespaceRequest(name: "recipes"))
            let key = try laboratory.key()
            try await laboratory.connect { connection in
                for id in ["a", "b"] {
                    _ = try connection.post("/devices", DeviceRequest(id: id, name: nil).value(.cbor), key)
                }
                func fields(_ id: String) -> String { key + "X-Device-Id: \(id)\r\n" }
                let block = SyncCalls.block("a")
                let car = SyncCalls.car([block])
                // Its body does not come to its end.
                let slow = try HTTPConnection(port: laboratory.port)
                slow.sendCall(
                    "POST", "/ns/recipes/blocks/store", Array(car.dropLast()),
                    type: "application/vnd.ipld.car", fields("a") + "Expect: 100-continue\r\n",
                    length: car.count)
                #expect(try slow.answer().status == 100)
                #expect(try connection.get("/sync/v1/ns", fields("a")).status == 429)
                #expect(try connection.get("/sync/v1/ns", fields("b")).status == 200)
                // Who waits is not at work.
                let wait = try connection.post("/wait", SyncCalls.wait(info, at: 0, seconds: 0), fields("a"))
                #expect(wait.status == 204)
                slow.send([car.last ?? 0])
                #expect(try slow.answer().status == 200)
                var status = 429
                while status == 429 { status = try connection.get("/sync/v1/ns", fields("a")).status }
                #expect(status == 200)
            }
        }
    }
}
