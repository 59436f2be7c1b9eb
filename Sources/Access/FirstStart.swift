import Catalog

/// What a node makes when it starts for the first time, whole or again after a crash in between.
struct FirstStart {
    let catalog: CatalogDatabase
    let directory: SecretsDirectory
    let now: @Sendable () -> Int64

    static let adminTokenFile = "admin-token"
    /// Settings of the catalog: which key it was used with, and that the first grant was made.
    static let fingerprintSetting = "access.master-key"
    static let adminSetting = "access.first-grant"

    /// The master key: read, or made if the catalog never had one.
    func masterKey(_ lost: Authority.LostMasterKey) throws -> MasterKey {
        try directory.make()
        let known = try catalog.settings.value(Self.fingerprintSetting)
        let path = directory.path(of: MasterKey.fileName)
        if known != nil, lost == .refuse, try directory.read(MasterKey.fileName) == nil {
            throw AccessError.secretMissing(path: path)
        }
        let file = try directory.contents(MasterKey.fileName) { SecureRandom.bytes(MasterKey.byteCount) }
        guard let key = MasterKey(file: file) else { throw AccessError.secretDamaged(path: path) }
        if known == key.fingerprint { return key }
        if known != nil, lost == .refuse { throw AccessError.secretForeign(path: path) }
        try catalog.settings.set(Self.fingerprintSetting, to: key.fingerprint)
        return key
    }

    /// Puts a master key back that is no longer on the disk.
    ///
    /// - Throws: `secretDamaged`, `secretForeign` if the file holds another.
    func confirm(_ key: MasterKey) throws {
        let file = try directory.contents(MasterKey.fileName) { key.file }
        let path = directory.path(of: MasterKey.fileName)
        guard let found = MasterKey(file: file) else { throw AccessError.secretDamaged(path: path) }
        guard found.fingerprint == key.fingerprint else { throw AccessError.secretForeign(path: path) }
    }

    /// Makes the grant of the first administrator once in the life of a catalog.
    ///
    /// The token is on the disk before the grant is in the catalog: after a crash in between, the grant is made of it.
    ///
    /// - Returns: where the token lies, if the grant was made by this call.
    func ensureAdminGrant() throws -> String? {
        guard try catalog.settings.value(Self.adminSetting) == nil else { return nil }
        let token = try adminToken()
        let grant = Grant(
            id: token.id, name: "first administrator", ancestors: [], project: .default, user: nil,
            operations: OperationSet([.admin]), scope: .node, limits: GrantLimits(), created: now(),
            revoked: nil)
        try catalog.grants.add(grant.record(secretHash: token.hash))
        try catalog.settings.set(Self.adminSetting, to: token.id.text)
        return directory.path(of: Self.adminTokenFile)
    }

    private func adminToken() throws -> GrantToken {
        let file = try directory.contents(Self.adminTokenFile) {
            Array((GrantToken(id: catalog.grants.newID()).text + "\n").utf8)
        }
        let text = String(decoding: file.filter { $0 > 0x20 }, as: UTF8.self)
        do throws(AccessError) { return try GrantToken(text: text) } catch {
            throw AccessError.secretUnusable(
                path: directory.path(of: Self.adminTokenFile),
                reason:
                    "no grant was made of it yet, and it holds no token; remove it, and the next start makes one"
            )
        }
    }
}
