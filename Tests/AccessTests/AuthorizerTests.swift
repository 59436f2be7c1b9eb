import Access
import Catalog
import Foundation
import TestKit
import Testing

/// Who may do what.
@Suite struct AuthorizerTests {
    let fixture: AccessFixture

    init() throws { fixture = try AccessFixture() }

    @Test func anybodyReadsWhatIsPublicAndNothingElse() throws {
        let anonymous = try fixture.authorizer.principal(for: .none)
        _ = try fixture.authorizer.authorize(anonymous, .read, on: .public)
        for (operation, resource) in [(Operation.read, defaultProject), (.write, .public), (.metrics, .node)]
        {
            #expect(throws: AccessError.credentialsMissing) {
                try fixture.authorizer.authorize(anonymous, operation, on: resource)
            }
        }
    }

    @Test func aGrantAllowsItsOperationsInItsScope() throws {
        let principal = try fixture.principal(try fixture.issue(OperationSet([.read, .pin])))
        _ = try fixture.authorizer.authorize(principal, .read, on: defaultProject)
        _ = try fixture.authorizer.authorize(principal, .pin, on: .namespace(.default, name: "photos"))
        #expect(throws: AccessError.operationNotAllowed(.write)) {
            try fixture.authorizer.authorize(principal, .write, on: defaultProject)
        }
        let other = Resource.project(ProjectID(rawValue: "other"))
        for resource in [other, .node] {
            #expect(throws: AccessError.outOfScope(resource)) {
                try fixture.authorizer.authorize(principal, .read, on: resource)
            }
        }
    }

    @Test func revokingWorksAtOnceAlsoForWhoWasKnown() throws {
        let parent = try fixture.issue(OperationSet([.read, .keys]))
        let child = try fixture.issue(OperationSet([.read]), parent: parent.grant.id)
        let principals = try [parent, child].map(fixture.principal)
        for principal in principals {
            _ = try fixture.authorizer.authorize(principal, .read, on: defaultProject)
        }
        _ = try fixture.authority.grants.revoke(parent.grant.id, by: .localAdministrator)
        for (issued, principal) in zip([parent, child], principals) {
            #expect(throws: AccessError.revoked) {
                try fixture.authorizer.authorize(principal, .read, on: defaultProject)
            }
            #expect(throws: AccessError.revoked) { try fixture.principal(issued) }
        }
    }

    @Test func timeSetsGrantsInForceAndEndsThem() throws {
        let now = fixture.now
        let issued = try fixture.issue {
            $0.notBefore = now + 1000
            $0.expires = now + 2000
        }
        let principal = try fixture.principal(issued)
        #expect(throws: AccessError.notYetValid(from: now + 1000)) {
            try fixture.authorizer.authorize(principal, .read, on: defaultProject)
        }
        fixture.clock.advance(milliseconds: 1000)
        _ = try fixture.authorizer.authorize(principal, .read, on: defaultProject)
        fixture.clock.advance(milliseconds: 1000)
        #expect(throws: AccessError.expired(at: now + 2000)) {
            try fixture.authorizer.authorize(principal, .read, on: defaultProject)
        }
    }

    @Test func theLocalAdministratorMayDoEverything() throws {
        for operation in Operation.allCases {
            _ = try fixture.authorizer.authorize(.localAdministrator, operation, on: .node)
        }
    }

    @Test func theFirstStartMakesAnAdministrator() throws {
        let path = try #require(fixture.authority.newAdminTokenPath)
        let text = try String(contentsOfFile: path, encoding: .utf8).trimmingCharacters(in: .newlines)
        let principal = try fixture.authorizer.principal(for: .bearer(text))
        for operation in Operation.allCases {
            _ = try fixture.authorizer.authorize(principal, operation, on: .node)
        }
    }
}
