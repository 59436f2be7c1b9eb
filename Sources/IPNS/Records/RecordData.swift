import IPLD

/// The signed part of a record: DAG-CBOR of the fields that count.
struct RecordData {
    var value: [UInt8]
    var validity: [UInt8]
    var sequence: UInt64
    /// Nanoseconds; `nil` if the record does not say.
    var ttl: UInt64?

    /// Maps and lists within one another that data may carry besides its own fields.
    private static let maximumDepth = 8

    init(value: [UInt8], validity: [UInt8], sequence: UInt64, ttl: UInt64?) {
        self.value = value
        self.validity = validity
        self.sequence = sequence
        self.ttl = ttl
    }

    /// Keys of others may stand beside the known ones; they are signed and mean nothing here.
    init(decoding bytes: [UInt8]) throws(IPNSRecordError) {
        let map: IPLDValue
        do {
            var limits = IPLDLimits()
            limits.blockBytes = IPNSRecord.maximumBytes
            limits.depth = Self.maximumDepth
            map = try DAGCBOR.decode(bytes, limits: limits)
        } catch {
            throw .data(error)
        }
        value = try Self.bytes("Value", in: map)
        validity = try Self.bytes("Validity", in: map)
        guard let type = try Self.number("ValidityType", in: map) else { throw .missingField("ValidityType") }
        guard type == 0 else { throw .unknownValidityType(type) }
        guard let sequence = try Self.number("Sequence", in: map) else { throw .missingField("Sequence") }
        self.sequence = sequence
        ttl = try Self.number("TTL", in: map)
    }

    func encoded() throws(IPNSRecordError) -> [UInt8] {
        var entries = [
            IPLDEntry(key: "Sequence", value: .integer(Int128(sequence))),
            IPLDEntry(key: "Validity", value: .bytes(validity)),
            IPLDEntry(key: "ValidityType", value: .integer(0)),
            IPLDEntry(key: "Value", value: .bytes(value)),
        ]
        if let ttl { entries.append(IPLDEntry(key: "TTL", value: .integer(Int128(ttl)))) }
        do {
            return try DAGCBOR.encode(.map(entries))
        } catch {
            throw .data(error)
        }
    }

    private static func bytes(_ key: String, in map: IPLDValue) throws(IPNSRecordError) -> [UInt8] {
        switch map[key: key] {
        case .bytes(let bytes): return bytes
        case nil: throw .missingField(key)
        default: throw .badField(key)
        }
    }

    /// Numbers have 63 bits: what a signed 64-bit integer, and so everybody's database, can hold.
    private static func number(_ key: String, in map: IPLDValue) throws(IPNSRecordError) -> UInt64? {
        switch map[key: key] {
        case .integer(let number):
            guard number >= 0 else { throw .negative(key) }
            guard number <= Int128(Int64.max) else { throw .outOfRange(key) }
            return UInt64(number)
        case nil: return nil
        default: throw .badField(key)
        }
    }
}
