extension CID {
    /// The most characters of a CID: base2 of the longest binary form, and the prefix.
    public static let maximumTextCharacters = 1 + 8 * maximumBytes

    /// Reads a CID in any base.
    ///
    /// - Throws: `CIDError`, for a text of any length within microseconds.
    public init(text: String) throws(CIDError) {
        guard text.utf8.count <= Self.maximumTextCharacters else {
            throw .textTooLong(maximum: Self.maximumTextCharacters)
        }
        let characters = Array(text.utf8)
        if characters.count == 46, characters.starts(with: [UInt8(ascii: "Q"), UInt8(ascii: "m")]) {
            self = try Self.version0(characters)
            return
        }
        let bytes: [UInt8]
        do {
            bytes = try Multibase.decode(text).bytes
        } catch {
            throw .multibase(error)
        }
        let cid = try CID(bytes: bytes)
        guard cid.version != 0 else { throw .notVersion0 }
        self = cid
    }

    private static func version0(_ characters: [UInt8]) throws(CIDError) -> CID {
        let bytes: [UInt8]
        do {
            bytes = try Multibase.decodeWithoutPrefix(characters[...], .base58BTC)
        } catch {
            throw .multibase(error)
        }
        let cid = try CID(bytes: bytes)
        guard cid.version == 0 else { throw .notVersion0 }
        return cid
    }

    /// The text in a base.
    ///
    /// - Throws: `notVersion0` for a version 0 CID in any base but base58btc, which it always is in.
    public func text(in base: MultibaseEncoding) throws(CIDError) -> String {
        if version == 0 {
            guard base == .base58BTC else { throw .notVersion0 }
            return description
        }
        return Multibase.encode(bytes, base)
    }
}

extension CID: CustomStringConvertible {
    /// Version 0 in base58btc, version 1 in lower-case base32.
    public var description: String {
        if version == 0 {
            return String(
                decoding: RadixBase.encode(bytes, alphabet: MultibaseEncoding.base58BTC.alphabet),
                as: UTF8.self)
        }
        return Multibase.encode(bytes, .base32)
    }
}

extension Multihash: CustomStringConvertible {
    /// The name of the function and the digest in hex.
    public var description: String {
        let name = MulticodecTable.name(of: code.rawValue) ?? "0x" + String(code.rawValue, radix: 16)
        let digits = Array("0123456789abcdef".utf8)
        var hex: [UInt8] = []
        for byte in digest {
            hex.append(digits[Int(byte >> 4)])
            hex.append(digits[Int(byte & 15)])
        }
        return name + ":" + String(decoding: hex, as: UTF8.self)
    }
}
