import Access
import Catalog
import IPLD
import Multiformats
import Namespaces
import NodeCore
import NodeService
import SyncProtocol
import TestKit
import Testing
import TreeValues

/// Blocks by CID for who may use one namespace and not the whole project, and for members by role.
@Suite struct NamespaceReachTests {
    let laboratory: SyncLaboratory
    /// Of the default project, as are the others.
    let device: SyncDevice
    let beside: SyncDevice
    let secret: CutContent
    let mine: CutContent

    init() throws {
        laboratory = try SyncLaboratory()
        device = try .create(laboratory.owner)
        beside = try .create(laboratory.owner, "beside")
        secret = try CutContent(SeededRandom.bytes(seed: 1, count: 3000), leafBytes: 1000)
        mine = try CutContent(SeededRandom.bytes(seed: 2, count: 3000), leafBytes: 1000)
        try beside.put("secret", secret)
        try device.put("mine", mine)
    }

    private func key(_ operations: [Access.Operation]) throws -> SyncDevice {
        SyncDevice(
            try laboratory.service(operations, scope: .namespace(.default, name: "recipes")), device.namespace
        )
    }

    private func user(_ name: String, _ role: NamespaceRole) throws -> SyncDevice {
        let accounts = laboratory.authority.accounts
        let user =
            try laboratory.node.catalog.users.user(named: name)
            ?? accounts.add(name: name, password: "correct horse", by: .localAdministrator)
        _ = try accounts.setRole(
            role, ofUser: name, in: try laboratory.node.namespaces.namespace("recipes"),
            by: .localAdministrator)
        let session = try laboratory.authority.sessions.begin(for: user.id)
        let principal = try laboratory.authority.authorizer.principal(for: .session(session))
        return SyncDevice(
            SyncService(laboratory.node, as: principal, authority: laboratory.authority), device.namespace)
    }

    @Test func aKeyForANamespaceReadsWhatThatReaches() throws {
        let narrow = try key([.read, .write, .delete])
        let own = mine.leaves.map(\.cid) + [mine.root]
        #expect(try narrow.service.retrieve(own, of: "recipes").blocks.map(\.cid) == own)
        #expect(try narrow.service.missing(own, of: "recipes").isEmpty)
        for cid in secret.leaves.map(\.cid) + [secret.root] {
            #expect(try narrow.service.retrieve([cid], of: "recipes").blocks.isEmpty)
            #expect(try narrow.service.missing([cid], of: "recipes") == [cid])
        }
        #expect(throws: SyncFailure.self) {
            try narrow.service.leaves(LeavesRequest(root: secret.root, base: nil), of: "recipes")
        }
        // Nor is it taken in by its name alone.
        let put = SyncOperation.Change.put(
            secret.node(try narrow.file("taken")), base: nil, .leaves(secret.edit))
        #expect(try narrow.commit(put) == .need(secret.leaves.map(\.cid)))
        #expect(
            try narrow.service.store(secret.blocks(secret.leaves.map(\.cid)), for: "recipes").isEmpty)
        #expect(try narrow.must(put).content == secret.root, "who has the bytes brings them in")
        #expect(try narrow.service.retrieve([secret.root], of: "recipes").blocks.count == 1)
        // A key of the project is as before.
        #expect(try device.service.missing(secret.leaves.map(\.cid), of: "recipes").isEmpty)
    }

    @Test func whatComesLaterAndWhatWasIsReached() throws {
        let narrow = try key([.read])
        let later = try CutContent(SeededRandom.bytes(seed: 3, count: 2500), leafBytes: 1000)
        #expect(try narrow.service.retrieve([later.root], of: "recipes").blocks.isEmpty)
        let node = try device.put("later", later)
        #expect(try narrow.service.retrieve([later.root], of: "recipes").blocks.count == 1)
        try device.must(.delete(node.id, base: node.revision, newestBelow: 0))
        #expect(try narrow.service.retrieve([later.root], of: "recipes").blocks.count == 1, "history is kept")
    }

    @Test func aWriterOnlySeesItsOwnEntriesAndBlocks() throws {
        let bob = try user("bob", .writerOnly)
        let carol = try user("carol", .writerOnly)
        let viewer = try user("dave", .viewer)
        try device.put("a", "of the owner")
        try bob.put("b", "of bob")
        let large = try CutContent(SeededRandom.bytes(seed: 4, count: 2500), leafBytes: 1000)
        try bob.put("large", large)
        try carol.put("c", "of carol")
        func names(_ device: SyncDevice) throws -> Set<String> {
            let listed = Set(try device.list(after: nil).entries.map(\.node.name))
            #expect(Set(try device.live().values.map(\.name)) == listed)
            return listed
        }
        #expect(try names(bob) == ["b", "large"])
        #expect(try names(carol) == ["c"])
        #expect(try names(viewer) == ["mine", "a", "b", "large", "c"])
        #expect(try bob.service.retrieve([large.root], of: "recipes").blocks.count == 1)
        #expect(try viewer.service.retrieve([large.root], of: "recipes").blocks.count == 1)
        for cid in [large.root, mine.root] {
            #expect(try carol.service.retrieve([cid], of: "recipes").blocks.isEmpty)
        }
        #expect(try bob.service.list().map { "\($0.name) \($0.role)" } == ["recipes writer_only"])
    }

    @Test(arguments: [
        (NamespaceRole.owner, "owner", "ok", "ok", "ok"), (.editor, "editor", "ok", "ok", "ok"),
        (.writerOnly, "writer_only", "ok", "forbidden", "forbidden"),
        (.viewer, "viewer", "forbidden", "forbidden", "forbidden"),
    ])
    func rolesAreRowsOfATable(
        role: NamespaceRole, name: String, create: String, change: String, remove: String
    ) throws {
        let file = try device.put("file", "one")
        let member = try user("bob", role)
        #expect(try member.service.list().map(\.role) == [name])
        #expect(try member.service.info("recipes").role == name)
        func code(_ change: SyncOperation.Change) throws -> String {
            do {
                switch try member.commit(change) {
                case .done: return "ok"
                case .refused(let code, _): return code.rawValue
                case .conflict(let reason, _): return reason
                case .need, .confirmationNeeded: return "more"
                }
            } catch let failure as SyncFailure { return failure.code.rawValue }
        }
        #expect(try code(.put(member.file("new"), base: nil, .inline([1]))) == create)
        var edited = file
        edited.modified = 5
        #expect(try code(.put(edited, base: file.contentRevision, .inline([2]))) == change)
        let revision = try #require(try device.live()[file.id]).revision
        #expect(
            try code(.move(file.id, parent: device.info.root, name: "moved", base: revision)) == change)
        let last = try #require(try device.live()[file.id]).revision
        #expect(try code(.delete(file.id, base: last, newestBelow: 0)) == remove)
        let mayOwn = role == .owner
        #expect(
            (try? member.service.sharing().members(ofNamespace: "recipes")) != nil || !mayOwn)
        #expect(
            ((try? member.service.sharing().links(inNamespace: "recipes", cursor: nil, limit: 1)) != nil)
                == mayOwn)
        #expect((try? member.service.sharing().removeNamespace("recipes")) != nil || !mayOwn)
        #expect(try (laboratory.node.catalog.namespaces.namespace(named: "recipes") == nil) == mayOwn)
    }

    @Test func whatIsNotFoundIsLookedForAgainInAHundredthOfTheTimeAtMost() {
        #expect(NamespaceReach.renewal(after: .milliseconds(5)) == .seconds(60))
        #expect(NamespaceReach.renewal(after: .seconds(6)) == .seconds(600))
    }

    @Test func aKeyWithoutDeleteIsAContributor() throws {
        #expect(try key([.read, .write]).service.list().map(\.role) == ["contributor"])
        #expect(try key([.read]).service.list().map(\.role) == ["viewer"])
        #expect(try key([.read, .write, .delete]).service.list().map(\.role) == ["editor"])
    }
}
