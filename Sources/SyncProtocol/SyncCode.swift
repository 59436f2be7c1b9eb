/// What a refusal of the sync protocol is called, for programs: `code` of an answer that is none, or of a
/// result of `commit`.
///
/// A client may be told codes that are not here, by a newer node or with the words of a key's limits; it
/// shows their message. Format: docs/formats/sync.md, "Errors" and "Commit".
public struct SyncCode: RawRepresentable, Hashable, Sendable {
    /// Lower case, with `_` between words.
    public let rawValue: String

    public init(rawValue: String) { self.rawValue = rawValue }

    init(_ rawValue: String) { self.rawValue = rawValue }
}

// MARK: Who asks

extension SyncCode {
    /// No key, or none that is known.
    public static let unauthenticated = Self("unauthenticated")
    /// The time of the key is over.
    public static let tokenExpired = Self("token_expired")
    /// The key was taken back, or its user has no part any more.
    public static let tokenRevoked = Self("token_revoked")
    /// The device was removed.
    public static let deviceRemoved = Self("device_removed")
    /// The key allows other things.
    public static let forbidden = Self("forbidden")
    /// The device, or all of one key together, ask too often or for too much at once.
    public static let rateLimited = Self("rate_limited")
}

// MARK: What is asked

extension SyncCode {
    /// The message cannot be understood, or asks for what cannot be.
    public static let badRequest = Self("bad_request")
    /// The body ended before all of it came.
    public static let brokenOff = Self("broken_off")
    public static let noSuchCall = Self("no_such_call")
    public static let methodNotAllowed = Self("method_not_allowed")
    public static let unsupportedEncoding = Self("unsupported_encoding")
    /// A body, or a file, is larger than one may be, or than the key takes.
    public static let tooLarge = Self("too_large")
    /// A message has more parts than one may have.
    public static let batchTooLarge = Self("batch_too_large")
}

// MARK: What it is about

extension SyncCode {
    /// Also a namespace that must not be seen.
    public static let unknownNamespace = Self("unknown_namespace")
    public static let unknownNode = Self("unknown_node")
    public static let unknownBlock = Self("unknown_block")
    public static let unknownDevice = Self("unknown_device")
    public static let unknownLease = Self("unknown_lease")
    public static let unknownConflict = Self("unknown_conflict")
    public static let unknownUser = Self("unknown_user")
    public static let unknownMember = Self("unknown_member")
    public static let unknownLink = Self("unknown_link")
    /// The journal is another one than the client knows.
    public static let resetRequired = Self("reset_required")
    /// What was there is not kept any more.
    public static let historyRemoved = Self("history_removed")
}

// MARK: Why a change is not made

extension SyncCode {
    /// Somebody else was quicker.
    public static let conflict = Self("conflict")
    /// Another device has an exclusive lease.
    public static let locked = Self("locked")
    /// Another operation of those that are done all or none did not go through.
    public static let notAtomic = Self("not_atomic")
    /// An operation had the same id and was another one.
    public static let operationReused = Self("op_id_reused")
    /// A name, a path or the target of a symlink that none may have.
    public static let badPath = Self("bad_path")
    /// Something else, a namespace or a device too, is called so.
    public static let nameTaken = Self("name_taken")
    /// The directory that it was to be in is not there.
    public static let parentMissing = Self("parent_missing")
    /// What is there is of another kind.
    public static let kindMismatch = Self("kind_mismatch")
    /// What is there is not allowed under the policy that is wanted.
    public static let policyNotMet = Self("policy_not_met")
    /// So much would go that a person has to agree.
    public static let massDeleteBlocked = Self("mass_delete_blocked")
    /// A limit of the namespace.
    public static let quotaExceeded = Self("quota_exceeded")
}

// MARK: Content

extension SyncCode {
    /// The list of leaves is of another file than was named.
    public static let badManifest = Self("bad_manifest")
    /// The file that a list of leaves is a difference to is not held.
    public static let unknownBase = Self("unknown_base")
    /// A block is not what its CID says.
    public static let hashMismatch = Self("hash_mismatch")
    /// The CID of a block is by a hash that others may hash to.
    public static let weakHash = Self("weak_hash")
    /// A file was not cut into raw leaves.
    public static let unsupportedChunker = Self("unsupported_chunker")
}

// MARK: The node

extension SyncCode {
    /// The node, or all places where clients wait, cannot take it now.
    public static let unavailable = Self("unavailable")
    /// Others are at what it needs.
    public static let busy = Self("busy")
    /// Content that is named is not in the store.
    public static let damaged = Self("damaged")
    public static let insufficientStorage = Self("insufficient_storage")
}
