public import IPNS

/// Domains that the configuration answers for: private names, and names of tests.
public struct StaticDNSLinks: DNSLinkResolver {
    private let targets: [DomainName: ContentPath]
    private let next: (any DNSLinkResolver)?

    /// How long an answer of the table is good: it changes when the configuration is read again.
    public static let ttl = Duration.seconds(60)

    /// - Parameter next: who is asked about all other domains.
    public init(_ targets: [DomainName: ContentPath], else next: (any DNSLinkResolver)? = nil) {
        self.targets = targets
        self.next = next
    }

    public func link(of domain: DomainName) throws -> DNSLink? {
        if let target = targets[domain] { return DNSLink(target: target, ttl: Self.ttl) }
        return try next?.link(of: domain)
    }
}
