import Catalog
import Crypto
import Foundation
import Synchronization

/// Tells whether what was shown opens a link.
///
/// What ends the link is looked at before its password, so that nobody waits for a hash in vain. Who
/// guesses waits as at a login: the link as it is opened from one address is the account, so that a
/// stranger keeps nobody else out, and the link from everywhere is slowed down only after many guesses. A
/// password that was right is known again for a while by a hash under a key of this process, so that the
/// many requests of a player or a resumed download cost one slow hash. Memory: at most `capacity` of them.
final class LinkVerifier: Sendable {
    private struct Memory {
        /// Unix milliseconds until which a proof counts.
        var proofs: [[UInt8]: Int64] = [:]
    }

    private let catalog: CatalogDatabase
    private let live: LiveGrants
    private let hasher: PasswordHasher
    private let throttle: LoginThrottle
    private let passKey: SymmetricKey
    private let memoryKey = SymmetricKey(data: SecureRandom.bytes(32))
    private let memory = Mutex(Memory())

    private static let capacity = 1024
    private static let memoryMilliseconds: Int64 = 10 * 60 * 1000
    private static let passMilliseconds: Int64 = 12 * 3600 * 1000
    let now: @Sendable () -> Int64

    init(
        catalog: CatalogDatabase, live: LiveGrants, hasher: PasswordHasher, throttle: LoginThrottle,
        passKey: SymmetricKey, now: @escaping @Sendable () -> Int64
    ) {
        self.catalog = catalog
        self.live = live
        self.hasher = hasher
        self.throttle = throttle
        self.passKey = passKey
        self.now = now
    }

    /// - Throws: `linkAbsent`; `revoked`, `expired` and whatever else ends a grant; `passwordMissing`,
    ///   `loginRefused`, `loginThrottled`, `tooManyLogins`.
    func principal(of shown: LinkCredentials, _ facts: RequestFacts, at time: Int64) throws -> Principal {
        guard let token = LinkToken(text: shown.token),
            let record = try catalog.links.link(tokenHash: token.hash)
        else { throw AccessError.linkAbsent }
        guard let grant = try live.grant(record.grant), !grant.isRevoked else { throw AccessError.revoked }
        for limits in ([grant.grant] + grant.ancestors).map(\.limits) {
            if let refusal = limits.refusal(of: facts, at: time, isUpload: false) { throw refusal }
        }
        if !record.password.isEmpty { try prove(shown, record, facts, time) }
        var principal = Principal(
            source: .link, project: grant.grant.project, operations: grant.operations,
            scope: grant.grant.scope)
        principal.grant = grant.grant.id
        principal.user = grant.grant.user
        return principal
    }

    private func prove(
        _ shown: LinkCredentials, _ record: LinkRecord, _ facts: RequestFacts, _ time: Int64
    ) throws {
        if let pass = shown.pass.flatMap(LinkPass.init(text:)), time < pass.expires,
            ConstantTime.areEqual(pass.code, code(of: record, expires: pass.expires))
        {
            return
        }
        guard let password = shown.password else { throw AccessError.passwordMissing }
        guard password.utf8.count <= Accounts.maximumPasswordBytes else { throw AccessError.loginRefused }
        let proof = proof(password, record)
        if memory.withLock({ $0.proofs[proof].map { time < $0 } ?? false }) { return }
        // This machine may be a proxy that stands for many clients.
        let address = facts.source.flatMap { $0.isLoopback ? nil : $0.customer }
        let link = "link:" + record.grant.text
        let account = link + (address.map { " \($0)" } ?? "")
        try throttle.begin(account, from: address, target: link, at: time)
        let isRight: Bool
        do { isRight = try hasher.verify(password, against: record.password) } catch {
            // A node that had no time to look has not refused anybody.
            throttle.forgive(account, from: address, target: link)
            throw error
        }
        guard isRight else { throw AccessError.loginRefused }
        throttle.forgive(account, from: address, target: link)
        memory.withLock { memory in
            if memory.proofs.count >= Self.capacity {
                memory.proofs = memory.proofs.filter { time < $0.value }
                if memory.proofs.count >= Self.capacity { memory.proofs = [:] }
            }
            memory.proofs[proof] = time + Self.memoryMilliseconds
        }
    }

    /// Ends with the process, and with the stored hash.
    private func proof(_ password: String, _ record: LinkRecord) -> [UInt8] {
        var mac = HMAC<SHA256>(key: memoryKey)
        for part in [record.grant.text, record.password, password] {
            mac.update(data: Data("\(part.utf8.count) \(part)".utf8))
        }
        return Array(mac.finalize())
    }

    /// What stands for the password of a link from now on, for some hours.
    func makePass(for record: LinkRecord) -> LinkPass {
        let expires = now() + Self.passMilliseconds
        return LinkPass(expires: expires, code: code(of: record, expires: expires))
    }

    private func code(of record: LinkRecord, expires: Int64) -> [UInt8] {
        let text = "\(record.grant.text) \(record.password) \(expires)"
        return Array(HMAC<SHA256>.authenticationCode(for: Data(text.utf8), using: passKey))
    }
}

/// What a browser shows instead of a link's password, until it expires.
public struct LinkPass: Sendable {
    /// Unix milliseconds.
    public let expires: Int64
    let code: [UInt8]

    init(expires: Int64, code: [UInt8]) {
        self.expires = expires
        self.code = code
    }

    /// Reads the value of a cookie.
    init?(text: String) {
        let parts = text.split(separator: ".")
        guard parts.count == 2, let expires = Int64(parts[0]),
            let code = Base32.decode(parts[1].utf8, count: 32)
        else { return nil }
        self.init(expires: expires, code: code)
    }

    /// The value of a cookie.
    public var text: String { "\(expires)." + Base32.encode(code) }
}

extension LinkPass: CustomStringConvertible, CustomReflectable {
    public var description: String { "pass of a link" }
    public var customMirror: Mirror { Mirror(self, children: []) }
}
