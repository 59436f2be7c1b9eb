/// MurmurHash3, the variant of 128 bits for 64-bit machines, of which HAMTs use the first half.
///
/// Not a cryptographic hash: names that collide can be made at will, so depth is limited by the bits there
/// are.
///
/// Spec: UnixFS, "HAMT sharded directory" (hash function 0x22, murmur3-x64-64).
enum Murmur3 {
    /// The code of the function in the multicodec table.
    static let code: UInt64 = 0x22

    /// The first 64 bits of the hash with seed 0, as a number: its highest bits choose the slot nearest to
    /// the root.
    static func hash64(_ bytes: UnsafeRawBufferPointer) -> UInt64 {
        var h1: UInt64 = 0
        var h2: UInt64 = 0
        let blocks = bytes.count / 16
        for block in 0..<blocks {
            h1 ^= mix1(word(bytes, block * 16))
            h1 = (rotate(h1, 27) &+ h2) &* 5 &+ 0x52DC_E729
            h2 ^= mix2(word(bytes, block * 16 + 8))
            h2 = (rotate(h2, 31) &+ h1) &* 5 &+ 0x3849_5AB5
        }
        let start = blocks * 16
        let rest = bytes.count - start
        if rest > 8 { h2 ^= mix2(partialWord(bytes, start + 8, rest - 8)) }
        if rest > 0 { h1 ^= mix1(partialWord(bytes, start, min(rest, 8))) }
        let count = UInt64(bytes.count)
        h1 ^= count
        h2 ^= count
        h1 &+= h2
        h2 &+= h1
        return finish(h1) &+ finish(h2)
    }

    static func hash64(_ bytes: [UInt8]) -> UInt64 { bytes.withUnsafeBytes { hash64($0) } }

    private static func word(_ bytes: UnsafeRawBufferPointer, _ offset: Int) -> UInt64 {
        UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
    }

    private static func partialWord(_ bytes: UnsafeRawBufferPointer, _ offset: Int, _ count: Int) -> UInt64 {
        var value: UInt64 = 0
        for index in 0..<count { value |= UInt64(bytes[offset + index]) << UInt64(8 * index) }
        return value
    }

    private static func rotate(_ value: UInt64, _ bits: UInt64) -> UInt64 {
        value << bits | value >> (64 - bits)
    }

    private static func mix1(_ value: UInt64) -> UInt64 {
        rotate(value &* 0x87C3_7B91_1142_53D5, 31) &* 0x4CF5_AD43_2745_937F
    }

    private static func mix2(_ value: UInt64) -> UInt64 {
        rotate(value &* 0x4CF5_AD43_2745_937F, 33) &* 0x87C3_7B91_1142_53D5
    }

    private static func finish(_ value: UInt64) -> UInt64 {
        var value = value
        value ^= value >> 33
        value &*= 0xFF51_AFD7_ED55_8CCD
        value ^= value >> 33
        value &*= 0xC4CE_B9FE_1A85_EC53
        return value ^ value >> 33
    }
}
