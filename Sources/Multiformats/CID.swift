/// A content identifier: how to decode a block, and which bytes it must hash to.
///
/// Binary form: version varint, codec varint, multihash. A version 0 CID is a bare
/// sha2-256 multihash of 34 bytes and always means DAG-PB.
///
/// Spec: multiformats/cid, "How does it work?"
public struct CID: Hashable, Sendable {
    /// 0 or 1.
    public let version: UInt8
    public let codec: Codec
    public let multihash: Multihash

    /// The most bytes that a CID with a multihash within limits can take: three varints and the digest.
    public static let maximumBytes = 1 + 9 + 9 + 2 + Multihash.maximumDigestBytes

    /// A version 1 CID.
    @inlinable
    public init(codec: Codec, multihash: Multihash) {
        version = 1
        self.codec = codec
        self.multihash = multihash
    }

    /// A version 0 CID: DAG-PB by sha2-256.
    ///
    /// - Throws: `notVersion0` if the multihash is of another function.
    public init(version0 multihash: Multihash) throws(CIDError) {
        guard multihash.code == .sha2_256 else { throw .notVersion0 }
        version = 0
        codec = .dagPB
        self.multihash = multihash
    }

    /// Decodes a whole CID: no byte may be left over.
    public init(_ bytes: RawSpan) throws(CIDError) {
        var offset = 0
        self = try CID.decode(bytes, at: &offset)
        guard offset == bytes.byteCount else { throw .trailingBytes(count: bytes.byteCount - offset) }
    }

    /// Decodes a whole CID: no byte may be left over.
    public init(bytes: [UInt8]) throws(CIDError) {
        self = try CID(bytes.span.bytes)
    }

    /// Decodes the CID at `offset` and moves `offset` behind it.
    ///
    /// - Throws: `CIDError`; `offset` does not move then.
    public static func decode(_ bytes: RawSpan, at offset: inout Int) throws(CIDError) -> CID {
        var index = offset
        let left = bytes.byteCount - index
        if left >= 2,
            bytes.unsafeLoad(fromByteOffset: index, as: UInt8.self) == 0x12,
            bytes.unsafeLoad(fromByteOffset: index + 1, as: UInt8.self) == 0x20
        {
            guard left >= 34 else { throw .multihash(.truncated(expected: 32, actual: left - 2)) }
            let digest = bytes.extracting((index + 2)..<(index + 34))
            offset = index + 34
            return CID(uncheckedVersion0: Multihash(uncheckedCode: .sha2_256, digest: digest))
        }
        let version: UInt64
        let codec: UInt64
        do {
            version = try Varint.decode(bytes, at: &index)
            guard version == 1 else { throw CIDError.unknownVersion(version) }
            codec = try Varint.decode(bytes, at: &index)
        } catch let error as VarintError {
            throw .varint(error)
        } catch let error as CIDError {
            throw error
        } catch {
            throw .varint(.truncated)
        }
        let multihash: Multihash
        do {
            multihash = try Multihash.decode(bytes, at: &index)
        } catch {
            throw .multihash(error)
        }
        offset = index
        return CID(codec: Codec(rawValue: codec), multihash: multihash)
    }

    init(uncheckedVersion0 multihash: Multihash) {
        version = 0
        codec = .dagPB
        self.multihash = multihash
    }

    /// The size of the binary form.
    @inlinable
    public var byteCount: Int {
        version == 0 ? 34 : 1 + Varint.size(of: codec.rawValue) + multihash.byteCount
    }

    /// The binary form.
    public var bytes: [UInt8] {
        var result: [UInt8] = []
        result.reserveCapacity(byteCount)
        append(to: &result)
        return result
    }

    /// Appends the binary form.
    @inlinable
    public func append(to bytes: inout [UInt8]) {
        if version == 1 {
            bytes.append(1)
            Varint.append(codec.rawValue, to: &bytes)
        }
        multihash.append(to: &bytes)
    }

    /// The same content as version 1.
    @inlinable
    public var asVersion1: CID { CID(codec: codec, multihash: multihash) }

    /// Whether the CID carries its block within itself.
    @inlinable
    public var isIdentity: Bool { multihash.code == .identity }
}

/// Why bytes or a text are not a CID.
public enum CIDError: Error, Equatable, Sendable {
    case varint(VarintError)
    case multihash(MultihashError)
    case multibase(MultibaseError)
    case unknownVersion(UInt64)
    /// Version 0 means DAG-PB by sha2-256, in base58btc, and nothing else.
    case notVersion0
    case trailingBytes(count: Int)
    /// A codec that does not belong where the CID stands.
    case wrongCodec(Codec)
    /// A text of more characters than any CID within limits has.
    case textTooLong(maximum: Int)
}

extension CIDError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .varint(let error): "not a CID: \(error)"
        case .multihash(let error): "not a usable CID: \(error)"
        case .multibase(let error): "not a CID: \(error)"
        case .unknownVersion(let version): "CID version \(version) does not exist; known are 0 and 1"
        case .notVersion0: "a version 0 CID is always DAG-PB by sha2-256 in base58btc; use version 1"
        case .trailingBytes(let count): "not a CID: \(count) bytes follow it"
        case .wrongCodec(let codec):
            "codec \(MulticodecTable.name(of: codec.rawValue) ?? "0x" + String(codec.rawValue, radix: 16)) does not belong here"
        case .textTooLong(let maximum): "not a CID: the text has more than \(maximum) characters"
        }
    }
}
