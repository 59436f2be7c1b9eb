import Access
import Catalog
import TestKit
import Testing
import TreeValues

/// What members of namespaces may do, and keys by the ids of namespaces.
@Suite struct MemberTests {
    let fixture: AccessFixture
    let namespace: Namespace
    let other: Namespace
    let user: User

    init() throws {
        fixture = try AccessFixture()
        namespace = try fixture.catalog.namespaces.add(
            name: "recipes", project: .default, visibility: .private, policy: "{}")
        other = try fixture.catalog.namespaces.add(
            name: "other", project: .default, visibility: .private, policy: "{}")
        user = try fixture.authority.accounts.add(
            name: "bob", password: "correct horse", by: .localAdministrator)
    }

    private func session() throws -> Principal {
        let secret = try fixture.authority.sessions.begin(for: user.id)
        return try fixture.authorizer.principal(for: .session(secret))
    }

    private func setRole(_ role: NamespaceRole) throws {
        _ = try fixture.authority.accounts.setRole(
            role, ofUser: "bob", in: namespace, by: .localAdministrator)
    }

    private static let table: [(NamespaceRole, OperationSet)] = [
        (.owner, OperationSet(Operation.allCases)), (.editor, OperationSet([.read, .write, .delete, .keys])),
        (.writerOnly, OperationSet([.write, .keys])), (.viewer, OperationSet([.read, .keys])),
    ]

    @Test(arguments: table)
    func aRoleAllowsItsRowAndNothingElsewhere(role: NamespaceRole, allowed: OperationSet) throws {
        #expect(try Operation.allCases.allSatisfy { try !session().mayPerform($0, on: namespace.resource) })
        try setRole(role)
        let bob = try session()
        for operation in Operation.allCases {
            #expect(
                bob.mayPerform(operation, on: namespace.resource) == allowed.allows(operation), "\(operation)"
            )
            #expect(!bob.mayPerform(operation, on: other.resource))
            #expect(
                !bob.mayPerform(operation, on: .project(.default)) && !bob.mayPerform(operation, on: .node))
            let outcome = accessError {
                _ = try fixture.authorizer.authorize(bob, operation, on: namespace.resource)
            }
            #expect((outcome == nil) == allowed.allows(operation), "\(operation)")
        }
        _ = try fixture.authority.accounts.removeMember("bob", from: namespace, by: .localAdministrator)
        #expect(try !session().mayPerform(.read, on: namespace.resource))
    }

    @Test func whoDoesNotOwnAddsNobodyAndMayLeave() throws {
        let accounts = fixture.authority.accounts
        for role in [NamespaceRole.editor, .writerOnly, .viewer] {
            try setRole(role)
            let bob = try session()
            #expect(throws: AccessError.self) {
                try accounts.setRole(.owner, ofUser: "bob", in: namespace, by: bob)
            }
            #expect(throws: AccessError.self) { try accounts.members(of: namespace, by: bob) }
        }
        #expect(try accounts.removeMember("bob", from: namespace, by: session()).role == .viewer)
        try setRole(.owner)
        #expect(try accounts.members(of: namespace, by: session()).map(\.user) == [user.id])
        #expect(throws: AccessError.self) { try accounts.members(of: other, by: session()) }
        #expect(throws: AccessError.userAbsent("nosuch")) {
            try accounts.setRole(.viewer, ofUser: "nosuch", in: namespace, by: .localAdministrator)
        }
        #expect(throws: AccessError.memberAbsent("bob", namespace: other.name)) {
            try accounts.removeMember("bob", from: other, by: .localAdministrator)
        }
        #expect(throws: AccessError.userAbsent("nosuch")) {
            try accounts.removeMember("nosuch", from: other, by: .localAdministrator)
        }
    }

    @Test func aKeyOfAMemberFollowsTheRole() throws {
        try setRole(.editor)
        var draft = GrantDraft(
            name: "laptop", operations: OperationSet([.read, .write]),
            scope: .namespace(.default, name: "recipes"))
        let issued = try fixture.authority.grants.create(draft, by: session())
        #expect(issued.grant.user == user.id)
        func may(_ operation: Operation) throws -> Bool {
            let principal = try fixture.principal(issued)
            return accessError {
                _ = try fixture.authorizer.authorize(principal, operation, on: namespace.resource)
            } == nil
        }
        #expect(try may(.read) && may(.write) && !may(.delete))
        try setRole(.viewer)
        #expect(try may(.read) && !may(.write))
        _ = try fixture.authority.accounts.removeMember("bob", from: namespace, by: .localAdministrator)
        #expect(throws: AccessError.roleEnded) { try fixture.principal(issued) }
        try setRole(.viewer)
        // Beyond the role, and beyond the namespace, nothing can be made.
        #expect(throws: AccessError.notNarrower(.operations)) {
            try fixture.authority.grants.create(draft, by: session())
        }
        draft.operations = OperationSet([.read])
        draft.scope = .namespace(.default, name: "other")
        #expect(throws: AccessError.self) { try fixture.authority.grants.create(draft, by: session()) }
        draft.scope = nil
        #expect(throws: AccessError.self) { try fixture.authority.grants.create(draft, by: session()) }
    }

    @Test func anAdministratorMakesAKeyOnBehalfOfAMember() throws {
        try setRole(.viewer)
        var draft = GrantDraft(
            name: "laptop", operations: OperationSet([.read, .write, .delete]),
            scope: .namespace(.default, name: "recipes"))
        draft.user = user.id
        let issued = try fixture.authority.grants.create(draft, by: .localAdministrator)
        let principal = try fixture.principal(issued)
        #expect(principal.user == user.id && principal.operations == OperationSet([.read]))
        #expect(throws: AccessError.operationNotAllowed(.admin)) {
            draft.user = try fixture.authority.accounts.add(
                name: "eve", password: "correct horse", by: .localAdministrator
            ).id
            draft.operations = OperationSet([.read])
            _ = try fixture.authority.grants.create(draft, by: session())
        }
    }

    @Test func aKeyStaysWithItsNamespaceWhenThatIsRenamed() throws {
        let issued = try fixture.issue(
            OperationSet([.read]), scope: .namespace(.default, name: "recipes", path: []))
        #expect(issued.grant.scope.description == "namespace:default/@\(namespace.id.text)")
        _ = try fixture.catalog.namespaces.change(namespace.id) { $0.name = "kitchen" }
        let successor = try fixture.catalog.namespaces.add(
            name: "recipes", project: .default, visibility: .private, policy: "{}")
        let kitchen = try #require(try fixture.catalog.namespaces.namespace(namespace.id))
        let principal = try fixture.principal(issued)
        #expect(principal.mayPerform(.read, on: kitchen.resource))
        #expect(!principal.mayPerform(.read, on: successor.resource))
        // One for a namespace that is to come goes by its name.
        let early = try fixture.principal(
            try fixture.issue(OperationSet([.read]), scope: .namespace(.default, name: "later")))
        let later = try fixture.catalog.namespaces.add(
            name: "later", project: .default, visibility: .private, policy: "{}")
        #expect(early.mayPerform(.read, on: later.resource))
        #expect(try Resource(text: issued.grant.scope.description) == issued.grant.scope)
        let node = Resource.treeNode(.default, namespace: namespace.id, node: namespace.root)
        #expect(try Resource(text: node.description) == node)
        #expect(issued.grant.scope.contains(node) && !node.contains(issued.grant.scope))
        #expect(!node.contains(kitchen.resource), "a link to all of it is no key to it")
    }

    @Test func linksAreMadeByWhoOwns() throws {
        let office = fixture.authority.links
        let draft = LinkDraft(.viewer, to: namespace.root, of: namespace, name: "link")
        for role in [NamespaceRole.editor, .writerOnly, .viewer] {
            try setRole(role)
            #expect(throws: AccessError.self) { try office.create(draft, by: session()) }
            #expect(throws: AccessError.self) { try office.list(of: namespace, by: session()) }
        }
        try setRole(.owner)
        let issued = try office.create(draft, by: session())
        #expect(try office.list(of: namespace, by: session()).links.count == 1)
        func opens() -> Bool {
            (try? fixture.authorizer.principal(
                for: .link(LinkCredentials(token: issued.token.text)))) != nil
        }
        #expect(opens())
        #expect(throws: AccessError.self) {
            try office.create(
                LinkDraft(.viewer, to: other.root, of: other, name: "link"), by: session())
        }
        // It ends with what its maker may.
        _ = try fixture.authority.accounts.removeMember("bob", from: namespace, by: .localAdministrator)
        #expect(!opens())
        let narrow = try fixture.issue(OperationSet([.read]))
        #expect(throws: AccessError.self) { try office.create(draft, by: fixture.principal(narrow)) }
        let keys = try fixture.issue(OperationSet([.read, .keys]))
        let child = try office.create(draft, by: fixture.principal(keys))
        _ = try fixture.authority.grants.revoke(keys.grant.id, by: .localAdministrator)
        #expect(throws: AccessError.revoked) {
            try fixture.authorizer.principal(for: .link(LinkCredentials(token: child.token.text)))
        }
    }
}
