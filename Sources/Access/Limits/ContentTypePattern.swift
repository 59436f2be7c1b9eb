/// A content type, or all of a kind: `image/png`, `image/*`, `*/*`.
public struct ContentTypePattern: Hashable, Sendable {
    private let kind: String
    private let subtype: String

    /// Reads a pattern. Case does not matter, parameters have no place in it.
    ///
    /// - Throws: `invalidContentType`.
    public init(text: String) throws(AccessError) {
        guard let (kind, subtype) = Self.parts(of: text), !text.contains(";"), kind != "*" || subtype == "*"
        else { throw .invalidContentType(String(text.prefix(128))) }
        self.kind = kind
        self.subtype = subtype
    }

    /// Whether a content type with or without parameters fits.
    public func matches(_ contentType: String) -> Bool {
        guard let (kind, subtype) = Self.parts(of: contentType), kind != "*", subtype != "*" else {
            return false
        }
        return covers(kind, subtype)
    }

    /// Whether whatever fits `other` fits this.
    public func covers(_ other: ContentTypePattern) -> Bool { covers(other.kind, other.subtype) }

    private func covers(_ otherKind: String, _ otherSubtype: String) -> Bool {
        (kind == "*" || kind == otherKind) && (subtype == "*" || subtype == otherSubtype)
    }

    private static func parts(of text: String) -> (kind: String, subtype: String)? {
        guard text.utf8.count <= 255 else { return nil }
        let type = text.prefix { $0 != ";" }.lowercased()
        let parts = type.split(separator: "/", omittingEmptySubsequences: false).map {
            String($0.drop { $0 == " " }.reversed().drop { $0 == " " || $0 == "\t" }.reversed())
        }
        guard parts.count == 2, parts.allSatisfy(isToken) else { return nil }
        return (parts[0], parts[1])
    }

    /// Characters of a token of HTTP (RFC 9110, 5.6.2).
    private static func isToken(_ text: String) -> Bool {
        !text.isEmpty
            && text.utf8.allSatisfy {
                (0x61...0x7A).contains($0) || (0x30...0x39).contains($0)
                    || "!#$%&'*+-.^_`|~".utf8.contains($0)
            }
    }
}

extension ContentTypePattern: CustomStringConvertible {
    public var description: String { "\(kind)/\(subtype)" }
}
