import Catalog
import TestKit
import Testing
import TreeValues

/// Links and members of namespaces, on both engines.
@Suite struct SharingRepositoriesTests {
    private func grant(_ catalog: CatalogDatabase) -> GrantRecord {
        GrantRecord(
            id: catalog.grants.newID(), project: .default, name: "link",
            secretHash: [UInt8](repeating: 3, count: 32), operations: "read", scope: "project:default",
            created: 1)
    }

    @Test(arguments: Engine.all) func linksAreFoundByTokenByGrantAndByNamespace(engine: Engine) throws {
        let catalog = try engine.catalog()
        let namespace = try catalog.namespaces.add(
            name: "a", project: .default, visibility: .private, policy: "{}")
        let other = try catalog.namespaces.add(
            name: "b", project: .default, visibility: .private, policy: "{}")
        var links: [LinkRecord] = []
        for number in 0..<5 {
            let grant = grant(catalog)
            let link = LinkRecord(
                grant: grant.id, tokenHash: [UInt8](repeating: UInt8(number), count: 32),
                namespace: number == 4 ? other.id : namespace.id, node: NodeID(bits: UInt128(number)),
                password: number == 0 ? "" : "$scrypt$x")
            try catalog.links.add(link, grant)
            links.append(link)
        }
        for link in links {
            #expect(try catalog.links.link(tokenHash: link.tokenHash) == link)
            #expect(try catalog.links.link(link.grant) == link)
            #expect(try catalog.grants.grant(link.grant) != nil)
        }
        #expect(try catalog.links.link(tokenHash: [9]) == nil)
        #expect(try catalog.links.list(of: namespace.id) == Array(links[..<4]))
        #expect(try catalog.links.list(of: namespace.id, after: links[1].grant, limit: 1) == [links[2]])
        #expect(throws: (any Error).self, "a token is of one link") {
            try catalog.links.add(
                LinkRecord(
                    grant: catalog.grants.newID(), tokenHash: links[0].tokenHash, namespace: other.id,
                    node: NodeID(bits: 1), password: ""), grant(catalog))
        }
        #expect(try catalog.grants.list().count == 5, "neither row without the other")
        #expect(try catalog.grants.remove(links[0].grant))
        #expect(try catalog.links.link(links[0].grant) == nil)
        _ = try catalog.namespaces.change(namespace.id) { $0.deleted = 1 }
        #expect(try catalog.namespaces.removeDeleted(namespace.id))
        #expect(try catalog.links.list(of: namespace.id).isEmpty)
        #expect(try catalog.links.list(of: other.id) == [links[4]])
        #expect(try catalog.problems() == [])
    }

    @Test(arguments: Engine.all) func membersHaveOneRoleInEachNamespace(engine: Engine) throws {
        let catalog = try engine.catalog()
        let (ada, bob) = (
            try catalog.users.add(name: "ada", passwordHash: "x", isAdministrator: false).id,
            try catalog.users.add(name: "bob", passwordHash: "x", isAdministrator: false).id
        )
        let spaces = try ["a", "b"].map {
            try catalog.namespaces.add(name: $0, project: .default, visibility: .private, policy: "{}").id
        }
        for role in NamespaceRole.allCases {
            #expect(try catalog.members.setRole(role, of: ada, in: spaces[0]).role == role)
            #expect(try catalog.members.role(of: ada, in: spaces[0]) == role)
        }
        _ = try catalog.members.setRole(.viewer, of: ada, in: spaces[1])
        _ = try catalog.members.setRole(.writerOnly, of: bob, in: spaces[0])
        #expect(Set(try catalog.members.members(of: spaces[0]).map(\.user)) == [ada, bob])
        #expect(
            try catalog.members.memberships(of: ada).map(\.namespace) == spaces.sorted { $0.text < $1.text })
        #expect(try catalog.members.remove(ada, from: spaces[0]))
        #expect(try !catalog.members.remove(ada, from: spaces[0]))
        #expect(try catalog.members.role(of: ada, in: spaces[0]) == nil)
        // Those shared with a user come with those of a project, in one order.
        let project = try catalog.projects.add(name: "others").id
        let own = try catalog.namespaces.add(
            name: "own", project: project, visibility: .private, policy: "{}")
        #expect(
            try catalog.namespaces.list(project: project, shared: [spaces[1]]).map(\.id) == [
                spaces[1], own.id,
            ])
        #expect(
            try catalog.namespaces.list(project: project, shared: [spaces[1]], after: spaces[1]).map(\.id)
                == [own.id])
        _ = try catalog.namespaces.change(spaces[0]) { $0.deleted = 1 }
        #expect(try catalog.namespaces.removeDeleted(spaces[0]))
        #expect(try catalog.members.members(of: spaces[0]).isEmpty)
        #expect(try catalog.problems() == [])
    }
}
