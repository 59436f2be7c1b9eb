/// Why a node did not do what it was asked, as it says itself.
public struct NodeFailure: Error, Hashable, Sendable, CustomStringConvertible {
    /// The sort of failure, for exit codes and HTTP statuses.
    public enum Kind: String, Hashable, Sendable {
        case unauthenticated
        case notAllowed = "not-allowed"
        case notFound = "not-found"
        case conflict
        case invalid
        case tooLarge = "too-large"
        case unsupported
        case busy
        /// Too many attempts: later is soon enough.
        case throttled
        case damaged
        case failed
    }

    public var kind: Kind
    /// For programs: words with dashes; stable.
    public var code: String
    /// What happened, to what, and what to do.
    public var detail: String
    /// Seconds after which to try again, where that is known.
    public var retryAfterSeconds: Int?

    public init(_ kind: Kind, code: String, detail: String) {
        self.kind = kind
        self.code = code
        self.detail = detail
    }

    public var description: String { detail }

    /// The code of the HTTP status that says it: the one place where a kind gets one, for every door.
    ///
    /// Spec: RFC 9110 section 15; RFC 4918 section 11.5 (507).
    public var httpStatus: Int {
        switch kind {
        case .unauthenticated: 401
        case .notAllowed: 403
        case .notFound: 404
        case .conflict: 409
        case .invalid: 400
        case .tooLarge: 413
        case .unsupported: 415
        case .throttled: 429
        case .busy: 503
        case .damaged, .failed: code == "storage-full" ? 507 : 500
        }
    }

    /// The sort of a failure of which only the code was kept.
    public static func kind(ofCode code: String) -> Kind {
        if code.hasSuffix("-not-found") || code == "incomplete" { return .notFound }
        if code.hasPrefix("damaged-") || code == "pin-not-whole" { return .damaged }
        if code.hasPrefix("invalid-") { return .invalid }
        return ["duplicate-pin", "ambiguous-pin", "pin-name-taken"].contains(code) ? .conflict : .failed
    }
}
