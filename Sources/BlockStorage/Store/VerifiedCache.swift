import Synchronization

/// Remembers, for a bounded number of blocks, that their bytes were found right since the store was opened.
///
/// A table with one slot a hash: a newer block takes the place of an older one.
final class VerifiedCache: Sendable {
    private struct State {
        var slots: [UInt64]
        var statistics: VerifiedCacheStatistics
    }

    private let state: Mutex<State>
    private let mask: Int

    /// - Parameter slots: rounded up to a power of two; 8 bytes each.
    init(slots: Int) {
        var count = 1
        while count < slots { count <<= 1 }
        mask = count - 1
        state = Mutex(
            State(
                slots: Array(repeating: 0, count: count),
                statistics: VerifiedCacheStatistics(capacity: count)))
    }

    func contains(_ location: BlockLocation) -> Bool {
        let key = Self.key(location)
        return state.withLock { state in
            let isKnown = state.slots[slot(key)] == key
            if isKnown { state.statistics.hits += 1 } else { state.statistics.misses += 1 }
            return isKnown
        }
    }

    func insert(_ location: BlockLocation) {
        let key = Self.key(location)
        state.withLock { state in
            if state.slots[slot(key)] == 0 { state.statistics.used += 1 }
            state.slots[slot(key)] = key
        }
    }

    var statistics: VerifiedCacheStatistics { state.withLock { $0.statistics } }

    private static func key(_ location: BlockLocation) -> UInt64 {
        // Packs are numbered from 1, so that no key is zero.
        location.pack << 32 | UInt64(location.ordinal)
    }

    private func slot(_ key: UInt64) -> Int {
        Int(truncatingIfNeeded: (key &* 0x9E37_79B9_7F4A_7C15) >> 32) & mask
    }
}

/// How the memory of verified blocks served, since the store was opened. A block that is remembered is read
/// without being hashed again.
public struct VerifiedCacheStatistics: Hashable, Sendable {
    /// Looks at blocks that were remembered.
    public var hits: UInt64 = 0
    /// Looks at blocks that were not, or not any more.
    public var misses: UInt64 = 0
    /// Blocks that are remembered.
    public var used = 0
    /// Blocks that can be; where one is full, newer blocks take the place of older ones.
    public var capacity: Int
}

extension PackBlockStore {
    /// How the memory of verified blocks serves.
    public var verifiedCache: VerifiedCacheStatistics { verified.statistics }
}
