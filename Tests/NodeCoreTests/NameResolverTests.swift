import IPNS
import Multiformats
import NodeCore
import TestKit
import Testing

/// Following names to content.
@Suite struct NameResolverTests {
    private static let now = IPNSTime(seconds: 1_800_000_000)

    private static func name(_ seed: UInt8) throws -> PeerID {
        try PrivateKey(seed: [UInt8](repeating: seed, count: 32)).publicKey.peerID
    }

    private static func record(_ seed: UInt8, _ target: String, ttl: Duration, seconds: Int64 = 3600) throws
        -> (PeerID, IPNSRecord)
    {
        var draft = IPNSRecordDraft(
            target: try ContentPath(text: target), sequence: 1, validUntil: now.adding(.seconds(seconds)))
        draft.ttl = ttl
        let key = try PrivateKey(seed: [UInt8](repeating: seed, count: 32))
        return (try name(seed), try IPNSRecord(signing: draft, with: key))
    }

    private static func links(_ table: [String: String]) throws -> StaticDNSLinks {
        var targets: [DomainName: ContentPath] = [:]
        for (domain, path) in table {
            targets[try #require(DomainName(domain))] = try ContentPath(text: path)
        }
        return StaticDNSLinks(targets)
    }

    @Test func pathsAreJoinedAndTheShortestTimeCounts() throws {
        let records = Dictionary(
            uniqueKeysWithValues: [
                try Self.record(1, "/ipfs/bafkqaaa/root", ttl: .seconds(500)),
                try Self.record(2, "/ipns/\(Self.name(1).ipnsName)/in", ttl: .seconds(40)),
                try Self.record(3, "/ipns/docs.test/x", ttl: .seconds(600), seconds: 20),
            ])
        let links = try Self.links(["docs.test": "/ipns/\(Self.name(2))/dns"])
        let resolver = NameResolver(links: links) { records[$0] }
        let path = try ContentPath(root: .key(Self.name(3)), segments: [Array("end".utf8)])
        let found = try resolver.resolve(path, at: Self.now)
        #expect(found.path.description == "/ipfs/bafkqaaa/root/in/dns/x/end")
        #expect(found.remainingTTL == .seconds(20))
        #expect(found.steps.count == 4)
        #expect(found.steps.first == path)
        let domain = try resolver.resolve(ContentPath(text: "/ipns/docs.test"), at: Self.now)
        #expect(domain.path.description == "/ipfs/bafkqaaa/root/in/dns")
        #expect(domain.remainingTTL == .seconds(40))
        let still = try resolver.resolve(ContentPath(text: "/ipfs/bafkqaaa/a"), at: Self.now)
        #expect(still.remainingTTL == nil)
        #expect(still.steps.isEmpty)
    }

    @Test func namesInACircleEnd() throws {
        let records = Dictionary(
            uniqueKeysWithValues: [
                try Self.record(1, "/ipns/\(Self.name(2))", ttl: .zero),
                try Self.record(2, "/ipns/\(Self.name(1))", ttl: .zero),
                try Self.record(3, "/ipns/\(Self.name(3))/grows", ttl: .zero),
            ])
        let resolver = NameResolver(links: try Self.links(["a.test": "/ipns/a.test"])) { records[$0] }
        for start in [
            ContentPath(try Self.name(1)), ContentPath(try Self.name(3)), try .init(text: "/ipns/a.test"),
        ] {
            #expect(throws: NameError.tooManySteps(maximum: 32)) { try resolver.resolve(start, at: Self.now) }
        }
    }

    @Test(arguments: [(31, true), (32, true), (33, false)])
    func thirtyTwoStepsAreFollowed(length: Int, isFound: Bool) throws {
        var table = ["d0.test": "/ipfs/bafkqaaa"]
        for number in 1..<max(2, length) { table["d\(number).test"] = "/ipns/d\(number - 1).test" }
        let resolver = NameResolver(links: try Self.links(table)) { _ in nil }
        let start = try ContentPath(text: "/ipns/d\(length - 1).test")
        let found = try? resolver.resolve(start, at: Self.now)
        #expect((found != nil) == isFound)
    }

    @Test func whatLeadsNowhereIsNamed() throws {
        let resolver = NameResolver(links: try Self.links([:])) { _ in nil }
        let domain = try #require(DomainName("none.test"))
        #expect(throws: NameError.noDNSLink(domain)) {
            try resolver.resolve(ContentPath(text: "/ipns/none.test"), at: Self.now)
        }
        #expect(throws: NameError.noRecord(try Self.name(1))) {
            try resolver.resolve(ContentPath(Self.name(1)), at: Self.now)
        }
    }
}
