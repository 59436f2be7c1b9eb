import BlockStorage
import TestKit
import Testing

/// Every store behaves as `BlockStore` says.
@Suite struct ConformanceTests {
    @Test func memoryStore() throws {
        try checkBlockStoreConformance(makeStore: { MemoryBlockStore() })
    }

    @Test func verifyingStore() throws {
        try checkBlockStoreConformance(makeStore: { VerifyingBlockStore(base: MemoryBlockStore()) })
    }

    @Test(arguments: Durability.allCases)
    func packStoreOnTheRealDiskAndIndex(durability: Durability) throws {
        var directories: [TemporaryDirectory] = []
        var options = PackBlockStore.Options()
        options.packTargetBytes = 4 * 1024 * 1024
        options.durability = durability
        try checkBlockStoreConformance {
            let directory = try TemporaryDirectory()
            directories.append(directory)
            return try PackBlockStore(directory: directory.path("data"), options: options)
        } reopen: { store in
            try (store as? PackBlockStore)?.close()
            let directory = try #require(directories.last)
            return try PackBlockStore(directory: directory.path("data"), options: options)
        }
    }

    @Test func packStoreInMemory() throws {
        var last: (disk: MemoryFileSystem, index: MemoryBlockIndex)?
        try checkBlockStoreConformance {
            let made = (disk: MemoryFileSystem(), index: MemoryBlockIndex())
            last = made
            return try StoreLaboratory.open("/data", made.disk, made.index)
        } reopen: { store in
            try (store as? PackBlockStore)?.close()
            let made = try #require(last)
            return try StoreLaboratory.open("/data", made.disk, made.index)
        }
    }
}
