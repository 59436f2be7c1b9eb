import Access
import BlockStorage
import Catalog
import Digests
import Foundation
import HTTPTypes
import IPLD
import Multiformats
import Namespaces
import NodeCore
import NodeService
import SyncAPI
import SyncProtocol
import TestKit
import Testing
import TreeValues

/// What a hostile client says to the sync door, over sockets.
@Suite struct HostileSyncTests {
    /// Texts that would be places elsewhere, were they taken for parts of a path.
    private static let traversals = [
        "../../../etc/passwd", "..", "/etc/passwd", "a\0b", "..\\..\\x", "C:\\x", "\u{202E}x",
        String(repeating: "A", count: 5000),
    ]

    private static func encoded(_ text: String) -> String {
        text.utf8.map { "%" + (String($0, radix: 16).count < 2 ? "0" : "") + String($0, radix: 16) }.joined()
    }

    /// Every file below a directory, with how large it is.
    private static func files(below path: String) throws -> Set<String> {
        let walker = FileManager.default.enumerator(atPath: path)
        var found: Set<String> = []
        while let name = walker?.nextObject() as? String { found.insert(name) }
        return found
    }

    /// Sends a call by a device of its own, so that no device asks too often.
    private static func call(
        _ connection: HTTPConnection, _ method: String, _ path: String, _ body: [UInt8], _ key: String,
        type: String = "application/json"
    ) throws -> HTTPConnection.Answer {
        let device = "X-Device-Id: device-\(UInt64.random(in: 0 ... .max))\r\n"
        connection.sendCall(method, path, body, type: type, key + device)
        return try connection.answer()
    }

    /// Sync defect 9: ids in forms and names of parts became parts of paths, only those in URLs were
    /// looked at.
    @Test func defect9IdsInPathsNameNothingButIds() async throws {
        try await ServerLaboratory.serve { laboratory in
            let info = try laboratory.owner.create(NamespaceRequest(name: "recipes"))
            try laboratory.put("a.txt", "one", in: info)
            let key = try laboratory.key()
            let before = try Self.files(below: laboratory.directory.path)
            let port = laboratory.port
            try await laboratory.onThread {
                var calls = 0
                for route in SyncAPI.routes where route.path.contains("{") {
                    let segments = route.path.split(separator: "/").map(String.init)
                    let places = segments.indices.filter { segments[$0].hasPrefix("{") }
                    for place in places {
                        for text in Self.traversals.prefix(4) {
                            var path = segments.map { $0 == "{ns}" ? "recipes" : $0 }
                            for other in places where other != place && segments[other] != "{ns}" {
                                path[other] = NodeID(bits: 1).text
                            }
                            path[place] = Self.encoded(text)
                            let target = "/" + path.joined(separator: "/")
                            let takesBody = [.post, .put, .patch].contains(route.method)
                            // What is refused before its body was read ends its connection.
                            let answer = try Self.call(
                                HTTPConnection(port: port), route.method.rawValue, target,
                                takesBody ? Array("{}".utf8) : [],
                                key)
                            #expect(
                                (400..<500).contains(answer.status),
                                "\(route.method) \(target): \(answer.status) \(answer.text)")
                            calls += 1
                        }
                    }
                }
                #expect(calls > 100)
            }
            #expect(try Self.files(below: laboratory.directory.path) == before)
        }
    }

    @Test(arguments: WireForm.allCases)
    func defect9IdsInMessagesNameNothingButIds(form: WireForm) async throws {
        try await ServerLaboratory.serve { laboratory in
            let info = try laboratory.owner.create(NamespaceRequest(name: "recipes"))
            let file = try laboratory.put("a.txt", "one", in: info)
            let key = try laboratory.key()
            let before = try Self.files(below: laboratory.directory.path)
            let id = form == .cbor ? IPLDValue.bytes(file.id.bytes) : .string(file.id.text)
            @Sendable func map(_ entries: [(String, IPLDValue)]) -> IPLDValue {
                .map(entries.map { IPLDEntry(key: $0.0, value: $0.1) })
            }
            /// Every message with a hostile value in the place of one id.
            @Sendable func messages(_ bad: IPLDValue) -> [(String, String, IPLDValue)] {
                let number = form == .cbor ? IPLDValue.integer(1) : .string("1")
                let epoch = form == .cbor ? .integer(Int128(info.epoch)) : IPLDValue.string("\(info.epoch)")
                func commit(_ operation: [(String, IPLDValue)]) -> (String, String, IPLDValue) {
                    let all = [("base_epoch", epoch), ("ops", IPLDValue.list([map(operation)]))]
                    return ("POST", "/ns/recipes/commit", map(all))
                }
                let put: [(String, IPLDValue)] = [
                    ("op", .string("put")), ("op_id", id), ("nid", id), ("parent", id),
                    ("name", .string("x")), ("mtime_ns", number),
                    (
                        "inline",
                        form == .cbor ? .bytes([1]) : .string("AQ==")
                    ),
                ]
                var found = ["op_id", "nid", "parent", "inline"].map { member in
                    commit(put.map { $0.0 == member ? (member, bad) : $0 })
                }
                for member in ["root", "edit", "blocks"] { found.append(commit(put + [(member, bad)])) }
                for (path, member) in [
                    ("blocks/have", "cids"), ("blocks/retrieve", "cids"), ("leaves", "root"),
                    ("leaves", "base"), ("list", "cursor"), ("snapshot", "nid"), ("snapshot", "page"),
                    ("restore", "nid"), ("leases", "nid"),
                ] {
                    let value = member == "cids" ? IPLDValue.list([bad]) : bad
                    found.append(("POST", "/ns/recipes/" + path, map([(member, value), ("crev", number)])))
                }
                found.append(
                    ("POST", "/wait", map([("cursors", .list([map([("ns", bad), ("epoch", number)])]))])))
                return found
            }
            try await laboratory.connect { connection in
                for text in Self.traversals {
                    for bad in form == .cbor
                        ? [IPLDValue.string(text), .bytes(Array(text.utf8))] : [.string(text)]
                    {
                        for (method, path, message) in messages(bad) {
                            let answer = try Self.call(
                                connection, method, path, try form.encode(message), key, type: form.rawValue)
                            let isRefused =
                                (400..<500).contains(answer.status)
                                // A commit is answered operation by operation.
                                || answer.status == 200 && path.hasSuffix("commit")
                                    && !answer.text.contains("\"ok\"")
                            #expect(isRefused, "\(path) \(message): \(answer.status) \(answer.text)")
                        }
                    }
                }
                let alive = try NamespaceInfo(try connection.get("/sync/v1/ns/recipes", key).message())
                #expect(alive.nodes == 1 && alive.head == 1)
            }
            #expect(try Self.files(below: laboratory.directory.path) == before)
        }
    }

    @Test func defect9BlocksAreNamedByWhatTheyHashTo() async throws {
        try await ServerLaboratory.serve { laboratory in
            _ = try laboratory.owner.create(NamespaceRequest(name: "recipes"))
            let key = try laboratory.key()
            let good = SyncCalls.block("good")
            // The pack that blocks go to is there from the first one on.
            _ = try laboratory.owner.store([SyncCalls.block("first")], for: "recipes")
            let before = try Self.files(below: laboratory.directory.path)
            for text in Self.traversals.dropLast() {
                // A path where a CID is to be: as it is, as an identity, and as a digest of that length.
                let bytes = Array(text.utf8)
                let names = [
                    bytes, [0x01, 0x55, 0x00, UInt8(bytes.count)] + bytes,
                    [0x01, 0x55, 0x12, UInt8(bytes.count)] + bytes,
                    [0x01, 0x55, 0x12, 0x20] + (bytes + [UInt8](repeating: 0x2F, count: 32)).prefix(32),
                ]
                for name in names {
                    let car = SyncCalls.car([good]) + [UInt8(name.count + 3)] + name + [1, 2, 3]
                    try await laboratory.connect { connection in
                        let answer = try Self.call(
                            connection, "POST", "/ns/recipes/blocks/store", car,
                            key + "X-Block-Count: 2\r\n", type: "application/vnd.ipld.car")
                        let isNamed = answer.status == 200 && answer.text.contains("failed")
                        #expect(isNamed || (400..<500).contains(answer.status), "\(answer.text)")
                    }
                }
            }
            #expect(try laboratory.node.store.block(good.cid)?.bytes == good.bytes)
            #expect(try Self.files(below: laboratory.directory.path) == before)
        }
    }

    // MARK: Bad inputs by number

    @Test func badInput34NamesAndNumbersThatNoDiskHoldsAreRefusedOrKeptAsData() async throws {
        try await ServerLaboratory.serve { laboratory in
            let info = try laboratory.owner.create(NamespaceRequest(name: "recipes"))
            func put(_ name: String, in parent: NodeID? = nil) -> SyncOperation {
                var node = SyncNode(
                    id: NodeID(bits: .random(in: 0 ... .max)), parent: parent ?? info.root, name: name,
                    kind: .file)
                node.modified = .max
                return SyncOperation(
                    id: NodeID(bits: .random(in: 0 ... .max)),
                    .put(
                        node, base: nil,
                        .inline([UInt8.random(in: 0 ... .max), UInt8.random(in: 0 ... .max)])))
            }
            func result(_ operation: SyncOperation) throws -> CommitResult? {
                try laboratory.owner(as: "d").commit(
                    CommitRequest(epoch: info.epoch, operations: [operation]), to: info.id
                ).results.first
            }
            for name in ["", ".", "..", "a/b", "/etc/passwd", "a\0b", String(repeating: "n", count: 10_240)] {
                guard case .refused(code: .badPath, _)? = try result(put(name)) else {
                    Issue.record("\(name.prefix(20)) is taken")
                    continue
                }
            }
            // What another system does not take is data here; the time of the year 2262 and after too.
            for name in ["CON", "aux.", "e\u{301}clair", "a:b"] {
                guard case .done(let node)? = try result(put(name)) else {
                    Issue.record("\(name) is refused")
                    continue
                }
                #expect(node.modified == .max)
            }
            for name in ["con", "\u{E9}clair"] {
                guard case .conflict(reason: "name_taken", _)? = try result(put(name)) else {
                    Issue.record("\(name) is there twice")
                    continue
                }
            }
            // Nothing is put beneath a symlink or a file.
            let link = try laboratory.change(
                .put(
                    SyncNode(
                        id: NodeID(bits: 5), parent: info.root, name: "link", kind: .symlink, target: "/etc"),
                    base: nil, .none), in: info)
            guard case .conflict(reason: "parent_missing", _)? = try result(put("passwd", in: link.id)) else {
                _ = Issue.record("a symlink is a directory")
                return
            }
            let key = try laboratory.key()
            try await laboratory.connect { connection in
                for member in [
                    "\"size\":-1", "\"mtime_ns\":9223372036854775808", "\"mtime_ns\":1e30",
                    "\"size\":\"-5\"",
                ] {
                    let text = """
                        {"base_epoch":"\(info.epoch)","ops":[{"op":"put","op_id":"\(NodeID(bits: 9).text)",\
                        "nid":"\(NodeID(bits: 9).text)","parent":"\(info.root.text)","name":"n",\
                        "root":"\(SyncCalls.block("x").cid)",\(member)}]}
                        """
                    let answer = try Self.call(
                        connection, "POST", "/ns/recipes/commit", Array(text.utf8), key)
                    #expect(
                        answer.status == 400 || !answer.text.contains("\"st\":\"ok\""),
                        "\(member): \(answer.text)")
                }
            }
        }
    }

    /// A symlink without a target, or with a NUL in it, is on no disk: a folder that got one never settled, and
    /// PostgreSQL took the whole commit for wrong.
    @Test func badInput34ASymlinkWithoutATargetIsRefusedAlone() async throws {
        try await ServerLaboratory.serve { laboratory in
            let info = try laboratory.owner.create(NamespaceRequest(name: "recipes"))
            let key = try laboratory.key()
            try await laboratory.connect { connection in
                let operations = ["", "a\0b", "there"].enumerated().map { index, target in
                    SyncOperation(
                        id: NodeID(bits: UInt128(100 + index)),
                        .put(
                            SyncNode(
                                id: NodeID(bits: UInt128(10 + index)), parent: info.root, name: "l\(index)",
                                kind: .symlink, target: target), base: nil, .none))
                }
                let answer = try connection.post(
                    "/ns/recipes/commit",
                    CommitRequest(epoch: info.epoch, operations: operations).value(.cbor), key)
                let results = try CommitAnswer(answer.message(), to: operations).results
                for result in results.prefix(2) {
                    guard case .refused(code: .badPath, _) = result else {
                        Issue.record("\(result)")
                        continue
                    }
                }
                guard case .done? = results.last else {
                    _ = Issue.record("\(results)")
                    return
                }
            }
        }
    }

    /// Ids of operations that were used for something else, and messages of which one part is wrong.
    @Test func badInput35AnIdOfAnotherOperationIsToldApart() async throws {
        try await ServerLaboratory.serve { laboratory in
            let info = try laboratory.owner.create(NamespaceRequest(name: "recipes"))
            let key = try laboratory.key()
            try await laboratory.connect { connection in
                let first = SyncNode(id: NodeID(bits: 3), parent: info.root, name: "a", kind: .file)
                var second = first
                (second.id, second.name) = (NodeID(bits: 4), "b")
                let id = NodeID(bits: 9)
                func results(_ operations: [SyncOperation]) throws -> [CommitResult] {
                    let request = CommitRequest(epoch: info.epoch, operations: operations)
                    let answer = try connection.post("/ns/recipes/commit", request.value(.cbor), key)
                    return try CommitAnswer(answer.message(), to: operations).results
                }
                // Within one commit, and later.
                let put = SyncOperation(id: id, .put(first, base: nil, .inline([1])))
                let others = [
                    SyncOperation(id: id, .put(second, base: nil, .inline([1]))),
                    SyncOperation(id: id, .put(first, base: nil, .inline([2]))),
                    SyncOperation(id: id, .delete(first.id, base: 1, newestBelow: 0)),
                ]
                let together = try results([put, others[0]])
                let later = try others.map { try results([$0])[0] }
                for result in [together[1]] + later {
                    guard case .refused(code: .operationReused, _) = result else {
                        Issue.record("\(result)")
                        continue
                    }
                }
                guard case .done? = try results([put]).first else {
                    _ = Issue.record("the same again is the same")
                    return
                }
                #expect(try laboratory.owner.namespace("recipes", for: .read).head == 1)
                // Which one it is.
                let text = """
                    {"base_epoch":"\(info.epoch)","ops":[{"op":"delete","op_id":"\(id.text)",\
                    "nid":"\(id.text)","base_rev":"1"},{"op":"meta","op_id":"\(id.text)",\
                    "nid":"\(id.text)","mtime_ns":"soon"}]}
                    """
                let answer = try Self.call(connection, "POST", "/ns/recipes/commit", Array(text.utf8), key)
                #expect(
                    answer.status == 400 && answer.text.contains("ops[1] operation.mtime_ns"),
                    "\(answer.text)")
            }
        }
    }

    /// Two contents of one md5 are published, and of sha1 too: by such a hash a leaf was whichever came first.
    @Test func blocksByWeakHashesAreNoLeaves() async throws {
        try await ServerLaboratory.serve { laboratory in
            let info = try laboratory.owner.create(NamespaceRequest(name: "recipes"))
            let key = try laboratory.key()
            let bytes = Array("a leaf".utf8)
            let weak = try [MultihashCode.md5, .sha1, .sha2_224].map {
                Block(cid: CID(codec: .raw, multihash: try Multihash(hashing: bytes, with: $0)), bytes: bytes)
            }
            let strong = try [MultihashCode.sha2_512, .blake2b_256].map {
                Block(cid: CID(codec: .raw, multihash: try Multihash(hashing: bytes, with: $0)), bytes: bytes)
            }
            try await laboratory.connect { connection in
                let answer = try connection.store("recipes", weak + strong, key)
                #expect(answer.status == 200 && answer.text.contains("weak_hash"), "\(answer.text)")
                for block in weak { #expect(try laboratory.node.store.block(block.cid) == nil) }
                for block in strong { #expect(try laboratory.node.store.block(block.cid) != nil) }
                for block in weak {
                    var node = SyncNode(id: NodeID(bits: 3), parent: info.root, name: "a", kind: .file)
                    (node.content, node.size) = (SyncCalls.block("a leaf").cid, Int64(bytes.count))
                    let edit = LeafEdit(splices: [
                        .init(start: 0, remove: 0, insert: [Leaf(cid: block.cid, bytes: bytes.count)])
                    ])
                    let operation = SyncOperation(
                        id: NodeID(bits: 9), .put(node, base: nil, .leaves(edit, blocks: [])))
                    let refused = try connection.post(
                        "/ns/recipes/commit",
                        CommitRequest(epoch: info.epoch, operations: [operation]).value(.cbor), key)
                    #expect(refused.status == 400 && refused.text.contains("sha2-256"), "\(refused.text)")
                }
            }
        }
    }

    /// Many blocks are more memory than their bytes.
    @Test func aStoreOfTooManyBlocksIsRefused() async throws {
        try await ServerLaboratory.serve { laboratory in
            _ = try laboratory.owner.create(NamespaceRequest(name: "recipes"))
            let key = try laboratory.key()
            let blocks = (0...SyncLimits.maximumStoreBlocks).map { SyncCalls.block("\($0)") }
            let port = laboratory.port
            try await laboratory.onThread {
                for count in [nil, blocks.count] {
                    let connection = try HTTPConnection(port: port)
                    let answer = try connection.store("recipes", blocks, key, count: count)
                    #expect(answer.status == 413 && answer.problem?.code.rawValue == "batch_too_large")
                }
                let most = try HTTPConnection(port: port).store("recipes", Array(blocks.dropLast()), key)
                #expect(most.status == 200)
            }
        }
    }

    /// Leaves that claim all the bytes there are: their sum ended the node.
    @Test func leavesThatClaimMoreThanAnyHasAreNoBase() async throws {
        try await ServerLaboratory.serve { laboratory in
            let info = try laboratory.owner.create(NamespaceRequest(name: "recipes"))
            let key = try laboratory.key()
            func varint(_ number: UInt64) -> [UInt8] {
                number < 128 ? [UInt8(number)] : [UInt8(number & 127) | 128] + varint(number >> 7)
            }
            func field(_ number: UInt64, _ bytes: [UInt8]) -> [UInt8] {
                varint(number << 3 | 2) + varint(UInt64(bytes.count)) + bytes
            }
            let size = UInt64(Int64.max)
            // A UnixFS file of two leaves.
            let links = ["x", "y"].flatMap { text in
                field(
                    2, field(1, SyncCalls.block(text).cid.bytes) + field(2, []) + varint(3 << 3) + varint(1))
            }
            let file =
                varint(1 << 3) + varint(2) + varint(3 << 3) + varint(size &* 2)
                + [size, size].flatMap { varint(4 << 3) + varint($0) }
            let bytes = links + field(1, file)
            let base = Block(
                cid: CID(codec: .dagPB, multihash: try Multihash(hashing: bytes, with: .sha2_256)),
                bytes: bytes)
            try await laboratory.connect { connection in
                #expect(try connection.store("recipes", [base], key).status == 200)
                var node = SyncNode(id: NodeID(bits: 3), parent: info.root, name: "a", kind: .file)
                node.size = 5_000_000
                node.content = SyncCalls.block("z").cid
                let operation = SyncOperation(
                    id: NodeID(bits: 9),
                    .put(node, base: nil, .leaves(LeafEdit(base: base.cid, splices: []), blocks: [])))
                let answer = try connection.post(
                    "/ns/recipes/commit",
                    CommitRequest(epoch: info.epoch, operations: [operation]).value(.cbor), key)
                guard
                    case .refused(code: .unknownBase, _)? = try CommitAnswer(
                        answer.message(), to: [operation]
                    ).results.first
                else {
                    _ = Issue.record("\(answer.text)")
                    return
                }
                #expect(try connection.get("/sync/v1/ns/recipes", key).status == 200)
            }
        }
    }

    @Test func badInput35ReplaysGapsAndForeignBlocksLeadNowhere() async throws {
        try await ServerLaboratory.serve { laboratory in
            let info = try laboratory.owner.create(NamespaceRequest(name: "recipes"))
            let other = try laboratory.owner.create(NamespaceRequest(name: "other"))
            let key = try laboratory.key()
            let stranger = try laboratory.node.catalog.projects.add(name: "others").id
            let theirs = try laboratory.key(in: stranger)
            let secret = SyncCalls.block("somebody else's")
            try await laboratory.connect { connection in
                // The same commit again is the same change, whichever namespace it is sent to first.
                let node = SyncNode(id: NodeID(bits: 3), parent: info.root, name: "a", kind: .file)
                let operation = SyncOperation(id: NodeID(bits: 4), .put(node, base: nil, .inline([1])))
                let commit = CommitRequest(epoch: info.epoch, operations: [operation]).value(.cbor)
                for _ in 0..<3 {
                    let answer = try connection.post("/ns/recipes/commit", commit, key)
                    let result = try CommitAnswer(answer.message(), to: [operation])
                    #expect(result.head == 1, "a replay adds nothing")
                }
                let wrong = try connection.post("/ns/other/commit", commit, key)
                #expect(wrong.status == 410, "another journal")
                let moved = CommitRequest(epoch: other.epoch, operations: [operation]).value(.cbor)
                let astray = try connection.post("/ns/other/commit", moved, key)
                let lost = try CommitAnswer(astray.message(), to: [operation]).results.first
                guard case .conflict(reason: "parent_missing", _)? = lost else {
                    Issue.record("a parent of another namespace: \(String(describing: lost))")
                    return
                }
                // Cursors beyond the head, of another epoch, made up.
                for cursor in [
                    "1.\(info.epoch).2", "1.\(info.epoch).-1", "1.\(other.epoch).0", "2.\(info.epoch).0",
                    "1.\(info.epoch)", "x", "1.\(info.epoch).1.1",
                ] {
                    let list = ListRequest(cursor: cursor, limit: 10).value(.cbor)
                    let answer = try connection.post("/ns/recipes/list", list, key)
                    #expect([400, 410].contains(answer.status), "\(cursor): \(answer.status)")
                }
                // "Do you have hash h?" is answered to nobody who may not read it.
                let stored = try connection.store("recipes", [secret], key, count: 1)
                #expect(stored.status == 200)
            }
            try await laboratory.connect { connection in
                let made = try connection.post(
                    "/ns", NamespaceRequest(name: "theirs").value(.cbor), theirs)
                #expect(made.status == 201)
                let absent = SyncCalls.block("nobody's")
                let have = try connection.post(
                    "/ns/theirs/blocks/have", BlockList([secret.cid, absent.cid]).value(.cbor), theirs)
                #expect(try BlockList(have.message()).cids == [secret.cid, absent.cid])
                let got = try connection.post(
                    "/ns/theirs/blocks/retrieve", BlockList([secret.cid]).value(.cbor), theirs)
                #expect(try SyncCalls.blocks(ofCAR: got.body).isEmpty)
            }
        }
    }

    @Test func badInput38JSONThatIsNoneIsRefusedByEveryCall() async throws {
        try await ServerLaboratory.serve { laboratory in
            _ = try laboratory.owner.create(NamespaceRequest(name: "recipes"))
            let key = try laboratory.key()
            let bodies = [
                #"{"limit":1,"limit":2}"#, #"{"limit":1e999}"#, #"{"cursor":"\ud800"}"#, #"{"limit":-1}"#,
                #"{"limit":99999999999999999999999999}"#, #"{"limit":1} x"#, "[", "nul", "",
                String(repeating: "[", count: 1_000_000), String(repeating: "{\"a\":", count: 200_000),
            ]
            try await laboratory.connect { connection in
                for body in bodies {
                    let answer = try Self.call(
                        connection, "POST", "/ns/recipes/list", Array(body.utf8), key)
                    #expect(answer.status == 400, "\(body.prefix(30)): \(answer.status) \(answer.text)")
                    #expect(answer.problem?.code.rawValue == "bad_request")
                }
                // What means something to a database is a name here, and nothing else.
                for text in ["' OR 1=1 --", "\"*\" NEAR(", "%", "_", "recipes'; DROP TABLE namespaces"] {
                    for path in ["/ns/\(Self.encoded(text))", "/ns/recipes/nodes?path=\(Self.encoded(text))"]
                    {
                        let answer = try connection.get("/sync/v1" + path, key)
                        #expect(answer.status == 404, "\(path): \(answer.status)")
                    }
                }
                #expect(try connection.get("/sync/v1/ns/recipes", key).status == 200)
            }
        }
    }

    @Test func badInput39OfManyWhoTakeANameAtOnceOneGetsIt() async throws {
        try await ServerLaboratory.serve { laboratory in
            let info = try laboratory.owner.create(NamespaceRequest(name: "recipes"))
            let outcomes = try await withThrowingTaskGroup(of: String.self) { group in
                for number in 0..<24 {
                    group.addTask {
                        try await laboratory.onThread {
                            let node = SyncNode(
                                id: NodeID(bits: UInt128(100 + number)), parent: info.root, name: "one",
                                kind: .file)
                            let operation = SyncOperation(
                                id: NodeID(bits: UInt128(200 + number)),
                                .put(node, base: nil, .inline(Array("text \(number)".utf8))))
                            let answer = try laboratory.owner(as: "device-\(number)").commit(
                                CommitRequest(epoch: info.epoch, operations: [operation]), to: info.id)
                            switch answer.results.first {
                            case .done?: return "done"
                            case .conflict(let reason, _)?: return reason
                            default: return "\(answer)"
                            }
                        }
                    }
                }
                return try await group.reduce(into: [:]) { $0[$1, default: 0] += 1 }
            }
            #expect(outcomes == ["done": 1, "name_taken": 23])
            let namespace = try laboratory.node.namespaces.namespace("recipes")
            #expect(namespace.head == 1 && namespace.nodes == 1)
        }
    }
}
