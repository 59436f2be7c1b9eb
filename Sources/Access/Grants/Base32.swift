/// Crockford's base32 in capitals, most significant bit first; the bits left over in the last character are zero.
enum Base32 {
    private static let alphabet = Array("0123456789ABCDEFGHJKMNPQRSTVWXYZ".utf8)

    static func length(ofBytes count: Int) -> Int { (count * 8 + 4) / 5 }

    static func encode(_ bytes: some Sequence<UInt8>) -> String {
        var text: [UInt8] = []
        var (bits, count) = (UInt32(0), 0)
        for byte in bytes {
            bits = bits << 8 | UInt32(byte)
            count += 8
            while count >= 5 {
                count -= 5
                text.append(alphabet[Int(bits >> UInt32(count) & 31)])
            }
            bits &= (1 << UInt32(count)) - 1
        }
        if count > 0 { text.append(alphabet[Int(bits << UInt32(5 - count) & 31)]) }
        return String(decoding: text, as: UTF8.self)
    }

    /// - Returns: `nil` unless it is exactly what ``encode(_:)`` makes of so many bytes.
    static func decode(_ text: some Collection<UInt8>, count: Int) -> [UInt8]? {
        guard text.count == length(ofBytes: count) else { return nil }
        var bytes: [UInt8] = []
        var (bits, free) = (UInt32(0), 0)
        for character in text {
            guard let value = alphabet.firstIndex(of: character) else { return nil }
            bits = bits << 5 | UInt32(value)
            free += 5
            if free >= 8 {
                free -= 8
                bytes.append(UInt8(truncatingIfNeeded: bits >> UInt32(free)))
                bits &= (1 << UInt32(free)) - 1
            }
        }
        return bits == 0 && bytes.count == count ? bytes : nil
    }
}

/// CRC-32 as in ISO 3309 (zip, PNG): any change of one character, and any two that changed places, are found.
enum CRC32 {
    private static let table: [UInt32] = (0..<256).map { index in
        (0..<8).reduce(UInt32(index)) { value, _ in value >> 1 ^ (value & 1 == 1 ? 0xEDB8_8320 : 0) }
    }

    static func of(_ bytes: some Sequence<UInt8>) -> UInt32 {
        ~bytes.reduce(~0) { $0 >> 8 ^ table[Int(UInt8(truncatingIfNeeded: $0) ^ $1)] }
    }

    static func bytes(of bytes: some Sequence<UInt8>) -> [UInt8] {
        let sum = of(bytes)
        return [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: sum >> $0) }
    }
}
