public import Catalog
public import Multiformats

/// Why somebody may not do something. Holds no secret.
public enum AccessError: Error, Equatable, Sendable {
    // Who asks.
    /// It needs credentials, and there were none.
    case credentialsMissing
    /// Unknown id, wrong secret, false signature or ended session: which one is not told.
    case credentialsInvalid
    case notYetValid(from: Int64)
    case expired(at: Int64)
    case revoked
    /// Nobody took the key back: its user is gone or disabled, or has no role any more where the key is for.
    case roleEnded
    /// A session must prove that the request is its own.
    case csrfTokenInvalid
    /// A page of another origin asked with the session's cookie.
    case foreignPage

    // What is asked.
    case operationNotAllowed(Operation)
    case outOfScope(Resource)
    case sourceNotAllowed(IPAddress?)
    case referrerNotAllowed
    case contentTypeNotAllowed(String)
    /// Used as often as it may be.
    case usesExhausted(limit: Int64)
    case bytesExhausted(limit: Int64, left: Int64)
    case tooLarge(bytes: Int64, limit: Int64)
    /// The upload must have another root.
    case wrongContent(expected: CID, actual: CID)

    // Making grants and signed URLs.
    case notNarrower(GrantLimit)
    case tooDeep(maximum: Int)
    case grantAbsent(String)
    case grantNameAmbiguous(String, ids: [String])
    case projectAbsent(String)
    case projectNameAmbiguous(String, count: Int)
    /// The project of everything that was brought in without another one cannot go.
    case projectIsDefault
    /// What belongs to the project must go first.
    case projectNotEmpty(String, ProjectHoldings)
    case userAbsent(String)
    /// A user who is no member of a namespace.
    case memberAbsent(String, namespace: String)
    case invalidOperation(String)
    case invalidScope(String)
    case invalidAddressRange(String)
    case invalidContentType(String)
    case invalidReferrer(String)
    case invalidLimit(GrantLimit, Int64)
    case invalidPath(String)
    case invalidMethod(String)
    case nothingAllowed
    case invalidToken(TokenProblem)

    // Logging in.
    /// Unknown name, wrong password or disabled user: which one is not told.
    case loginRefused
    /// So many log in at once that memory would be short.
    case tooManyLogins
    /// Too many wrong passwords for this account, or from this address.
    case loginThrottled(seconds: Int)
    /// A link asks for a password, and there was none.
    case passwordMissing
    /// No link has this token, or what it led to is gone for good.
    case linkAbsent
    case invalidUserName(String)
    case invalidPassword(minimumBytes: Int, maximumBytes: Int)

    // Secrets on the disk.
    case secretMissing(path: String)
    case secretDamaged(path: String)
    /// It is not the key that the catalog was used with.
    case secretForeign(path: String)
    case secretReadableByOthers(path: String, mode: UInt32)
    case secretUnusable(path: String, reason: String)
}

/// What is wrong with a text that should be a token, found without asking anybody.
public enum TokenProblem: Hashable, Sendable {
    case prefixMissing
    case wrongLength(Int)
    case wrongCharacter
    /// Something was mistyped.
    case wrongChecksum
}

/// A limit of a grant, named where it is not kept.
public enum GrantLimit: String, Hashable, Sendable {
    case operations
    case scope
    case uses = "max-uses"
    case fileBytes = "max-file-bytes"
    case bytes = "max-bytes"
    case contentTypes = "content-type"
    case sources = "from"
    case referrers = "referrer"
    case notBefore = "not-before"
    case expiry = "expires"
}

extension AccessError {
    /// The sort of failure, for HTTP statuses and exit codes.
    public enum Kind: Sendable {
        /// 401: who asks is not known.
        case unauthenticated
        /// 403: it is known, and not allowed.
        case notAllowed
        /// 403: it was allowed, and is used up or over.
        case exhausted
        /// 413.
        case tooLarge
        /// 404.
        case notFound
        /// 409.
        case conflict
        /// 400: what was given makes no sense.
        case invalid
        /// 503, and `Retry-After`.
        case busy
        /// 429, and `Retry-After`.
        case throttled
        /// 500: the node itself is not in order.
        case broken
    }

    public var kind: Kind {
        switch self {
        case .credentialsMissing, .credentialsInvalid, .loginRefused, .passwordMissing: .unauthenticated
        case .notYetValid, .csrfTokenInvalid, .foreignPage, .operationNotAllowed, .outOfScope,
            .sourceNotAllowed, .referrerNotAllowed, .contentTypeNotAllowed, .notNarrower:
            .notAllowed
        case .expired, .revoked, .roleEnded, .usesExhausted, .bytesExhausted: .exhausted
        case .tooLarge: .tooLarge
        case .grantAbsent, .projectAbsent, .userAbsent, .memberAbsent, .linkAbsent: .notFound
        case .grantNameAmbiguous, .projectNameAmbiguous, .projectIsDefault, .projectNotEmpty, .wrongContent:
            .conflict
        case .tooDeep, .invalidOperation, .invalidScope, .invalidAddressRange, .invalidContentType,
            .invalidReferrer, .invalidLimit, .invalidPath, .invalidMethod, .nothingAllowed, .invalidToken,
            .invalidUserName, .invalidPassword:
            .invalid
        case .tooManyLogins: .busy
        case .loginThrottled: .throttled
        case .secretMissing, .secretDamaged, .secretForeign, .secretReadableByOthers, .secretUnusable: .broken
        }
    }

    /// Seconds after which it may go better, where that is known.
    public var retryAfterSeconds: Int? {
        switch self {
        case .loginThrottled(let seconds): seconds
        case .tooManyLogins: 2
        default: nil
        }
    }

    /// A name for programs that never changes.
    public var code: String {
        switch self {
        case .credentialsMissing: "credentials-missing"
        case .credentialsInvalid: "credentials-invalid"
        case .notYetValid: "not-yet-valid"
        case .expired: "expired"
        case .revoked: "revoked"
        case .roleEnded: "role-ended"
        case .csrfTokenInvalid: "csrf-token-invalid"
        case .foreignPage: "foreign-page"
        case .operationNotAllowed: "operation-not-allowed"
        case .outOfScope: "out-of-scope"
        case .sourceNotAllowed: "source-not-allowed"
        case .referrerNotAllowed: "referrer-not-allowed"
        case .contentTypeNotAllowed: "content-type-not-allowed"
        case .usesExhausted: "uses-exhausted"
        case .bytesExhausted: "bytes-exhausted"
        case .tooLarge: "too-large"
        case .wrongContent: "wrong-content"
        case .notNarrower: "not-narrower"
        case .tooDeep: "too-deep"
        case .grantAbsent: "grant-absent"
        case .grantNameAmbiguous: "grant-name-ambiguous"
        case .projectAbsent: "project-absent"
        case .projectNameAmbiguous: "project-name-ambiguous"
        case .projectIsDefault: "project-is-default"
        case .projectNotEmpty: "project-not-empty"
        case .userAbsent: "user-absent"
        case .memberAbsent: "member-absent"
        case .invalidOperation: "invalid-operation"
        case .invalidScope: "invalid-scope"
        case .invalidAddressRange: "invalid-address-range"
        case .invalidContentType: "invalid-content-type"
        case .invalidReferrer: "invalid-referrer"
        case .invalidLimit: "invalid-limit"
        case .invalidPath: "invalid-path"
        case .invalidMethod: "invalid-method"
        case .nothingAllowed: "nothing-allowed"
        case .invalidToken: "invalid-token"
        case .loginRefused: "login-refused"
        case .tooManyLogins: "too-many-logins"
        case .loginThrottled: "login-throttled"
        case .passwordMissing: "password-missing"
        case .linkAbsent: "link-absent"
        case .invalidUserName: "invalid-user-name"
        case .invalidPassword: "invalid-password"
        case .secretMissing: "secret-missing"
        case .secretDamaged: "secret-damaged"
        case .secretForeign: "secret-foreign"
        case .secretReadableByOthers: "secret-readable-by-others"
        case .secretUnusable: "secret-unusable"
        }
    }
}
