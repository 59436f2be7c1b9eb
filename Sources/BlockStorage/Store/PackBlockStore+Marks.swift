public import Multiformats
import Synchronization

extension PackBlockStore {
    /// Makes changes of marks survive power loss.
    ///
    /// Blocks are in the packs, from which the index is made again; marks of blocks that were held before are
    /// nowhere but in the index.
    public func commitMarks() throws {
        try commit()
        if options.durability != .os { try index.sync() }
    }

    /// Takes marks away from blocks that nobody needs them for any more.
    ///
    /// What was put, or put again, within the grace period or under a lease that is still held keeps its marks:
    /// what needs them may not be known yet.
    ///
    /// - Parameters:
    ///   - grace: milliseconds.
    ///   - isNeeded: told of each old block that has one of the marks.
    /// - Returns: how many blocks lost marks.
    public func removeMarks(
        _ marks: ScopeMarks, grace: UInt64, unless isNeeded: (Multihash) throws -> Bool
    ) throws -> Int {
        try commit()
        let cutoff = state.withLock { state in
            let now = options.now()
            return min(now - min(now, grace), state.leases.values.min() ?? now)
        }
        var count = 0
        var start = IndexKey.blockPrefix
        // Scanned in slices, so that no snapshot of the index is held for long.
        while true {
            var marked: [Multihash] = []
            var seen = 0
            var last: [UInt8]?
            try index.scan(prefix: IndexKey.blockPrefix, from: start) { key, value in
                seen += 1
                last = [UInt8](key)
                let location = try BlockLocation(decoding: value)
                if location.birth < cutoff, !location.flags.isDisjoint(with: BlockLocation.Flags(marks)),
                    let multihash = IndexKey.multihash(of: key)
                {
                    marked.append(multihash)
                }
                return seen < 8192
            }
            let unneeded = try marked.filter { try !isNeeded($0) }
            try changeScopeMarks(of: unneeded, removing: marks, bornBefore: cutoff)
            count += unneeded.count
            guard seen >= 8192, let last else { break }
            start = last + [0]
        }
        if count > 0 { try commitMarks() }
        return count
    }
}
