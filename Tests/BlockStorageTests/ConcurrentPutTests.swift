import BlockStorage
import Dispatch
import IPLD
import Synchronization
import TestKit
import Testing

@Suite struct ConcurrentPutTests {
    /// Flushes end between the look for a block and its registration: the copy of the other thread counts.
    @Test(arguments: SeededRandom.seeds(scaled(4, full: 100)))
    func theSameBlocksFromManyThreadsCountOnceWhileCommitsGoOn(seed: UInt64) throws {
        let store = try StoreLaboratory.open("/data", MemoryFileSystem(), MemoryBlockIndex(), lanes: 4)
        var random = SeededRandom(seed: seed)
        let blocks = (0..<300).map { _ in random.block(bytes: 40) }
        let new = Mutex(0)
        let errors = Mutex<[String]>([])
        DispatchQueue.concurrentPerform(iterations: 6) { _ in
            do {
                for block in blocks {
                    let added = try store.put(block).newBlocks
                    new.withLock { $0 += added }
                    if added == 1 { try store.commit() }
                }
            } catch {
                errors.withLock { $0.append("\(error)") }
            }
        }
        #expect(errors.withLock { $0 } == [])
        #expect(new.withLock { $0 } == blocks.count)
        #expect(store.statistics().blocks == Int64(blocks.count))
        try StoreLaboratory.expectSound(store)
        try store.close()
    }
}
