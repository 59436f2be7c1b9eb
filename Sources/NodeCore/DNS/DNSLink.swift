public import IPNS

/// Where a domain points, as its TXT records say, and how long that may be relied on.
public struct DNSLink: Hashable, Sendable {
    public let target: ContentPath
    public let ttl: Duration

    public init(target: ContentPath, ttl: Duration) {
        self.target = target
        self.ttl = ttl
    }

    /// The name whose TXT records say where a domain points.
    public static func recordName(of domain: DomainName) -> String { "_dnslink." + domain.text }

    /// The target that TXT records name: `dnslink=/ipfs/…` or `dnslink=/ipns/…`.
    ///
    /// Records of other uses and values that are no path are passed over, so that one typing error does not take a
    /// site down that has a right record too. Of several, the one whose text is least counts: every
    /// resolver then chooses the same one, whatever order a server gives them in.
    ///
    /// Spec: dnslink.dev.
    public static func target(in texts: [[UInt8]]) -> ContentPath? {
        let prefix = Array("dnslink=".utf8)
        let values = texts.filter { $0.starts(with: prefix) }.map { Array($0.dropFirst(prefix.count)) }
        for value in values.sorted(by: { $0.lexicographicallyPrecedes($1) }) {
            if let path = try? ContentPath(unquoted(value)) { return path }
        }
        return nil
    }

    /// Some panels of domain registrars store the quotes and spaces that people paste into them.
    private static func unquoted(_ value: [UInt8]) -> [UInt8] {
        let space = UInt8(ascii: " ")
        let quote = UInt8(ascii: "\"")
        var rest = value[...]
        while rest.last == space || rest.last == quote { rest.removeLast() }
        while rest.first == space || rest.first == quote { rest.removeFirst() }
        return Array(rest)
    }
}

/// Finds out where domains point. Calls block; they end within a time that the implementation knows.
public protocol DNSLinkResolver: Sendable {
    /// Where a domain points; `nil` if it has no DNSLink.
    ///
    /// - Throws: `DNSLinkError` if that could not be found out.
    func link(of domain: DomainName) throws -> DNSLink?
}

/// Why it could not be found out where a domain points.
public enum DNSLinkError: Error, Equatable, Sendable {
    /// No server answered in time, or one failed.
    case unanswered(DomainName)
    /// The answer is no packet of the DNS.
    case malformedAnswer(DomainName)
}

extension DNSLinkError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .unanswered(let domain):
            "no DNS server answered for \(DNSLink.recordName(of: domain)); try again later, or check /etc/resolv.conf"
        case .malformedAnswer(let domain):
            "the DNS server's answer for \(DNSLink.recordName(of: domain)) is malformed"
        }
    }
}
