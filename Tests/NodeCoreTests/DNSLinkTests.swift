import IPNS
import NodeCore
import Synchronization
import TestKit
import Testing

/// TXT records, and the way they come by.
@Suite struct DNSLinkTests {
    static let texts: [([String], String?)] = [
        (["dnslink=/ipfs/bafkqaaa"], "/ipfs/bafkqaaa"),
        (["dnslink=/ipfs/bafkqaaa/a/b/"], "/ipfs/bafkqaaa/a/b"),
        (["v=spf1 -all", "dnslink=/ipns/docs.test", "dnslink="], "/ipns/docs.test"),
        (["dnslink=\"/ipfs/bafkqaaa\""], "/ipfs/bafkqaaa"),
        (["dnslink= /ipfs/bafkqaaa "], "/ipfs/bafkqaaa"),
        // Of several right ones the least; wrong ones do not count.
        (["dnslink=/ipns/b.test", "dnslink=/ipns/a.test"], "/ipns/a.test"),
        (["dnslink=/a/nonsense", "dnslink=/ipns/a.test"], "/ipns/a.test"),
        (["dnslink=/ipfs/", "dnslink=/ipfs/nonsense", "dnslink=bafkqaaa"], nil),
        (["DNSLINK=/ipfs/bafkqaaa", " dnslink=/ipfs/bafkqaaa", "xdnslink=/ipfs/bafkqaaa"], nil),
        (["dnslink=http://169.254.169.254/"], nil), (["dnslink=/ipfs/bafkqaaa/../x"], nil), ([], nil),
        (["dnslink=/ipfs/" + String(repeating: "a", count: 60000)], nil),
    ]

    @Test(arguments: texts)
    func theTargetIsFoundAmongTheTexts(texts: [String], target: String?) {
        #expect(DNSLink.target(in: texts.map { Array($0.utf8) })?.description == target)
    }

    private static let domain = DomainName("docs.example.test").unsafelyUnwrapped

    private static func link(
        _ answer: @escaping @Sendable ([UInt8]) -> LoopbackDNS.Reply?
    ) throws -> (link: DNSLink?, asked: [String]) {
        let server = try LoopbackDNS(answer)
        defer { server.stop() }
        var options = SystemDNSLinks.Options()
        options.loopbackPort = server.port
        options.seconds = 1
        options.tries = 1
        return (try SystemDNSLinks(options).link(of: domain), server.asked)
    }

    @Test func aServerIsAskedForOneNameAndItsTimeIsKept() throws {
        let (link, asked) = try Self.link {
            .init(packet: DNSPacket.answer($0, [.txt("dnslink=/ipfs/baf", "kqaaa", ttl: 77)]))
        }
        #expect(link?.target.description == "/ipfs/bafkqaaa")
        #expect(link?.ttl == .seconds(77))
        #expect(asked == ["_dnslink.docs.example.test"])
    }

    @Test func anAliasOnTheWayShortensTheTime() throws {
        let (link, _) = try Self.link {
            .init(
                packet: DNSPacket.answer(
                    $0, [.alias("_dnslink.elsewhere.test", ttl: 9), .txt("dnslink=/ipns/a.test", ttl: 500)]))
        }
        #expect(link?.target.description == "/ipns/a.test")
        #expect(link?.ttl == .seconds(9))
    }

    @Test func aNameThatIsNotThereHasNoLink() throws {
        #expect(try Self.link { .init(packet: DNSPacket.answer($0, [], flags: 0x8183)) }.link == nil)
        #expect(try Self.link { .init(packet: DNSPacket.answer($0, [])) }.link == nil)
        #expect(try Self.link { .init(packet: DNSPacket.answer($0, [.txt("v=spf1")])) }.link == nil)
    }

    @Test func anAnswerThatWasCutOffComesWholeOverTCP() throws {
        let padding = (0..<30).map { _ in DNSPacket.Record.txt(String(repeating: "x", count: 250)) }
        let (link, _) = try Self.link {
            .init(
                packet: DNSPacket.answer($0, [], flags: 0x8380),
                whole: DNSPacket.answer($0, padding + [.txt("dnslink=/ipfs/bafkqaaa")]))
        }
        #expect(link?.target.description == "/ipfs/bafkqaaa")
    }

    @Test func serversThatFailAreTold() throws {
        // SERVFAIL, REFUSED, and a server that says nothing.
        for flags in [UInt16(0x8182), 0x8185] {
            #expect(throws: DNSLinkError.unanswered(Self.domain)) {
                try Self.link { .init(packet: DNSPacket.answer($0, [], flags: flags)) }
            }
        }
        #expect(throws: DNSLinkError.unanswered(Self.domain)) { try Self.link { _ in nil } }
    }

    @Test func malformedAnswersAreRefused() throws {
        let claims: [@Sendable ([UInt8]) -> [UInt8]] = [
            { query in  // a string that is longer than its record
                DNSPacket.answer(query, [.init(data: [200, 1, 2])])
            },
            { query in  // more records than there are
                var packet = DNSPacket.answer(query, [.txt("dnslink=/ipfs/bafkqaaa")])
                packet[7] = 9
                return packet
            },
            { query in  // a record that goes beyond the packet
                var packet = DNSPacket.answer(query, [.txt("dnslink=/ipfs/bafkqaaa")])
                packet.removeLast()
                return packet
            },
        ]
        for claim in claims {
            #expect(throws: DNSLinkError.malformedAnswer(Self.domain)) {
                try Self.link { .init(packet: claim($0)) }
            }
        }
    }

    @Test(arguments: SeededRandom.seeds(4))
    func noPacketStopsTheNode(seed: UInt64) throws {
        let random = Mutex(SeededRandom(seed: seed))
        let server = try LoopbackDNS { query in
            random.withLock { random in
                var packet = DNSPacket.answer(query, [.txt("dnslink=/ipfs/bafkqaaa")])
                let body = packet.count - query.count
                for _ in 0..<random.number(1...4) where body > 0 {
                    packet[random.number(4..<packet.count)] = UInt8(random.number(0...255))
                }
                return .init(packet: packet, whole: packet)
            }
        }
        defer { server.stop() }
        var options = SystemDNSLinks.Options()
        options.loopbackPort = server.port
        (options.seconds, options.tries) = (1, 1)
        let links = SystemDNSLinks(options)
        for _ in 0..<3 { _ = try? links.link(of: Self.domain) }
    }

    @Test func answersAreRememberedAsLongAsTheySay() throws {
        struct Counted: DNSLinkResolver {
            let body: @Sendable () -> DNSLink?
            func link(of domain: DomainName) throws -> DNSLink? { body() }
        }
        final class Box: Sendable {
            let count = Atomic<Int>(0)
            let clock = Atomic<Int>(0)
        }
        let start = ContinuousClock.now
        let box = Box()
        let target = try ContentPath(text: "/ipfs/bafkqaaa")
        let cached = CachedDNSLinks(
            Counted {
                box.count.add(1, ordering: .relaxed)
                return DNSLink(target: target, ttl: .seconds(10))
            }, now: { start + .seconds(box.clock.load(ordering: .relaxed)) })
        #expect(try cached.link(of: Self.domain)?.ttl == .seconds(10))
        box.clock.store(4, ordering: .relaxed)
        #expect(try cached.link(of: Self.domain)?.ttl == .seconds(6))
        #expect(box.count.load(ordering: .relaxed) == 1)
        box.clock.store(10, ordering: .relaxed)
        #expect(try cached.link(of: Self.domain)?.ttl == .seconds(10))
        for number in 0..<5000 {
            _ = try cached.link(of: #require(DomainName("d\(number).test")))
        }
        #expect(box.count.load(ordering: .relaxed) == 5002)
    }

    @Test func theTableOfTheConfigurationComesFirst() throws {
        let directory = try TemporaryDirectory()
        let text = """
            [gateway.dnslink]
            "docs.example.test" = "/ipfs/bafkqaaa/site"
            "b.test" = "/ipns/docs.example.test"
            """
        try directory.write(Array(text.utf8), to: "nacre.toml")
        let configuration = try Configuration.load(dataDirectory: directory.path, environment: [:])
        let links = StaticDNSLinks(configuration.dnsLinks)
        #expect(try links.link(of: Self.domain)?.target.description == "/ipfs/bafkqaaa/site")
        #expect(configuration.dnsLinks.count == 2)
        let environment = try Configuration.load(
            dataDirectory: directory.path,
            environment: ["NACRE_GATEWAY_DNSLINK": "c.test=/ipfs/bafkqaaa, d.test = /ipns/c.test"])
        #expect(Set(environment.dnsLinks.keys.map(\.text)) == ["c.test", "d.test"])
    }

    @Test(arguments: [
        ("[gateway.dnslink]\n\"a b\" = \"/ipfs/bafkqaaa\"\n", "not a domain"),
        ("[gateway.dnslink]\n\"a.test\" = \"bafkqaaa\"\n", "a.test: a path begins with"),
        ("[gateway.dnslink]\n\"a.test\" = 5\n", "must be a table of texts"),
        ("[gateway]\ndnslink = \"nonsense\"\n", "not of the form"),
        ("[gateway]\ndnslink = \"a.test=/ipfs/bafkqaaa, A.test=/ipfs/bafkqaaa\"\n", "there twice"),
    ])
    func wrongTablesAreNamedWithTheirLine(text: String, problem: String) throws {
        let directory = try TemporaryDirectory()
        try directory.write(Array(text.utf8), to: "nacre.toml")
        do {
            _ = try Configuration.load(dataDirectory: directory.path, environment: [:])
            Issue.record("\(text) is accepted")
        } catch {
            #expect("\(error)".contains(problem), "\(error)")
            #expect("\(error)".contains("nacre.toml:"), "\(error)")
        }
    }
}
