import Catalog
public import Multiformats
import Synchronization

/// That a request was allowed, and what is reserved for it.
///
/// Uses and bytes are counted before the work begins. Say what became of it: ``settle(bytes:)`` after it was
/// done, ``giveBack()`` if nothing was done, ``giveBack(keeping:)`` if a part of an upload was stored for
/// nothing. Without any, and after a crash, what was reserved stays used: never more is used than was allowed.
/// An upload that does not say its length reserves all that is left.
public final class Admission: Sendable {
    public let principal: Principal
    /// The most bytes the body may have; stop reading there. `nil` for any number.
    public let maximumBytes: Int64?
    /// The most bytes of each file of a body that brings several, or parts of some; `nil` for any number.
    public let maximumFileBytes: Int64?

    /// The counters that hold a reservation.
    struct Reservation: Sendable {
        /// Each counts the use; those with a limit on bytes hold `bytes` already.
        var limits: [UsageLimit]
        var url: SignedURLLimit?
        var bytes: Int64

        var isEmpty: Bool { limits.isEmpty && url?.maximumUses == nil }
    }

    private let grants: GrantRepository?
    private let brokenUploads: BrokenUploads?
    /// The counters that limit bytes.
    private let byteLimits: [UsageLimit]
    /// The link that was used, if nothing is reserved in its counter; taken by whoever settles first.
    private let uncountedLink: Mutex<GrantID?>
    /// Taken by whoever settles first.
    private let reservation: Mutex<Reservation?>

    private let partRefusal: @Sendable (String?) -> AccessError?

    init(
        _ principal: Principal, maximumBytes: Int64?, maximumFileBytes: Int64? = nil,
        grants: GrantRepository? = nil, brokenUploads: BrokenUploads? = nil,
        reservation: Reservation? = nil,
        partRefusal: @escaping @Sendable (String?) -> AccessError? = { _ in nil }
    ) {
        self.partRefusal = partRefusal
        self.principal = principal
        self.maximumBytes = maximumBytes
        self.maximumFileBytes = maximumFileBytes
        self.grants = grants
        self.brokenUploads = brokenUploads
        byteLimits = (reservation?.limits ?? []).filter { $0.maximumBytes != nil }
        let isCounted = reservation?.limits.contains { $0.grant == principal.grant } ?? false
        uncountedLink = Mutex(principal.source == .link && !isCounted ? principal.grant : nil)
        self.reservation = Mutex(reservation.flatMap { $0.isEmpty ? nil : $0 })
    }

    /// The root that an upload must have, if a signed URL demands one.
    public var requiredRoot: CID? { principal.signedURL?.root }

    /// Checks what was uploaded, before anything is made of it.
    ///
    /// - Throws: `wrongContent`, `tooLarge`.
    public func check(root: CID, bytes: Int64) throws(AccessError) {
        if let maximumBytes, bytes > maximumBytes { throw .tooLarge(bytes: bytes, limit: maximumBytes) }
        if let requiredRoot, requiredRoot.asVersion1 != root.asVersion1 {
            throw .wrongContent(expected: requiredRoot, actual: root)
        }
    }

    /// Checks the type of a part of a form, before it is read.
    ///
    /// - Parameter contentType: as the part says; `nil` if it says nothing.
    /// - Throws: `contentTypeNotAllowed`.
    public func check(contentType: String?) throws(AccessError) {
        if let refusal = partRefusal(contentType) { throw refusal }
    }

    /// Checks the size of one file, before anything of it is stored.
    ///
    /// - Throws: `tooLarge`.
    public func check(fileBytes bytes: Int64) throws(AccessError) {
        guard let maximumFileBytes, bytes > maximumFileBytes else { return }
        throw .tooLarge(bytes: bytes, limit: maximumFileBytes)
    }

    /// Reserves bytes that came, beyond what is reserved, where it was not known before how many would:
    /// before anything of them is stored.
    ///
    /// - Throws: `bytesExhausted`, with nothing reserved, and what the catalog throws.
    public func reserve(bytes: Int64) throws {
        guard bytes > 0, let grants, !byteLimits.isEmpty else { return }
        let claim = UsageClaim(uses: 0, minimumBytes: bytes, maximumBytes: bytes)
        _ = try grants.reserve(claim, within: byteLimits).reservedBytes()
        reservation.withLock { $0?.bytes += bytes }
    }

    /// Something was done that nothing takes back: what is reserved stays counted.
    public func keep() { _ = take() }

    /// The work is done: one use and so many bytes stay counted. A second call does nothing.
    ///
    /// - Throws: `tooLarge` if it was more than was allowed (all that was reserved stays counted then), and what the
    ///   catalog throws.
    public func settle(bytes: Int64 = 0) throws {
        countLink()
        guard let held = take() else { return }
        if let maximumBytes, bytes > maximumBytes {
            throw AccessError.tooLarge(bytes: bytes, limit: maximumBytes)
        }
        try change(held, uses: 0, bytes: max(0, bytes))
    }

    /// Uses of a link are told to who made it also where there is no limit on them. One that cannot be
    /// written, as on a full disk, is not counted: nobody is kept from reading by it.
    private func countLink() {
        let link = uncountedLink.withLock { link in
            defer { link = nil }
            return link
        }
        if let link { try? grants?.adjust([(link, GrantUsage(uses: 1))]) }
    }

    /// Nothing was done: the use and the bytes are given back. A second call does nothing.
    public func giveBack() throws {
        guard let held = take() else { return }
        try change(held, uses: -1, bytes: 0)
    }

    /// It came to nothing, but some of it stays: so many of the bytes stay counted, and the use is given
    /// back, where it is the only limit not without end (``BrokenUploads``). A second call does nothing.
    public func giveBack(keeping bytes: Int64) throws {
        guard bytes > 0 else { return try giveBack() }
        guard let held = take() else { return }
        try change(held, uses: -1, bytes: min(bytes, maximumBytes ?? .max)) { [brokenUploads] limit in
            brokenUploads?.givesBack(limit) ?? true
        }
    }

    private func take() -> Reservation? {
        reservation.withLock { held in
            defer { held = nil }
            return held
        }
    }

    /// - Parameter changesUses: of which counters the uses are changed.
    private func change(
        _ held: Reservation, uses: Int64, bytes: Int64, changesUses: (UsageLimit) -> Bool = { _ in true }
    ) throws {
        var urlUses = uses
        let changes = held.limits.map { limit in
            let reserved = limit.maximumBytes == nil ? 0 : held.bytes
            let isChanged = changesUses(limit)
            if held.url?.grant == limit.grant, !isChanged { urlUses = 0 }
            return (limit.grant, GrantUsage(uses: isChanged ? uses : 0, bytes: bytes &- reserved))
        }
        if let url = held.url, !held.limits.contains(where: { $0.grant == url.grant }) {
            let limit = UsageLimit(grant: url.grant, maximumUses: url.maximumUses, maximumBytes: nil)
            if !changesUses(limit) { urlUses = 0 }
        }
        try grants?.adjust(changes, url: held.url, urlUses: urlUses)
    }
}
