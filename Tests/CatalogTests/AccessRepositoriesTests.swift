import Catalog
import Foundation
import Synchronization
import TestKit
import Testing

/// Projects, users, grants, sessions and the audit log, on both engines.
@Suite struct AccessRepositoriesTests {
    private func grant(_ catalog: CatalogDatabase, ancestors: [GrantID] = []) throws -> GrantRecord {
        var grant = GrantRecord(
            id: catalog.grants.newID(), project: .default, name: "a",
            secretHash: [UInt8](repeating: 7, count: 32),
            operations: "read write", scope: "project:default", created: 1)
        grant.ancestors = ancestors
        grant.maximumUses = 3
        grant.maximumBytes = 100
        grant.sources = "10.0.0.0/8"
        grant.expires = 99
        #expect(try catalog.grants.add(grant))
        return grant
    }

    @Test(arguments: Engine.all) func grantsComeBackAsTheyWereMade(engine: Engine) throws {
        let catalog = try engine.catalog()
        let parent = try grant(catalog)
        let child = try grant(catalog, ancestors: [parent.id])
        #expect(try catalog.grants.chain(child.id) == [child, parent])
        #expect(try catalog.grants.list() == [parent, child])
        #expect(try catalog.grants.list(after: parent.id) == [child])
        var filter = GrantFilter()
        filter.parent = parent.id
        filter.name = "a"
        filter.project = .default
        #expect(try catalog.grants.list(filter) == [child])
        #expect(try catalog.grants.revoke(parent.id)?.revoked == 1_700_000_000_000)
        #expect(try catalog.grants.grant(parent.id)?.revoked != nil)
        #expect(try catalog.grants.add(parent) == false, "an id is taken once")
        #expect(try catalog.grants.remove(parent.id))
        #expect(try catalog.grants.chain(child.id) == [child])
        #expect(try catalog.problems() == [])
    }

    @Test(arguments: Engine.all) func aClaimIsGrantedWholeOrNotAtAll(engine: Engine) throws {
        let catalog = try engine.catalog()
        let (one, other) = (try grant(catalog), try grant(catalog))
        let limits = [
            UsageLimit(grant: one.id, maximumUses: 5, maximumBytes: 100),
            UsageLimit(grant: other.id, maximumUses: 1, maximumBytes: nil),
        ]
        let url = SignedURLLimit(nonce: [1], grant: one.id, maximumUses: 9, expires: 50)
        let claim = UsageClaim(minimumBytes: 60, maximumBytes: 60)
        #expect(try catalog.grants.reserve(claim, within: limits, url: url) == .reserved(bytes: 60))
        #expect(
            try catalog.grants.reserve(UsageClaim(), within: limits, url: url)
                == .usesExhausted(other.id, limit: 1))
        #expect(
            try catalog.grants.reserve(claim, within: [limits[0]])
                == .bytesExhausted(one.id, limit: 100, left: 40))
        #expect(try catalog.grants.usage(of: one.id) == GrantUsage(uses: 1, bytes: 60))
        #expect(try catalog.grants.uses(of: url) == 1, "a refusal undoes all of its claim")
        try catalog.grants.adjust(
            [(one.id, GrantUsage(uses: -1, bytes: -10)), (other.id, GrantUsage(uses: -7))], url: url,
            urlUses: -1)
        #expect(try catalog.grants.usage(of: one.id) == GrantUsage(uses: 0, bytes: 50))
        #expect(try catalog.grants.usage(of: other.id) == GrantUsage())
        try catalog.grants.revoke(url)
        #expect(try catalog.grants.reserve(claim, within: limits, url: url) == .urlRevoked)
        try catalog.grants.removeExpiredURLs(before: 51)
        #expect(try catalog.grants.uses(of: url) == 0)
        #expect(try catalog.problems() == [])
    }

    @Test(arguments: Engine.all) func oneUseIsGivenToOneOfManyThreads(engine: Engine) throws {
        let catalog = try engine.catalog()
        let id = try grant(catalog).id
        let granted = Mutex(0)
        let group = DispatchGroup()
        for _ in 0..<100 {
            Thread.start(in: group) {
                let limit = UsageLimit(grant: id, maximumUses: 1, maximumBytes: nil)
                if case .reserved = try? catalog.grants.reserve(UsageClaim(), within: [limit]) {
                    granted.withLock { $0 += 1 }
                }
            }
        }
        group.wait()
        #expect(granted.withLock { $0 } == 1)
        #expect(try catalog.grants.usage(of: id).uses == 1)
    }

    @Test(arguments: Engine.all) func peopleProjectsAndSessions(engine: Engine) throws {
        let catalog = try engine.catalog()
        try catalog.projects.ensureDefault()
        try catalog.projects.ensureDefault()
        let ann = try catalog.users.add(name: "ann", passwordHash: "x", isAdministrator: false)
        #expect(throws: CatalogError.duplicateUser("ann")) {
            try catalog.users.add(name: "ann", passwordHash: "y", isAdministrator: false)
        }
        let project = try catalog.projects.add(name: "photos")
        try catalog.projects.setRole(.editor, of: ann.id, in: project.id)
        try catalog.projects.setRole(.owner, of: ann.id, in: project.id)
        #expect(try catalog.projects.role(of: ann.id, in: project.id) == .owner)
        #expect(try catalog.projects.members(of: project.id).map(\.user) == [ann.id])
        #expect(try catalog.projects.memberships(of: ann.id).map(\.project) == [project.id])
        #expect(Set(try catalog.projects.list().map(\.id)) == [.default, project.id])
        #expect(try catalog.users.update(ann.id) { $0.disabled = 5 }?.disabled == 5)
        #expect(try catalog.users.user(named: "ann")?.disabled == 5)
        #expect(try catalog.users.list(after: ann.id).isEmpty)
        #expect(try catalog.projects.removeMember(ann.id, from: project.id))

        let session = SessionRecord(secretHash: [9], user: ann.id, created: 1, lastSeen: 1, expires: 100)
        try catalog.sessions.add(session)
        try catalog.sessions.touch(session, at: 7)
        #expect(try catalog.sessions.session([9])?.lastSeen == 7)
        try catalog.sessions.removeEnded(before: 99, idleSince: 6)
        #expect(try catalog.sessions.session([9]) != nil)
        try catalog.sessions.removeEnded(before: 100, idleSince: 0)
        #expect(try catalog.sessions.session([9]) == nil)
        try catalog.sessions.add(session)
        #expect(try catalog.sessions.remove([9]))
        try catalog.sessions.removeAll(of: ann.id)
        #expect(try catalog.problems() == [])
    }

    @Test(arguments: Engine.all) func theLogIsPagedAndTrimmed(engine: Engine) throws {
        let catalog = try engine.catalog()
        let events = (0..<30).map { number in
            var event = AuditEvent(
                isAllowed: number % 2 == 0, operation: "o\(number)", resource: "r", source: "local")
            event.project = .default
            return AuditRepository.Occurrence(event: event, time: Int64(number), count: 1)
        }
        try catalog.audit.add(events)
        let page = try catalog.audit.list(limit: 10)
        #expect(page.map(\.event.operation) == (20..<30).reversed().map { "o\($0)" })
        #expect(try catalog.audit.list(before: page.last?.id, limit: 10).first?.event.operation == "o19")
        var filter = AuditFilter()
        filter.isAllowed = false
        filter.project = .default
        #expect(try catalog.audit.list(filter).count == 15)
        try catalog.audit.trim(olderThan: 0, maximumRows: 12)
        #expect(try catalog.audit.list().count == 12)
        try catalog.audit.trim(olderThan: 1_000_000, maximumRows: 12)
        #expect(try catalog.audit.list().isEmpty)
    }

    @Test(arguments: Engine.all) func rowsThatRottedAreNamed(engine: Engine) throws {
        let catalog = try engine.catalog()
        let id = try grant(catalog).id
        let limit = UsageLimit(grant: id, maximumUses: 9, maximumBytes: nil)
        _ = try catalog.grants.reserve(UsageClaim(), within: [limit])
        _ = try catalog.database.write { try $0.execute("UPDATE grant_usage SET uses = 0") }
        _ = try catalog.database.write { try $0.execute("UPDATE grants SET operations = 'admin'") }
        #expect(throws: CatalogError.damagedRow(table: "grants", key: id.text)) {
            try catalog.grants.grant(id)
        }
        #expect(throws: CatalogError.damagedRow(table: "grant_usage", key: id.text)) {
            try catalog.grants.reserve(UsageClaim(), within: [limit])
        }
        #expect(try catalog.problems().count == 2)
        #expect(try catalog.grants.remove(id))
        #expect(try catalog.problems() == [])
    }
}
