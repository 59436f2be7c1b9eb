/// The name of a libp2p peer, which is also the name of its IPNS record: the multihash of its public key.
///
/// As text `12D3KooW…` or `Qm…` (base58btc of the bare multihash), or as a CID of codec libp2p-key, in base36
/// by custom.
///
/// Spec: libp2p/specs, "peer-ids"; ipfs/specs, "IPNS", names.
public struct PeerID: Hashable, Sendable {
    /// Identity for keys of at most 42 bytes (Ed25519), else sha2-256.
    public let multihash: Multihash

    public init(multihash: Multihash) throws(CIDError) {
        guard multihash.code == .identity || multihash.code == .sha2_256 else {
            throw .multihash(.unknownFunction(code: multihash.code.rawValue))
        }
        self.multihash = multihash
    }

    /// Reads either form.
    ///
    /// - Throws: `CIDError`, also for a CID of another codec than libp2p-key.
    public init(text: String) throws(CIDError) {
        guard text.utf8.count <= CID.maximumTextCharacters else {
            throw .textTooLong(maximum: CID.maximumTextCharacters)
        }
        if text.hasPrefix("1") || text.hasPrefix("Qm") {
            do {
                let bytes = try Multibase.decodeWithoutPrefix(Array(text.utf8)[...], .base58BTC)
                var offset = 0
                let multihash = try Multihash.decode(bytes.span.bytes, at: &offset)
                guard offset == bytes.count else {
                    throw MultihashError.trailingBytes(count: bytes.count - offset)
                }
                try self.init(multihash: multihash)
            } catch let error as MultibaseError {
                throw .multibase(error)
            } catch let error as MultihashError {
                throw .multihash(error)
            } catch let error as CIDError {
                throw error
            } catch {
                throw .notVersion0
            }
            return
        }
        let cid = try CID(text: text)
        // Records of old wrote the codec dag-pb; readers take both.
        guard cid.codec == .libp2pKey || cid.codec == .dagPB else { throw .wrongCodec(cid.codec) }
        try self.init(multihash: cid.multihash)
    }

    /// The form of a CID: version 1, codec libp2p-key.
    public var cid: CID { CID(codec: .libp2pKey, multihash: multihash) }

    /// The IPNS name: the CID in base36, short enough for a host name.
    public var ipnsName: String { Multibase.encode(cid.bytes, .base36) }
}

extension PeerID: CustomStringConvertible {
    /// `12D3KooW…` or `Qm…`.
    public var description: String {
        String(
            decoding: RadixBase.encode(multihash.bytes, alphabet: MultibaseEncoding.base58BTC.alphabet),
            as: UTF8.self)
    }
}
