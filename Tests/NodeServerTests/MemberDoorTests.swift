import Access
import Catalog
import Foundation
import IPLD
import Namespaces
import NodeCore
import NodeService
import SyncProtocol
import TestKit
import Testing

/// Members of namespaces at every door, over sockets: who may what by a key that was made for them.
@Suite struct MemberDoorTests {
    /// A key for the namespace `recipes` on behalf of a member.
    private static func key(
        _ laboratory: ServerLaboratory, _ role: NamespaceRole
    ) throws -> String {
        let accounts = laboratory.authority.accounts
        let user = try accounts.add(
            name: "bob-\(role.rawValue)", password: "correct horse", by: .localAdministrator)
        _ = try accounts.setRole(
            role, ofUser: user.name, in: try laboratory.node.namespaces.namespace("recipes"),
            by: .localAdministrator)
        var draft = GrantDraft(
            name: "key", operations: OperationSet([.admin]),
            scope: .namespace(.default, name: "recipes"))
        draft.user = user.id
        let issued = try laboratory.authority.grants.create(draft, by: .localAdministrator)
        return "Authorization: Bearer \(issued.token.text)\r\n"
    }

    @Test func everyDoorShowsTheNamespaceAndNothingBesideIt() async throws {
        try await ServerLaboratory.serve { laboratory in
            let info = try laboratory.owner.create(NamespaceRequest(name: "recipes"))
            let file = try laboratory.put("a.txt", "soup", in: info)
            let other = try laboratory.owner.create(NamespaceRequest(name: "other"))
            let secret = try laboratory.put("b.txt", "secret", in: other)
            let root = try laboratory.node.snapshot(of: laboratory.node.namespaces.namespace("recipes")).root
            for role in [NamespaceRole.owner, .editor, .viewer] {
                let key = try Self.key(laboratory, role)
                try await laboratory.connect { connection throws in
                    let list = try connection.get("/sync/v1/ns", key).text
                    #expect(list.contains("\"role\":\"\(role.rawValue)\"") && !list.contains("other"))
                    #expect(try connection.get("/n/recipes/a.txt", key).text == "soup")
                    #expect(try connection.get("/n/recipes@1/a.txt", key).text == "soup")
                    #expect(try connection.get("/n/recipes/a.txt", key).fields["vary"] == "Authorization")
                    #expect(try connection.get("/n/other/b.txt", key).status != 200)
                    #expect(try connection.get("/ipfs/\(root)/a.txt", key).status == 403, "not by its CID")
                    let api = try connection.get("/api/v1/namespaces", key)
                    #expect(api.status == 200 && api.text.contains("recipes") && !api.text.contains("other"))
                    #expect(try connection.get("/api/v1/namespaces/other", key).status == 404)
                    let (own, foreign) = (try #require(file.content), try #require(secret.content))
                    for (cid, count) in [(own, "1"), (foreign, "0")] {
                        let answer = try connection.post(
                            "/ns/recipes/blocks/retrieve", BlockList([cid]).value(.cbor), key)
                        #expect(answer.status == 200 && answer.fields["x-block-count"] == count, "\(role)")
                    }
                    let links = try connection.get("/api/v1/namespaces/recipes/links", key)
                    #expect((links.status == 200) == (role == .owner), "\(role) \(links.status)")
                    let members = try connection.get("/sync/v1/ns/recipes/members", key)
                    #expect((members.status == 200) == (role == .owner), "\(role) \(members.status)")
                }
            }
        }
    }

    @Test func membershipChangesCountAtOnce() async throws {
        try await ServerLaboratory.serve { laboratory in
            let info = try laboratory.owner.create(NamespaceRequest(name: "recipes"))
            try laboratory.put("a.txt", "soup", in: info)
            let key = try Self.key(laboratory, .viewer)
            let administrator = try laboratory.key([.admin], scope: .node)
            func call(_ method: String, _ path: String, _ body: String) async throws
                -> HTTPConnection.Answer
            {
                try await laboratory.connect { connection throws in
                    connection.sendCall(
                        method, path, Array(body.utf8), type: "application/json", administrator)
                    return try connection.answer()
                }
            }
            try await laboratory.connect { connection throws in
                #expect(try connection.get("/n/recipes/a.txt", key).status == 200)
            }
            let changed = try await call(
                "PATCH", "/ns/recipes/members/bob-viewer", "{\"role\":\"writer_only\"}")
            #expect(changed.status == 200 && changed.text.contains("writer_only"), "\(changed.text)")
            try await laboratory.connect { connection throws in
                #expect(try connection.get("/n/recipes/a.txt", key).status != 200)
            }
            let again = try await call(
                "POST", "/ns/recipes/members", "{\"user\":\"bob-viewer\",\"role\":\"editor\"}")
            #expect(again.status == 200)
            try await laboratory.connect { connection throws in
                #expect(try connection.get("/n/recipes/a.txt", key).status == 200)
            }
            let listed = try await call("GET", "/ns/recipes/members", "")
            #expect(listed.text.contains("\"name\":\"bob-viewer\""))
            #expect(try await call("DELETE", "/ns/recipes/members/bob-viewer", "").status == 200)
            try await laboratory.connect { connection throws in
                #expect(try connection.get("/n/recipes/a.txt", key).status == 401)
            }
            #expect(try await call("DELETE", "/ns/recipes/members/bob-viewer", "").status == 404)
            #expect(try await call("POST", "/ns/recipes/members", "{\"role\":\"editor\"}").status == 400)
            #expect(
                try await call("POST", "/ns/recipes/members", "{\"user\":\"x\",\"role\":\"boss\"}").status
                    == 400)
        }
    }

    @Test func linksAreMadeListedAndEndedByTheSyncProtocol() async throws {
        try await ServerLaboratory.serve { laboratory in
            let info = try laboratory.owner.create(NamespaceRequest(name: "recipes"))
            try laboratory.put("a.txt", "soup", in: info)
            let key = try laboratory.key()
            try await laboratory.connect { connection throws in
                connection.sendCall(
                    "POST", "/ns/recipes/links", Array("{\"path\":\"/a.txt\",\"maxUses\":3}".utf8),
                    type: "application/json", key)
                let made = try connection.answer()
                #expect(made.status == 201, "\(made.text)")
                let object = try #require(
                    try JSONSerialization.jsonObject(with: Data(made.body)) as? [String: Any])
                let location = try #require(object["location"] as? String)
                #expect(try connection.get(location).text == "soup")
                let list = try connection.get("/sync/v1/ns/recipes/links", key)
                #expect(list.status == 200 && list.text.contains("\"uses\":1"))
                #expect(!list.text.contains(location), "told once")
                connection.sendCall(
                    "DELETE", "/ns/recipes/links/\(try #require(object["id"] as? String))", [],
                    type: "application/json", key)
                #expect(try connection.answer().status == 200)
                #expect(try connection.get(location).status == 410)
            }
        }
    }
}
