public import IPLD

/// Why bytes are not a record of a name, or cannot become one.
public enum IPNSRecordError: Error, Equatable, Sendable {
    case tooLarge(bytes: Int, maximum: Int)
    case protobuf(ProtobufError)
    /// No signature of version 2; one of version 1 never suffices.
    case noSignature
    case noData
    /// Neither the record nor the name carries the public key.
    case noKey
    /// The key in the record is not that of the name.
    case keyOfAnotherName
    case key(KeyError)
    /// The data is not strict DAG-CBOR.
    case data(IPLDCodecError)
    case missingField(String)
    /// A field of data of the wrong kind.
    case badField(String)
    case negative(String)
    case outOfRange(String)
    case unknownValidityType(UInt64)
    /// The validity is not a moment of RFC 3339.
    case badValidity
    case wrongSignature
    /// A field outside of data says something else than data does.
    case fieldsDiffer(String)
    case expired(at: IPNSTime)
}

extension IPNSRecordError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .tooLarge(let bytes, let maximum):
            "an IPNS record of \(bytes) bytes is refused; \(maximum) are allowed"
        case .protobuf(let error): "not an IPNS record: \(error)"
        case .noSignature:
            "the IPNS record has no signature of version 2; publish it anew with a current program"
        case .noData: "the IPNS record has no signed data; publish it anew with a current program"
        case .noKey: "the public key is neither in the IPNS record nor in the name"
        case .keyOfAnotherName: "the key in the IPNS record does not belong to the name"
        case .key(let error): "the key of the IPNS record cannot be used: \(error)"
        case .data(let error): "the signed data of the IPNS record is not DAG-CBOR: \(error)"
        case .missingField(let field): "the IPNS record lacks the field \(field)"
        case .badField(let field): "the field \(field) of the IPNS record is of the wrong kind"
        case .negative(let field): "the field \(field) of the IPNS record is negative"
        case .outOfRange(let field): "the field \(field) of the IPNS record is too large a number"
        case .unknownValidityType(let type): "validity type \(type) of the IPNS record is unknown; 0 is known"
        case .badValidity: "the validity of the IPNS record is not a time of RFC 3339"
        case .wrongSignature: "the signature of the IPNS record is wrong"
        case .fieldsDiffer(let field): "the field \(field) of the IPNS record does not repeat the signed data"
        case .expired(let time): "the IPNS record was valid until \(time)"
        }
    }
}
