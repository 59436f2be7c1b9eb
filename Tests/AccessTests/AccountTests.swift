@testable import Access
import Catalog
import Foundation
import Synchronization
import TestKit
import Testing

/// Users, passwords, sessions, roles.
@Suite struct AccountTests {
    let fixture: AccessFixture
    private let password = "correct horse battery"

    init() throws { fixture = try AccessFixture() }

    private func user(_ name: String = "ann", isAdministrator: Bool = false) throws -> User {
        try fixture.authority.accounts.add(
            name: name, password: password, isAdministrator: isAdministrator, by: .localAdministrator)
    }

    /// RFC 7914, section 12, second vector: its first 32 bytes.
    @Test func scryptGivesTheAnswerOfItsSpecification() throws {
        let parameters = PasswordHasher.Parameters(logRounds: 10, blockSize: 8, parallelism: 16)
        let hash = try PasswordHasher().derive("password", Array("NaCl".utf8), parameters)
        let hex = hash.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
        #expect(hex == "fdbabe1c9d3472007856e7190d01e9fe7c6ad7cbc8237830e77376634b373162")
    }

    @Test func aPasswordFitsItsHashAlone() throws {
        let hasher = PasswordHasher()
        let stored = try hasher.hash(password)
        #expect(stored.hasPrefix("$scrypt$ln=15,r=8,p=3$"))
        #expect(try hasher.verify(password, against: stored))
        #expect(try !hasher.verify(password + " ", against: stored))
        #expect(!hasher.isOutdated(stored))
    }

    @Test(arguments: [
        "", "$", "$scrypt$ln=15,r=8,p=3$$", "$scrypt$ln=40,r=8,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAA",
        "$argon2id$v=19$m=1,t=1,p=1$AAAA$AAAA",
    ])
    func hashesThatAreNoneFitNoPassword(stored: String) throws {
        let hasher = PasswordHasher(
            parameters: PasswordHasher.Parameters(logRounds: 4, blockSize: 8, parallelism: 1))
        #expect(try !hasher.verify(password, against: stored))
        #expect(try !hasher.verify("", against: stored))
    }

    @Test func aPasswordIsTheSameHoweverTheKeyboardComposesIt() throws {
        let hasher = PasswordHasher(
            parameters: PasswordHasher.Parameters(logRounds: 4, blockSize: 8, parallelism: 1))
        #expect(try hasher.verify("caf\u{65}\u{301}", against: try hasher.hash("caf\u{E9}")))
    }

    /// A thousand at once: a few are computed, a few wait, the rest are told to come back.
    @Test func badInput39AThousandLoginsAtOnceAreBounded() throws {
        let hasher = PasswordHasher(
            parameters: PasswordHasher.Parameters(logRounds: 10, blockSize: 8, parallelism: 1),
            concurrency: 2,
            queueLength: 4)
        let stored = try hasher.hash(password)
        let outcomes = Mutex<[String: Int]>([:])
        let threads = (0..<200).map { _ in
            Thread {
                let error = accessError {
                    let isRight = try hasher.verify("correct horse battery", against: stored)
                    #expect(isRight)
                }
                outcomes.withLock { $0[error?.code ?? "done", default: 0] += 1 }
            }
        }
        for thread in threads { thread.start() }
        while threads.contains(where: { !$0.isFinished }) { sched_yield() }
        let counted = outcomes.withLock { $0 }
        #expect(counted.values.reduce(0, +) == 200)
        #expect(Set(counted.keys).isSubset(of: ["done", "too-many-logins"]))
        #expect(counted["done", default: 0] >= 1)
        // Nothing stays occupied.
        #expect(try hasher.verify(password, against: stored))
    }

    @Test func whoKnowsThePasswordGetsASession() throws {
        let ann = try user(isAdministrator: true)
        for (name, given) in [("ann", "wrong password"), ("nobody", password), ("Ann", password), ("", "")] {
            #expect(throws: AccessError.loginRefused) {
                try fixture.authority.accounts.logIn(name: name, password: given)
            }
        }
        let secret = try fixture.authority.accounts.logIn(name: "ann", password: password)
        let again = try #require(SessionSecret(text: secret.text))
        let principal = try fixture.authorizer.principal(for: .session(again))
        #expect(principal.user == ann.id)
        _ = try fixture.authorizer.authorize(principal, .admin, on: .node)
    }

    @Test func sessionsEndWhenIdleInTheEndAndWhenTheyAreEnded() throws {
        var options = Sessions.Options()
        options.idle = 10 * 60_000
        options.absolute = 25 * 60_000
        let fixture = try AccessFixture { $0.sessions = options }
        _ = try fixture.authority.accounts.add(
            name: "ann", password: password, isAdministrator: true, by: .localAdministrator)
        func begin() throws -> SessionSecret {
            try fixture.authority.accounts.logIn(name: "ann", password: password)
        }
        func isAlive(_ secret: SessionSecret) -> Bool {
            accessError { _ = try fixture.authorizer.principal(for: .session(secret)) } == nil
        }
        let (idle, used, ended) = (try begin(), try begin(), try begin())
        try fixture.authority.sessions.end(ended)
        #expect(!isAlive(ended))
        for _ in 0..<3 {
            fixture.clock.advance(milliseconds: 8 * 60_000)
            #expect(isAlive(used))
        }
        #expect(!isAlive(idle))
        fixture.clock.advance(milliseconds: 60_000)
        #expect(!isAlive(used))
        try fixture.authority.removeEnded(fixture.catalog, now: fixture.now)
        #expect(try fixture.catalog.sessions.session(used.hash) == nil)
    }

    @Test func everyChangeBySessionNeedsItsOwnToken() throws {
        let sessions = fixture.authority.sessions
        let ann = try user()
        let (one, other) = (try sessions.begin(for: ann.id), try sessions.begin(for: ann.id))
        try sessions.check(csrfToken: sessions.csrfToken(for: one), of: one)
        for token in [nil, "", sessions.csrfToken(for: other), one.text] {
            #expect(throws: AccessError.csrfTokenInvalid) { try sessions.check(csrfToken: token, of: one) }
        }
    }

    @Test func rolesSayWhatMembersMayDoAndGrantsEndWithThem() throws {
        let accounts = fixture.authority.accounts
        let ann = try user()
        #expect(throws: AccessError.operationNotAllowed(.read)) {
            let session = try fixture.authority.sessions.begin(for: ann.id)
            let principal = try fixture.authorizer.principal(for: .session(session))
            _ = try fixture.authorizer.authorize(principal, .read, on: defaultProject)
        }
        try accounts.setRole(.editor, of: ann.id, in: .default, by: .localAdministrator)
        let session = try fixture.authority.sessions.begin(for: ann.id)
        let principal = try fixture.authorizer.principal(for: .session(session))
        _ = try fixture.authorizer.authorize(principal, .write, on: defaultProject)
        for operation in [Access.Operation.admin, .metrics] {
            #expect(throws: AccessError.operationNotAllowed(operation)) {
                try fixture.authorizer.authorize(principal, operation, on: defaultProject)
            }
        }
        #expect(throws: AccessError.notNarrower(.operations)) {
            try fixture.authority.grants.create(
                GrantDraft(name: "x", operations: OperationSet([.admin])), by: principal)
        }
        let issued = try fixture.authority.grants.create(
            GrantDraft(name: "x", operations: OperationSet([.read, .write])), by: principal)
        let holder = try fixture.principal(issued)
        _ = try fixture.authorizer.authorize(holder, .write, on: defaultProject)

        try accounts.setRole(.reader, of: ann.id, in: .default, by: .localAdministrator)
        #expect(throws: AccessError.operationNotAllowed(.write)) {
            try fixture.authorizer.authorize(holder, .write, on: defaultProject)
        }
        _ = try fixture.authorizer.authorize(holder, .read, on: defaultProject)
        try accounts.removeMember(ann.id, from: .default, by: .localAdministrator)
        #expect(throws: AccessError.revoked) {
            try fixture.authorizer.authorize(holder, .read, on: defaultProject)
        }
    }

    @Test func whoIsDisabledMayNothingAtOnce() throws {
        let ann = try user(isAdministrator: true)
        let session = try fixture.authority.sessions.begin(for: ann.id)
        let issued = try fixture.authority.grants.create(
            GrantDraft(name: "x", operations: OperationSet([.admin]), scope: .node),
            by: try fixture.authorizer.principal(for: .session(session)))
        let holder = try fixture.principal(issued)
        _ = try fixture.authorizer.authorize(holder, .admin, on: .node)
        try fixture.authority.accounts.disable(ann.id, by: .localAdministrator)
        #expect(throws: AccessError.credentialsInvalid) {
            try fixture.authorizer.principal(for: .session(session))
        }
        #expect(throws: AccessError.revoked) { try fixture.authorizer.authorize(holder, .admin, on: .node) }
        #expect(throws: AccessError.loginRefused) {
            try fixture.authority.accounts.logIn(name: "ann", password: password)
        }
    }

    @Test func aProjectIsItsMakersOwn() throws {
        let ann = try user()
        let session = try fixture.authority.sessions.begin(for: ann.id)
        let project = try fixture.authority.accounts.addProject(
            name: "Ann's", by: try fixture.authorizer.principal(for: .session(session)))
        let principal = try fixture.authorizer.principal(for: .session(session, project: project.id))
        _ = try fixture.authorizer.authorize(principal, .admin, on: .project(project.id))
        #expect(throws: AccessError.outOfScope(defaultProject)) {
            try fixture.authorizer.authorize(principal, .read, on: defaultProject)
        }
        #expect(throws: AccessError.projectAbsent("default")) {
            try fixture.authorizer.principal(for: .session(session, project: .default))
        }
    }
}
