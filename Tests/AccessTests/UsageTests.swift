import Access
import Catalog
import Foundation
import Synchronization
import TestKit
import Testing

/// Counters: never more is used than was allowed.
@Suite struct UsageTests {
    let fixture: AccessFixture

    init() throws { fixture = try AccessFixture() }

    /// Runs `body` on many threads at once.
    private func together(_ count: Int, _ body: @escaping @Sendable (Int) -> Void) {
        DispatchQueue.concurrentPerform(iterations: count, execute: body)
    }

    @Test func aKeyForOneUploadIsGoodForExactlyOneOfAHundredAtOnce() throws {
        let issued = try fixture.issue { $0.maximumUses = 1 }
        let principal = try fixture.principal(issued)
        let outcomes = Mutex<[String]>([])
        together(100) { _ in
            let error = accessError {
                let admission = try fixture.authorizer.authorize(
                    principal, .write, on: defaultProject, facts: RequestFacts(bytes: 10))
                try admission.settle(bytes: 10)
            }
            outcomes.withLock { $0.append(error?.code ?? "allowed") }
        }
        let counted = outcomes.withLock { $0 }
        #expect(counted.filter { $0 == "allowed" }.count == 1)
        #expect(counted.filter { $0 == "uses-exhausted" }.count == 99)
    }

    @Test func childrenShareTheUsesOfTheirParent() throws {
        let parent = try fixture.issue(OperationSet([.write, .keys])) { $0.maximumUses = 5 }
        let children = try (0..<3).map { _ in
            try fixture.issue(OperationSet([.write]), parent: parent.grant.id) { $0.maximumUses = 4 }
        }
        let allowed = Mutex(0)
        let principals = try children.map(fixture.principal)
        together(60) { number in
            let error = accessError {
                _ = try fixture.authorizer.authorize(principals[number % 3], .write, on: defaultProject)
            }
            if error == nil { allowed.withLock { $0 += 1 } }
        }
        #expect(allowed.withLock { $0 } == 5)
    }

    @Test func whatStaysOfWhatCameToNothingIsCountedInBytesAlone() throws {
        let principal = try fixture.principal(
            try fixture.issue {
                $0.maximumUses = 1
                $0.maximumBytes = 100
            })
        func admit(_ bytes: Int64? = nil) throws -> Admission {
            try fixture.authorizer.authorize(
                principal, .write, on: defaultProject, facts: RequestFacts(bytes: bytes))
        }
        let first = try admit()
        try first.giveBack(keeping: 60)
        try first.giveBack()
        #expect(accessError { _ = try admit(41) }?.code == "bytes-exhausted")
        // More than was reserved cannot be kept.
        try admit(40).giveBack(keeping: 1000)
        #expect(accessError { _ = try admit(1) }?.code == "bytes-exhausted")
        try admit(0).settle()
        #expect(accessError { _ = try admit(0) }?.code == "uses-exhausted")
    }

    @Test func whatIsGivenBackCanBeUsedAgain() throws {
        let principal = try fixture.principal(
            try fixture.issue {
                $0.maximumUses = 1
                $0.maximumBytes = 100
            })
        for _ in 0..<3 {
            let admission = try fixture.authorizer.authorize(
                principal, .write, on: defaultProject, facts: RequestFacts(bytes: 100))
            try admission.giveBack()
            try admission.giveBack()  // the second time nothing is given
        }
        let admission = try fixture.authorizer.authorize(principal, .write, on: defaultProject)
        #expect(admission.maximumBytes == 100)
        try admission.settle(bytes: 60)
        #expect(throws: AccessError.usesExhausted(limit: 1)) {
            try fixture.authorizer.authorize(principal, .write, on: defaultProject)
        }
    }

    @Test func bytesInAllAreCountedAsTheyWere() throws {
        let issued = try fixture.issue {
            $0.maximumBytes = 1000
            $0.maximumFileBytes = 600
        }
        let principal = try fixture.principal(issued)
        func upload(_ bytes: Int64?) throws -> Admission {
            try fixture.authorizer.authorize(
                principal, .write, on: defaultProject, facts: RequestFacts(bytes: bytes))
        }
        #expect(throws: AccessError.tooLarge(bytes: 601, limit: 600)) { try upload(601) }
        let unknown = try upload(nil)
        #expect(unknown.maximumBytes == 600)
        #expect(throws: AccessError.bytesExhausted(limit: 1000, left: 400)) { try upload(500) }
        try unknown.settle(bytes: 100)
        try upload(600).settle(bytes: 600)
        let last = try upload(nil)
        #expect(last.maximumBytes == 300)
        #expect(throws: AccessError.bytesExhausted(limit: 1000, left: 0)) { try upload(nil) }
        try last.settle(bytes: 300)
        #expect(throws: AccessError.bytesExhausted(limit: 1000, left: 0)) { try upload(1) }
        let report = try fixture.authority.grants.report(issued.grant.id, by: .localAdministrator)
        #expect(report.usage == GrantUsage(uses: 3, bytes: 1000))
        #expect(report.status == .exhausted)
    }

    @Test func aBodyThatIsLongerThanAllowedStaysCounted() throws {
        let issued = try fixture.issue { $0.maximumBytes = 100 }
        let admission = try fixture.authorizer.authorize(
            try fixture.principal(issued), .write, on: defaultProject, facts: RequestFacts(bytes: 40))
        #expect(throws: AccessError.tooLarge(bytes: 41, limit: 40)) { try admission.settle(bytes: 41) }
        let report = try fixture.authority.grants.report(issued.grant.id, by: .localAdministrator)
        #expect(report.usage.bytes == 40)
    }

    /// Claims of any size do not overflow the counters.
    @Test(arguments: [Int64.min, -1, 0, .max])
    func absurdSizesAreClaimsLikeOthers(bytes: Int64) throws {
        let issued = try fixture.issue { $0.maximumBytes = .max }
        let principal = try fixture.principal(issued)
        for _ in 0..<2 {
            _ = accessError {
                let admission = try fixture.authorizer.authorize(
                    principal, .write, on: defaultProject, facts: RequestFacts(bytes: bytes))
                try admission.settle(bytes: bytes)
            }
        }
        #expect(
            try fixture.authority.grants.report(issued.grant.id, by: .localAdministrator).usage.bytes >= 0)
    }

    @Test(arguments: SeededRandom.seeds(12))
    func manyThreadsNeverUseMoreThanWasAllowed(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        let maximum = Int64(random.number(0...3000))
        let issued = try fixture.issue { $0.maximumBytes = maximum }
        let principal = try fixture.principal(issued)
        let seeds = (0..<40).map { _ in random.next() }
        let total = Mutex<Int64>(0)
        together(seeds.count) { index in
            var random = SeededRandom(seed: seeds[index])
            _ = accessError {
                let claimed = Int64(random.number(0...200))
                let admission = try fixture.authorizer.authorize(
                    principal, .write, on: defaultProject,
                    facts: RequestFacts(bytes: random.oneIn(3) ? nil : claimed))
                if random.oneIn(4) { return try admission.giveBack() }
                let used = min(claimed, admission.maximumBytes ?? claimed)
                try admission.settle(bytes: used)
                total.withLock { $0 += used }
            }
        }
        let used = total.withLock { $0 }
        #expect(used <= maximum)
        let report = try fixture.authority.grants.report(issued.grant.id, by: .localAdministrator)
        #expect(report.usage.bytes == used)
    }
}
