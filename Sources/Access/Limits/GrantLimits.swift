/// How often, how much, from where and until when. What is not set is not limited.
public struct GrantLimits: Hashable, Sendable {
    /// How many requests are allowed in all.
    public var maximumUses: Int64?
    /// The most bytes of one upload.
    public var maximumFileBytes: Int64?
    /// The most bytes of all uploads.
    public var maximumBytes: Int64?
    /// Of what is uploaded; empty for any.
    public var contentTypes: [ContentTypePattern] = []
    /// Where requests come from; empty for anywhere.
    public var sources: [AddressRange] = []
    /// Which pages they come from; empty for any or none.
    public var referrers: [ReferrerPattern] = []
    /// Unix milliseconds.
    public var notBefore: Int64?
    public var expires: Int64?

    public init() {}

    /// These limits below those of a parent: what is not set is taken over, what is set must not go beyond.
    ///
    /// Lists are compared member by member: each must be covered by one member of the parent's.
    ///
    /// - Throws: `notNarrower` with the first limit that would be wider; `invalidLimit`.
    func narrowed(below parent: GrantLimits) throws(AccessError) -> GrantLimits {
        var limits = self
        limits.maximumUses = try Self.least(maximumUses, parent.maximumUses, .uses)
        limits.maximumFileBytes = try Self.least(maximumFileBytes, parent.maximumFileBytes, .fileBytes)
        limits.maximumBytes = try Self.least(maximumBytes, parent.maximumBytes, .bytes)
        limits.expires = try Self.least(expires, parent.expires, .expiry)
        if let earliest = parent.notBefore {
            if let notBefore, notBefore < earliest { throw .notNarrower(.notBefore) }
            limits.notBefore = notBefore ?? earliest
        }
        limits.contentTypes = try Self.members(contentTypes, parent.contentTypes, .contentTypes) {
            $0.covers($1)
        }
        limits.sources = try Self.members(sources, parent.sources, .sources) { $0.contains($1) }
        limits.referrers = try Self.members(referrers, parent.referrers, .referrers) { $0.covers($1) }
        return limits
    }

    /// - Throws: `invalidLimit` at a number that no limit has.
    func check() throws(AccessError) {
        for (number, limit) in [
            (maximumUses, GrantLimit.uses), (maximumFileBytes, .fileBytes), (maximumBytes, .bytes),
            (notBefore, .notBefore), (expires, .expiry),
        ] {
            if let number, number < 0 { throw .invalidLimit(limit, number) }
        }
        if maximumUses == 0 { throw .invalidLimit(.uses, 0) }
    }

    /// What of these limits a request does not keep, apart from the counters.
    ///
    /// - Parameter isUpload: whether size and type of a body are asked for.
    func refusal(of facts: RequestFacts, at time: Int64, isUpload: Bool) -> AccessError? {
        if let notBefore, time < notBefore { return .notYetValid(from: notBefore) }
        if let expires, time >= expires { return .expired(at: expires) }
        if !sources.isEmpty {
            guard let source = facts.source, sources.contains(where: { $0.contains(source) }) else {
                return .sourceNotAllowed(facts.source)
            }
        }
        if !referrers.isEmpty, !facts.isFromOwnPage {
            guard let referrer = facts.referrer, referrers.contains(where: { $0.matches(referrer) }) else {
                return .referrerNotAllowed
            }
        }
        guard isUpload else { return nil }
        if !contentTypes.isEmpty, !facts.isForm {
            guard let type = facts.contentType, contentTypes.contains(where: { $0.matches(type) }) else {
                return .contentTypeNotAllowed(AccessText.short(facts.contentType ?? "unknown"))
            }
        }
        if let bytes = facts.bytes, let limit = maximumFileBytes, bytes > limit {
            return .tooLarge(bytes: bytes, limit: limit)
        }
        return nil
    }

    private static func least(_ own: Int64?, _ parent: Int64?, _ limit: GrantLimit) throws(AccessError)
        -> Int64?
    {
        guard let own, let parent else { return own ?? parent }
        guard own <= parent else { throw .notNarrower(limit) }
        return own
    }

    private static func members<Member>(
        _ own: [Member], _ parent: [Member], _ limit: GrantLimit, covers: (Member, Member) -> Bool
    ) throws(AccessError) -> [Member] {
        if own.isEmpty || parent.isEmpty { return own.isEmpty ? parent : own }
        guard own.allSatisfy({ member in parent.contains { covers($0, member) } }) else {
            throw .notNarrower(limit)
        }
        return own
    }
}
