import Multiformats

/// Brings the index up to what the packs hold, when a store is opened.
///
/// Only what lies behind a pack's mark is read, so the cost is bounded by what was written since the last
/// flush, and by the target size of the open packs where the last stop was a crash.
struct PackRecovery {
    struct Outcome {
        var packs: [UInt64: PackState] = [:]
        var nextPack: UInt64 = 1
        var notes: [OpeningNote] = []
        /// Where packs end that are shorter than they should be; 0 for those that are not there.
        var readableEnds: [UInt64: UInt64] = [:]
        /// The index is new and the packs are not: what they hold may have been acknowledged long ago.
        var isRebuilding = false
        /// Marks that were set from this moment on may be lost; `nil` if none are.
        var marksUncertainSince: UInt64?
    }

    let directory: String
    let files: any FileSystem
    let options: PackBlockStore.Options

    /// Entries that are written to the index in one batch.
    private static let batchEntries = 10_000

    func run(index: any BlockIndex) throws -> Outcome {
        var outcome = Outcome()
        try index.scan(prefix: IndexKey.packPrefix, from: IndexKey.packPrefix) { key, value in
            guard key.count == 9 else { throw BlockStoreError.index("a key is damaged") }
            let number = UInt64(bigEndian: key.loadUnaligned(fromByteOffset: 1, as: UInt64.self))
            outcome.packs[number] = try PackState(decoding: [UInt8](value))
            return true
        }
        var present: Set<UInt64> = []
        for name in try files.names(in: directory) {
            guard let number = PackFormat.number(ofFileNamed: name) else { continue }
            present.insert(number)
        }
        let stop = try index.value(of: IndexKey.stop)
        let isNewIndex = stop == nil
        outcome.isRebuilding = isNewIndex && !present.isEmpty
        if let known = try index.value(of: IndexKey.uncertainMarks) {
            outcome.marksUncertainSince = IndexKey.time(in: known)
        } else if outcome.isRebuilding || stop?.starts(with: Array("running".utf8)) == true {
            outcome.marksUncertainSince = IndexKey.time(in: try index.value(of: IndexKey.synced))
        }
        outcome.nextPack = max(present.max() ?? 0, outcome.packs.keys.max() ?? 0) + 1
        for number in outcome.packs.keys.sorted() where !present.contains(number) {
            // Nothing is appended to a pack that is not there; what else is there serves.
            outcome.packs[number]?.isSealed = true
            outcome.readableEnds[number] = 0
            outcome.notes.append(.missingPack(PackFormat.fileName(number)))
        }
        for number in present.sorted() { try recover(number, index, &outcome) }
        var batch = IndexBatch()
        for number in outcome.packs.filter({ !$0.value.isSealed }).keys.sorted(by: >).dropFirst(
            max(1, options.lanes))
        {
            // Exactly as long as its sections by now, and more of them than there are lanes to append to.
            outcome.packs[number]?.isSealed = true
            batch.put(IndexKey.pack(number), outcome.packs[number]?.encoded ?? [])
        }
        if let since = outcome.marksUncertainSince {
            batch.put(IndexKey.uncertainMarks, IndexKey.value(of: since))
        }
        batch.put(IndexKey.stop, Array("running \(options.durability.rawValue)".utf8))
        // Synced before anything else is written: an index without it has lost its packs, and one that still says
        // `clean` after a power cut would not know that marks are lost.
        try index.write(batch, sync: isNewIndex || options.durability != .os)
        return outcome
    }

    private func recover(_ number: UInt64, _ index: any BlockIndex, _ outcome: inout Outcome) throws {
        let path = directory + "/" + PackFormat.fileName(number)
        let known = outcome.packs[number]
        let file = try files.open(path, known?.isSealed == true ? .read : .update)
        defer { try? file.close() }
        let size = UInt64(clamping: try file.size())
        if let known {
            if size < known.mark {
                outcome.packs[number]?.isSealed = true
                outcome.readableEnds[number] = size
                outcome.notes.append(
                    .shortPack(PackFormat.fileName(number), bytes: size, expected: known.mark))
                return
            }
            if known.isSealed || size == known.mark { return }
        }
        let scanner = PackScanner(file: file)
        if try !scanner.hasHeader() {
            if known == nil, try !holdsBlocks(scanner) {
                try discardOrLeave(path, file, &outcome)
                return
            }
            // Every pack begins with the same bytes, so they can be put back.
            try PackFormat.header.withUnsafeBytes { try file.write($0, at: 0) }
        }
        try takeTail(
            number, file, scanner, known ?? PackState(mark: UInt64(PackFormat.header.count)), index, &outcome)
    }

    /// Whether there is a whole section anywhere.
    private func holdsBlocks(_ scanner: PackScanner) throws -> Bool {
        try scanner.nextIntactSection(from: UInt64(PackFormat.header.count)) != nil
    }

    /// A file without a block whose header is not there yet was just being made: the header is written first,
    /// and a commit syncs both. Anything else is not ours to remove.
    private func discardOrLeave(_ path: String, _ file: any FileHandle, _ outcome: inout Outcome) throws {
        var start = [UInt8](repeating: 0, count: PackFormat.header.count)
        let count = try start.withUnsafeMutableBytes { try file.read(into: $0, at: 0) }
        if start.allSatisfy({ $0 == 0 }) || start.prefix(count) == PackFormat.header.prefix(count) {
            try files.remove(path)
        } else {
            outcome.notes.append(.foreignFile(path))
        }
    }

    /// Takes the sections behind the mark into the index and cuts off what is no whole section.
    private func takeTail(
        _ number: UInt64, _ file: any FileHandle, _ scanner: PackScanner, _ known: PackState,
        _ index: any BlockIndex, _ outcome: inout Outcome
    ) throws {
        // A killed process may have left bytes that only the system's memory holds: first them, then entries.
        if options.durability != .os { try file.sync() }
        var tail = Tail(
            number: number, pack: known, birth: options.now(), isRebuilding: outcome.isRebuilding,
            readableEnds: outcome.readableEnds)
        let take = { (sections: [PackScanner.Section]) throws in
            for section in sections {
                try tail.take(section, index)
                if tail.batch.changes.count >= Self.batchEntries { try tail.flush(to: index) }
            }
            return true
        }
        var end = try scanner.scan(from: known.mark, take)
        if outcome.isRebuilding, case .broken(let first, _) = end {
            // Without the index nobody knows whether this was acknowledged: it stays for whoever can mend it, and
            // whole sections behind it are found again.
            tail.pack.isSealed = true
            outcome.notes.append(.damagedPack(PackFormat.fileName(number), offset: first))
            // A length that is wrong may reach over sections that are whole: from behind the last good one on.
            while case .broken = end, let next = try scanner.nextIntactSection(from: tail.intactEnd + 1) {
                end = try scanner.scan(from: next, take)
            }
        } else {
            // What is behind was never acknowledged: a commit syncs the file as a whole before it answers.
            try file.truncate(to: Int64(tail.pack.mark))
            if options.durability != .os { try file.sync() }
        }
        try tail.flush(to: index, sync: options.durability != .os)
        outcome.packs[number] = tail.pack
    }
}

/// The sections behind the mark of a pack, on their way into the index.
private struct Tail {
    let number: UInt64
    var pack: PackState
    let birth: UInt64
    let isRebuilding: Bool
    /// Where packs end that are shorter than they should be: an index from a backup may point behind.
    let readableEnds: [UInt64: UInt64]
    private(set) var batch = IndexBatch()
    /// The last byte of the last whole section.
    private(set) var intactEnd: UInt64
    /// What the batch has entries for already.
    private var fresh: Set<Multihash> = []

    init(
        number: UInt64, pack: PackState, birth: UInt64, isRebuilding: Bool, readableEnds: [UInt64: UInt64]
    ) {
        self.number = number
        self.pack = pack
        self.birth = birth
        self.isRebuilding = isRebuilding
        self.readableEnds = readableEnds
        intactEnd = pack.mark - 1
    }

    /// A damaged section is passed over, since whole ones may follow. In a rebuild it gets an entry all the
    /// same: the block is then reported as damaged, and not as if it had never been here.
    mutating func take(_ section: PackScanner.Section, _ index: any BlockIndex) throws {
        guard section.isIntact || isRebuilding else { return }
        var location = BlockLocation(
            pack: number, offset: section.offset, headerBytes: UInt8(section.headerBytes),
            payloadBytes: UInt32(section.payload.count), ordinal: pack.sections, birth: birth,
            // A pack does not say who may read what: that is restored from the pins.
            flags: [])
        if !section.isIntact { location.flags.insert(.quarantined) }
        if section.isIntact { intactEnd = section.offset + location.sectionBytes - 1 }
        pack.sections += 1
        pack.mark = max(pack.mark, section.offset + location.sectionBytes)
        let key = IndexKey.block(section.cid.multihash)
        if let held = try index.value(of: key).map({ try BlockLocation(decoding: $0) }),
            !held.isQuarantined && isReadable(held) || location.isQuarantined
        {
            return
        }
        guard fresh.insert(section.cid.multihash).inserted else { return }
        pack.liveSections += 1
        pack.liveBytes += location.sectionBytes
        batch.put(key, location.encoded)
    }

    private func isReadable(_ location: BlockLocation) -> Bool {
        readableEnds[location.pack].map { location.offset + location.sectionBytes <= $0 } ?? true
    }

    mutating func flush(to index: any BlockIndex, sync: Bool = false) throws {
        batch.put(IndexKey.pack(number), pack.encoded)
        try index.write(batch, sync: sync)
        batch = IndexBatch()
        fresh.removeAll(keepingCapacity: true)
    }
}
