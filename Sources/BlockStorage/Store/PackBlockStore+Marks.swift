public import Multiformats
import Synchronization

extension PackBlockStore {
    /// Makes changes of marks survive power loss.
    ///
    /// Blocks are in the packs, from which the index is made again; marks of blocks that were held before are
    /// nowhere but in the index.
    public func commitMarks() throws {
        try commit()
        guard options.durability != .os else { return }
        var batch = IndexBatch()
        batch.put(IndexKey.synced, IndexKey.value(of: options.now()))
        try index.write(batch, sync: true)
    }

    /// The moment from which on marks may have been lost, in milliseconds of the store's clock; `nil` if all
    /// that were set are there.
    ///
    /// After a crash it is that of the last sync of the index, and for an index that was made anew from the
    /// packs, which know of no marks, the beginning of time. It stays until ``marksAreRestored()``.
    public var marksUncertainSince: UInt64? {
        get throws { try index.value(of: IndexKey.uncertainMarks).map { IndexKey.time(in: $0) } }
    }

    /// Says that what may have been lost was set again.
    public func marksAreRestored() throws {
        try commit()
        var batch = IndexBatch()
        batch.remove(IndexKey.uncertainMarks)
        batch.put(IndexKey.synced, IndexKey.value(of: options.now()))
        try index.write(batch, sync: options.durability != .os)
    }

    /// Now, by the clock that births and leases go by.
    public var now: UInt64 { options.now() }

    /// The moment before which blocks are old now: beyond the grace period, and from before every lease that is
    /// held. In milliseconds of the store's clock.
    ///
    /// - Parameter grace: milliseconds.
    public func ageLimit(grace: UInt64) -> UInt64 {
        state.withLock { state in
            let now = options.now()
            return min(now - min(now, grace), state.leases.values.min() ?? now)
        }
    }

    /// Takes marks away from blocks that nobody needs them for any more.
    ///
    /// - Parameters:
    ///   - limit: blocks that were put, or put again, at this moment or later keep their marks: what needs them may
    ///     not have been known when it was found out what is needed. Take ``ageLimit(grace:)`` before that.
    ///   - isNeeded: told of each old block that has one of the marks.
    /// - Returns: how many blocks lost marks.
    public func removeMarks(
        _ marks: ScopeMarks, bornBefore limit: UInt64, unless isNeeded: (Multihash) throws -> Bool
    ) throws -> Int {
        try commit()
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
                if location.birth < limit, !location.flags.isDisjoint(with: BlockLocation.Flags(marks)),
                    let multihash = IndexKey.multihash(of: key)
                {
                    marked.append(multihash)
                }
                return seen < 8192
            }
            let unneeded = try marked.filter { try !isNeeded($0) }
            try changeScopeMarks(of: unneeded, removing: marks, bornBefore: limit)
            count += unneeded.count
            guard seen >= 8192, let last else { break }
            start = last + [0]
        }
        if count > 0 { try commitMarks() }
        return count
    }
}
