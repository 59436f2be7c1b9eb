public import Multiformats

extension IPNSRecord {
    /// Reads a record without asking whose it is: one that was validated when it came, or for showing.
    public init(decoding bytes: [UInt8]) throws(IPNSRecordError) {
        let envelope = try RecordEnvelope(decoding: bytes)
        _ = try envelope.signed()
        try self.init(envelope, bytes: bytes, publicKey: try Self.publicKey(in: envelope))
    }

    /// Reads a record of a name and checks everything that can be wrong with it, in the order of the spec: size,
    /// signature and data present, key of the name, data, signature, old fields, validity.
    ///
    /// - Throws: the first failure.
    public init(
        validating bytes: [UInt8], for name: PeerID, at now: IPNSTime
    ) throws(IPNSRecordError) {
        let envelope = try RecordEnvelope(decoding: bytes)
        let (signature, data) = try envelope.signed()
        let key = try Self.key(of: name, in: envelope)
        _ = try RecordData(decoding: data)
        try Self.check(signature, of: data, by: key)
        try self.init(envelope, bytes: bytes, publicKey: try Self.publicKey(in: envelope))
        guard validUntil > now else { throw .expired(at: validUntil) }
    }

    /// Checks that the record is one of `name` and still valid.
    public func validate(for name: PeerID, at now: IPNSTime) throws(IPNSRecordError) {
        _ = try IPNSRecord(validating: bytes, for: name, at: now)
    }

    private init(
        _ envelope: RecordEnvelope, bytes: [UInt8], publicKey: PublicKey?
    ) throws(IPNSRecordError) {
        let (signature, encoded) = try envelope.signed()
        let data = try RecordData(decoding: encoded)
        try envelope.checkV1Fields(against: data)
        guard let validUntil = IPNSTime(text: data.validity) else { throw .badValidity }
        self.init(
            bytes: bytes, data: data, validUntil: validUntil, publicKey: publicKey,
            hasV1Fields: envelope.hasV1Fields, signatureV2: signature, encodedData: encoded)
    }

    private static func publicKey(in envelope: RecordEnvelope) throws(IPNSRecordError) -> PublicKey? {
        guard let bytes = envelope.publicKey, !bytes.isEmpty else { return nil }
        do {
            return try PublicKey(protobuf: bytes)
        } catch {
            throw .key(error)
        }
    }

    /// The key in the record if there is one, else the one within the name; it must be the key of the name.
    private static func key(
        of name: PeerID, in envelope: RecordEnvelope
    ) throws(IPNSRecordError) -> PublicKey {
        do {
            if let key = try publicKey(in: envelope) {
                guard try key.peerID == name else { throw IPNSRecordError.keyOfAnotherName }
                return key
            }
            if let key = try PublicKey(inlineIn: name) { return key }
        } catch let error as KeyError {
            throw .key(error)
        } catch let error as IPNSRecordError {
            throw error
        } catch {
            throw .noKey
        }
        throw .noKey
    }

    /// What signatureV2 is made over: a prefix that keeps it apart from every other signature of the key.
    static func signedBytes(_ data: [UInt8]) -> [UInt8] { Array("ipns-signature:".utf8) + data }

    private static func check(
        _ signature: [UInt8], of data: [UInt8], by key: PublicKey
    ) throws(IPNSRecordError) {
        let isValid: Bool
        do {
            isValid = try key.isValidSignature(signature, of: signedBytes(data))
        } catch {
            throw .key(error)
        }
        guard isValid else { throw .wrongSignature }
    }
}
