import Digests
import IPLD
import Multiformats
import NodeService
import SyncProtocol
import TestKit
import Testing
import TreeValues
import UnixFS

@testable import NodeServer

/// A file that is being sent, over sockets: shown, waited for, retrieved.
@Suite struct SyncInflightDoorTests {
    private struct Large {
        let blocks: [Block]
        let operation: SyncOperation
        var cids: [CID] { blocks.map(\.cid) }

        init(in info: NamespaceInfo) throws {
            blocks = (0..<6).map { index in
                let bytes = SeededRandom.bytes(seed: UInt64(index) + 50, count: 1 << 20)
                return Block(
                    cid: CID(codec: .raw, multihash: bytes.withUnsafeBytes { Multihash.sha256(of: $0) }),
                    bytes: bytes)
            }
            var builder = FileLayoutBuilder(parameters: .unixfsV1_2025)
            for block in blocks {
                try builder.add(FileLeaf(cid: block.cid, contentBytes: 1 << 20, dagBytes: 1 << 20)) { _ in }
            }
            let node = SyncNode(
                id: NodeID(bits: 77), parent: info.root, name: "disk.img", kind: .file,
                content: try builder.finish { _ in }.cid, size: 6 << 20)
            let leaves = blocks.map { Leaf(cid: $0.cid, bytes: $0.bytes.count) }
            operation = SyncOperation(
                id: NodeID(bits: 78),
                .put(node, base: nil, .leaves(LeafEdit(from: [], root: nil, to: leaves))))
        }

        func begin(_ connection: HTTPConnection, _ info: NamespaceInfo, _ key: String) throws {
            let request = CommitRequest(epoch: info.epoch, operations: [operation])
            let answer = try connection.post("/ns/\(info.id)/commit", request.value(.cbor), key)
            #expect(
                try CommitAnswer(answer.message(), to: request.operations).results == [.need(cids)])
        }
    }

    private static func wait(_ info: NamespaceInfo, since mark: Int64?, seconds: Int) -> IPLDValue {
        WaitRequest(
            positions: [.init(namespace: info.id, epoch: info.epoch, jid: 0, inflightMark: mark)],
            seconds: seconds
        ).value(.cbor)
    }

    @Test func itIsShownInBothFormsAndWhoWaitsIsWoken() async throws {
        try await ServerLaboratory.serve { laboratory in
            let info = try laboratory.owner.create(NamespaceRequest(name: "images"))
            let key = try laboratory.key()
            let (sender, reader) = (key + "X-Device-Id: laptop\r\n", key + "X-Device-Id: desk\r\n")
            let port = laboratory.port
            try await laboratory.onThread {
                let (one, two) = (try HTTPConnection(port: port), try HTTPConnection(port: port))
                #expect(try two.get("/sync/v1/hello").text.contains("\"inflight\""))
                let large = try Large(in: info)
                two.sendCall(
                    "POST", "/wait", try WireForm.cbor.encode(Self.wait(info, since: 0, seconds: 120)),
                    type: "application/cbor", reader)
                try large.begin(one, info, sender)
                let first = try WaitAnswer(two.answer().message())
                let mark = try #require(first.inflight.first?.mark)
                #expect(first.changed.isEmpty && first.inflight.map(\.namespace) == [info.id])
                // Who does not ask for it, and who sends it, wait for the journal alone.
                #expect(try two.post("/wait", Self.wait(info, since: nil, seconds: 0), reader).status == 204)
                #expect(try two.post("/wait", Self.wait(info, since: 0, seconds: 0), sender).status == 204)

                two.sendCall(
                    "POST", "/wait", try WireForm.cbor.encode(Self.wait(info, since: mark, seconds: 120)),
                    type: "application/cbor", reader)
                #expect(try one.store(info.id, Array(large.blocks[..<3]), sender).status == 200)
                let next = try WaitAnswer(two.answer().message())
                #expect(try #require(next.inflight.first?.mark) > mark)

                for form in WireForm.allCases {
                    let request = ListRequest(cursor: nil, limit: 10, wantsInflight: true).value(form)
                    let answer = try two.post(
                        "/ns/\(info.id)/list", request, reader + "Accept: \(form.rawValue)\r\n", form: form)
                    let list = try ListAnswer(answer.message())
                    let file = try #require(list.inflight.first)
                    #expect(list.entries.isEmpty && list.inflight.count == 1)
                    #expect(file.name == "disk.img" && file.device == "laptop" && file.arrived == [0b111])
                    #expect((1...600).contains(file.seconds) && file.size == 6 << 20 && file.leaves == 6)
                }
                let got = try two.post(
                    "/ns/\(info.id)/blocks/retrieve", BlockList(large.cids).value(.cbor), reader)
                #expect(try SyncCalls.blocks(ofCAR: got.body).map(\.cid) == Array(large.cids[..<3]))
                #expect(try two.get("/metrics", key).text.contains("nacre_sync_inflight_bytes 3145728"))
            }
        }
    }

    /// A sender whose line is slow: blocks of one request are shown one by one, and not when all came.
    @Test func blocksAreShownWhileTheirRequestIsUnderWay() async throws {
        try await ServerLaboratory.serve { laboratory in
            let info = try laboratory.owner.create(NamespaceRequest(name: "images"))
            let key = try laboratory.key()
            let (sender, reader) = (key + "X-Device-Id: laptop\r\n", key + "X-Device-Id: desk\r\n")
            let port = laboratory.port
            try await laboratory.onThread {
                let (one, two) = (try HTTPConnection(port: port), try HTTPConnection(port: port))
                let large = try Large(in: info)
                try large.begin(one, info, sender)
                let body = SyncCalls.car(large.blocks)
                let parts = stride(from: 0, to: body.count, by: body.count / 6 + 1).map {
                    Array(body[$0..<min($0 + body.count / 6 + 1, body.count)])
                }
                one.sendCall(
                    "POST", "/ns/\(info.id)/blocks/store", parts[0], type: "application/vnd.ipld.car",
                    sender, length: body.count)
                var mark: Int64 = 0
                for part in parts.dropFirst() {
                    // Until something of what was sent by now is shown, nothing more is sent.
                    let answer = try two.post("/wait", Self.wait(info, since: mark, seconds: 2), reader)
                    if answer.status == 200 {
                        mark = try #require(try WaitAnswer(answer.message()).inflight.first?.mark)
                    }
                    one.send(part)
                }
                let request = ListRequest(cursor: nil, limit: 10, wantsInflight: true).value(.cbor)
                let list = try ListAnswer(
                    two.post("/ns/\(info.id)/list", request, reader).message())
                #expect(try #require(list.inflight.first).hasArrived(0), "the answer is still to come")
                #expect(try one.answer().status == 200)
            }
        }
    }
}
