public import Access
public import HTTPTypes

/// The cookie by which a browser stays logged in.
///
/// It is sent below `/api/` alone, by pages of the node's own site alone, and no page can read it. Spec:
/// RFC 6265, RFC 6265bis section 5.4.7 (SameSite).
public enum SessionCookie {
    /// What of a request stands for a session.
    public enum Presence: Sendable {
        case none
        /// No session's, or several: one of them was planted.
        case broken
        case secret(SessionSecret)
    }

    static let name = "nacre_session"

    /// The cookie of a request.
    public static func presence(in fields: HTTPFields) -> Presence {
        var found: Set<String> = []
        for pair in fields[values: .cookie].joined(separator: ";").split(separator: ";") {
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2, parts[0].trimmed == name else { continue }
            found.insert(String(parts[1].trimmed))
        }
        guard let first = found.first else { return .none }
        guard found.count == 1, let secret = SessionSecret(text: first) else { return .broken }
        return .secret(secret)
    }

    /// The field that gives a browser its session.
    ///
    /// - Parameters:
    ///   - secret: `nil` takes the session away.
    ///   - seconds: how long the browser keeps it.
    ///   - scheme: by which the request came: over TLS alone it is then sent over TLS alone.
    static func field(_ secret: SessionSecret?, seconds: Int64, scheme: String) -> String {
        let lasting = secret == nil ? 0 : max(0, seconds)
        let secure = scheme == "https" ? "; Secure" : ""
        return "\(name)=\(secret?.text ?? ""); Path=/api/; Max-Age=\(lasting); HttpOnly; SameSite=Strict"
            + secure
    }
}

extension Substring {
    fileprivate var trimmed: Substring {
        var rest = drop { $0 == " " || $0 == "\t" }
        while rest.last == " " || rest.last == "\t" { rest.removeLast() }
        return rest
    }
}

extension HTTPField.Name {
    /// What proves that a request by a session comes from the node's own page.
    public static var csrfToken: HTTPField.Name { HTTPField.Name("X-CSRF-Token") ?? .cookie }
    /// The project that a session acts for.
    public static var nacreProject: HTTPField.Name { HTTPField.Name("X-Nacre-Project") ?? .cookie }
    /// Spec: W3C Fetch Metadata.
    public static var fetchSite: HTTPField.Name { HTTPField.Name("Sec-Fetch-Site") ?? .cookie }
}
