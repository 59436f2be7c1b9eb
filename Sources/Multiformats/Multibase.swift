/// Bytes as text that says by its first character which base it is in.
///
/// Spec: multiformats/multibase.
public enum Multibase {
    /// The most characters behind the prefix that a base which is one large number decodes: its cost is
    /// quadratic.
    public static let maximumRadixCharacters = 4096

    /// The text of bytes, prefix first.
    public static func encode(_ bytes: [UInt8], _ base: MultibaseEncoding) -> String {
        String(decoding: base.prefix + encodeWithoutPrefix(bytes, base), as: UTF8.self)
    }

    /// Decodes a text by its prefix.
    ///
    /// - Throws: `MultibaseError`; left-over bits, wrong padding and characters of another base are refused.
    public static func decode(_ text: String) throws(MultibaseError) -> (
        bytes: [UInt8], base: MultibaseEncoding
    ) {
        let characters = Array(text.utf8)
        guard let first = text.first else { throw .empty }
        guard let base = MultibaseEncoding(beginning: characters[...]) else { throw .unknownPrefix(first) }
        return (try decodeWithoutPrefix(characters[base.prefix.count...], base), base)
    }

    static func encodeWithoutPrefix(_ bytes: [UInt8], _ base: MultibaseEncoding) -> [UInt8] {
        switch base.method {
        case .bits(let width):
            BitBase.encode(bytes, alphabet: base.alphabet, width: width, padding: base.padding)
        case .radix: RadixBase.encode(bytes, alphabet: base.alphabet)
        case .base45: Base45.encode(bytes, alphabet: base.alphabet)
        case .base256Emoji: EmojiBase.encode(bytes)
        }
    }

    static func decodeWithoutPrefix(
        _ text: ArraySlice<UInt8>, _ base: MultibaseEncoding
    ) throws(MultibaseError) -> [UInt8] {
        switch base.method {
        case .bits(let width):
            return try BitBase.decode(text, values: base.values, width: width, padding: base.padding)
        case .radix:
            guard text.count <= maximumRadixCharacters else {
                throw .tooLong(maximum: maximumRadixCharacters)
            }
            return try RadixBase.decode(text, values: base.values, radix: base.alphabet.count)
        case .base45:
            return try Base45.decode(text, values: base.values)
        case .base256Emoji:
            return try EmojiBase.decode(text)
        }
    }
}

/// Bases whose characters carry a fixed number of bits: 2, 8, 16, 32, 64.
enum BitBase {
    static func encode(_ bytes: [UInt8], alphabet: [UInt8], width: Int, padding: Bool) -> [UInt8] {
        let mask = UInt32(1 << width) - 1
        let count = (bytes.count * 8 + width - 1) / width
        var text: [UInt8] = []
        text.reserveCapacity(count + 8)
        var buffer: UInt32 = 0
        var bits = 0
        for byte in bytes {
            buffer = buffer << 8 | UInt32(byte)
            bits += 8
            while bits >= width {
                bits -= width
                text.append(alphabet[Int(buffer >> UInt32(bits) & mask)])
            }
        }
        if bits > 0 { text.append(alphabet[Int(buffer << UInt32(width - bits) & mask)]) }
        if padding { while text.count % group(width) != 0 { text.append(UInt8(ascii: "=")) } }
        return text
    }

    static func decode(
        _ text: ArraySlice<UInt8>, values: [UInt8], width: Int, padding: Bool
    ) throws(MultibaseError) -> [UInt8] {
        var body = text
        if padding {
            guard text.count % group(width) == 0 else { throw .invalidLength }
            while body.last == UInt8(ascii: "=") { body = body.dropLast() }
            guard text.count - body.count < group(width) else { throw .invalidLength }
        }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(body.count * width / 8)
        var buffer: UInt32 = 0
        var bits = 0
        for (position, character) in body.enumerated() {
            let value = values[Int(character)]
            guard value != 255 else {
                throw .invalidCharacter(Character(Unicode.Scalar(character)), position: position + 1)
            }
            buffer = buffer << UInt32(width) | UInt32(value)
            bits += width
            if bits >= 8 {
                bits -= 8
                bytes.append(UInt8(truncatingIfNeeded: buffer >> UInt32(bits)))
            }
        }
        // What is left is less than a character carries, and zero.
        guard bits < width, buffer & (1 << UInt32(bits) - 1) == 0 else { throw .invalidLength }
        return bytes
    }

    /// Characters that carry whole bytes together.
    private static func group(_ width: Int) -> Int { width == 5 ? 8 : 4 }
}

/// Bases that write the bytes as one large number, with a first digit for each leading zero byte.
enum RadixBase {
    static func encode(_ bytes: [UInt8], alphabet: [UInt8]) -> [UInt8] {
        let radix = UInt32(alphabet.count)
        let zeros = bytes.prefix { $0 == 0 }.count
        var digits: [UInt8] = []
        digits.reserveCapacity(bytes.count * 2)
        for byte in bytes.dropFirst(zeros) {
            var carry = UInt32(byte)
            for index in digits.indices {
                carry += UInt32(digits[index]) << 8
                digits[index] = UInt8(carry % radix)
                carry /= radix
            }
            while carry > 0 {
                digits.append(UInt8(carry % radix))
                carry /= radix
            }
        }
        return Array(repeating: alphabet[0], count: zeros) + digits.reversed().map { alphabet[Int($0)] }
    }

    static func decode(_ text: ArraySlice<UInt8>, values: [UInt8], radix: Int) throws(MultibaseError)
        -> [UInt8]
    {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(text.count)
        var zeros = 0
        for (position, character) in text.enumerated() {
            let value = values[Int(character)]
            guard value != 255 else {
                throw .invalidCharacter(Character(Unicode.Scalar(character)), position: position + 1)
            }
            if value == 0 && zeros == position {
                zeros += 1
                continue
            }
            var carry = UInt32(value)
            for index in bytes.indices {
                carry += UInt32(bytes[index]) * UInt32(radix)
                bytes[index] = UInt8(truncatingIfNeeded: carry)
                carry >>= 8
            }
            while carry > 0 {
                bytes.append(UInt8(truncatingIfNeeded: carry))
                carry >>= 8
            }
        }
        return Array(repeating: 0, count: zeros) + bytes.reversed()
    }
}

/// Base45: two bytes in three characters, least significant first. Spec: RFC 9285.
enum Base45 {
    static func encode(_ bytes: [UInt8], alphabet: [UInt8]) -> [UInt8] {
        var text: [UInt8] = []
        for start in stride(from: 0, to: bytes.count, by: 2) {
            let isPair = start + 1 < bytes.count
            var number = isPair ? Int(bytes[start]) << 8 | Int(bytes[start + 1]) : Int(bytes[start])
            for _ in 0..<(isPair ? 3 : 2) {
                text.append(alphabet[number % 45])
                number /= 45
            }
        }
        return text
    }

    static func decode(_ text: ArraySlice<UInt8>, values: [UInt8]) throws(MultibaseError) -> [UInt8] {
        let text = Array(text)
        guard text.count % 3 != 1 else { throw .invalidLength }
        var bytes: [UInt8] = []
        for start in stride(from: 0, to: text.count, by: 3) {
            var number = 0
            var scale = 1
            let end = min(start + 3, text.count)
            for index in start..<end {
                let value = values[Int(text[index])]
                guard value != 255 else {
                    throw .invalidCharacter(Character(Unicode.Scalar(text[index])), position: index + 1)
                }
                number += Int(value) * scale
                scale *= 45
            }
            guard number < (end - start == 3 ? 65536 : 256) else { throw .invalidLength }
            if end - start == 3 { bytes.append(UInt8(number >> 8)) }
            bytes.append(UInt8(number & 0xFF))
        }
        return bytes
    }
}
