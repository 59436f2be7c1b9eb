public import Catalog

/// What a request brings to prove who asks.
public enum Credentials: Sendable {
    case none
    /// The token of a grant, as it came.
    case bearer(String)
    /// A request whose query is signed: ``SignedURL/isSigned(query:)``.
    case signedURL(SignedRequest)
    /// The cookie of a login, and the project that is acted for (by default the user's first).
    case session(SessionSecret, project: ProjectID? = nil)
    /// The token of a link, as it stands in a path, with what was shown beside it.
    case link(LinkCredentials)
}

/// The parts of a request that a signed URL signs, as they stand in the request line.
public struct SignedRequest: Hashable, Sendable {
    public var method: String
    /// Up to the question mark, percent-encoded.
    public var path: String
    /// Behind the question mark, percent-encoded.
    public var query: String

    public init(method: String, path: String, query: String) {
        self.method = method
        self.path = path
        self.query = query
    }
}

extension Credentials: CustomStringConvertible, CustomReflectable {
    /// Never the secret itself.
    public var description: String {
        switch self {
        case .none: "no credentials"
        case .bearer: "a token"
        case .signedURL: "a signed URL"
        case .session: "a session"
        case .link: "a link"
        }
    }
    public var customMirror: Mirror { Mirror(self, children: ["kind": description]) }
}

extension SignedRequest: CustomStringConvertible, CustomReflectable {
    /// Without the query, which holds the signature.
    public var description: String { "\(method) \(path)" }
    public var customMirror: Mirror { Mirror(self, children: ["method": method, "path": path]) }
}
