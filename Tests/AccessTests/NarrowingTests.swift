import Access
import Catalog
import TestKit
import Testing

/// A grant made from another allows nothing that the other does not.
@Suite struct NarrowingTests {
    private static let resources: [Resource] = [
        .node, .public, .project(.default), .project(ProjectID(rawValue: "other")),
        .namespace(.default, name: "photos"), .namespace(.default, name: "photos", path: ["2024"]),
        .namespace(.default, name: "photos", path: ["2024", "a"]), .namespace(.default, name: "music"),
        .archiveBucket(.default, name: "cold"),
    ]
    private static let addresses = ["10.1.2.3", "10.2.0.1", "192.0.2.1", "2001:db8::1", "::1"]
    private static let ranges = [
        "10.0.0.0/8", "10.1.0.0/16", "0.0.0.0/0", "::/0", "2001:db8::/32", "10.1.2.3",
    ]
    private static let types = ["image/*", "image/png", "text/plain", "*/*"]
    private static let pages = [
        "https://example.org", "https://*.example.org", "https://shop.example.org/a", "http://example.org",
        "https://*.shop.example.org",
    ]

    private static func some<T>(_ choices: [T], _ random: inout SeededRandom) -> [T] {
        random.oneIn(2) ? [] : Array(random.shuffled(choices).prefix(random.number(1...2)))
    }

    private static func limits(_ now: Int64, _ random: inout SeededRandom) throws -> GrantLimits {
        func number(_ range: ClosedRange<Int64>) -> Int64? {
            random.oneIn(2) ? nil : Int64.random(in: range, using: &random)
        }
        var limits = GrantLimits()
        limits.maximumUses = number(1...5)
        limits.maximumFileBytes = number(0...50)
        limits.maximumBytes = number(0...200)
        limits.expires = number((now + 1)...(now + 40))
        limits.notBefore = number((now - 20)...(now + 20))
        limits.contentTypes = try some(types, &random).map { try ContentTypePattern(text: $0) }
        limits.sources = try some(ranges, &random).map { try AddressRange(text: $0) }
        limits.referrers = try some(pages, &random).map { try ReferrerPattern(text: $0) }
        return limits
    }

    private static func facts(_ now: Int64, _ random: inout SeededRandom) -> RequestFacts {
        RequestFacts(
            source: random.oneIn(5) ? nil : IPAddress(random.pick(addresses)),
            referrer: random.oneIn(3)
                ? nil
                : random.pick([
                    "https://example.org/", "https://shop.example.org/a/b?c", "https://shop.example.org/ab",
                    "http://example.org", "https://x.shop.example.org/",
                    "https://evil.org/https://example.org",
                    "https://example.org.evil.org/", "https://example.org@evil.org/",
                ]),
            contentType: random.oneIn(3) ? nil : random.pick(["image/png", "IMAGE/JPEG; q=1", "text/plain"]),
            bytes: random.oneIn(3) ? nil : Int64(random.number(0...60)),
            time: now + Int64(random.number(-30...50)))
    }

    @Test(arguments: SeededRandom.seeds(scaled(60, full: 2000)))
    func whateverAChildAllowsTheParentAllows(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        let fixture = try AccessFixture()
        let now = fixture.now
        var chain: [Grant] = []
        for _ in 0..<40 {
            let operations = OperationSet(
                Self.some(Operation.allCases, &random) + [random.pick(Operation.allCases)])
            var draft = GrantDraft(
                name: "g", operations: operations,
                scope: random.oneIn(2) ? nil : random.pick(Self.resources.filter { $0.project == .default }))
            draft.limits = try Self.limits(now, &random)
            draft.parent = chain.last?.id
            if let issued = try? fixture.authority.grants.create(draft, by: .localAdministrator) {
                chain.append(issued.grant)
            }
        }
        try #require(!chain.isEmpty)
        for _ in 0..<200 {
            let (operation, resource) = (random.pick(Operation.allCases), random.pick(Self.resources))
            let facts = Self.facts(now, &random)
            let time = facts.time ?? now
            let answers = chain.map { $0.refusal(of: operation, on: resource, facts, at: time) == nil }
            // Once something is refused on the way down, it stays refused.
            if let first = answers.firstIndex(of: false) {
                #expect(
                    answers[first...].allSatisfy { !$0 },
                    "\(operation) on \(resource) with \(facts): \(answers)")
            }
        }
    }

    @Test func whatADraftLeavesOpenIsTakenOver() throws {
        let fixture = try AccessFixture()
        let parent = try fixture.issue(OperationSet([.read, .keys])) { limits in
            limits.maximumUses = 5
            limits.expires = fixture.now + 1000
            limits.sources = (try? AddressRange(text: "10.0.0.0/8")).map { [$0] } ?? []
        }
        let child = try fixture.authority.grants.create(
            GrantDraft(name: "c", operations: OperationSet([.read])), by: try fixture.principal(parent))
        #expect(child.grant.limits == parent.grant.limits)
        #expect(child.grant.parent == parent.grant.id)
        #expect(child.grant.scope == parent.grant.scope)
    }

    @Test func chainsEndSomewhere() throws {
        let fixture = try AccessFixture()
        var parent = try fixture.issue(OperationSet([.read, .keys]))
        for _ in 0..<GrantRecord.maximumAncestors {
            parent = try fixture.issue(OperationSet([.read, .keys]), parent: parent.grant.id)
        }
        #expect(throws: AccessError.tooDeep(maximum: GrantRecord.maximumAncestors)) {
            try fixture.issue(OperationSet([.read]), parent: parent.grant.id)
        }
    }

    @Test func aGrantSeesAndRevokesOnlyWhatCameFromIt() throws {
        let fixture = try AccessFixture()
        let one = try fixture.issue(OperationSet([.read, .keys]))
        let other = try fixture.issue(OperationSet([.read, .keys]))
        let principal = try fixture.principal(one)
        let child = try fixture.authority.grants.create(
            GrantDraft(name: "c", operations: OperationSet([.read])), by: principal)
        let seen = try fixture.authority.grants.list(by: principal).grants.map(\.grant.id)
        #expect(Set(seen) == [one.grant.id, child.grant.id])
        #expect(throws: AccessError.grantAbsent(other.grant.id.text)) {
            try fixture.authority.grants.revoke(other.grant.id, by: principal)
        }
        #expect(throws: AccessError.operationNotAllowed(.keys)) {
            try fixture.authority.grants.list(by: try fixture.principal(child))
        }
        _ = try fixture.authority.grants.revoke(child.grant.id, by: principal)
        #expect(throws: AccessError.revoked) { try fixture.principal(child) }
    }
}
