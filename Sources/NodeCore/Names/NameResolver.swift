public import IPNS
public import Multiformats

/// Follows names to content: `/ipns/KEY` by records, `/ipns/DOMAIN` by DNSLink, until `/ipfs/CID`.
///
/// What stands behind a name is joined: the path that a name points to comes before the path that was asked for.
/// Signatures are not checked again: records were validated when they came.
public struct NameResolver: Sendable {
    private let record: @Sendable (PeerID) throws -> IPNSRecord?
    private let links: any DNSLinkResolver

    /// The most names on one way.
    public static let maximumSteps = 32

    /// - Parameter record: the newest record of a name, expired or not; `nil` if none is known.
    public init(links: any DNSLinkResolver, record: @escaping @Sendable (PeerID) throws -> IPNSRecord?) {
        self.record = record
        self.links = links
    }

    /// Where a path leads; one that begins with `/ipfs/` leads to itself.
    ///
    /// - Throws: `NameError`, `DNSLinkError`, `ContentPathError` for a joined path that is too long.
    public func resolve(_ path: ContentPath, at now: IPNSTime = .now) throws -> NameResolution {
        var path = path
        var ttl: Duration?
        var steps: [ContentPath] = []
        while true {
            let target: ContentPath
            let rest: Duration
            switch path.root {
            case .ipfs(let cid):
                return NameResolution(root: cid, path: path, remainingTTL: ttl, steps: steps)
            case .key(let name):
                guard let record = try record(name) else { throw NameError.noRecord(name) }
                guard record.validUntil > now else { throw NameError.expired(name, at: record.validUntil) }
                do {
                    target = try record.target
                } catch {
                    throw NameError.badTarget(name, error)
                }
                rest = record.remainingTTL(at: now)
            case .domain(let domain):
                guard let link = try links.link(of: domain) else { throw NameError.noDNSLink(domain) }
                (target, rest) = (link.target, link.ttl)
            }
            guard steps.count < Self.maximumSteps else {
                throw NameError.tooManySteps(maximum: Self.maximumSteps)
            }
            steps.append(path)
            path = try target.appending(path.segments)
            ttl = min(ttl ?? rest, rest)
        }
    }
}

/// Where a name leads.
public struct NameResolution: Hashable, Sendable {
    /// The root of the content.
    public let root: CID
    /// `/ipfs/CID` with what stands below.
    public let path: ContentPath
    /// How long the answer may be cached: the shortest rest on the way; `nil` where no name was on it, since that never
    /// changes.
    public let remainingTTL: Duration?
    /// The paths on the way, beginning with the one that was asked for, without the last one.
    public let steps: [ContentPath]
}
