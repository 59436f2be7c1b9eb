import CChunking
import TestKit
import Testing
import UnixFS

/// The gear hash of `docs/formats/chunkers.md`, against the definition written out in the plainest way.
@Suite struct GearKernelTests {
    @Test func theTableIsMadeFromTheSeed() {
        var random = SeededRandom(seed: 0x6E61_6372_6500_0031)
        let words = (0..<32).map { _ in UInt32(truncatingIfNeeded: random.next() >> 32) }
        for byte in UInt8.min...UInt8.max {
            #expect(nacre_gear_word(byte) == words[Int(byte & 15)] &+ words[16 + Int(byte >> 4)])
        }
    }

    @Test(arguments: 0...255)
    func runsOfOneByteGiveAHashThatIsNotSmall(byte: Int) {
        #expect(0 &- nacre_gear_word(UInt8(byte)) >= 1 << 26)
    }

    @Test(arguments: SeededRandom.seeds(40))
    func allKernelsFindTheSameCuts(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        let bytes = random.bytes(40_000)
        let from = random.number(31...(random.oneIn(2) ? 64 : 20_000))
        let to = random.number(from...bytes.count)
        // From a cut every few bytes to none at all.
        let threshold = UInt32(1) << UInt32(random.number(10...30))
        let expected = definition(bytes, from, to, threshold)
        #expect(nacre_gear_scan(bytes, from, to, threshold) == expected)
        for kernel in [NACRE_GEAR_PORTABLE, NACRE_GEAR_AVX2, NACRE_GEAR_AVX512]
        where nacre_gear_kernel_available(kernel) != 0 {
            #expect(nacre_gear_scan_with(kernel, bytes, from, to, threshold) == expected, "\(kernel)")
        }
    }

    private func definition(_ bytes: [UInt8], _ from: Int, _ to: Int, _ threshold: UInt32) -> Int {
        var hash: UInt32 = 0
        for n in (from - 31)..<to {
            hash = hash << 1 &+ nacre_gear_word(bytes[n])
            if n >= from && hash < threshold { return n + 1 }
        }
        return 0
    }
}
