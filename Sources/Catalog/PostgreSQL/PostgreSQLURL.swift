import CPostgreSQL

/// Where a catalog in PostgreSQL is: `postgresql://USER:PASSWORD@HOST:PORT/DATABASE?PARAMETERS`.
///
/// Parameters are those of libpq (`sslmode`, `connect_timeout`, `options` …). Its description hides every
/// password, so that it can stand in messages.
///
/// Spec: PostgreSQL 15, 34.1.1.2, "Connection URIs".
public struct PostgreSQLURL: Hashable, Sendable {
    /// With the password.
    let text: String

    /// - Returns: `nil` if libpq cannot read it, or if an `@` stands where part of a password would be taken
    ///   for a host and shown.
    public init?(_ text: String) {
        guard Self.schemes.contains(where: text.hasPrefix), !text.utf8.contains(0),
            text.utf8.count <= Self.maximumBytes
        else { return nil }
        let (authority, rest) = Self.parts(of: text)
        guard authority.count(where: { $0 == "@" }) <= 1, !rest.contains("@") else { return nil }
        // Its error messages quote what they could not read, which may be a password: they are not used.
        guard let options = PQconninfoParse(text, nil) else { return nil }
        PQconninfoFree(options)
        self.text = text
    }

    /// What the form is, for messages about one that cannot be read.
    public static let form =
        "must be postgresql://USER:PASSWORD@HOST:PORT/DATABASE; in a password write @ as %40, / as %2F, : as %3A"

    /// The most bytes of an address.
    public static let maximumBytes = 4096

    private static let schemes = ["postgresql://", "postgres://"]

    /// What stands between `//` and the next `/` or `?`, and everything behind it.
    private static func parts(of text: String) -> (authority: Substring, rest: Substring) {
        let start = schemes.first(where: text.hasPrefix)?.count ?? 0
        let afterScheme = text.dropFirst(start)
        let authority = afterScheme.prefix { $0 != "/" && $0 != "?" }
        return (authority, afterScheme[authority.endIndex...])
    }
}

extension PostgreSQLURL: CustomStringConvertible {
    public var description: String { Self.masked(text) }

    /// The text with every password as `***`. Hides rather too much than too little where the text is no
    /// proper address.
    public static func masked(_ text: String) -> String {
        guard let scheme = text.firstRange(of: "://") else { return text.contains("@") ? "***" : text }
        var rest = text[scheme.upperBound...]
        var result = String(text[..<scheme.upperBound])
        if let at = rest.lastIndex(of: "@") {
            let user = rest[..<at].prefix { $0 != ":" }
            result += user.endIndex < at ? "\(user):***" : "\(user)"
            rest = rest[at...]
        }
        guard let query = rest.firstIndex(of: "?") else { return result + rest }
        let parameters = rest[rest.index(after: query)...].split(separator: "&").map { parameter in
            let name = parameter.prefix { $0 != "=" }
            return name.lowercased().contains("password") ? "\(name)=***" : String(parameter)
        }
        return result + rest[...query] + parameters.joined(separator: "&")
    }
}
