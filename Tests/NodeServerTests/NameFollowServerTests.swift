import Access
import Catalog
import Foundation
import Namespaces
import NodeCore
import NodeMessages
import NodeService
import SyncProtocol
import TestKit
import Testing

/// Names that follow namespaces, while a node runs.
@Suite struct NameFollowServerTests {
    private static func wait(
        _ laboratory: ServerLaboratory, _ what: Comment, until isSo: @escaping @Sendable (NameMessage) -> Bool
    ) async throws -> NameMessage {
        let end = ContinuousClock.now + .seconds(60)
        while true {
            let name = try local(laboratory).name("site", history: 100)
            if isSo(name) { return name }
            try #require(ContinuousClock.now < end, "never: \(what): \(name)")
            try await Task.sleep(for: .milliseconds(20))
        }
    }

    private static func local(_ laboratory: ServerLaboratory) throws -> LocalNode {
        try LocalNode(laboratory.node, authority: nil)
    }

    @Test func aBurstOfChangesIsPublishedOnceItHasSettled() async throws {
        try await ServerLaboratory.serve { laboratory in
            let info = try laboratory.owner.create(NamespaceRequest(name: "recipes", visibility: "public"))
            let local = try Self.local(laboratory)
            let made = try local.makeName(NameRequest(label: "site"))
            let began = try local.publishName("site", PublishRequest(target: "/n/recipes"))
            #expect(began.sequence == 0 && began.follows?.state == "current" && began.follows?.version == 0)
            for number in 1...40 { try laboratory.put("\(number).txt", "text \(number)", in: info) }
            let after = try await Self.wait(laboratory, "it follows") { $0.follows?.version == 40 }
            // Forty commits within less than a second: one record, or a few on a machine that is busy.
            let sequence = try #require(after.sequence)
            #expect((1...8).contains(sequence), "\(sequence)")
            #expect(after.follows?.state == "current" && after.follows?.head == 40)
            let root = try laboratory.node.snapshot(of: laboratory.node.namespaces.namespace("recipes")).root
            #expect(after.target == "/ipfs/\(root)")
            try await laboratory.connect { connection in
                let answer = try connection.get("/ipns/\(made.name)/40.txt")
                #expect(answer.status == 200 && answer.text == "text 40")
            }
            // What is changed and changed back is no new record.
            let page = try laboratory.put("x.txt", "x", in: info)
            try laboratory.change(.delete(page.id, base: page.revision, newestBelow: 0), in: info)
            let same = try await Self.wait(laboratory, "it looks again") { $0.follows?.version == 42 }
            #expect(same.target == after.target)
        }
    }

    @Test func aFolderOfANamespaceIsFollowedThroughRenamesOfTheNamespace() async throws {
        try await ServerLaboratory.serve { laboratory in
            let info = try laboratory.owner.create(NamespaceRequest(name: "recipes"))
            let folder = try laboratory.makeDirectory("out", in: info)
            let local = try Self.local(laboratory)
            let made = try local.makeName(NameRequest(label: "site"))
            _ = try local.publishName("site", PublishRequest(target: "/n/recipes/out/"))
            _ = try local.changeNamespace("recipes", NamespaceChangeMessage(name: "food"))
            try laboratory.put("a.txt", "one", in: info, below: folder.id)
            let after = try await Self.wait(laboratory, "it follows") { $0.follows?.version == 2 }
            #expect(after.target?.hasSuffix("/out") == true && after.follows?.path == "out")
            #expect(after.follows?.namespace == "food")
            let key = try laboratory.key([.read])
            try await laboratory.connect { connection in
                #expect(try connection.get("/ipns/\(made.name)/a.txt", key).text == "one")
                let stranger = try connection.get("/ipns/\(made.name)/a.txt")
                #expect(stranger.status == 404, "a private namespace stays private")
            }
        }
    }

    @Test func itStopsWhenItIsTakenBackPointedElsewhereOrTheNamespaceIsDeleted() async throws {
        try await ServerLaboratory.serve { laboratory in
            let info = try laboratory.owner.create(NamespaceRequest(name: "recipes"))
            let local = try Self.local(laboratory)
            for label in ["site", "other", "third"] { _ = try local.makeName(NameRequest(label: label)) }
            for label in ["site", "other", "third"] {
                _ = try local.publishName(label, PublishRequest(target: "/n/recipes"))
            }
            #expect(try local.unfollowName("other").follows == nil)
            let moved = try local.publishName("third", PublishRequest(target: "/ipfs/bafkqaaa"))
            #expect(moved.follows == nil && moved.sequence == 1)
            try laboratory.put("a.txt", "one", in: info)
            _ = try await Self.wait(laboratory, "it follows") { $0.follows?.version == 1 }
            #expect(try local.name("other", history: 0).sequence == 0)
            #expect(try local.name("third", history: 0).target == "/ipfs/bafkqaaa")
            #expect(throws: (any Error).self) { try local.unfollowName("other") }

            let before = try local.name("site", history: 0)
            _ = try local.removeNamespace("recipes")
            let stopped = try local.name("site", history: 0)
            #expect(stopped.follows?.state == "stopped" && stopped.target == before.target)
            _ = try local.returnNamespace("recipes", NamespaceReturnMessage())
            try laboratory.put("b.txt", "two", in: info)
            let back = try await Self.wait(laboratory, "it goes on") { $0.follows?.version == 2 }
            #expect(back.follows?.state == "current" && back.target != before.target)
        }
    }

    @Test func theAPISaysAndEndsIt() async throws {
        try await ServerLaboratory.serve { laboratory in
            let info = try laboratory.owner.create(NamespaceRequest(name: "recipes"))
            try laboratory.put("a.txt", "one", in: info)
            let key = try laboratory.key()
            let weak = try laboratory.key([.read, .names], scope: .project(.default))
            try await laboratory.connect { connection in
                func call(
                    _ method: String, _ path: String, _ body: String = "", _ key: String
                ) throws -> (status: Int, json: [String: Any]) {
                    connection.send(
                        "\(method) /api/v1/names\(path) HTTP/1.1\r\nHost: localhost\r\n\(key)"
                            + "Content-Type: application/json\r\nContent-Length: \(body.utf8.count)\r\n\r\n"
                            + body)
                    let answer = try connection.answer()
                    let value = try? JSONSerialization.jsonObject(with: Data(answer.body))
                    return (answer.status, value as? [String: Any] ?? [:])
                }
                #expect(try call("POST", "", "{\"label\":\"site\"}", key).status == 201)
                let began = try call("POST", "/site/publish", "{\"target\":\"/n/recipes\"}", weak)
                let follows = began.json["follows"] as? [String: Any]
                #expect(began.status == 200 && follows?["namespace"] as? String == "recipes")
                #expect(follows?["state"] as? String == "current" && follows?["version"] as? Int == 1)
                for (target, status) in [
                    ("/n/nosuch", 404), ("/n/recipes/nosuch", 404), ("/n/", 400), ("/n", 400), ("/n/@1", 400),
                    ("/n/recipes@99", 404), ("/n/../recipes", 404), ("/nowhere/x", 400),
                ] {
                    let answer = try call("POST", "/site/publish", "{\"target\":\"\(target)\"}", key)
                    #expect(answer.status == status, "\(target): \(answer)")
                }
                #expect(try call("GET", "/site", "", weak).json["follows"] != nil, "nothing was changed")
                let ended = try call("DELETE", "/site/follow", "", key)
                #expect(ended.status == 200 && ended.json["follows"] == nil && ended.json["target"] != nil)
                #expect(try call("DELETE", "/site/follow", "", key).status == 404)
                let one = try call("POST", "/site/publish", "{\"target\":\"/n/recipes@1/a.txt\"}", key)
                #expect(one.status == 200 && one.json["follows"] == nil)
                #expect((one.json["target"] as? String)?.hasSuffix("/a.txt") == true)
            }
            // A name of one project follows no namespace of another.
            let other = try laboratory.node.catalog.projects.add(name: "others").id
            let stranger = try LocalNode(laboratory.node, authority: nil)
            _ = try laboratory.node.createName("theirs", owner: other)
            let entry = try laboratory.node.name("theirs", owner: other)
            let namespace = try laboratory.node.namespaces.namespace("recipes")
            #expect(throws: (any Error).self) {
                try laboratory.node.publish(following: namespace, path: [], as: entry)
            }
            #expect(throws: (any Error).self) { try stranger.unfollowName("theirs") }
        }
    }
}
