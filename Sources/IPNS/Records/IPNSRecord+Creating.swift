import Multiformats

/// What a new record is to say.
public struct IPNSRecordDraft: Hashable, Sendable {
    public var target: ContentPath
    public var sequence: UInt64
    public var validUntil: IPNSTime
    public var ttl = IPNSRecord.defaultTTL
    public var fields = Fields.bothVersions

    /// Whom a record is written for.
    public enum Fields: Hashable, Sendable {
        /// As Kubo writes them: readers of before 2021 understand the record too.
        case bothVersions
        /// Only what counts: half the size.
        case onlyV2
    }

    public init(target: ContentPath, sequence: UInt64, validUntil: IPNSTime) {
        self.target = target
        self.sequence = sequence
        self.validUntil = validUntil
    }
}

extension IPNSRecord {
    /// Writes and signs a record.
    ///
    /// - Throws: `tooLarge`, `negative` for a TTL below zero, `outOfRange` for numbers of 64 bits, `key`.
    public init(signing draft: IPNSRecordDraft, with key: PrivateKey) throws(IPNSRecordError) {
        guard draft.ttl >= .zero else { throw .negative("TTL") }
        guard draft.sequence <= UInt64(Int64.max) else { throw .outOfRange("Sequence") }
        let (seconds, attoseconds) = draft.ttl.components
        let (product, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        let (ttl, more) = product.addingReportingOverflow(attoseconds / 1_000_000_000)
        guard !overflow, !more else { throw .outOfRange("TTL") }
        let data = RecordData(
            value: Array(draft.target.description.utf8), validity: draft.validUntil.recordText,
            sequence: draft.sequence, ttl: UInt64(ttl))
        var envelope = RecordEnvelope()
        let encoded = try data.encoded()
        envelope.data = encoded
        do {
            envelope.signatureV2 = try key.signature(of: Self.signedBytes(encoded))
            if draft.fields == .bothVersions {
                envelope.signatureV1 = try key.signature(
                    of: data.value + data.validity + Array("EOL".utf8))
            }
            // A name that is a hash does not carry the key.
            if try key.publicKey.peerID.multihash.code != .identity {
                envelope.publicKey = key.publicKey.protobuf
            }
        } catch {
            throw .key(error)
        }
        if draft.fields == .bothVersions {
            envelope.value = data.value
            envelope.validityType = 0
            envelope.validity = data.validity
            envelope.sequence = data.sequence
            envelope.ttl = data.ttl
        }
        try self.init(decoding: envelope.encoded())
    }
}
