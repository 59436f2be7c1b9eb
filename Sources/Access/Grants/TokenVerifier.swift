import Catalog

/// Checks the tokens of grants.
///
/// An unknown id and a wrong secret cannot be told apart: the same steps are taken for both (one look-up, one hash, one
/// comparison), and the same error is thrown.
struct TokenVerifier: Sendable {
    /// What is done for a token, in order. A test compares the lists.
    enum Step: Hashable, Sendable {
        case hash
        case recall
        case lookUp
        case compare
    }

    let live: LiveGrants
    var observe: @Sendable (Step) -> Void = { _ in }

    /// Compared with where there is no grant: no secret has this hash.
    private static let nobody = [UInt8](repeating: 0, count: 32)

    /// - Throws: `credentialsInvalid`; `revoked` and `roleEnded` to who knows the secret; what the catalog throws.
    func verify(_ text: String) throws -> LiveGrant {
        let token: GrantToken
        // The checksum is public: what fails it tells nothing of any grant.
        do throws(AccessError) { token = try GrantToken(text: text) } catch {
            throw AccessError.credentialsInvalid
        }
        observe(.hash)
        let hash = token.hash
        observe(.recall)
        if let known = live.verified(hash) {
            if let end = known.end { throw end }
            return known
        }
        observe(.lookUp)
        let found = try live.grant(token.id)
        observe(.compare)
        guard ConstantTime.areEqual(found?.secretHash ?? Self.nobody, hash), let found else {
            throw AccessError.credentialsInvalid
        }
        live.verify(hash, of: token.id)
        if let end = found.end { throw end }
        return found
    }
}
