import Access
import Catalog
import IPLD
import NodeCore
import NodeService
import SyncProtocol
import TestKit
import Testing
import TreeValues

/// What a key of a whole project that may write and not read gets to see, over sockets.
@Suite struct WriteOnlyKeyTests {
    private static func writer(_ laboratory: ServerLaboratory, user name: String?) throws -> String {
        var draft = GrantDraft(name: "box", operations: OperationSet([.write]), project: .default)
        draft.scope = .project(.default)
        if let name {
            let accounts = laboratory.authority.accounts
            let user = try accounts.add(name: name, password: "correct horse", by: .localAdministrator)
            try accounts.setRole(.editor, of: user.id, in: .default, by: .localAdministrator)
            draft.user = user.id
        }
        let issued = try laboratory.authority.grants.create(draft, by: .localAdministrator)
        return "Authorization: Bearer \(issued.token.text)\r\n"
    }

    private static func put(
        _ connection: HTTPConnection, _ info: NamespaceInfo, _ name: String, _ leaf: Leaf, _ key: String
    ) throws -> CommitResult? {
        var node = SyncNode(
            id: NodeID(bits: .random(in: 0 ... .max)), parent: info.root, name: name, kind: .file)
        (node.content, node.size) = (leaf.cid, Int64(leaf.bytes))
        let operation = SyncOperation(
            id: NodeID(bits: .random(in: 0 ... .max)),
            .put(node, base: nil, .leaves(LeafEdit(from: [], root: nil, to: [leaf]))))
        let answer = try connection.post(
            "/ns/\(info.id)/commit",
            CommitRequest(epoch: info.epoch, operations: [operation]).value(.cbor), key)
        return try CommitAnswer(answer.message(), to: [operation]).results.first
    }

    /// Who may only bring files in asked for names, and heard which of them are there, and with which
    /// content.
    @Test(arguments: ["bob", nil])
    func whatIsThereIsNotToldByWhatBecomesOfNames(user: String?) async throws {
        try await ServerLaboratory.serve { laboratory in
            let info = try laboratory.owner.create(NamespaceRequest(name: "recipes"))
            let before = try laboratory.put("soup.md", "beet", in: info)
            let key = try Self.writer(laboratory, user: user)
            try await laboratory.connect { connection throws in
                func put(_ name: String, _ text: String, _ id: NodeID) throws -> SyncNode? {
                    var node = SyncNode(id: id, parent: info.root, name: name, kind: .file)
                    node.size = Int64(text.utf8.count)
                    return try commit(.put(node, base: nil, .inline(Array(text.utf8))))
                }
                func commit(_ change: SyncOperation.Change) throws -> SyncNode? {
                    let operation = SyncOperation(id: NodeID(bits: .random(in: 0 ... .max)), change)
                    var result: CommitResult?
                    // Sent again, it is answered as the first time.
                    for _ in 0..<2 {
                        let answer = try connection.post(
                            "/ns/\(info.id)/commit",
                            CommitRequest(epoch: info.epoch, operations: [operation]).value(.cbor), key)
                        let again = try CommitAnswer(answer.message(), to: [operation]).results.first
                        #expect(result == nil || again == result)
                        result = again
                    }
                    guard case .done(let node)? = result else {
                        Issue.record("\(String(describing: result))")
                        return nil
                    }
                    return node
                }
                func names() throws -> [String] {
                    try laboratory.owner.snapshot(SnapshotRequest(directory: nil, page: nil), of: info.id)
                        .entries.map(\.node.name).sorted()
                }
                // The answer is the same, whether the name is free, or taken by other or by equal content.
                for (name, text) in [("free.md", "beet"), ("soup.md", "leek"), ("soup.md", "beet")] {
                    let id = NodeID(bits: .random(in: 0 ... .max >> 2))
                    let node = try put(name, text, id)
                    #expect(node?.id == id && node?.id != before.id)
                    if user == nil { #expect(node?.name == name) }
                    _ = try put(name, text, id)
                }
                #expect(try names() == ["free.md", "soup (2).md", "soup (3).md", "soup.md"])
                let directory = SyncNode(
                    id: NodeID(bits: .random(in: 0 ... .max >> 2)), parent: info.root, name: "Soup.md",
                    kind: .directory)
                for _ in 0..<2 { #expect(try commit(.makeDirectory(directory))?.id == directory.id) }
                #expect(try names().count == 5)
            }
        }
    }

    /// Whoever could write into a project read every block of it whose hash they knew, and could have it
    /// published by a commit that names it.
    @Test(arguments: ["bob", nil])
    func aHashAloneGetsNothingOutOfTheProject(user: String?) async throws {
        try await ServerLaboratory.serve { laboratory in
            let other = try laboratory.owner.create(NamespaceRequest(name: "other"))
            let info = try laboratory.owner.create(NamespaceRequest(name: "recipes"))
            let text = String(repeating: "nobody's business ", count: 100)
            let secret = SyncCalls.block(text)
            let held = try laboratory.put("secret", text, in: other)
            #expect(held.content == secret.cid)
            let leaf = Leaf(cid: secret.cid, bytes: secret.bytes.count)
            let key = try Self.writer(laboratory, user: user)
            try await laboratory.connect { connection throws in
                let list = BlockList([secret.cid]).value(.cbor)
                let retrieved = try connection.post("/ns/recipes/blocks/retrieve", list, key)
                #expect(retrieved.status == 403 || retrieved.fields["x-block-count"] == "0")
                let leaves = try connection.post(
                    "/ns/recipes/leaves", LeavesRequest(root: secret.cid, base: nil).value(.cbor), key)
                #expect(leaves.status == 403 || leaves.status == 404, "\(leaves.text)")
                // What the project holds is asked for as if it were not there.
                #expect(try Self.put(connection, info, "a", leaf, key) == .need([secret.cid]))
                // Who has the bytes brings them in, and sees what is its own.
                #expect(try connection.store("recipes", [secret], key).status == 200)
                guard case .done? = try Self.put(connection, info, "a", leaf, key) else {
                    Issue.record("what was sent is not taken")
                    return
                }
                let own = try connection.post("/ns/recipes/blocks/retrieve", list, key)
                #expect(user == nil ? own.status == 403 : own.fields["x-block-count"] == "1")
            }
        }
    }
}
