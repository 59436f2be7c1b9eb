import Synchronization

/// Remembers, for a bounded number of blocks, that their bytes were found right since the store was opened.
///
/// A table with one slot a hash: a newer block takes the place of an older one.
final class VerifiedCache: Sendable {
    private let slots: Mutex<[UInt64]>
    private let mask: Int

    /// - Parameter slots: rounded up to a power of two; 8 bytes each.
    init(slots: Int) {
        var count = 1
        while count < slots { count <<= 1 }
        mask = count - 1
        self.slots = Mutex(Array(repeating: 0, count: count))
    }

    func contains(_ location: BlockLocation) -> Bool {
        let key = Self.key(location)
        return slots.withLock { $0[slot(key)] == key }
    }

    func insert(_ location: BlockLocation) {
        let key = Self.key(location)
        slots.withLock { $0[slot(key)] = key }
    }

    private static func key(_ location: BlockLocation) -> UInt64 {
        // Packs are numbered from 1, so that no key is zero.
        location.pack << 32 | UInt64(location.ordinal)
    }

    private func slot(_ key: UInt64) -> Int {
        Int(truncatingIfNeeded: (key &* 0x9E37_79B9_7F4A_7C15) >> 32) & mask
    }
}
