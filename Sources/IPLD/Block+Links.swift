public import Multiformats

extension Block {
    /// The CIDs that the block links to, in its order, repeated where the block repeats them.
    ///
    /// Raw blocks and blocks of unknown codecs have none; plain CBOR and JSON carry no links by definition.
    public func links() throws -> [CID] {
        switch cid.codec {
        case .dagPB: try DAGPBNode.links(of: bytes)
        default: []
        }
    }

    /// Whether blocks of a codec can link to others, so that it is worth reading them.
    public static func canLink(_ codec: Codec) -> Bool {
        codec == .dagPB || codec == .dagCBOR || codec == .dagJSON
    }
}
