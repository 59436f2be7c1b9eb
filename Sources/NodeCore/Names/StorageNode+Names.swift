public import Catalog
public import IPNS
import Multiformats

extension StorageNode {
    /// What private keys of names are sealed for.
    private static let keyPurpose = "nacre name keys 1"

    /// How long records are valid where nobody says otherwise, as in Kubo.
    public static let defaultNameLifetime = Duration.seconds(48 * 3600)

    /// Makes a name of a new Ed25519 key. It points nowhere until it is published.
    ///
    /// - Throws: `NameRepositoryError` if the label is taken or cannot be one.
    public func createName(_ label: String, owner: ProjectID = .default) throws -> NameEntry {
        try importName(PrivateKey.generate(), label: label, owner: owner)
    }

    /// Takes over a name with its key.
    ///
    /// A record of it that was put here before stays in force: what is published next goes beyond it.
    public func importName(
        _ key: PrivateKey, label: String, owner: ProjectID = .default
    ) throws -> NameEntry {
        let name = try key.publicKey.peerID
        let sealed = try secrets.seal(key.protobuf, for: Self.keyPurpose, context: name.multihash.bytes)
        return try catalog.names.add(
            NameDraft(
                id: name, label: label, owner: owner, sealedKey: sealed,
                lifetimeSeconds: Self.defaultNameLifetime.components.seconds,
                ttlNanoseconds: IPNSRecord.defaultTTL.components.seconds * 1_000_000_000))
    }

    /// The private key of a name. Secret.
    ///
    /// - Throws: `SecretsError.cannotOpen` where the master key is another one.
    public func privateKey(of entry: NameEntry) throws -> PrivateKey {
        try PrivateKey(
            protobuf: secrets.open(
                entry.sealedKey, for: Self.keyPurpose, context: entry.id.multihash.bytes))
    }

    /// The name that a person means: by its label, or by the text of its key.
    ///
    /// - Throws: `NameError.notFound`.
    public func name(_ text: String, owner: ProjectID = .default) throws -> NameEntry {
        if let labelled = try catalog.names.name(labelled: text, owner: owner) { return labelled }
        if let name = Self.key(text), let entry = try catalog.names.name(name), entry.owner == owner {
            return entry
        }
        throw NameError.notFound(text)
    }

    /// Removes a name, its key and its history from this node. Records that others have stay valid until they end.
    public func removeName(_ entry: NameEntry) throws {
        guard try catalog.names.remove(entry.id) else { throw NameError.notFound(entry.label) }
    }

    /// The name of a key in any of its forms, also behind `/ipns/`.
    private static func key(_ text: String) -> PeerID? {
        try? PeerID(text: text.hasPrefix("/ipns/") ? String(text.dropFirst(6)) : text)
    }
}
