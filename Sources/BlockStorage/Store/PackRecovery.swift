import Multiformats

/// Brings the index up to what the packs hold, when a store is opened.
///
/// Only what lies behind a pack's mark is read, so the cost is bounded by what was written since the last flush, and by
/// the target size of the open packs where the last stop was a crash.
struct PackRecovery {
    struct Outcome {
        var packs: [UInt64: PackState] = [:]
        var nextPack: UInt64 = 1
        var notes: [String] = []
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
        outcome.nextPack = max(present.max() ?? 0, outcome.packs.keys.max() ?? 0) + 1
        for (number, _) in outcome.packs where !present.contains(number) {
            outcome.notes.append(
                "pack \(PackFormat.fileName(number)) is missing: its blocks cannot be read; put it back, or run `nacre verify --rebuild-index` to forget it"
            )
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
        batch.put(IndexKey.stop, Array("running \(options.durability.rawValue)".utf8))
        try index.write(batch, sync: false)
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
                outcome.notes.append(
                    "pack \(PackFormat.fileName(number)) has \(size) bytes and should have \(known.mark): the blocks behind cannot be read; `nacre verify` names them"
                )
                return
            }
            if known.isSealed || size == known.mark { return }
        }
        let scanner = PackScanner(file: file)
        guard try scanner.hasHeader() else {
            if known == nil {
                // A pack that was just being made: nothing in it was ever acknowledged.
                if try size <= UInt64(PackFormat.header.count) || isAllZeros(file, size) {
                    try files.remove(path)
                } else {
                    outcome.notes.append("\(path) does not begin as a pack does; it is left alone")
                }
            } else {
                outcome.notes.append(
                    "pack \(PackFormat.fileName(number)) has a damaged header; its blocks are still read")
            }
            return
        }
        try takeTail(
            number, file, scanner, known ?? PackState(mark: UInt64(PackFormat.header.count)), index, &outcome)
    }

    /// Takes the sections behind the mark into the index and cuts off what is no whole section.
    private func takeTail(
        _ number: UInt64, _ file: any FileHandle, _ scanner: PackScanner, _ known: PackState,
        _ index: any BlockIndex, _ outcome: inout Outcome
    ) throws {
        var pack = known
        var batch = IndexBatch()
        let birth = options.now()
        let end = try scanner.scan(from: known.mark) { sections in
            for section in sections {
                guard section.isIntact else { return false }
                let location = BlockLocation(
                    pack: number, offset: section.offset, headerBytes: UInt8(section.headerBytes),
                    payloadBytes: UInt32(section.payload.count), ordinal: pack.sections, birth: birth,
                    flags: BlockLocation.Flags(.defaultProject))
                pack.sections += 1
                pack.mark = section.offset + location.sectionBytes
                let key = IndexKey.block(section.cid.multihash)
                if let held = try index.value(of: key), try !BlockLocation(decoding: held).isQuarantined {
                    continue
                }
                pack.liveSections += 1
                pack.liveBytes += location.sectionBytes
                batch.put(key, location.encoded)
                if batch.changes.count >= Self.batchEntries {
                    batch.put(IndexKey.pack(number), pack.encoded)
                    try index.write(batch, sync: false)
                    batch = IndexBatch()
                }
            }
            return true
        }
        _ = end
        // What is behind was never acknowledged: a commit syncs the file as a whole before it answers.
        try file.truncate(to: Int64(pack.mark))
        if options.durability != .os { try file.sync() }
        batch.put(IndexKey.pack(number), pack.encoded)
        try index.write(batch, sync: options.durability != .os)
        outcome.packs[number] = pack
    }

    private func isAllZeros(_ file: any FileHandle, _ size: UInt64) throws -> Bool {
        var bytes = [UInt8](repeating: 1, count: Int(min(size, 1 << 20)))
        let count = try bytes.withUnsafeMutableBytes { try file.read(into: $0, at: 0) }
        return bytes.prefix(count).allSatisfy { $0 == 0 }
    }
}
