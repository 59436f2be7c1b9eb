import Access
import BlockStorage
import Catalog
import IPLD
import Multiformats
import NodeCore
import NodeService
import SyncProtocol
import TestKit
import Testing
import TreeValues

/// The limits of a key at the door of the sync protocol, over sockets. They did nothing there once: a key for
/// one use made any number of commits, of any size.
@Suite struct SyncKeyLimitTests {
    /// A key for everything in the project within limits, as a field, and its id.
    private static func key(
        _ laboratory: ServerLaboratory, _ change: (inout GrantLimits) throws -> Void
    ) throws -> (field: String, id: GrantID) {
        var draft = GrantDraft(
            name: "key", operations: OperationSet([.read, .write, .delete]), scope: .project(.default))
        try change(&draft.limits)
        let issued = try laboratory.authority.grants.create(draft, by: .localAdministrator)
        return ("Authorization: Bearer \(issued.token.text)\r\n", issued.grant.id)
    }

    private static func file(_ name: String, _ bytes: Int, in info: NamespaceInfo) -> SyncOperation {
        let node = SyncNode(
            id: NodeID(bits: .random(in: 0 ... .max)), parent: info.root, name: name, kind: .file)
        let text = Array(String(repeating: "x", count: bytes).utf8)
        return SyncOperation(
            id: NodeID(bits: .random(in: 0 ... .max)), .put(node, base: nil, .inline(text)))
    }

    private static func commit(
        _ operations: [SyncOperation], atomic: Bool = false, to info: NamespaceInfo, _ key: String,
        _ connection: HTTPConnection
    ) throws -> HTTPConnection.Answer {
        let request = CommitRequest(epoch: info.epoch, isAtomic: atomic, operations: operations)
        return try connection.post("/ns/recipes/commit", request.value(.cbor), key)
    }

    @Test func everyCallIsAUseButWhatWaits() async throws {
        try await ServerLaboratory.serve { laboratory in
            let info = try laboratory.owner.create(NamespaceRequest(name: "recipes"))
            try laboratory.put("a.txt", "soup", in: info)
            let (key, id) = try Self.key(laboratory) { $0.maximumUses = 3 }
            let uses = { @Sendable () throws -> Int64 in try laboratory.node.catalog.grants.usage(of: id).uses
            }
            try await laboratory.connect { connection in
                let wait = SyncCalls.wait(info, at: 0, seconds: 5)
                for _ in 0..<4 { #expect(try connection.post("/wait", wait, key).status == 200) }
                #expect(try connection.get("/sync/v1/hello", key).status == 200)
                #expect(try uses() == 0)
                // What is refused costs nothing.
                #expect(try connection.get("/sync/v1/ns/absent", key).status == 404)
                #expect(try uses() == 0)
                #expect(try connection.get("/sync/v1/ns", key).status == 200)
                #expect(
                    try Self.commit([Self.file("b", 1, in: info)], to: info, key, connection).status == 200)
                let list = ListRequest(cursor: nil, limit: 10).value(.cbor)
                #expect(try connection.post("/ns/recipes/list", list, key).status == 200)
                #expect(try uses() == 3)

                let refused = try connection.get("/sync/v1/ns", key)
                #expect(refused.status == 403 && refused.problem?.code.rawValue == "uses_exhausted")
            }
            for path in ["/ns/recipes/list", "/ns/recipes/commit", "/wait"] {
                try await laboratory.connect { connection in
                    let answer = try connection.post(path, .map([]), key)
                    #expect(
                        answer.status == 403 && answer.problem?.code.rawValue == "uses_exhausted", "\(path)")
                }
            }
            try await laboratory.connect { connection throws in
                #expect(try connection.get("/sync/v1/events", key).status == 403)
            }
            #expect(try uses() == 3)
        }
    }

    /// What the node's API had stored of an upload that came to nothing cost nothing either.
    @Test func whatCameOfAFailedUploadStaysCounted() async throws {
        try await ServerLaboratory.serve { laboratory in
            let car = SyncCalls.car([SyncCalls.block(String(repeating: "x", count: 500))])
            func upload(_ key: String) async throws -> HTTPConnection.Answer {
                try await laboratory.connect { connection in
                    let fields =
                        key + "Content-Type: application/vnd.ipld.car\r\nContent-Length: \(car.count)\r\n"
                    connection.send(
                        Array(HTTPConnection.request("/api/v1/uploads", fields, method: "POST").utf8) + car)
                    return try connection.answer()
                }
            }
            let (bounded, bytes) = try Self.key(laboratory) { $0.maximumBytes = 1200 }
            for round in 1...2 {
                let answer = try await upload(bounded)
                #expect(answer.status == 400 && answer.text.contains("names no root"), "\(answer.text)")
                let used = try laboratory.node.catalog.grants.usage(of: bytes)
                #expect(used.bytes == Int64(round * car.count))
            }
            #expect(try await upload(bounded).status == 403)
            let (counted, uses) = try Self.key(laboratory) { $0.maximumUses = 1 }
            for round in 1...9 {
                #expect(try await upload(counted).status == 400)
                let used = try laboratory.node.catalog.grants.usage(of: uses).uses
                #expect(used == (round == 9 ? 1 : 0), "\(round)")
            }
            #expect(try await upload(counted).status == 403)
        }
    }

    /// A member of a namespace with a quota stored without end, as long as nothing was committed.
    @Test func whatNoFileNamesIsHeldToTheQuota() async throws {
        try await ServerLaboratory.serve { laboratory in
            var request = NamespaceRequest(name: "recipes")
            request.policy = #"{"maximumBytes":3000000}"#
            let info = try laboratory.owner.create(request)
            let (key, _) = try Self.key(laboratory) { _ in }
            @Sendable func block(_ seed: UInt64) -> Block {
                SyncCalls.block(SeededRandom.bytes(seed: seed, count: 2 << 20))
            }
            @Sendable func put(
                _ blocks: [Block], as name: String, _ connection: HTTPConnection
            ) throws -> CommitResult? {
                let leaves = blocks.map { Leaf(cid: $0.cid, bytes: $0.bytes.count) }
                var node = SyncNode(
                    id: NodeID(bits: .random(in: 0 ... .max)), parent: info.root, name: name, kind: .file)
                (node.content, node.size) = (leaves[0].cid, Int64(leaves.reduce(0) { $0 + $1.bytes }))
                let operation = SyncOperation(
                    id: NodeID(bits: .random(in: 0 ... .max)),
                    .put(node, base: nil, .leaves(LeafEdit(from: [], root: nil, to: leaves))))
                let answer = try Self.commit([operation], to: info, key, connection)
                return try CommitAnswer(answer.message(), to: [operation]).results.first
            }
            try await laboratory.connect { connection in
                let first = block(1)
                #expect(try put([first], as: "a", connection) == .need([first.cid]))
                // Sent again it counts again: nobody learns by this what is held.
                for _ in 0..<3 {
                    let many = [Block](repeating: first, count: 11)
                    #expect(try connection.store("recipes", many, key).status == 200)
                }
                let second = block(2)
                let refused = try connection.store("recipes", [second], key)
                #expect(
                    refused.status == 403 && refused.problem?.code.rawValue == "quota_exceeded",
                    "\(refused.text)")
                #expect(try laboratory.node.store.size(of: second.cid) == nil)
                let inline = SyncOperation(
                    id: NodeID(bits: .random(in: 0 ... .max)),
                    .put(
                        SyncNode(id: NodeID(bits: 1), parent: info.root, name: "b", kind: .file), base: nil,
                        .inline([UInt8](repeating: 7, count: 4096))))
                #expect(try Self.commit([inline], to: info, key, connection).status == 200, "there is room")
                // What a file names is not counted any more.
                guard case .done? = try put([first], as: "a", connection) else {
                    Issue.record("what was sent is not taken")
                    return
                }
                #expect(try connection.store("recipes", [second], key).status == 200)
                // What the namespace has no room for is not asked for.
                guard case .refused(.quotaExceeded, _)? = try put([block(3)], as: "c", connection) else {
                    Issue.record("it is asked for")
                    return
                }
            }
        }
    }

    @Test func bytesThatComeAreCountedHoweverTheyCome() async throws {
        try await ServerLaboratory.serve { laboratory in
            let info = try laboratory.owner.create(NamespaceRequest(name: "recipes"))
            let (key, id) = try Self.key(laboratory) { $0.maximumBytes = 100 }
            let bytes = { @Sendable () throws -> Int64 in
                try laboratory.node.catalog.grants.usage(of: id).bytes
            }
            try await laboratory.connect { connection in
                #expect(
                    try Self.commit([Self.file("a", 40, in: info)], to: info, key, connection).status == 200)
                #expect(try bytes() == 40)
                let large = SyncCalls.block(String(repeating: "y", count: 61))
                let refused = try connection.store("recipes", [large], key)
                #expect(
                    refused.status == 403 && refused.problem?.code.rawValue == "bytes_exhausted",
                    "\(refused.text)")
                #expect(try bytes() == 40)
                #expect(try laboratory.node.store.size(of: large.cid) == nil)

                // What came before a stream broke is held, and counted.
                let block = SyncCalls.block(String(repeating: "z", count: 30))
                let broken = try connection.store(
                    "recipes", [block, SyncCalls.block(String(repeating: "u", count: 20))], key,
                    withoutLast: 5)
                #expect(broken.status == 400)
                #expect(try bytes() == 70)
                #expect(try laboratory.node.store.size(of: block.cid) == 30)
            }
            try await laboratory.connect { connection in
                let over = try Self.commit([Self.file("b", 31, in: info)], to: info, key, connection)
                #expect(over.status == 403 && over.problem?.code.rawValue == "bytes_exhausted")
                #expect(
                    try Self.commit([Self.file("c", 30, in: info)], to: info, key, connection).status == 200)
                #expect(try bytes() == 100)
                let full = try connection.store("recipes", [SyncCalls.block("!")], key)
                #expect(full.status == 403)
            }
            try await laboratory.connect { connection throws in
                #expect(try connection.get("/sync/v1/ns", key).status == 200, "reading brings nothing in")
            }
        }
    }

    @Test func aFileThatIsTooLargeIsRefusedAndTheOthersAreNot() async throws {
        try await ServerLaboratory.serve { laboratory in
            let info = try laboratory.owner.create(NamespaceRequest(name: "recipes"))
            let known = try laboratory.put("known", String(repeating: "k", count: 8), in: info)
            let (key, _) = try Self.key(laboratory) { $0.maximumFileBytes = 10 }
            try await laboratory.connect { connection in
                let leaf = SyncCalls.block("123456")
                #expect(try connection.store("recipes", [leaf], key).status == 200)
                func leaves(_ name: String, base: CID?, _ count: Int) -> SyncOperation {
                    var node = SyncNode(
                        id: NodeID(bits: .random(in: 0 ... .max)), parent: info.root, name: name, kind: .file)
                    // A size is a claim.
                    (node.content, node.size) = (leaf.cid, 1)
                    let edit = LeafEdit(
                        base: base,
                        splices: [
                            .init(
                                start: base == nil ? 0 : 1, remove: 0,
                                insert: Array(repeating: Leaf(cid: leaf.cid, bytes: 6), count: count))
                        ])
                    return SyncOperation(
                        id: NodeID(bits: .random(in: 0 ... .max)), .put(node, base: nil, .leaves(edit)))
                }
                let operations = [
                    Self.file("a", 11, in: info), Self.file("b", 10, in: info),
                    leaves("c", base: nil, 2), leaves("d", base: known.content, 1), leaves("e", base: nil, 1),
                ]
                let answer = try CommitAnswer(
                    Self.commit(operations, to: info, key, connection).message(), to: operations)
                let codes = answer.results.map { result -> String in
                    switch result {
                    case .refused(let code, _): code.rawValue
                    case .done: "ok"
                    default: "\(result)"
                    }
                }
                #expect(codes == ["too_large", "ok", "too_large", "too_large", "ok"])

                let all = [Self.file("f", 1, in: info), Self.file("g", 11, in: info)]
                let none = try CommitAnswer(
                    Self.commit(all, atomic: true, to: info, key, connection).message(), to: all)
                guard case .refused(.notAtomic, _)? = none.results.first,
                    case .refused(.tooLarge, _)? = none.results.last
                else {
                    Issue.record("\(none)")
                    return
                }
                let large = try connection.store("recipes", [SyncCalls.block("12345678901")], key)
                #expect(large.status == 413 && large.problem?.code.rawValue == "too_large")
            }
            #expect(try laboratory.names("recipes") == ["b", "e", "known"])
        }
    }

    /// What syncs has no type but that of bytes.
    @Test func aKeyForOneTypeBringsNothingIn() async throws {
        try await ServerLaboratory.serve { laboratory in
            let info = try laboratory.owner.create(NamespaceRequest(name: "recipes"))
            for (pattern, isAllowed) in [
                ("image/*", false), ("application/octet-stream", true), ("*/*", true),
            ] {
                let (key, _) = try Self.key(laboratory) {
                    $0.contentTypes = [try ContentTypePattern(text: pattern)]
                }
                for path in ["commit", "store", "list"] {
                    let answer = try await laboratory.connect { connection in
                        switch path {
                        case "commit":
                            try Self.commit(
                                [Self.file(pattern.filter { $0 != "/" }, 1, in: info)], to: info, key,
                                connection)
                        case "store": try connection.store("recipes", [SyncCalls.block("leaf")], key)
                        default:
                            try connection.post(
                                "/ns/recipes/list", ListRequest(cursor: nil, limit: 10).value(.cbor), key)
                        }
                    }
                    #expect(
                        answer.status == (isAllowed || path == "list" ? 200 : 403), "\(pattern) \(path)")
                    if answer.status == 403 {
                        #expect(answer.problem?.code.rawValue == "content_type_not_allowed")
                    }
                }
            }
        }
    }
}
