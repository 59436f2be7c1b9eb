import Access
import BlockStorage
import Catalog
import Foundation
import HTTPSupport
import IPLD
import Namespaces
import NodeCore
import NodeMessages
import NodeServer
import NodeService
import SyncProtocol
import TestKit
import Testing
import TreeValues

/// `PATCH` and `DELETE` of namespaces, `verify` and `rebuild`, over sockets.
@Suite struct NamespaceAdministrationTests {
    private static func call(
        _ connection: HTTPConnection, _ method: String, _ path: String, _ body: String, _ fields: String
    ) throws -> HTTPConnection.Answer {
        connection.sendCall(method, path, Array(body.utf8), type: "application/json", fields)
        return try connection.answer()
    }

    @Test func theOwnerRenamesAndSetsThePolicy() async throws {
        try await ServerLaboratory.serve { laboratory in
            let info = try laboratory.owner.create(NamespaceRequest(name: "recipes"))
            _ = try laboratory.owner.create(NamespaceRequest(name: "taken"))
            let owner = try laboratory.key()
            let editor = try laboratory.key(
                [.read, .write, .delete],
                scope: .namespace(.default, name: "recipes"))
            try await laboratory.connect { connection in
                func patch(_ body: String, _ key: String) throws -> HTTPConnection.Answer {
                    try Self.call(connection, "PATCH", "/ns/\(info.id)", body, key)
                }
                let renamed = try NamespaceInfo(try patch("{\"name\":\"food\"}", owner).message())
                #expect(renamed.name == "food" && renamed.id == info.id && renamed.epoch == info.epoch)
                let policy = try NamespaceInfo(
                    try patch("{\"policy\":\"{\\\"merge\\\":\\\"lines\\\"}\"}", owner).message())
                #expect(policy.policy.contains("lines") && policy.name == "food")
                for (body, key, status, code) in [
                    ("{\"name\":\"x\"}", editor, 403, "forbidden"),
                    ("{\"name\":\"taken\"}", owner, 409, "name_taken"),
                    ("{\"name\":\"a/b\"}", owner, 400, "bad_request"),
                    ("{\"name\":7}", owner, 400, "bad_request"),
                    ("{\"policy\":\"{\\\"merge\\\":\\\"dice\\\"}\"}", owner, 400, "bad_request"),
                    ("{", owner, 400, "bad_request"),
                ] {
                    let answer = try patch(body, key)
                    #expect(
                        answer.status == status && answer.problem?.code.rawValue == code,
                        "\(body): \(answer.text)")
                }
                let unknown = try Self.call(connection, "PATCH", "/ns/nosuch", "{}", owner)
                #expect(unknown.status == 404 && unknown.problem?.code.rawValue == "unknown_namespace")
                #expect(try NamespaceInfo(try patch("{}", owner).message()) == policy, "nothing was said")
            }
        }
    }

    @Test func whatTheOwnerDeletesCanBeHadBack() async throws {
        try await ServerLaboratory.serve { laboratory in
            let info = try laboratory.owner.create(NamespaceRequest(name: "recipes"))
            try laboratory.put("a.txt", "one", in: info)
            let owner = try laboratory.key()
            let editor = try laboratory.key(
                [.read, .write, .delete],
                scope: .namespace(.default, name: "recipes"))
            let stranger = try laboratory.key(in: try laboratory.node.catalog.projects.add(name: "others").id)
            try await laboratory.connect { connection in
                func delete(_ key: String) throws -> HTTPConnection.Answer {
                    try Self.call(connection, "DELETE", "/ns/recipes", "", key)
                }
                #expect(try delete(editor).problem?.code.rawValue == "forbidden", "who edits does not own")
                #expect(try delete(stranger).problem?.code.rawValue == "unknown_namespace")
                let gone = try delete(owner)
                #expect(gone.status == 200 && gone.text.contains("\"kept_until_ms\""), "\(gone.text)")
                #expect(try delete(owner).status == 404)
                #expect(try connection.get("/sync/v1/ns/recipes", owner).status == 404)
            }
            let local = try LocalNode(laboratory.node, authority: nil)
            _ = try local.returnNamespace("recipes", .init())
            try await laboratory.connect { connection in
                let back = try NamespaceInfo(try connection.get("/sync/v1/ns/recipes", owner).message())
                #expect(back.id == info.id && back.head == 1 && back.nodes == 1)
            }
        }
    }

    @Test func anEpochBeginsAndNothingIsLost() async throws {
        try await ServerLaboratory.serve { laboratory in
            let info = try laboratory.owner.create(NamespaceRequest(name: "recipes"))
            try laboratory.put("a.txt", "one", in: info)
            let owner = try laboratory.key()
            let reader = try laboratory.key([.read, .write, .delete])
            try await laboratory.connect { connection in
                let list = try connection.post(
                    "/ns/recipes/list", ListRequest(cursor: nil, limit: 10).value(.cbor), owner)
                let cursor = try ListAnswer(try list.message()).cursor
                #expect(
                    try Self.call(connection, "POST", "/ns/recipes/rebuild", "", reader).problem?.code
                        .rawValue
                        == "forbidden")
                let rebuilt = try NamespaceInfo(
                    try Self.call(connection, "POST", "/ns/recipes/rebuild", "", owner).message())
                #expect(rebuilt.epoch != info.epoch && rebuilt.head == 1 && rebuilt.nodes == 1)
                let again = try connection.post(
                    "/ns/recipes/list", ListRequest(cursor: cursor.text, limit: 10).value(.cbor), owner)
                #expect(again.status == 410 && again.problem?.code.rawValue == "reset_required")
                let wait = try connection.post(
                    "/wait", SyncCalls.wait(info, at: 1, seconds: 5), owner)
                #expect(wait.status == 200, "who waits is told at once")
                // A commit on the old epoch is refused, one on the new goes through.
                let change = SyncOperation(
                    id: NodeID(bits: 7),
                    .makeDirectory(
                        SyncNode(id: NodeID(bits: 8), parent: info.root, name: "d", kind: .directory)))
                for (epoch, status) in [(info.epoch, 410), (rebuilt.epoch, 200)] {
                    let commit = try connection.post(
                        "/ns/recipes/commit",
                        CommitRequest(epoch: epoch, operations: [change]).value(.cbor), owner)
                    #expect(commit.status == status)
                }
            }
        }
    }

    @Test(arguments: WireForm.allCases)
    func verifyingSaysWhatWasLookedAtAndWhatIsWrong(form: WireForm) async throws {
        try await ServerLaboratory.serve { laboratory in
            let info = try laboratory.owner.create(NamespaceRequest(name: "recipes"))
            // Three kept versions of one file, a deleted file, and what is not of the namespace.
            var node = try laboratory.put("a.txt", "version 1 of it", in: info)
            for number in 2...3 {
                node = try laboratory.put("a.txt", "version \(number) of it", in: info, over: node)
            }
            let gone = try laboratory.put("gone.txt", "was deleted", in: info)
            try laboratory.change(.delete(gone.id, base: gone.revision, newestBelow: 0), in: info)
            _ = try laboratory.node.snapshot(of: laboratory.node.namespaces.namespace("recipes"))
            let owner = try laboratory.key() + "Accept: \(form.rawValue)\r\n"
            let reader = try laboratory.key([.read, .write, .delete])

            let sound = try await Self.verify(laboratory, owner, form)
            let last = try #require(sound.last)
            #expect(last["done"] == .bool(true) && last["findings"] == .integer(0))
            #expect(last["nodes"] == .integer(2) && last["changes"] == .integer(5))
            #expect(last["contents"] == .integer(4) && last["missing"] == .integer(0))
            try await laboratory.connect { connection in
                let refused = try Self.call(connection, "POST", "/ns/recipes/verify", "", reader)
                #expect(refused.problem?.code.rawValue == "forbidden")
                #expect(try Self.call(connection, "POST", "/ns/nosuch/verify", "", owner).status == 404)
            }

            // A byte of history turns around on the disk, after it was read and verified before.
            try laboratory.damage(Array("version 2 of it".utf8)[...])
            let content = try #require(
                try laboratory.node.namespaces.journal(
                    of: laboratory.node.namespaces.namespace("recipes")
                ).last { $0.jid == 3 }?.node.content)
            let isRemoved = try laboratory.node.store.remove(content)
            #expect(isRemoved)
            let wrong = try await Self.verify(laboratory, owner, form)
            let end = try #require(wrong.last)
            #expect(end["missing"] == .integer(1) && end["damaged"] == .integer(1), "\(wrong)")
            let found = wrong.compactMap { $0["finding"] }
            #expect(Set(found) == [.string("missing"), .string("damaged")])
            let damaged = try #require(wrong.first { $0["finding"] == .string("damaged") })
            #expect(damaged["path"] == .string("a.txt"))
            #expect(damaged["jid"] == (form == .cbor ? .integer(2) : .string("2")))
        }
    }

    private static func verify(
        _ laboratory: ServerLaboratory, _ key: String, _ form: WireForm
    ) async throws -> [[String: IPLDValue]] {
        try await laboratory.connect { connection in
            let answer = try call(connection, "POST", "/ns/recipes/verify", "", key)
            #expect(answer.status == 200)
            #expect(
                answer.fields["content-type"]
                    == (form == .cbor ? "application/cbor-seq" : "application/jsonl"))
            var messages: [[String: IPLDValue]] = []
            if form == .json {
                for line in answer.text.split(separator: "\n") {
                    messages.append(try map(try form.decode(Array(line.utf8), maximumBytes: line.utf8.count)))
                }
                return messages
            }
            var rest = answer.body[...]
            while !rest.isEmpty {
                // A sequence has no marks between its items: the shortest beginning that is one.
                var end = rest.startIndex + 1
                while (try? form.decode(Array(rest[..<end]), maximumBytes: 1 << 20)) == nil { end += 1 }
                messages.append(try map(try form.decode(Array(rest[..<end]), maximumBytes: 1 << 20)))
                rest = rest[end...]
            }
            return messages
        }
    }

    private static func map(_ value: IPLDValue) throws -> [String: IPLDValue] {
        guard case .map(let entries) = value else { throw SyncFailure.badRequest("no map") }
        return Dictionary(uniqueKeysWithValues: entries.map { ($0.key, $0.value) })
    }

    @Test func rowsThatAreDamagedAreNamedAndTheOthersAreLookedAt() async throws {
        try await ServerLaboratory.serve { laboratory in
            let info = try laboratory.owner.create(NamespaceRequest(name: "recipes"))
            for number in 1...30 { try laboratory.put("\(number).txt", "text \(number)", in: info) }
            let database = laboratory.node.catalog.namespaces.database
            try database.write { connection -> Void in
                try connection.execute("UPDATE tree_journal SET size = 99 WHERE jid = 7")
                try connection.execute("UPDATE tree_nodes SET size = 99 WHERE rev = 11")
            }
            let verification = laboratory.node.verification(
                of: try laboratory.node.namespaces.namespace("recipes"))
            while try !verification.advance() {}
            let report = verification.report
            #expect(report.findings.map(\.kind) == [.counters, .row, .row], "\(report.findings)")
            #expect(report.nodes == 29 && report.changes == 29 && report.contents == 29)
        }
    }
}
