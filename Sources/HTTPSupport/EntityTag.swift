/// An entity tag. Spec: RFC 9110 section 8.8.3.
public struct EntityTag: Hashable, Sendable, CustomStringConvertible {
    /// What stands between the quotes.
    public let opaque: String
    public let isWeak: Bool

    public init(_ opaque: String, isWeak: Bool = false) {
        self.opaque = opaque
        self.isWeak = isWeak
    }

    public var description: String { (isWeak ? "W/\"" : "\"") + opaque + "\"" }

    /// Whether an `If-None-Match` header names this tag. Weak comparison; `*` names every one.
    public func isNamed(in header: String) -> Bool {
        Self.parse(header).map { tags in tags.contains { $0.opaque == opaque } } ?? true
    }

    /// Whether an `If-Match` header names the very bytes: `*`, or the same strong tag. Spec: RFC 9110,
    /// section 13.1.1.
    public func isNamedStrongly(in header: String) -> Bool {
        Self.parse(header).map { tags in
            tags.contains { !isWeak && !$0.isWeak && $0.opaque == opaque }
        } ?? true
    }

    /// The tags of a list; `nil` for `*`. What is no tag is passed over.
    private static func parse(_ header: String) -> [EntityTag]? {
        if header[...].trimmed == "*" { return nil }
        var tags: [EntityTag] = []
        var rest = header[...]
        while let quote = rest.firstIndex(of: "\"") {
            let isWeak = rest[..<quote].hasSuffix("W/")
            let start = rest.index(after: quote)
            guard let end = rest[start...].firstIndex(of: "\"") else { break }
            tags.append(EntityTag(String(rest[start..<end]), isWeak: isWeak))
            rest = rest[rest.index(after: end)...]
        }
        // Some clients leave the quotes out.
        return tags.isEmpty && !header.isEmpty ? [EntityTag(String(header[...].trimmed))] : tags
    }

    /// Whether an `If-Range` header allows a part: the same strong tag.
    public func allowsRange(ifRange header: String) -> Bool {
        !isWeak && header[...].trimmed == description[...]
    }
}
