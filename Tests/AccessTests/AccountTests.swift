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
        #expect(throws: AccessError.roleEnded) {
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
        #expect(throws: AccessError.roleEnded) { try fixture.authorizer.authorize(holder, .admin, on: .node) }
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

    // MARK: Guessing

    /// The seconds that a login is told to wait; 0 if it was refused for its password, -1 if it succeeded.
    private func guess(_ name: String, _ given: String = "wrong password", from address: String? = nil) -> Int
    {
        let facts = RequestFacts(source: address.flatMap { IPAddress($0) })
        return
            switch accessError({
                _ = try fixture.authority.accounts.logIn(name: name, password: given, facts)
            })
        {
        case .loginThrottled(let seconds): seconds
        case nil: -1
        default: 0
        }
    }

    /// Known and unknown names alike: the delay tells nothing of who has an account.
    @Test(arguments: ["ann", "nobody"]) func wrongPasswordsOfAnAccountAreSlowedDown(name: String) throws {
        _ = try user()
        for _ in 0..<6 { #expect(guess(name) == 0) }
        #expect(guess(name) == 1, "the sixth began a delay")
        #expect(guess(name, password) == 1, "the right password has to wait as well")
        var delays: [Int] = []
        for _ in 0..<12 {
            fixture.clock.advance(milliseconds: UInt64(guess(name)) * 1000)
            #expect(guess(name) == 0)
            delays.append(guess(name))
        }
        #expect(delays == [2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300, 300])
        fixture.clock.advance(milliseconds: 299_000)
        #expect(guess(name, password) == 1)
        fixture.clock.advance(milliseconds: 1000)
        #expect(guess(name, password) == (name == "ann" ? -1 : 0))
        // Who got in begins anew.
        if name == "ann" { for _ in 0..<6 { #expect(guess(name) == 0) } }
        fixture.clock.advance(milliseconds: 3_600_000)
        #expect(guess(name) == 0, "an hour forgets")
    }

    @Test func anAddressThatTriesManyAccountsIsSlowedDown() throws {
        _ = try user()
        for number in 0..<21 { #expect(guess("user\(number)", from: "2001:db8::\(number)") == 0) }
        #expect(guess("ann", password, from: "2001:db8::ffff") == 1, "the customer's whole network waits")
        #expect(guess("ann", password, from: "2001:db8:0:1::1") == -1, "others do not")
        // An own account does not pay for guesses at others.
        fixture.clock.advance(milliseconds: 1000)
        #expect(guess("ann", password, from: "2001:db8::1") == -1)
        #expect(guess("someone", from: "2001:db8::1") == 0)
        #expect(guess("another", from: "2001:db8::1") == 2)
        // A proxy on this machine may stand for many.
        for number in 0..<40 { #expect(guess("other\(number)", from: "127.0.0.1") == 0) }
    }

    /// All at once is no way around the delay.
    @Test func attemptsAtOnceCountBeforeTheyHaveFailed() throws {
        let throttle = LoginThrottle()
        for _ in 0..<6 { try throttle.begin("ann", from: nil, at: 0) }
        #expect(throws: AccessError.loginThrottled(seconds: 1)) {
            try throttle.begin("ann", from: nil, at: 0)
        }
        throttle.forgive("ann", from: nil)
        try throttle.begin("ann", from: nil, at: 0)
    }

    /// Whoever guessed at a link kept out everybody else who has it.
    @Test func guessesFromOneAddressKeepNoOtherFromATarget() throws {
        let throttle = LoginThrottle()
        func attempt(from last: Int, at time: Int64 = 0) throws {
            let address = IPAddress("10.0.0.\(last)")
            try throttle.begin("link 10.0.0.\(last)", from: address, target: "link", at: time)
        }
        for _ in 0..<6 { try attempt(from: 1) }
        #expect(throws: AccessError.loginThrottled(seconds: 1)) { try attempt(from: 1) }
        try attempt(from: 2)
        throttle.forgive("link 10.0.0.2", from: IPAddress("10.0.0.2"), target: "link")
        // From everywhere it is too much at last, and one who knows the password changes nothing of that.
        for last in 3..<97 { try attempt(from: last) }
        try attempt(from: 98)
        #expect(throws: AccessError.loginThrottled(seconds: 1)) { try attempt(from: 99) }
        try attempt(from: 99, at: 1000)
        #expect(throws: AccessError.loginThrottled(seconds: 2)) { try attempt(from: 100, at: 1000) }
    }

    @Test func memoryOfGuessesIsBoundedAndTheLoudestStay() throws {
        var options = LoginThrottle.Options()
        options.capacity = 100
        let throttle = LoginThrottle(options)
        for _ in 0..<6 { try throttle.begin("ann", from: nil, at: 0) }
        for number in 0..<5000 {
            let address = IPAddress("10.0.\(number / 256).\(number % 256)")
            try throttle.begin("user\(number)", from: address, at: 1)
        }
        #expect(throws: AccessError.loginThrottled(seconds: 1)) {
            try throttle.begin("ann", from: nil, at: 2)
        }
    }

    @Test func aPasswordOfOnesOwnIsChangedByWhoKnowsIt() throws {
        let ann = try user()
        let accounts = fixture.authority.accounts
        let secret = try accounts.logIn(name: "ann", password: password)
        let principal = try fixture.authorizer.principal(for: .session(secret))
        #expect(throws: AccessError.loginRefused) {
            try accounts.changePassword(from: "a guess at it", to: "another password", by: principal)
        }
        try accounts.changePassword(from: password, to: "another password", by: principal)
        #expect(throws: AccessError.credentialsInvalid) {
            try fixture.authorizer.principal(for: .session(secret))
        }
        #expect(guess("ann", password) == 0 && guess("ann", "another password") == -1)
        #expect(throws: AccessError.credentialsMissing) {
            try accounts.changePassword(from: password, to: "another password", by: .localAdministrator)
        }
        _ = ann
    }
}
