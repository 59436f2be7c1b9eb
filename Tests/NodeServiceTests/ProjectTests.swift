import Access
import BlockStorage
import Catalog
import Digests
import IPLD
import Multiformats
import NodeCore
import NodeMessages
import NodeService
import TestKit
import Testing

/// Two projects on one node: neither learns what the other holds, and bytes are stored once.
@Suite struct ProjectTests {
    let directory: TemporaryDirectory
    let node: StorageNode
    let authority: Authority
    let first: LocalNode
    let second: LocalNode
    let admin: LocalNode

    init() throws {
        directory = try TemporaryDirectory(in: TemporaryDirectory.fastParent)
        node = try StorageNode.open(directory.path("data"))
        authority = try Authority.open(catalog: node.catalog, secrets: directory.path("data/secrets"))
        first = try Self.local("first", node, authority)
        second = try Self.local("second", node, authority)
        admin = try LocalNode(node, authority: authority)
    }

    /// The node as an administrator of a new project sees it.
    private static func local(
        _ name: String, _ node: StorageNode, _ authority: Authority
    ) throws -> LocalNode {
        let project = try node.catalog.projects.add(name: name)
        var draft = GrantDraft(name: name, operations: [.admin].set, project: project.id)
        draft.scope = .project(project.id)
        let issued = try authority.grants.create(draft, by: .localAdministrator)
        let principal = try authority.authorizer.principal(for: .bearer(issued.token.text))
        return try LocalNode(node, authority: authority, as: principal)
    }

    private func block(_ text: String) throws -> Block {
        let bytes = Array(text.utf8)
        return Block(
            cid: CID(codec: .raw, multihash: try Multihash(hashing: bytes, with: .sha2_256)), bytes: bytes)
    }

    @Test func aBlockOfOneIsNotThereForTheOtherUntilItBringsItItself() throws {
        let secret = try block("a secret")
        try first.blocks.put(secret)
        #expect(try first.blocks.block(secret.cid) == secret)
        #expect(try second.blocks.block(secret.cid) == nil)
        #expect(try second.blocks.size(of: secret.cid) == nil)
        #expect(try second.blocks.blocks([secret.cid]) == [nil])
        let summary = try second.blocks.put(secret)
        #expect(summary.newBlocks == 0, "bytes are stored once")
        #expect(try second.blocks.block(secret.cid) == secret)
        #expect(try admin.blocks.block(secret.cid) == secret)
    }

    @Test func nobodyPinsWhatTheyMayNotRead() throws {
        let secret = try block("another secret")
        try first.blocks.put(secret)
        let request = PinRequest(cid: secret.cid.description, name: "mine", visibility: "public")
        #expect(throws: NodeError.self) { try second.pin(request, .none) }
        #expect(try node.store.scopeMarks(of: secret.cid.multihash)?.contains(.public) == false)
        _ = try first.pin(request, .none)
        #expect(try second.blocks.block(secret.cid) == secret, "it is public now")
    }

    @Test func pinsNamesAndGrantsOfOthersAreNotSeen() throws {
        let some = try block("some")
        try first.blocks.put(some)
        let pin = try first.pin(
            PinRequest(cid: some.cid.description, name: "p", visibility: "private"), .none)
        #expect(pin.owner == first.project.rawValue)
        #expect(throws: NodeError.self) { try second.pins(matching: "p") }
        #expect(try second.pin(pin.id) == nil)
        #expect(try second.removePin(pin.id) == false)
        #expect(throws: NodeError.self) { try second.setVisibility("public", ofPin: pin.id, .none) }
        var seen = 0
        try second.forEachPin(PinQuery()) { _ in seen += 1 }
        #expect(seen == 0)
        #expect(try admin.pins(matching: "p").map(\.id) == [pin.id])

        _ = try first.makeName(NameRequest(label: "blog"))
        #expect(throws: NameError.self) { try second.name("blog", history: 0) }
        let grant = try first.makeGrant(GrantRequest(name: "g", operations: ["read"]))
        #expect(grant.project == first.project.rawValue && grant.token != nil)
        #expect(throws: AccessError.self) { try second.grant(matching: grant.id) }
        #expect(throws: AccessError.self) { try second.revokeGrant(grant.id) }
    }

    @Test func aProjectGoesWhenItHoldsNothingAndNotBefore() throws {
        let id = first.project.rawValue
        let some = try block("some")
        try first.blocks.put(some)
        let pin = try first.pin(
            PinRequest(cid: some.cid.description, name: "p", visibility: "private"), .none)
        let name = try first.makeName(NameRequest(label: "blog"))
        func refusal() -> String {
            do {
                _ = try admin.removeProject(id)
                return ""
            } catch {
                return NodeFailure(of: error).code + ": \(error)"
            }
        }
        // The grant by which it is administered is one of what it has.
        let all = refusal()
        #expect(all.hasPrefix("project-not-empty: ") && all.contains("1 pin, 1 name, 1 key"), "\(all)")
        #expect(all.contains("`nacre pin rm`") && all.contains("`nacre key revoke`"), "\(all)")
        #expect(try first.removePin(pin.id))
        _ = try first.removeName(name.label)
        #expect(refusal().contains("still has 1 key;"))
        try admin.forEachGrant(project: id) { _ = try admin.revokeGrant($0.id) }
        #expect(throws: AccessError.self) { try first.removeProject(id) }
        #expect(try admin.removeProject(id).id == id)
        #expect(throws: AccessError.projectAbsent(id)) { try admin.removeProject(id) }
        #expect(try second.project(matching: second.project.rawValue).name == "second")
        // No later project gets what blocks are still marked for.
        let later = try node.catalog.projects.add(name: "later")
        let scopes = try [later.id, second.project].map { try node.catalog.projects.scope(of: $0) }
        #expect(Set(scopes).count == 2 && !scopes.contains(1))
    }

    @Test func aProjectIsRenamedByWhoAdministersIt() throws {
        let id = first.project.rawValue
        #expect(try first.renameProject(id, to: "other").name == "other")
        #expect(try admin.project(matching: "other").id == id)
        #expect(throws: AccessError.self) { try second.renameProject(id, to: "mine") }
        #expect(throws: NodeFailure.self) { try first.renameProject(id, to: "") }
        #expect(throws: AccessError.projectIsDefault) { try admin.removeProject("default") }
    }

    @Test func jobsOfOthersAreNotSeen() throws {
        let jobs = NodeJobs(node) { _ in }
        try jobs.engine.start()
        defer { jobs.engine.stop() }
        let some = try block("some")
        try first.blocks.put(some)
        let job = try jobs.walk(some.cid, for: first)
        #expect(try jobs.job(job.id.text, for: second) == nil)
        let done = try #require(try jobs.engine.wait(for: job.id, patience: .seconds(30)))
        #expect(done.state == .done)
        #expect(try jobs.list(state: nil, cursor: nil, limit: 10, for: second).items.isEmpty)
        #expect(
            try jobs.list(state: "done", cursor: nil, limit: 10, for: admin).items.map(\.id) == [job.id.text])
        // A walk sees what its principal sees.
        let blind = try jobs.walk(some.cid, for: second)
        let other = try #require(try jobs.engine.wait(for: blind.id, patience: .seconds(30)))
        #expect(other.result?.contains("\"missing\":1") == true, "\(other)")
    }
}

extension [Access.Operation] {
    fileprivate var set: OperationSet { OperationSet(self) }
}
