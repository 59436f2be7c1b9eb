import Multiformats

/// The keys of the index. Format: docs/formats/index.md.
enum IndexKey {
    static let blockPrefix: [UInt8] = [UInt8(ascii: "b")]
    static let packPrefix: [UInt8] = [UInt8(ascii: "p")]
    static let scopePrefix: [UInt8] = [UInt8(ascii: "s")]
    static let stop: [UInt8] = Array("mstop".utf8)
    static let synced: [UInt8] = Array("msynced".utf8)
    static let uncertainMarks: [UInt8] = Array("mmarks".utf8)

    /// A moment as a value.
    static func value(of time: UInt64) -> [UInt8] { withUnsafeBytes(of: time.bigEndian) { Array($0) } }

    /// The moment in a value; the beginning of time if it is damaged, which costs work and loses nothing.
    static func time(in value: [UInt8]?) -> UInt64 {
        guard let value, value.count == 8 else { return 0 }
        return value.reduce(0) { $0 << 8 | UInt64($1) }
    }

    static func block(_ multihash: Multihash) -> [UInt8] {
        var key: [UInt8] = []
        key.reserveCapacity(1 + multihash.byteCount)
        key.append(UInt8(ascii: "b"))
        multihash.append(to: &key)
        return key
    }

    static func pack(_ number: UInt64) -> [UInt8] {
        packPrefix + withUnsafeBytes(of: number.bigEndian) { Array($0) }
    }

    static func scope(_ scope: UInt32, _ multihash: Multihash) -> [UInt8] {
        var key = scopePrefix + withUnsafeBytes(of: scope.bigEndian) { Array($0) }
        multihash.append(to: &key)
        return key
    }

    /// The multihash of a block's key; `nil` if the key is damaged.
    static func multihash(of key: UnsafeRawBufferPointer) -> Multihash? {
        guard key.count > 1 else { return nil }
        let bytes = [UInt8](key.dropFirst())
        var offset = 0
        guard let multihash = try? Multihash.decode(bytes.span.bytes, at: &offset), offset == bytes.count
        else {
            return nil
        }
        return multihash
    }
}
