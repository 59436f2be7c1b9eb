public import IPNS
import Synchronization

/// Remembers what another resolver found, as long as the DNS says, so that a site does not cost a query a
/// request. Bounded: when full, whatever is expired goes, then what is nearest to its end.
public final class CachedDNSLinks: DNSLinkResolver {
    private struct Entry {
        let link: DNSLink?
        let end: ContinuousClock.Instant
    }

    private let base: any DNSLinkResolver
    private let now: @Sendable () -> ContinuousClock.Instant
    private let entries = Mutex<[DomainName: Entry]>([:])

    /// The most domains that are remembered.
    public static let maximumEntries = 4096
    /// How long it is remembered that a domain has no link.
    public static let absenceTTL = Duration.seconds(30)
    /// The longest that anything is remembered, whatever the DNS says.
    public static let maximumTTL = Duration.seconds(3600)

    public init(
        _ base: any DNSLinkResolver, now: @escaping @Sendable () -> ContinuousClock.Instant = { .now }
    ) {
        self.base = base
        self.now = now
    }

    /// Failures are not remembered: a server that is back is asked at once.
    public func link(of domain: DomainName) throws -> DNSLink? {
        let time = now()
        if let known = entries.withLock({ $0[domain] }), known.end > time {
            return known.link.map { DNSLink(target: $0.target, ttl: min($0.ttl, known.end - time)) }
        }
        // Without the lock: one slow server must not hold up every other domain.
        let found = try base.link(of: domain)
        let life = min(found?.ttl ?? Self.absenceTTL, Self.maximumTTL)
        entries.withLock { entries in
            if entries.count >= Self.maximumEntries, entries[domain] == nil { Self.makeRoom(&entries, time) }
            entries[domain] = Entry(link: found, end: time + life)
        }
        return found
    }

    private static func makeRoom(_ entries: inout [DomainName: Entry], _ time: ContinuousClock.Instant) {
        entries = entries.filter { $0.value.end > time }
        guard entries.count >= maximumEntries else { return }
        // A quarter at once, so that this is rare.
        for domain in entries.sorted(by: { $0.value.end < $1.value.end }).prefix(maximumEntries / 4).map(
            \.key)
        {
            entries[domain] = nil
        }
    }
}
