/// A signed statement of who holds the key of a name: where the name points, until when, and how long that
/// may be cached.
///
/// Binary form, at most ``maximumBytes``: a protobuf of 1 value, 2 signatureV1, 3 validityType, 4 validity,
/// 5 sequence, 6 ttl, 7 public key, 8 signatureV2, 9 data. Only data counts, which is DAG-CBOR and signed by
/// signatureV2; the other fields repeat it for readers of old. `docs/formats/ipns.md` has the drawing.
///
/// A value of this type is well formed. Whether its signature is that of a name, and whether it is still
/// valid, is for ``validate(for:at:)`` to say.
///
/// Spec: ipfs/specs, "IPNS Record and Protocol"; IPIP-428.
public struct IPNSRecord: Sendable {
    /// The record as it travels and is kept.
    public let bytes: [UInt8]
    /// Where the name points, as it stands in the record; ``target`` reads it.
    public let value: [UInt8]
    /// Goes up by one with each new value.
    public let sequence: UInt64
    /// The record says nothing any more from this moment on.
    public let validUntil: IPNSTime
    /// How long a resolver may rely on the record without looking again, as the record says it.
    public let statedTTL: Duration?
    /// The key that the record carries, which names that are a hash need.
    public let publicKey: PublicKey?
    /// Whether the fields for readers of old are there.
    public let hasV1Fields: Bool

    let signatureV2: [UInt8]
    let data: [UInt8]

    /// The most bytes of a record.
    public static let maximumBytes = 10 * 1024
    /// What holds where a record does not say.
    public static let defaultTTL = Duration.seconds(300)

    /// How long the record may be relied on.
    public var ttl: Duration { statedTTL ?? Self.defaultTTL }

    /// How long an answer that is made from the record may be cached: its TTL, and never beyond its end.
    public func remainingTTL(at now: IPNSTime) -> Duration {
        max(.zero, min(ttl, validUntil.since(now)))
    }

    /// Where the name points.
    ///
    /// - Throws: `ContentPathError`: a record can be valid and point nowhere.
    public var target: ContentPath {
        get throws(ContentPathError) { try ContentPath(value) }
    }

    /// Whether this record is to be preferred to another one of the same name: higher sequence, then longer validity,
    /// then greater bytes, so that everybody chooses the same one.
    public func isNewer(than other: IPNSRecord) -> Bool {
        if sequence != other.sequence { return sequence > other.sequence }
        if validUntil != other.validUntil { return validUntil > other.validUntil }
        return other.bytes.lexicographicallyPrecedes(bytes)
    }

    init(
        bytes: [UInt8], data: RecordData, validUntil: IPNSTime, publicKey: PublicKey?, hasV1Fields: Bool,
        signatureV2: [UInt8], encodedData: [UInt8]
    ) {
        self.bytes = bytes
        value = data.value
        sequence = data.sequence
        self.validUntil = validUntil
        statedTTL = data.ttl.map { .nanoseconds(Int64(clamping: $0)) }
        self.publicKey = publicKey
        self.hasV1Fields = hasV1Fields
        self.signatureV2 = signatureV2
        self.data = encodedData
    }
}

extension IPNSRecord: Hashable {
    /// Two records are equal if their bytes are.
    public static func == (a: IPNSRecord, b: IPNSRecord) -> Bool { a.bytes == b.bytes }
    public func hash(into hasher: inout Hasher) { hasher.combine(bytes) }
}
