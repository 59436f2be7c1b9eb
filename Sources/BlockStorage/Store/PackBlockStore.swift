import IPLD
import Multiformats
import Synchronization

/// Blocks in packs on a disk.
///
/// Who owns what: the packs are the truth; the index is a cache of them; `State` below holds what is put
/// but not yet flushed. What is durable when: bytes and entries are durable when a `commit` that began
/// after the `put` returns. A put writes through one of a few append lanes; commits that come together
/// share one sync (group commit). After a failed write or sync the store refuses writes until it is opened
/// again. `close` flushes, cuts open packs to their exact length and marks the stop as clean; without it
/// the next open reads the tails of the packs (`PackRecovery`).
///
/// Locks, taken in this order and never across each other otherwise: `maintenance` (collection, compaction,
/// scrub), `sweepLock` (a sweep against puts of known blocks), `commits` (who flushes), a lane, `state`.
///
/// Formats: docs/formats/pack.md, index.md, data-directory.md.
public final class PackBlockStore: BlockStore {
    /// What a store is opened with.
    public struct Options: Sendable {
        public var durability = Durability.group
        /// A pack is sealed when the next section would take it over this size.
        public var packTargetBytes: Int64 = 256 * 1024 * 1024
        /// How many puts can write at the same time.
        public var lanes = 2
        /// Free space that puts leave alone.
        public var reserveBytes: Int64 = 64 * 1024 * 1024
        /// Entries that wait for a flush; more make the put flush itself.
        public var maximumPendingBlocks = 65_536
        public var maximumPendingBytes: Int64 = 256 * 1024 * 1024
        public var openPacks = 128
        /// Blocks that are remembered as verified.
        public var verifiedBlocks = 65_536
        public var createIfMissing = true
        /// Milliseconds since 2020-01-01T00:00:00Z.
        public var now: @Sendable () -> UInt64 = StoreClock.now

        public init() {}
    }

    struct State {
        /// Put, readable, not in the index yet.
        var pending: [Multihash: BlockLocation] = [:]
        /// Being written to the index right now.
        var flushing: [Multihash: BlockLocation] = [:]
        var pendingBytes: Int64 = 0
        /// Counts flushes and sweeps that ended: a look-up that saw none in between saw everything.
        var generation = 0
        var packs: [UInt64: PackState] = [:]
        /// Packs whose state must be written at the next flush.
        var changedPacks: Set<UInt64> = []
        /// Open packs with bytes that are not synced.
        var dirtyPacks: [UInt64: OpenPack] = [:]
        /// Full packs that the next flush seals.
        var fullPacks: [UInt64: OpenPack] = [:]
        var nextPack: UInt64 = 1
        var failure: String?
        var isClosed = false
        var collection: Collection?
        var leases: [UInt64: UInt64] = [:]
        var nextLease: UInt64 = 1
        var bytesUntilFreeCheck: Int64 = 0
    }

    let options: Options
    public var durability: Durability { options.durability }
    let directory: String
    let packsDirectory: String
    let files: any FileSystem
    let index: any BlockIndex
    let reader: PackReader
    let verified: VerifiedCache
    let state = Mutex(State())
    let lanes: Monitor<[AppendLane]>
    let commits = Monitor(CommitQueue())
    let sweepLock = Mutex(())
    let maintenance = Mutex(())
    let withdrawalCount = Atomic<UInt64>(0)
    let scratch = ScratchMemory(pieces: 2, bytes: 16 * 1024 * 1024)
    let lock: DirectoryLock?
    /// What opening found that somebody should know.
    public let openingNotes: [OpeningNote]
    /// Packs that end before their last block, and where; 0 if they are not there at all.
    let readableEnds: [UInt64: UInt64]

    /// Opens the store in a data directory.
    ///
    /// - Parameters:
    ///   - index: by default RocksDB in `blocks/index`.
    /// - Throws: `inUse`, `newerFormat`, `notADataDirectory`, and what the disk and the index say.
    public init(
        directory: String, options: Options = Options(), files: any FileSystem = DiskFileSystem(),
        index: (any BlockIndex)? = nil
    ) throws {
        self.options = options
        self.directory = directory
        self.files = files
        packsDirectory = directory + "/blocks/packs"
        try FormatVersion.check(directory, in: files, create: options.createIfMissing)
        lock = files is DiskFileSystem ? try DirectoryLock(directory) : nil
        try files.createDurableDirectory(packsDirectory)
        // Names that a killed process left unsynced hold what is acknowledged from here on.
        if options.durability != .os {
            for path in [directory, directory + "/blocks", packsDirectory] { try files.syncDirectory(path) }
        }
        let recovery = PackRecovery(directory: packsDirectory, files: files, options: options)
        // Only beside the index on the real disk: the others write nothing there.
        let reserve = index == nil ? ReserveFile(directory: directory + "/blocks", files: files) : nil
        try reserve?.releaseIfNeeded()
        let opened = try index ?? RocksDBBlockIndex(directory: directory + "/blocks/index")
        self.index = opened
        reader = PackReader(directory: packsDirectory, files: files, capacity: options.openPacks)
        verified = VerifiedCache(slots: options.verifiedBlocks)
        lanes = Monitor((0..<max(1, options.lanes)).map { _ in AppendLane() })
        let found = try recovery.run(index: opened)
        openingNotes = found.notes
        readableEnds = found.readableEnds
        state.withLock { state in
            state.packs = found.packs
            state.nextPack = found.nextPack
        }
        try reopenUnsealedPacks()
        reserve?.take()
    }

    /// Flushes everything and leaves a directory of plain CAR files. Call it when no other call is under
    /// way; the store cannot be used afterwards.
    public func close() throws {
        try checkOpen()
        try commit()
        let open = lanes.with { lanes in lanes.compactMap(\.pack) }
        let marks = state.withLock { state in
            state.isClosed = true
            return state.packs.mapValues(\.mark)
        }
        for pack in open {
            try pack.file.truncate(to: Int64(marks[pack.number] ?? UInt64(PackFormat.header.count)))
            if options.durability != .os { try pack.file.sync() }
            try pack.file.close()
        }
        var batch = IndexBatch()
        batch.put(IndexKey.stop, Array("clean \(options.durability.rawValue)".utf8))
        batch.put(IndexKey.synced, IndexKey.value(of: options.now()))
        try index.write(batch, sync: true)
        try index.close()
        lock?.release()
    }

    func checkOpen() throws {
        try state.withLock { state in
            if state.isClosed { throw BlockStoreError.closed }
        }
    }

    func checkWritable() throws {
        try state.withLock { state in
            if state.isClosed { throw BlockStoreError.closed }
            if let failure = state.failure { throw BlockStoreError.failedBefore(failure) }
        }
    }

    /// After a failed write nobody knows what the disk holds: from here on only reading goes on.
    func fail(_ error: any Error) {
        state.withLock { state in
            if state.failure == nil { state.failure = String(describing: error) }
        }
    }

    /// The unsealed packs that a stop left are appended to again; recovery leaves no more of them than
    /// there are lanes.
    private func reopenUnsealedPacks() throws {
        let unsealed = state.withLock { state in
            state.packs.filter { !$0.value.isSealed }.keys.sorted(by: >)
        }
        let lanes = self.lanes.with { $0 }
        for (lane, number) in zip(lanes, unsealed) {
            let path = packsDirectory + "/" + PackFormat.fileName(number)
            lane.use(OpenPack(number: number, path: path, file: try files.open(path, .update)))
        }
    }
}

/// How much a commit promises.
public enum Durability: String, Sendable, CaseIterable {
    /// A commit survives power loss; commits that come together share a sync.
    case group
    /// Every put commits itself.
    case always
    /// A commit hands the bytes to the system: it survives a kill of the process, not the loss of power.
    case os
}

extension PackBlockStore.State {
    /// Counts a section as dead: nothing points at it any more.
    mutating func forget(_ location: BlockLocation) {
        guard var pack = packs[location.pack] else { return }
        pack.forget(location)
        packs[location.pack] = pack
        changedPacks.insert(location.pack)
    }
}
