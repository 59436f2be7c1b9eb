/// How a HAMT of some fanout takes the bits of a hash: the highest choose the slot in the root, the next
/// ones the slot in the shard below, and so on.
struct HAMTShape: Hashable, Sendable {
    let fanout: Int
    /// Bits of hash that a level takes.
    let bits: Int

    /// The deepest that shards can lie below one another: then the bits of the hash are used up.
    var levels: Int { UInt64.bitWidth / bits }
    /// Hexadecimal digits in front of the names in a shard: as many as the last slot has.
    var prefixDigits: Int { (bits + 3) / 4 }

    /// - Parameter fanout: a power of two from 8 to ``DirectoryParameters/maximumFanout``; else there is
    ///   no shape.
    init?(fanout: Int) {
        guard (8...DirectoryParameters.maximumFanout).contains(fanout), fanout & (fanout - 1) == 0 else {
            return nil
        }
        self.fanout = fanout
        bits = fanout.trailingZeroBitCount
    }

    /// The slot of a hash in a shard `depth` levels below the root.
    ///
    /// - Precondition: `depth` is less than ``levels``.
    func slot(of hash: UInt64, atDepth depth: Int) -> Int {
        Int(truncatingIfNeeded: hash >> UInt64(UInt64.bitWidth - bits * (depth + 1))) & (fanout - 1)
    }

    /// In how many levels, from the root on, two hashes are in the same slot.
    func commonLevels(_ a: UInt64, _ b: UInt64) -> Int {
        (a ^ b).leadingZeroBitCount / bits
    }

    /// The hashes that lead to a shard `depth` levels below the root, given one of them.
    func range(of hash: UInt64, atDepth depth: Int) -> ClosedRange<UInt64> {
        guard depth > 0 else { return 0...UInt64.max }
        let rest = bits * depth >= UInt64.bitWidth ? 0 : UInt64.max >> UInt64(bits * depth)
        return (hash & ~rest)...(hash | rest)
    }

    /// A hash with the slot of one level set and all lower bits zero.
    func hash(_ prefix: UInt64, slot: Int, atDepth depth: Int) -> UInt64 {
        prefix | UInt64(slot) << UInt64(UInt64.bitWidth - bits * (depth + 1))
    }

    /// Appends the digits of a slot as they stand in front of names.
    func appendPrefix(of slot: Int, to bytes: inout [UInt8]) {
        for digit in (0..<prefixDigits).reversed() {
            let value = UInt8(truncatingIfNeeded: slot >> (4 * digit)) & 0xF
            bytes.append(value < 10 ? 0x30 + value : 0x41 + value - 10)
        }
    }
}
