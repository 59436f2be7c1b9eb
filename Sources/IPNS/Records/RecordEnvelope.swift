/// The protobuf around a record, field by field, with nothing concluded from it.
struct RecordEnvelope {
    var value: [UInt8]?
    var signatureV1: [UInt8]?
    var validityType: UInt64?
    var validity: [UInt8]?
    var sequence: UInt64?
    var ttl: UInt64?
    var publicKey: [UInt8]?
    var signatureV2: [UInt8]?
    var data: [UInt8]?

    init() {}

    init(decoding bytes: [UInt8]) throws(IPNSRecordError) {
        guard bytes.count <= IPNSRecord.maximumBytes else {
            throw .tooLarge(bytes: bytes.count, maximum: IPNSRecord.maximumBytes)
        }
        do {
            let message = try ProtobufMessage(bytes)
            value = try message.bytes(1)
            signatureV1 = try message.bytes(2)
            validityType = try message.number(3)
            validity = try message.bytes(4)
            sequence = try message.number(5)
            ttl = try message.number(6)
            publicKey = try message.bytes(7)
            signatureV2 = try message.bytes(8)
            data = try message.bytes(9)
        } catch {
            throw .protobuf(error)
        }
    }

    /// What both versions of the signature need; a record with neither, or with the old one alone, is none.
    func signed() throws(IPNSRecordError) -> (signature: [UInt8], data: [UInt8]) {
        guard let signatureV2, !signatureV2.isEmpty else { throw .noSignature }
        guard let data, !data.isEmpty else { throw .noData }
        return (signatureV2, data)
    }

    /// Whether fields for readers of old are there, which must then repeat the data.
    var hasV1Fields: Bool { signatureV1?.isEmpty == false || value?.isEmpty == false }

    func checkV1Fields(against data: RecordData) throws(IPNSRecordError) {
        guard hasV1Fields else { return }
        guard value ?? [] == data.value else { throw .fieldsDiffer("value") }
        guard validityType ?? 0 == 0 else { throw .fieldsDiffer("validityType") }
        guard validity ?? [] == data.validity else { throw .fieldsDiffer("validity") }
        guard sequence ?? 0 == data.sequence else { throw .fieldsDiffer("sequence") }
        guard ttl ?? 0 == data.ttl ?? 0 else { throw .fieldsDiffer("ttl") }
    }

    /// Ascending fields, each that is there.
    func encoded() -> [UInt8] {
        var bytes: [UInt8] = []
        if let value { ProtobufMessage.append(1, value, to: &bytes) }
        if let signatureV1 { ProtobufMessage.append(2, signatureV1, to: &bytes) }
        if let validityType { ProtobufMessage.append(3, validityType, to: &bytes) }
        if let validity { ProtobufMessage.append(4, validity, to: &bytes) }
        if let sequence { ProtobufMessage.append(5, sequence, to: &bytes) }
        if let ttl { ProtobufMessage.append(6, ttl, to: &bytes) }
        if let publicKey { ProtobufMessage.append(7, publicKey, to: &bytes) }
        if let signatureV2 { ProtobufMessage.append(8, signatureV2, to: &bytes) }
        if let data { ProtobufMessage.append(9, data, to: &bytes) }
        return bytes
    }
}
