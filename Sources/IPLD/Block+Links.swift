public import Multiformats

extension Block {
    /// The CIDs that the block links to, in its order, repeated where the block repeats them.
    ///
    /// Raw blocks and blocks of unknown codecs have none; plain CBOR and JSON carry no links by definition.
    /// DAG-CBOR need not be in its one form for this (``DAGCBOR/Dialect/links``); ``value(limits:)`` is strict.
    ///
    /// - Throws: `DAGPBError`, `IPLDCodecError` if the block is not what its codec says.
    public func links() throws -> [CID] {
        switch cid.codec {
        case .dagPB: return try DAGPBNode.links(of: bytes)
        case .dagCBOR, .dagJSON:
            var links: [CID] = []
            let value = cid.codec == .dagCBOR ? try DAGCBOR.decode(bytes, dialect: .links) : try value()
            value.appendLinks(to: &links)
            return links
        default: return []
        }
    }

    /// Whether blocks of a codec can link to others, so that it is worth reading them.
    public static func canLink(_ codec: Codec) -> Bool {
        codec == .dagPB || codec == .dagCBOR || codec == .dagJSON
    }

    /// The block in the data model; raw blocks and those of unknown codecs are bytes.
    public func value(limits: IPLDLimits = IPLDLimits()) throws -> IPLDValue {
        switch cid.codec {
        case .dagPB: try DAGPBNode(decoding: bytes).value()
        case .dagCBOR: try DAGCBOR.decode(bytes, limits: limits)
        case .cbor: try DAGCBOR.decode(bytes, dialect: .plainCBOR, limits: limits)
        case .dagJSON: try DAGJSON.decode(bytes, limits: limits)
        case .json: try DAGJSON.decode(bytes, dialect: .plainJSON, limits: limits)
        default: .bytes(bytes)
        }
    }
}

extension IPLDValue {
    /// The block bytes of a value in a codec.
    ///
    /// - Throws: `cannotEncode` for codecs that are not written here and values that the codec cannot carry.
    public func encoded(as codec: Codec) throws(IPLDCodecError) -> [UInt8] {
        switch codec {
        case .dagCBOR, .cbor: return try DAGCBOR.encode(self)
        case .dagJSON, .json: return try DAGJSON.encode(self)
        case .dagPB: return try DAGPBNode(self).encoded()
        case .raw:
            guard case .bytes(let bytes) = self else { throw .cannotEncode("anything but bytes as raw") }
            return bytes
        default:
            throw .cannotEncode("a value in codec 0x\(String(codec.rawValue, radix: 16))")
        }
    }
}
