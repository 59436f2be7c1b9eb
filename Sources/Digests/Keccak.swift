/// Keccak with the padding it had before it became SHA-3, as Ethereum uses it.
///
/// Spec: "The Keccak reference", version 3.0, sections 1.1 and 1.2; padding `10*1`.
enum Keccak {
    /// - Parameter digestBytes: 32 or 64; the capacity is twice that.
    static func digest(_ bytes: UnsafeRawBufferPointer, digestBytes: Int) -> [UInt8] {
        let rate = 200 - 2 * digestBytes
        var state = [UInt64](repeating: 0, count: 25)
        var offset = 0
        while bytes.count - offset >= rate {
            absorb(UnsafeRawBufferPointer(rebasing: bytes[offset..<(offset + rate)]), into: &state)
            offset += rate
        }
        var last = [UInt8](repeating: 0, count: rate)
        for index in offset..<bytes.count { last[index - offset] = bytes[index] }
        last[bytes.count - offset] |= 0x01
        last[rate - 1] |= 0x80
        last.withUnsafeBytes { absorb($0, into: &state) }
        return state.withUnsafeBytes { Array($0.prefix(digestBytes)) }
    }

    private static func absorb(_ block: UnsafeRawBufferPointer, into state: inout [UInt64]) {
        for lane in 0..<(block.count / 8) {
            state[lane] ^= UInt64(
                littleEndian: block.loadUnaligned(fromByteOffset: 8 * lane, as: UInt64.self))
        }
        permute(&state)
    }

    /// Keccak-f[1600]: 24 rounds of theta, rho, pi, chi and iota.
    private static func permute(_ a: inout [UInt64]) {
        var c = [UInt64](repeating: 0, count: 5)
        for constant in roundConstants {
            for x in 0..<5 { c[x] = a[x] ^ a[x + 5] ^ a[x + 10] ^ a[x + 15] ^ a[x + 20] }
            for x in 0..<5 {
                let d = c[(x + 4) % 5] ^ rotated(c[(x + 1) % 5], 1)
                for y in stride(from: 0, to: 25, by: 5) { a[x + y] ^= d }
            }
            var moved = a[1]
            for (lane, rotation) in zip(piLanes, rhoRotations) {
                let kept = a[lane]
                a[lane] = rotated(moved, rotation)
                moved = kept
            }
            for y in stride(from: 0, to: 25, by: 5) {
                for x in 0..<5 { c[x] = a[y + x] }
                for x in 0..<5 { a[y + x] = c[x] ^ (~c[(x + 1) % 5] & c[(x + 2) % 5]) }
            }
            a[0] ^= constant
        }
    }

    private static func rotated(_ value: UInt64, _ count: UInt64) -> UInt64 {
        value << count | value >> (64 - count)
    }

    private static let piLanes = [
        10, 7, 11, 17, 18, 3, 5, 16, 8, 21, 24, 4, 15, 23, 19, 13, 12, 2, 20, 14, 22, 9, 6, 1,
    ]
    private static let rhoRotations: [UInt64] = [
        1, 3, 6, 10, 15, 21, 28, 36, 45, 55, 2, 14, 27, 41, 56, 8, 25, 43, 62, 18, 39, 61, 20, 44,
    ]
    /// Bits from the linear feedback shift register of section 1.2.
    private static let roundConstants: [UInt64] = {
        var register: UInt8 = 1
        return (0..<24).map { _ in
            var constant: UInt64 = 0
            for bit in 0..<7 {
                if register & 1 == 1 { constant |= 1 << ((1 << bit) - 1) }
                register = register & 0x80 != 0 ? register << 1 ^ 0x71 : register << 1
            }
            return constant
        }
    }()
}
