import BlockStorage
import IPLD
import TestKit
import Testing

/// A power cut after every write, sync, rename and index batch.
///
/// After reopening everything acknowledged is there, nothing is half there, a scrub is clean, and the store
/// goes on working.
@Suite struct CrashTests {
    private typealias Work = (String, any FileSystem, any BlockIndex, StoreLedger) throws -> Void

    private func cutPower(seed: UInt64, losingTheIndex: Bool = false, _ work: Work) throws {
        let disk = MemoryFileSystem()
        try disk.createDirectory("/node")
        var index: RecordingBlockIndex?
        let images = try checkCrashSafety(seed: seed, base: disk, root: "/node", stride: scaled(2, full: 1)) {
            recording, ledger in
            let recordingIndex = try RecordingBlockIndex(recording)
            index = recordingIndex
            try work("/node/data", recording, recordingIndex, ledger)
        } reopen: { image, path in
            if losingTheIndex { return try StoreLaboratory.reopenWithoutIndex(path + "/data") }
            return try StoreLaboratory.reopen(
                path + "/data", try index?.afterCrash(image) ?? MemoryBlockIndex())
        }
        #expect(images > 50)
    }

    @Test(arguments: SeededRandom.seeds(scaled(4, full: 40)))
    func whatWasAddedSurvives(seed: UInt64) throws {
        try cutPower(seed: seed) { try StoreLaboratory.addWorkload($0, $1, $2, $3, seed: seed) }
    }

    @Test(arguments: SeededRandom.seeds(scaled(4, full: 40)))
    func whatACollectionAndACompactionKeepSurvives(seed: UInt64) throws {
        try cutPower(seed: seed) { try StoreLaboratory.collectWorkload($0, $1, $2, $3, seed: seed) }
    }

    @Test(arguments: SeededRandom.seeds(scaled(2, full: 20)))
    func everythingSurvivesTheLossOfTheIndexToo(seed: UInt64) throws {
        try cutPower(seed: seed, losingTheIndex: true) {
            try StoreLaboratory.addWorkload($0, $1, $2, $3, seed: seed)
        }
    }

    /// The power goes again while the store recovers.
    @Test(arguments: SeededRandom.seeds(scaled(2, full: 20)))
    func aPowerCutDuringRecoveryLosesNothing(seed: UInt64) throws {
        let disk = MemoryFileSystem()
        try disk.createDirectory("/node")
        let first = try RecordingFileSystem(base: disk, root: "/node")
        let firstIndex = try RecordingBlockIndex(first)
        let ledger = StoreLedger(clock: { first.operationCount })
        try StoreLaboratory.addWorkload("/node/data", first, firstIndex, ledger, seed: seed)
        var random = SeededRandom(seed: seed)
        var moments = Set((0..<scaled(4, full: 20)).map { _ in random.number(20...first.operationCount) })
        moments.insert(first.operationCount)
        try first.forEachImage(variants: {
            moments.contains($0) ? [.reordered(seed: seed), .onlySynced] : []
        }) {
            image in
            let directory = try TemporaryDirectory(in: TemporaryDirectory.fastParent)
            try image.materialize(at: directory.path)
            let required = ledger.required(at: image.operationCount)
            let index = try firstIndex.afterCrash(image)
            var second: RecordingBlockIndex?
            try checkCrashSafety(seed: seed, base: DiskFileSystem(), root: directory.path) {
                recording, again in
                let recordingIndex = try RecordingBlockIndex(recording, startingFrom: index)
                second = recordingIndex
                again.didCommit(required)
                _ = try StoreLaboratory.open(directory.path + "/data", recording, recordingIndex)
            } reopen: { image, path in
                try StoreLaboratory.reopen(
                    path + "/data", try second?.afterCrash(image) ?? MemoryBlockIndex())
            }
        }
    }
}
