import Access
import Catalog
import TestKit
import Testing

/// What was allowed and refused is written down: bounded, paged, without secrets.
@Suite struct AuditTests {
    @Test func bothAnswersAreWrittenDown() throws {
        let fixture = try AccessFixture()
        let issued = try fixture.issue(OperationSet([.read]))
        let principal = try fixture.principal(issued)
        let facts = RequestFacts(source: IPAddress("192.0.2.7"))
        _ = try fixture.authorizer.authorize(principal, .read, on: defaultProject, facts: facts)
        _ = accessError {
            _ = try fixture.authorizer.authorize(principal, .write, on: defaultProject, facts: facts)
        }
        _ = accessError { _ = try fixture.authorizer.principal(for: .bearer("nacre_x"), facts) }
        _ = try fixture.authorizer.authorize(.anonymous, .read, on: .public, facts: facts)
        let entries = try fixture.authority.audit.list()
        #expect(entries.map(\.event.code) == ["credentials-invalid", "operation-not-allowed", "", ""])
        #expect(entries.map(\.event.address) == ["192.0.2.7", "192.0.2.7", "192.0.2.7", ""])
        #expect(entries[3].event.operation == "key-create")
        #expect(entries[1].event.grant == issued.grant.id && entries[1].event.operation == "write")
        var filter = AuditFilter()
        filter.isAllowed = true
        filter.operation = "read"
        #expect(try fixture.authority.audit.list(filter).count == 1)
        let report = try fixture.authority.grants.report(issued.grant.id, by: .localAdministrator)
        #expect(report.activity == GrantActivity(lastUsed: fixture.now, requests: 1))
    }

    @Test func whatAdministratorsDoNamesWhomItWasDoneTo() throws {
        let fixture = try AccessFixture()
        let issued = try fixture.issue(OperationSet([.admin]), scope: .node)
        let facts = RequestFacts(source: IPAddress("192.0.2.9"))
        let principal = try fixture.authorizer.principal(for: .bearer(issued.token.text), facts)
        let (accounts, grants) = (fixture.authority.accounts, fixture.authority.grants)

        let ada = try accounts.add(name: "ada", password: "a long secret", by: principal)
        try accounts.setPassword("another secret", of: ada.id, by: principal)
        try accounts.disable(ada.id, by: principal)
        try accounts.enable(ada.id, by: principal)
        let project = try accounts.addProject(name: "photos", by: principal)
        _ = try accounts.renameProject(project.id, to: "pictures", by: principal)
        try accounts.setRole(.editor, of: ada.id, in: project.id, by: principal)
        try accounts.removeMember(ada.id, from: project.id, by: principal)
        var draft = GrantDraft(name: "key", operations: OperationSet([.read]))
        draft.project = project.id
        let made = try grants.create(draft, by: principal).grant.id
        _ = try grants.revoke(made, by: principal)
        _ = try accounts.removeProject(project.id, by: principal)

        var filter = AuditFilter()
        filter.grant = issued.grant.id
        let entries = try fixture.authority.audit.list(filter).reversed()
        let id = project.id.rawValue
        let expected = [
            "user-add user:ada", "user-password user:ada", "user-disable user:ada", "user-enable user:ada",
            "project-add project:\(id)", "project-rename project:\(id)", "member-set member:\(id)/ada/editor",
            "member-remove member:\(id)/ada", "key-create key:\(made.text)", "key-revoke key:\(made.text)",
            "project-remove project:\(id)",
        ]
        #expect(entries.map { "\($0.event.operation) \($0.event.resource)" } == expected)
        #expect(entries.allSatisfy { $0.event.isAllowed && $0.event.address == "192.0.2.9" })
        #expect(!"\(entries)".contains("secret"))
        // Whoever administers the project sees what was done in it.
        filter.project = project.id
        #expect(try fixture.authority.audit.list(filter).count == 7)
    }

    /// Nobody did anything: nothing was changed.
    @Test func whatFailedIsNoDeed() throws {
        let fixture = try AccessFixture()
        let accounts = fixture.authority.accounts
        _ = accessError {
            _ = try accounts.add(name: "A B", password: "a long secret", by: .localAdministrator)
        }
        _ = accessError { _ = try accounts.addProject(name: "x", by: .anonymous) }
        _ = accessError { _ = try accounts.removeProject(.default, by: .localAdministrator) }
        #expect(try fixture.authority.audit.list().isEmpty)
    }

    @Test func floodsAreCountedAndBounded() throws {
        let fixture = try AccessFixture { $0.audit.capacity = 10 }
        for _ in 0..<100 {
            _ = accessError { _ = try fixture.authorizer.authorize(.anonymous, .write, on: .node) }
        }
        for number in 0..<50 {
            _ = accessError {
                _ = try fixture.authorizer.authorize(
                    .anonymous, .write, on: .namespace(.default, name: "n\(number)"))
            }
        }
        let entries = try fixture.authority.audit.list()
        #expect(entries.count <= 12 && entries.map(\.count).reduce(0, +) == 150)
        #expect(
            entries.contains { $0.count == 100 } && entries.contains { $0.event.code == "entries-dropped" })
    }

    @Test func thePagesAreTheLogCut() throws {
        let fixture = try AccessFixture()
        for number in 0..<25 {
            fixture.authority.audit.record(
                AuditEvent(isAllowed: true, operation: "\(number)", resource: "", source: "local"),
                at: fixture.now)
        }
        let all = try fixture.authority.audit.list(limit: 1000)
        var (paged, last): ([AuditEntry], AuditID?) = ([], nil)
        while true {
            let page = try fixture.authority.audit.list(before: last, limit: 10)
            guard let id = page.last?.id else { break }
            paged += page
            last = id
        }
        #expect(all.count == 25 && paged == all)
    }

    @Test func oldEntriesGoByNumberAndByAge() throws {
        let fixture = try AccessFixture {
            $0.audit.maximumRows = 20
            $0.audit.maximumAge = 1000
        }
        func add(_ count: Int) throws {
            for number in 0..<count {
                fixture.authority.audit.record(
                    AuditEvent(isAllowed: true, operation: "\(number)", resource: "", source: "local"),
                    at: fixture.now)
            }
            try fixture.authority.audit.flush()
            try fixture.authority.removeEnded(fixture.catalog, now: fixture.now)
        }
        try add(50)
        #expect(try fixture.authority.audit.list(limit: 1000).count == 20)
        fixture.clock.advance(milliseconds: 2000)
        try add(5)
        #expect(try fixture.authority.audit.list(limit: 1000).count == 5)
    }

    @Test func textsFromOutsideAreCut() throws {
        let fixture = try AccessFixture()
        fixture.authority.audit.record(
            AuditEvent(
                isAllowed: false, operation: "x", resource: String(repeating: "\u{0}ä", count: 5000),
                source: "local"),
            at: fixture.now)
        let entry = try #require(try fixture.authority.audit.list().first)
        #expect(entry.event.resource.utf8.count <= AuditEvent.maximumTextBytes + 4)
        #expect(!entry.event.resource.utf8.contains(0))
    }
}
