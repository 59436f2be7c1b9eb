public import Catalog
import Crypto
import Foundation

/// Makes and revokes signed URLs.
public final class URLSigner: Sendable {
    private let catalog: CatalogDatabase
    private let live: LiveGrants
    private let key: SymmetricKey
    private let now: @Sendable () -> Int64

    init(catalog: CatalogDatabase, live: LiveGrants, key: SymmetricKey, now: @escaping @Sendable () -> Int64)
    {
        self.catalog = catalog
        self.live = live
        self.key = key
        self.now = now
    }

    /// Signs a URL on behalf of a grant: who holds it may do this one thing, within the limits of both.
    ///
    /// - Parameter grant: whose authority it passes on. It must be the principal's own, unless that is an administrator
    ///   of the node.
    /// - Returns: path and query.
    /// - Throws: `operationNotAllowed` unless the grant allows `keys` and what is signed; `revoked`, `expired`,
    ///   `grantAbsent`, `invalidMethod`, `invalidPath`, `invalidLimit`.
    public func sign(_ draft: SignedURLDraft, on behalf: GrantID, by principal: Principal) throws -> String {
        let url = try signedURL(draft, behalf, principal)
        let others = draft.query.split(separator: "&")
        let isClean = !others.contains { part in
            SignedURL.Parameter(rawValue: String(part.prefix { $0 != "=" })) != nil
        }
        guard let path = CanonicalTarget.path(draft.path), isClean, let query = CanonicalTarget.query(others)
        else {
            throw AccessError.invalidPath(AccessText.short(draft.path))
        }
        let signature = HMAC<SHA256>.authenticationCode(
            for: url.signedBytes(path: path, query: query), using: key)
        let parameters =
            (query.isEmpty ? [] : [query])
            + url.parameters.map { $0.0.rawValue + "=" + CanonicalTarget.encoded(value: $0.1) }
            + [SignedURL.Parameter.signature.rawValue + "=" + Base32.encode(signature)]
        return path + "?" + parameters.joined(separator: "&")
    }

    /// How often a URL was used and how often it may be; both `nil` where it is not counted.
    ///
    /// - Throws: `credentialsInvalid` if this node did not sign it, `expired`, `revoked`.
    public func uses(of request: SignedRequest) throws -> (used: Int64, maximum: Int64?) {
        let url = try SignedURLVerifier(key: key).verify(request, at: now())
        guard let used = try catalog.grants.uses(of: url.limit) else { throw AccessError.revoked }
        return (used, url.maximumUses)
    }

    /// Ends one URL before its time. Whoever holds it may; so may an administrator.
    public func revoke(_ request: SignedRequest) throws {
        try catalog.grants.revoke(try SignedURLVerifier(key: key).verify(request, at: now()).limit)
    }

    private func signedURL(_ draft: SignedURLDraft, _ behalf: GrantID, _ principal: Principal) throws
        -> SignedURL
    {
        guard
            principal.grant == behalf && principal.source == .grant
                || principal.mayPerform(.admin, on: .node)
        else { throw AccessError.operationNotAllowed(.keys) }
        guard let grant = try live.grant(behalf) else { throw AccessError.grantAbsent(behalf.text) }
        if grant.isRevoked { throw AccessError.revoked }
        guard ["GET", "PUT", "POST"].contains(draft.method) else {
            throw AccessError.invalidMethod(AccessText.short(draft.method))
        }
        let isUpload = draft.method != "GET"
        let operation: Operation = isUpload ? .write : .read
        guard grant.operations.allows(operation) else { throw AccessError.operationNotAllowed(operation) }
        if principal.source == .grant, !grant.operations.allows(.keys) {
            throw AccessError.operationNotAllowed(.keys)
        }
        var expires = draft.expires
        for limit in ([grant.grant] + grant.ancestors).compactMap(\.limits.expires) {
            expires = min(expires, limit)
        }
        expires -= expires % 1000
        guard expires > now() else { throw AccessError.expired(at: expires) }
        for (number, limit) in [(draft.maximumUses, GrantLimit.uses), (draft.maximumBytes, .fileBytes)] {
            if let number, number < (limit == .uses ? 1 : 0) { throw AccessError.invalidLimit(limit, number) }
        }
        return SignedURL(
            method: draft.method, grant: behalf, expires: expires,
            nonce: SecureRandom.bytes(SignedURL.nonceBytes),
            maximumUses: draft.maximumUses ?? (isUpload ? 1 : nil), maximumBytes: draft.maximumBytes,
            contentType: draft.contentType, root: draft.root)
    }
}

extension SignedURL {
    /// Its counter.
    var limit: SignedURLLimit {
        SignedURLLimit(nonce: nonce, grant: grant, maximumUses: maximumUses, expires: expires)
    }
}
