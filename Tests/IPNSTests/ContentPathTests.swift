import IPNS
import Multiformats
import TestKit
import Testing

/// Paths that names point to, and names of the DNS in them.
@Suite struct ContentPathTests {
    private static let key = "k51qzi5uqu5dlkw8pxuw9qmqayfdeh4kfebhmreauqdc6a7c3y7d5i9fi8mk9w"

    @Test(arguments: [
        ("/ipfs/bafkqaaa", "/ipfs/bafkqaaa"),
        ("/ipfs/bafkqaaa/", "/ipfs/bafkqaaa"),
        ("/ipfs/bafkqaaa//a/b%20c/é", "/ipfs/bafkqaaa/a/b%20c/é"),
        (
            "/ipfs/QmYBhLYDwVFvxos9h8CGU2ibaY66QNgv8hpfewxaQrPiZj",
            "/ipfs/QmYBhLYDwVFvxos9h8CGU2ibaY66QNgv8hpfewxaQrPiZj"
        ),
        ("/ipns/" + key, "/ipns/" + key),
        (
            "/ipns/12D3KooWLQzUv2FHWGVPXTXSZpdHs7oHbXub2G5WC8Tx4NQhyd2d/x",
            "/ipns/k51qzi5uqu5dk3v4rmjber23h16xnr23bsggmqqil9z2gduiis5se8dht36dam/x"
        ),
        (
            "/ipns/k50rm9yjlt0jey4fqg6wafvqprktgbkpgkqdg27tpqje6iimzxewnhvtin9hhq",
            "/ipns/k51qzi5uqu5dk3v4rmjber23h16xnr23bsggmqqil9z2gduiis5se8dht36dam"
        ),
        ("/ipns/Docs.IPFS.tech./a", "/ipns/docs.ipfs.tech/a"),
    ])
    func pathsAreReadAndHaveOneForm(text: String, canonical: String) throws {
        let path = try ContentPath(text: text)
        #expect(path.description == canonical)
        #expect(try ContentPath(text: canonical) == path)
    }

    @Test(arguments: [
        ("", ContentPathError.notAPath), ("bafkqaaa", .notAPath), ("/ipfs", .notAPath), ("/ipfs/", .notAPath),
        ("/ipld/bafkqaaa", .notAPath), ("ipfs/bafkqaaa", .notAPath), ("//ipfs/bafkqaaa", .notAPath),
        ("/ipfs/bafkqaaa/..", .badSegment), ("/ipfs/bafkqaaa/a/./b", .badSegment),
        ("/ipfs/bafkqaaa/a\u{0}b", .badSegment), ("/ipns/a..b", .badDomain), ("/ipns/-a.b", .badDomain),
        ("/ipns/a b.c", .badDomain), ("/ipns/a.b:80", .badDomain),
        ("/ipfs/" + String(repeating: "a", count: 5000), .tooLong(maximum: 4096)),
        ("/ipfs/bafkqaaa" + String(repeating: "/a", count: 1025), .tooLong(maximum: 4096)),
    ])
    func whatIsNoPathIsRefused(text: String, error: ContentPathError) {
        #expect(throws: error) { try ContentPath(text: text) }
    }

    /// A root in a base of few characters becomes longer in its one form, which must be a path too.
    @Test func aPathWithinLimitsHasAFormWithinLimits() throws {
        let root = try PeerID(text: Self.key).cid.text(in: .base64)
        for length in 4000...4096 where length > root.utf8.count + 8 {
            let text = "/ipns/" + root + "/" + String(repeating: "a", count: length - root.utf8.count - 7)
            guard let path = try? ContentPath(text: text) else { continue }
            #expect(try ContentPath(text: path.description) == path)
        }
    }

    @Test func bytesThatAreNoTextAreRefused() {
        #expect(throws: ContentPathError.notText) { try ContentPath([0x2F, 0xFF]) }
        #expect(throws: ContentPathError.self) { try ContentPath(text: "/ipfs/nonsense") }
        #expect(throws: ContentPathError.self) { try ContentPath(text: "/ipns/bafkqaaa") }
        #expect(throws: ContentPathError.badSegment) {
            try ContentPath(
                root: .ipfs(ContentPath(text: "/ipfs/bafkqaaa").cid), segments: [Array("a/b".utf8)])
        }
    }

    @Test(arguments: [
        ("en.wikipedia-on-ipfs.org", "en-wikipedia--on--ipfs-org"), ("a.b", "a-b"),
        ("xn--bcher-kva.example", "xn----bcher--kva-example"),
    ])
    func domainsFitOneLabel(domain: String, label: String) throws {
        let name = try #require(DomainName(domain))
        #expect(name.inlinedLabel == label)
        #expect(DomainName(inlinedLabel: label) == name)
    }

    @Test(arguments: SeededRandom.seeds(64))
    func everyDomainComesBackFromItsLabel(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        let labels = (0..<random.number(2...4)).map { _ in
            let middle = (0..<random.number(0...6)).map { _ in random.pick(Array("ab9-")) }
            return "x" + String(middle) + "y"
        }
        let name = try #require(DomainName(labels.joined(separator: ".")))
        let label = try #require(name.inlinedLabel)
        #expect(!label.contains("."))
        #expect(DomainName(inlinedLabel: label) == name)
    }

    @Test func labelsAreNotLongerThanTheDNSAllows() {
        let long = String(repeating: "a", count: 62) + ".b"
        #expect(DomainName(long)?.inlinedLabel == nil)
        #expect(DomainName(String(repeating: "a", count: 64) + ".b") == nil)
        #expect(DomainName((0..<64).map { _ in "abc" }.joined(separator: ".")) == nil)
        #expect(DomainName("localhost") == nil)
        #expect(DomainName(inlinedLabel: "a") == nil)
        #expect(DomainName("bücher.example") == nil)
    }
}

extension ContentPath {
    fileprivate var cid: CID {
        if case .ipfs(let cid) = root { cid } else { CID(codec: .raw, multihash: Multihash.empty) }
    }
}

extension Multihash {
    fileprivate static var empty: Multihash {
        let bytes: [UInt8] = []
        return (try? Multihash(code: .identity, digest: bytes.span.bytes)).unsafelyUnwrapped
    }
}
