import Access
import Catalog
import Foundation
import IPLD
import Multiformats
import NodeCore
import NodeService
import SyncAgent
import SyncProtocol
import TestKit
import Testing
import TreeValues

/// The sync protocol over sockets: who is let in, forms, messages and blocks.
@Suite struct SyncDoorTests {
    private static let calls = [
        ("GET", "/ns"), ("POST", "/ns"), ("GET", "/ns/recipes"), ("POST", "/wait"),
        ("POST", "/ns/recipes/commit"), ("POST", "/ns/recipes/list"), ("POST", "/ns/recipes/snapshot"),
        ("POST", "/ns/recipes/leaves"), ("POST", "/ns/recipes/blocks/have"),
        ("POST", "/ns/recipes/blocks/store"), ("POST", "/ns/recipes/blocks/retrieve"),
    ]

    @Test func helloIsForEverybodyAndNothingElseIs() async throws {
        try await ServerLaboratory.serve { laboratory in
            _ = try laboratory.owner.create(NamespaceRequest(name: "recipes", visibility: "public"))
            try await laboratory.connect { connection in
                let hello = try connection.get("/sync/v1/hello")
                #expect(hello.status == 200 && hello.fields["content-type"] == "application/json")
                #expect(
                    hello.text.contains("\"commit_ops\":1000") && hello.text.contains("\"versions\":[\"1\"]"))
                #expect(hello.fields["x-request-id"] != nil)
                #expect(hello.text.contains("\"epoch_policy\":\"compare\""))
                guard case .integer(let time)? = try hello.message()[key: "time"] else {
                    Issue.record("hello says no time")
                    return
                }
                let now = Int128(Date().timeIntervalSince1970 * 1000)
                #expect((now - 60_000...now + 60_000).contains(time))
            }
            for (method, path) in Self.calls {
                for fields in ["", "Authorization: Bearer nacre_nonsense\r\n"] {
                    let answer = try await laboratory.connect { connection in
                        connection.sendCall(method, path, Array("{}".utf8), type: "application/json", fields)
                        return try connection.answer()
                    }
                    #expect(answer.status == 401, "\(method) \(path)")
                    #expect(answer.fields["www-authenticate"] != nil)
                    #expect(!answer.text.contains("recipes"))
                }
            }
        }
    }

    /// What is written is told by its device from what others write; who only reads need not be one.
    @Test func whoWritesSaysAsWhichDevice() async throws {
        try await ServerLaboratory.serve { laboratory in
            let info = try laboratory.owner.create(NamespaceRequest(name: "recipes", visibility: "public"))
            let key = try laboratory.key()
            let block = SyncCalls.block("leaf")
            for (path, body, type) in [
                (
                    "commit",
                    try WireForm.json.encode(
                        CommitRequest(epoch: info.epoch, operations: []).value(.json)),
                    "application/json"
                ), ("blocks/store", SyncCalls.car([block]), "application/vnd.ipld.car"),
            ] {
                for (device, status) in [("", 400), (" ", 400), ("laptop", 200)] {
                    let answer = try await laboratory.connect { connection in
                        connection.sendCall(
                            "POST", "/ns/recipes/" + path, body, type: type,
                            key + "X-Device-Id: \(device)\r\n")
                        return try connection.answer()
                    }
                    #expect(answer.status == status, "\(path) \(device): \(answer.text)")
                    if status == 400 {
                        #expect(answer.problem?.code.rawValue == "bad_request")
                        #expect(answer.problem?.message.hasPrefix("X-Device-Id is missing") == true)
                    }
                }
            }
            try await laboratory.connect { connection throws in
                let list = ListRequest(cursor: nil, limit: 10).value(.cbor)
                #expect(try connection.post("/ns/recipes/list", list, key).status == 200)
                #expect(try connection.get("/n/recipes/").status == 200, "nobody's device, and no key")
            }
        }
    }

    /// Whoever reads times of files is told that one of the clocks is wrong.
    @Test func aClientKnowsHowFarItsClockIsFromTheNodes() async throws {
        try await ServerLaboratory.serve { laboratory in
            let address = "http://127.0.0.1:\(laboratory.port)"
            let lead = try await Task.detached {
                let server = try HTTPSyncServer(.init(node: address, token: nil), namespace: "x", device: "d")
                defer { server.close() }
                return try server.clockLead()
            }.value
            #expect(try abs(#require(lead)) < 60_000)
        }
    }

    @Test func aMessageIsAnsweredInTheFormThatIsAskedForOrInItsOwn() async throws {
        try await ServerLaboratory.serve { laboratory in
            _ = try laboratory.owner.create(NamespaceRequest(name: "recipes"))
            let key = try laboratory.key()
            try await laboratory.connect { connection in
                let list = ListRequest(cursor: nil, limit: 10)
                for (sent, accept, got) in [
                    (WireForm.cbor, "", WireForm.cbor), (.json, "", .json),
                    (.cbor, "application/json", .json),
                    (.json, "application/cbor", .cbor), (.json, "text/html, application/cbor;q=0.9", .cbor),
                    (.cbor, "*/*", .cbor),
                ] {
                    let fields = key + (accept.isEmpty ? "" : "Accept: \(accept)\r\n")
                    let answer = try connection.post("/ns/recipes/list", list.value(sent), fields, form: sent)
                    #expect(answer.status == 200)
                    #expect(answer.fields["content-type"] == got.rawValue, "\(sent) \(accept)")
                    #expect(try ListAnswer(answer.message()).cursor.jid == 0)
                    let refused = try connection.post("/ns/nosuch/list", list.value(sent), fields, form: sent)
                    #expect(refused.status == 404 && refused.fields["content-type"] == got.rawValue)
                    #expect(refused.problem?.code.rawValue == "unknown_namespace")
                    #expect(refused.fields["cache-control"] == "no-store")
                }
                connection.sendCall("POST", "/ns/recipes/list", [1, 2], type: "text/plain", key)
                let other = try connection.answer()
                #expect(other.status == 400 && other.problem?.code.rawValue == "bad_request")
            }
            // Nobody read the body before, so that the connection ended with the answer.
            try await laboratory.connect { connection in
                connection.sendCall("POST", "/ns/recipes/list", [0x9F], type: "application/cbor", key)
                let broken = try connection.answer()
                #expect(broken.status == 400 && broken.problem?.code.rawValue == "bad_request")
            }
        }
    }

    @Test(arguments: WireForm.allCases)
    func aFileGoesUpAndIsReadByAnotherDevice(form: WireForm) async throws {
        try await ServerLaboratory.serve { laboratory in
            let key = try laboratory.key() + "X-Device-Id: laptop\r\n"
            try await laboratory.connect { connection in
                func call(_ path: String, _ message: IPLDValue) throws -> IPLDValue {
                    let answer = try connection.post(path, message, key, form: form)
                    try #require((200...201).contains(answer.status), "\(path): \(answer.text)")
                    return try answer.message()
                }
                let info = try NamespaceInfo(
                    call("/ns", NamespaceRequest(name: "recipes").value(form)))
                let taken = try connection.post(
                    "/ns", NamespaceRequest(name: "recipes").value(form), key, form: form)
                #expect(taken.status == 409 && taken.problem?.code.rawValue == "name_taken")
                let (first, second) = (SyncCalls.block("first "), SyncCalls.block("second"))
                let leaves = [first, second].map { Leaf(cid: $0.cid, bytes: $0.bytes.count) }
                // As the protocol of UnixFS has it: a node above two raw leaves.
                let root = try CID(text: "bafybeifzx3ccthcuagz3dxp3wwryuwe7ddlvnznwqbrhxyxnvrz2jejuya")
                var node = SyncNode(
                    id: NodeID(bits: 7), parent: info.root, name: "Käse.md", kind: .file, content: root,
                    size: 12,
                    modified: -1, mode: 0o640)
                func commit(_ number: UInt128) throws -> CommitAnswer {
                    let content = PutContent.leaves(LeafEdit(from: [], root: nil, to: leaves))
                    let operation = SyncOperation(
                        id: NodeID(bits: number), .put(node, base: nil, content))
                    let request = CommitRequest(epoch: info.epoch, operations: [operation])
                    return try CommitAnswer(
                        call("/ns/\(info.id)/commit", request.value(form)), to: [operation])
                }
                #expect(try commit(1).results == [.need(leaves.map(\.cid))])
                let missing = try BlockList(
                    call("/ns/recipes/blocks/have", BlockList(leaves.map(\.cid)).value(form)))
                #expect(missing.cids == leaves.map(\.cid))
                let stored = try connection.store("recipes", [second, first], key, count: 2)
                #expect(stored.status == 200, "\(stored.text)")
                var answer = try commit(1)
                if case .refused(_, let message)? = answer.results.first {
                    // The root that these leaves make is named by the node.
                    node.content =
                        message.split(whereSeparator: { " ,".contains($0) })
                        .compactMap { try? CID(text: String($0)) }.first
                    answer = try commit(2)
                }
                guard case .done(let made)? = answer.results.first else {
                    Issue.record("\(answer)")
                    return
                }
                #expect(made.size == 12 && made.modified == -1 && made.mode == 0o640 && answer.head == 1)

                let list = try ListAnswer(
                    call("/ns/recipes/list", ListRequest(cursor: nil, limit: 10).value(form)))
                #expect(list.entries.map(\.node) == [made] && list.entries.first?.device == "laptop")
                let page = try SnapshotPage(
                    call("/ns/recipes/snapshot", SnapshotRequest(directory: nil, page: nil).value(form)))
                #expect(page.entries.map(\.node) == [made] && page.cursor == list.cursor)
                let content = try #require(made.content)
                let read = try LeafEdit(
                    call("/ns/recipes/leaves", LeavesRequest(root: content, base: nil).value(form)))
                #expect(try read.apply(to: []) == leaves)
                let car = try connection.post(
                    "/ns/recipes/blocks/retrieve",
                    BlockList([second.cid, first.cid, second.cid]).value(form), key, form: form)
                #expect(car.status == 200 && car.fields["x-block-count"] == "3")
                #expect(car.fields["content-type"]?.hasPrefix("application/vnd.ipld.car") == true)
                #expect(try SyncCalls.blocks(ofCAR: car.body) == [second, first, second])
                let namespaces = try connection.get("/sync/v1/ns", key)
                #expect(namespaces.status == 200 && namespaces.text.contains("\"name\":\"recipes\""))
            }
        }
    }

    @Test func aBadBlockFailsAloneAndTheRestIsStored() async throws {
        try await ServerLaboratory.serve { laboratory in
            _ = try laboratory.owner.create(NamespaceRequest(name: "recipes"))
            let key = try laboratory.key()
            let good = (0..<6).map { SyncCalls.block("block \($0)") }
            let bad = Block(cid: SyncCalls.block("what it says").cid, bytes: Array("what it is".utf8))
            try await laboratory.connect { connection in
                let answer = try connection.store(
                    "recipes", Array(good[..<3]) + [bad] + good[3...], key, count: 7)
                #expect(answer.status == 200, "\(answer.text)")
                #expect(
                    answer.text
                        == #"{"failed":[{"cid":"\#(bad.cid)","code":"hash_mismatch"}],"stored":6}"#)
                let cids = good.map(\.cid) + [bad.cid]
                let missing = try connection.post(
                    "/ns/recipes/blocks/have", BlockList(cids).value(.cbor), key)
                #expect(try BlockList(missing.message()).cids == [bad.cid])
            }
        }
    }

    /// Sync defect 10: an upload that was cut off was answered with 200.
    @Test func whatEndsEarlyIsNoSuccessAndWhatCameStands() async throws {
        try await ServerLaboratory.serve { laboratory in
            _ = try laboratory.owner.create(NamespaceRequest(name: "recipes"))
            let key = try laboratory.key()
            @Sendable func blocks(_ part: Int) -> [Block] { (0..<4).map { SyncCalls.block("\(part) \($0)") } }
            @Sendable func missing(_ blocks: [Block], _ connection: HTTPConnection) throws -> [CID] {
                try BlockList(
                    connection.post("/ns/recipes/blocks/have", BlockList(blocks.map(\.cid)).value(.cbor), key)
                        .message()
                ).cids
            }
            let cut = try await laboratory.connect { connection in
                try connection.store("recipes", blocks(1), key, withoutLast: 1)
            }
            #expect(cut.status == 400 && cut.problem?.code.rawValue == "bad_request", "\(cut.text)")
            let fewer = try await laboratory.connect { connection in
                try connection.store("recipes", blocks(2), key, count: 5)
            }
            #expect(fewer.status == 400 && fewer.text.contains("5 blocks were announced and 4 came"))
            let odd = try await laboratory.connect { connection in
                connection.sendCall(
                    "POST", "/ns/recipes/blocks/store", SyncCalls.car(blocks(3)),
                    type: "application/vnd.ipld.car",
                    key + "X-Block-Count: many\r\n")
                return try connection.answer()
            }
            #expect(odd.status == 400)
            // The client is gone before the end, with a block in flight.
            try await laboratory.connect { connection in
                let bytes = SyncCalls.car(blocks(4))
                connection.sendCall(
                    "POST", "/ns/recipes/blocks/store", Array(bytes.dropLast(3)),
                    type: "application/vnd.ipld.car",
                    key, length: bytes.count)
            }
            try await laboratory.connect { connection in
                #expect(try missing(blocks(1), connection) == [blocks(1)[3].cid])
                #expect(try missing(blocks(2), connection) == [])
                let deadline = ContinuousClock.now + .seconds(20)
                while ContinuousClock.now < deadline, try missing(blocks(4), connection).count > 1 {}
                #expect(try missing(blocks(4), connection) == [blocks(4)[3].cid])
            }
            let nothing = try await laboratory.connect { connection in
                connection.sendCall(
                    "POST", "/ns/recipes/blocks/store", [], type: "application/vnd.ipld.car", key)
                return try connection.answer()
            }
            #expect(nothing.status == 400)
        }
    }

    @Test func otherMethodsAndPathsAreToldWhatThereIs() async throws {
        try await ServerLaboratory.serve { laboratory in
            let key = try laboratory.key()
            try await laboratory.connect { connection in
                for (method, path, allowed) in [
                    ("GET", "/ns/x/commit", "POST"), ("DELETE", "/hello", "GET, HEAD"),
                    ("PUT", "/ns", "GET, HEAD, POST"),
                    ("GET", "/wait", "POST"), ("PUT", "/ns/x", "GET, HEAD, PATCH, DELETE"),
                ] {
                    let answer = try connection.get("/sync/v1" + path, key, method: method)
                    #expect(
                        answer.status == 405 && answer.fields["allow"] == allowed,
                        "\(method) \(path) \(answer.fields)")
                    #expect(answer.problem?.code.rawValue == "method_not_allowed")
                }
                for path in ["", "/", "/nosuch", "/ns/x/nosuch", "/ns/x/commit/y", "/ns/%FF"] {
                    let answer = try connection.get("/sync/v1" + path, key)
                    #expect(answer.status == 404, "\(path): \(answer.text)")
                }
            }
        }
    }

    @Test func whatIsTooMuchIsRefusedWithTheLimit() async throws {
        try await ServerLaboratory.serve { laboratory in
            let info = try laboratory.owner.create(NamespaceRequest(name: "recipes"))
            let key = try laboratory.key()
            let large = try await laboratory.connect { connection in
                connection.sendCall(
                    "POST", "/ns/recipes/list",
                    [UInt8](repeating: 0x20, count: SyncLimits.maximumMessageBytes + 1),
                    type: "application/json",
                    key)
                return try connection.answer()
            }
            #expect(large.status == 413 && large.problem?.code.rawValue == "too_large", "\(large.text)")
            let wait = try await laboratory.connect { connection in
                connection.sendCall(
                    "POST", "/wait", [UInt8](repeating: 0x20, count: 64 * 1024 + 1), type: "application/json",
                    key)
                return try connection.answer()
            }
            #expect(wait.status == 413 && wait.problem?.code.rawValue == "too_large", "\(wait.text)")
            try await laboratory.connect { connection in
                let operation = SyncOperation(
                    id: NodeID(bits: 1), .setAttributes(info.root, modified: 1, mode: nil))
                let many = CommitRequest(
                    epoch: info.epoch,
                    operations: [SyncOperation](repeating: operation, count: SyncLimits.maximumOperations + 1)
                )
                let answer = try connection.post("/ns/recipes/commit", many.value(.cbor), key)
                #expect(
                    answer.status == 413 && answer.problem?.code.rawValue == "batch_too_large",
                    "\(answer.text)")
                let reset = try connection.post(
                    "/ns/recipes/commit", CommitRequest(epoch: info.epoch &+ 1, operations: []).value(.cbor),
                    key)
                #expect(reset.status == 410 && reset.problem?.code.rawValue == "reset_required")
            }
        }
    }

    @Test func aNamespaceOfAnotherProjectIsAsAbsentAsOneThatIsNot() async throws {
        try await ServerLaboratory.serve { laboratory in
            let info = try laboratory.owner.create(NamespaceRequest(name: "recipes", visibility: "public"))
            let stranger = try laboratory.key(in: try laboratory.node.catalog.projects.add(name: "others").id)
            let cid = SyncCalls.block("a").cid
            try await laboratory.connect { connection in
                let messages: [(String, IPLDValue)] = [
                    ("commit", CommitRequest(epoch: info.epoch, operations: []).value(.cbor)),
                    ("list", ListRequest(cursor: nil, limit: 1).value(.cbor)),
                    ("snapshot", SnapshotRequest(directory: nil, page: nil).value(.cbor)),
                    ("leaves", LeavesRequest(root: cid, base: nil).value(.cbor)),
                    ("blocks/have", BlockList([cid]).value(.cbor)),
                    ("blocks/retrieve", BlockList([cid]).value(.cbor)),
                ]
                func same(_ other: HTTPConnection.Answer, _ name: String, _ absent: HTTPConnection.Answer)
                    -> Bool
                {
                    other.status == 404 && absent.status == 404
                        && other.problem?.code.rawValue == "unknown_namespace"
                        && other.problem?.message.replacing(name, with: "nosuch") == absent.problem?.message
                        && other.fields.keys.sorted() == absent.fields.keys.sorted()
                }
                for name in ["recipes", info.id] {
                    for (path, message) in messages {
                        let other = try connection.post("/ns/\(name)/\(path)", message, stranger)
                        let absent = try connection.post("/ns/nosuch/\(path)", message, stranger)
                        #expect(same(other, name, absent), "\(path): \(other.text) \(absent.text)")
                    }
                    let other = try connection.get("/sync/v1/ns/\(name)", stranger)
                    let absent = try connection.get("/sync/v1/ns/nosuch", stranger)
                    #expect(same(other, name, absent))
                    let position = WaitRequest.Position(namespace: name, epoch: info.epoch, jid: 0)
                    let waiting = try connection.post(
                        "/wait", WaitRequest(positions: [position], seconds: 60).value(.cbor), stranger)
                    #expect(waiting.status == 404 && waiting.problem?.code.rawValue == "unknown_namespace")
                }
                #expect(try connection.get("/sync/v1/ns", stranger).text == #"{"namespaces":[]}"#)
            }
        }
    }
}
