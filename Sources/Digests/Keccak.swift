/// Keccak as it was submitted to the SHA-3 competition: the sponge of SHA-3 with the older padding.
///
/// libgcrypt offers only the SHA-3 of the standard, whose padding differs in two bits.
///
/// Spec: The Keccak reference, version 3.0, sections 1.1 and 1.2; FIPS 202, section 3 for the permutation.
struct Keccak: IncrementalDigest {
    private let digestBytes: Int
    /// How many bytes of the state take input before it is permuted.
    private let rate: Int
    /// 5 by 5 lanes: lane (x, y) at x + 5 * y.
    private var lanes = [UInt64](repeating: 0, count: 25)
    /// How many bytes of the state the unfinished block has filled.
    private var filled = 0

    init(digestBytes: Int) {
        self.digestBytes = digestBytes
        rate = 200 - 2 * digestBytes
    }

    mutating func update(_ bytes: UnsafeRawBufferPointer) {
        var index = 0
        while index < bytes.count {
            if filled % 8 == 0 && bytes.count - index >= 8 {
                let word = bytes.loadUnaligned(fromByteOffset: index, as: UInt64.self)
                lanes[filled / 8] ^= UInt64(littleEndian: word)
                index += 8
                filled += 8
            } else {
                absorb(bytes[index])
                index += 1
            }
            if filled == rate {
                permute()
                filled = 0
            }
        }
    }

    mutating func finish() -> [UInt8] {
        absorb(0x01)
        filled = rate - 1
        absorb(0x80)
        permute()
        return (0..<digestBytes).map { UInt8(truncatingIfNeeded: lanes[$0 / 8] >> (8 * UInt64($0 % 8))) }
    }

    private mutating func absorb(_ byte: UInt8) {
        lanes[filled / 8] ^= UInt64(byte) << (8 * UInt64(filled % 8))
        filled += 1
    }

    /// Keccak-f[1600]: 24 rounds of theta, rho, pi, chi and iota.
    private mutating func permute() {
        lanes.withUnsafeMutableBufferPointer { lanes in
            for constant in Self.roundConstants {
                Self.theta(lanes)
                Self.rhoAndPi(lanes)
                Self.chi(lanes)
                lanes[0] ^= constant
            }
        }
    }

    private static func theta(_ lanes: UnsafeMutableBufferPointer<UInt64>) {
        var parity: InlineArray<5, UInt64> = .init(repeating: 0)
        for x in 0..<5 {
            parity[x] = lanes[x] ^ lanes[x + 5] ^ lanes[x + 10] ^ lanes[x + 15] ^ lanes[x + 20]
        }
        for x in 0..<5 {
            let change = parity[(x + 4) % 5] ^ rotate(parity[(x + 1) % 5], by: 1)
            for y in 0..<5 { lanes[x + 5 * y] ^= change }
        }
    }

    /// Walks the one cycle that pi makes of the 24 lanes other than the first; the t-th step rotates by
    /// the t-th triangular number.
    private static func rhoAndPi(_ lanes: UnsafeMutableBufferPointer<UInt64>) {
        var x = 1
        var y = 0
        var moved = lanes[1]
        for step in 0..<24 {
            (x, y) = (y, (2 * x + 3 * y) % 5)
            let rotated = rotate(moved, by: UInt64((step + 1) * (step + 2) / 2 % 64))
            moved = lanes[x + 5 * y]
            lanes[x + 5 * y] = rotated
        }
    }

    private static func chi(_ lanes: UnsafeMutableBufferPointer<UInt64>) {
        for y in 0..<5 {
            let row = 5 * y
            let first = lanes[row]
            let second = lanes[row + 1]
            for x in 0..<5 {
                let next = x == 4 ? first : lanes[row + x + 1]
                let afterNext = x == 3 ? first : x == 4 ? second : lanes[row + x + 2]
                lanes[row + x] ^= ~next & afterNext
            }
        }
    }

    @inline(__always)
    private static func rotate(_ lane: UInt64, by count: UInt64) -> UInt64 {
        lane &<< count | lane &>> (64 &- count)
    }

    private static let roundConstants: [UInt64] = [
        0x0000_0000_0000_0001, 0x0000_0000_0000_8082, 0x8000_0000_0000_808A, 0x8000_0000_8000_8000,
        0x0000_0000_0000_808B, 0x0000_0000_8000_0001, 0x8000_0000_8000_8081, 0x8000_0000_0000_8009,
        0x0000_0000_0000_008A, 0x0000_0000_0000_0088, 0x0000_0000_8000_8009, 0x0000_0000_8000_000A,
        0x0000_0000_8000_808B, 0x8000_0000_0000_008B, 0x8000_0000_0000_8089, 0x8000_0000_0000_8003,
        0x8000_0000_0000_8002, 0x8000_0000_0000_0080, 0x0000_0000_0000_800A, 0x8000_0000_8000_000A,
        0x8000_0000_8000_8081, 0x8000_0000_0000_8080, 0x0000_0000_8000_0001, 0x8000_0000_8000_8008,
    ]
}
