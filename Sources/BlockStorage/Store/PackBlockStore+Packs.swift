import Glibc
import IPLD
import Multiformats
import Synchronization

/// The packs that are being written: a lane for each writer, space ahead of it, and what the disk has left.
extension PackBlockStore {
    func takeLane() -> AppendLane {
        lanes.wait { lanes in lanes.popLast().map { .done($0) } ?? .waiting }
    }

    func giveBack(_ lane: AppendLane) {
        lanes.with { $0.append(lane) }
        lanes.signalOne()
    }

    func openPack(of lane: AppendLane) throws -> OpenPack {
        if let pack = lane.pack { return pack }
        let number = state.withLock { state in
            defer { state.nextPack += 1 }
            return state.nextPack
        }
        let path = packsDirectory + "/" + PackFormat.fileName(number)
        let file = try files.open(path, .create)
        try PackFormat.header.withUnsafeBytes { try file.write($0, at: 0) }
        // Without this a power cut could take the whole file, synced bytes and all.
        if options.durability != .os { try files.syncDirectory(packsDirectory) }
        let pack = OpenPack(number: number, path: path, file: file)
        state.withLock { $0.packs[number] = PackState(mark: UInt64(PackFormat.header.count)) }
        lane.use(pack)
        return pack
    }

    /// Takes a full pack from its lane; the next flush seals it.
    func retire(_ pack: OpenPack, of lane: AppendLane) {
        lane.use(nil)
        state.withLock { state in
            state.fullPacks[pack.number] = pack
            state.dirtyPacks[pack.number] = pack
            state.changedPacks.insert(pack.number)
        }
    }

    /// Allocates ahead: little for a small store, at most 32 MiB for a large one, never beyond the target
    /// size.
    func allocate(_ pack: OpenPack, upTo needed: Int64) throws {
        let current = try pack.file.size()
        guard needed > current else { return }
        let step = min(max(needed, 1024 * 1024), 32 * 1024 * 1024)
        do {
            try pack.file.allocate(upTo: max(needed, min(needed + step, options.packTargetBytes)))
        } catch let error as BlockStoreError where error.isDiskFull {
            // Not as far ahead then.
            try pack.file.allocate(upTo: needed)
        }
    }

    // MARK: Free space

    func checkFreeSpace(for blocks: [BlockView]) throws {
        let needed = blocks.reduce(0) { $0 + Int64($1.bytes.count) }
        let isDue = state.withLock { state in
            state.bytesUntilFreeCheck -= needed
            return state.bytesUntilFreeCheck <= 0
        }
        guard isDue else { return }
        let free = try freeBeyondReserve()
        guard free >= needed else {
            throw BlockStoreError.storageFull(needed: needed, available: max(0, free))
        }
        // Others fill the disk too: look again after a small part of what is free is used.
        state.withLock { $0.bytesUntilFreeCheck = min(64 * 1024 * 1024, (free - needed) / 8) }
    }

    func freeBeyondReserve() throws -> Int64 {
        try files.availableBytes(at: packsDirectory) - options.reserveBytes
    }
}
