import Foundation

/// A reproducible source of random values: the same seed gives the same sequence on every machine.
///
/// Make the seed the argument of a test, so that a failure names it:
/// `@Test(arguments: SeededRandom.seeds(64)) func …(seed: UInt64)`.
/// The generator is SplitMix64 (Steele, Lea, Flood 2014): one word of state, any seed is a good one.
public struct SeededRandom: RandomNumberGenerator, Sendable {
    private var state: UInt64

    public init(seed: UInt64) { state = seed }

    public mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var word = state
        word = (word ^ (word >> 30)) &* 0xBF58_476D_1CE4_E5B9
        word = (word ^ (word >> 27)) &* 0x94D0_49BB_1331_11EB
        return word ^ (word >> 31)
    }

    /// The seeds 0 to `count - 1`, those of the test that ever failed, and those of the environment
    /// variable `NACRE_SEEDS` (`NACRE_SEEDS=17,4711`).
    public static func seeds(_ count: Int, alsoFailedOnce: [UInt64] = []) -> [UInt64] {
        let asked = (ProcessInfo.processInfo.environment["NACRE_SEEDS"] ?? "")
            .split(separator: ",").compactMap { UInt64($0.trimmingCharacters(in: .whitespaces)) }
        var seen = Set<UInt64>()
        return ((0..<UInt64(count)) + alsoFailedOnce + asked).filter { seen.insert($0).inserted }
    }
}

extension SeededRandom {
    /// `count` random bytes.
    public mutating func bytes(_ count: Int) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
            fill(UnsafeMutableRawBufferPointer(buffer))
            initialized = count
        }
    }

    /// Overwrites `buffer` with random bytes.
    public mutating func fill(_ buffer: UnsafeMutableRawBufferPointer) {
        var offset = 0
        while offset + 8 <= buffer.count {
            buffer.storeBytes(of: next().littleEndian, toByteOffset: offset, as: UInt64.self)
            offset += 8
        }
        var rest = next()
        while offset < buffer.count {
            buffer[offset] = UInt8(truncatingIfNeeded: rest)
            rest >>= 8
            offset += 1
        }
    }

    /// A number of `range`, each equally likely.
    public mutating func number(_ range: ClosedRange<Int>) -> Int { Int.random(in: range, using: &self) }

    /// A number of `range`, each equally likely.
    public mutating func number(_ range: Range<Int>) -> Int { Int.random(in: range, using: &self) }

    /// An element of `choices`, which must not be empty.
    public mutating func pick<C: Collection>(_ choices: C) -> C.Element {
        precondition(!choices.isEmpty, "there is nothing to pick from")
        return choices[choices.index(choices.startIndex, offsetBy: number(0..<choices.count))]
    }

    /// Whether something that happens once in `times` times happens.
    public mutating func oneIn(_ times: Int) -> Bool { number(0..<times) == 0 }

    /// The elements in random order.
    public mutating func shuffled<C: Collection>(_ elements: C) -> [C.Element] {
        elements.shuffled(using: &self)
    }

    /// `bytes` cut into pieces of random length, empty ones included, as a stream would deliver them.
    public mutating func pieces<C: RandomAccessCollection>(of bytes: C, upTo maximum: Int) -> [C.SubSequence]
    where C.Element == UInt8 {
        var result: [C.SubSequence] = []
        var rest = bytes[...]
        while !rest.isEmpty {
            let piece = rest.prefix(number(0...max(1, maximum)))
            result.append(piece)
            rest = rest.dropFirst(piece.count)
        }
        return result
    }
}
