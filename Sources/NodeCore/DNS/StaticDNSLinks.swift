public import IPNS
import Synchronization

/// Domains that the configuration answers for: private names, and names of tests.
public final class StaticDNSLinks: DNSLinkResolver {
    private let targets: Mutex<[DomainName: ContentPath]>
    private let next: (any DNSLinkResolver)?

    /// How long an answer of the table is good: it changes when the configuration is read again.
    public static let ttl = Duration.seconds(60)

    /// - Parameter next: who is asked about all other domains.
    public init(_ targets: [DomainName: ContentPath], else next: (any DNSLinkResolver)? = nil) {
        self.targets = Mutex(targets)
        self.next = next
    }

    /// Answers from another table from now on.
    public func replace(by targets: [DomainName: ContentPath]) {
        self.targets.withLock { $0 = targets }
    }

    public func link(of domain: DomainName) throws -> DNSLink? {
        if let target = targets.withLock({ $0[domain] }) { return DNSLink(target: target, ttl: Self.ttl) }
        return try next?.link(of: domain)
    }
}
