import Catalog
import Crypto
import Foundation
import Multiformats

/// Tells whether a request is one that this node signed.
struct SignedURLVerifier: Sendable {
    let key: SymmetricKey

    /// - Returns: what was signed, with the signature found true and the expiry still to come.
    /// - Throws: `credentialsInvalid` without saying why; `expired` for a URL that was good once.
    func verify(_ request: SignedRequest, at time: Int64) throws(AccessError) -> SignedURL {
        guard let (url, path, query, signature) = Self.parse(request) else { throw .credentialsInvalid }
        let expected = HMAC<SHA256>.authenticationCode(
            for: url.signedBytes(path: path, query: query), using: key)
        guard ConstantTime.areEqual(Array(expected), signature) else { throw .credentialsInvalid }
        guard time < url.expires else { throw .expired(at: url.expires) }
        return url
    }

    private static func parse(_ request: SignedRequest)
        -> (url: SignedURL, path: String, query: String, signature: [UInt8])?
    {
        guard request.query.utf8.count <= SignedURL.maximumQueryBytes,
            let path = CanonicalTarget.path(request.path)
        else { return nil }
        var values: [SignedURL.Parameter: String] = [:]
        var others: [Substring] = []
        for part in request.query.split(separator: "&") {
            let pair = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard let parameter = SignedURL.Parameter(rawValue: String(pair[0])) else {
                others.append(part)
                continue
            }
            guard pair.count == 2, values[parameter] == nil, let value = CanonicalTarget.decoded(pair[1])
            else {
                return nil
            }
            values[parameter] = value
        }
        guard let query = CanonicalTarget.query(others),
            let signature = values[.signature].flatMap({ Base32.decode($0.utf8, count: 32) }),
            let url = SignedURL(method: request.method, values)
        else { return nil }
        return (url, path, query, signature)
    }
}

extension SignedURL {
    /// - Returns: `nil` unless every value has the one spelling that is signed.
    fileprivate init?(method: String, _ values: [Parameter: String]) {
        let method = method == "HEAD" ? "GET" : method
        guard ["GET", "PUT", "POST"].contains(method),
            let grantText = values[.grant], let grant = try? GrantID(text: grantText),
            grant.text == grantText,
            let seconds = values[.expires].flatMap(Self.number), seconds <= Int64.max / 1000,
            let nonce = values[.nonce].flatMap({ Base32.decode($0.utf8, count: Self.nonceBytes) })
        else { return nil }
        self.method = method
        self.grant = grant
        self.expires = seconds * 1000
        self.nonce = nonce
        maximumUses = values[.uses].flatMap(Self.number)
        maximumBytes = values[.bytes].flatMap(Self.number)
        contentType = values[.type].flatMap { try? ContentTypePattern(text: $0) }
        root = values[.root].flatMap { try? CID(text: $0) }
        // What could not be read would otherwise be a limit that is left out.
        let read = Dictionary(uniqueKeysWithValues: parameters.map { ($0.0, $0.1) })
        guard values.allSatisfy({ $0.key == .signature || read[$0.key] == $0.value }) else { return nil }
    }

    private static func number(_ text: String) -> Int64? {
        guard let number = Int64(text), number >= 0 else { return nil }
        return number
    }
}
