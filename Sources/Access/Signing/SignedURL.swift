public import Catalog
import Crypto
import Foundation
public import Multiformats

/// A request that a grant allows to whoever holds its URL. `docs/formats/signed-url.md`.
public struct SignedURL: Hashable, Sendable {
    /// `GET` (which allows `HEAD` too), `PUT` or `POST`.
    public let method: String
    public let grant: GrantID
    /// Unix milliseconds, whole seconds.
    public let expires: Int64
    /// 128 random bits: counts and revokes this URL.
    public let nonce: [UInt8]
    public let maximumUses: Int64?
    public let maximumBytes: Int64?
    public let contentType: ContentTypePattern?
    /// The root that an upload must have.
    public let root: CID?

    static let nonceBytes = 16
    /// The most bytes of a query that is looked at.
    static let maximumQueryBytes = 8 * 1024

    /// What the URL allows.
    var operation: Operation { method == "GET" ? .read : .write }

    /// Whether a query is that of a signed URL, so that ``Credentials/signedURL(_:)`` applies.
    public static func isSigned(query: String) -> Bool {
        query.hasPrefix(Parameter.signature.rawValue + "=")
            || query.contains("&" + Parameter.signature.rawValue + "=")
    }

    /// The names in the query.
    enum Parameter: String, CaseIterable {
        case grant = "nacre-grant"
        case expires = "nacre-expires"
        case nonce = "nacre-nonce"
        case uses = "nacre-uses"
        case bytes = "nacre-max-bytes"
        case type = "nacre-type"
        case root = "nacre-root"
        case signature = "nacre-signature"
    }

    /// The values of the parameters that are set, but for the signature.
    var parameters: [(Parameter, String)] {
        var parameters: [(Parameter, String)] = [
            (.grant, grant.text), (.expires, String(expires / 1000)), (.nonce, Base32.encode(nonce)),
        ]
        if let maximumUses { parameters.append((.uses, String(maximumUses))) }
        if let maximumBytes { parameters.append((.bytes, String(maximumBytes))) }
        if let contentType { parameters.append((.type, contentType.description)) }
        if let root { parameters.append((.root, root.description)) }
        return parameters
    }

    /// The bytes that are signed: a line each for version, method, path, other query, and each parameter or `-`.
    func signedBytes(path: String, query: String) -> [UInt8] {
        let values = Dictionary(uniqueKeysWithValues: parameters.map { ($0.0, $0.1) })
        var lines = ["nacre-url-1", method, path, query]
        for parameter in Parameter.allCases where parameter != .signature {
            lines.append(values[parameter] ?? "-")
        }
        return Array(lines.map { $0 + "\n" }.joined().utf8)
    }

    static let keyPurpose = "nacre signed url 1"
}

/// What a signed URL is to allow.
public struct SignedURLDraft: Hashable, Sendable {
    /// `GET`, `PUT` or `POST`.
    public var method: String
    /// Percent-encoded, without the query.
    public var path: String
    /// What else stands in the query, percent-encoded; it is signed too.
    public var query = ""
    /// Unix milliseconds; cut to the expiry of the grant.
    public var expires: Int64
    /// `nil`: one for an upload, any number for reading.
    public var maximumUses: Int64?
    public var maximumBytes: Int64?
    public var contentType: ContentTypePattern?
    public var root: CID?

    public init(method: String, path: String, expires: Int64) {
        self.method = method
        self.path = path
        self.expires = expires
    }
}
