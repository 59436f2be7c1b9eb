import CRocksDB
import Synchronization

/// The index on disk.
///
/// Memory: one cache of 32 MiB holds data, index and filter blocks alike, two write buffers of 8 MiB; the
/// filters of 10 million
/// blocks take some 12 MB of the cache, so that a look-up costs one read of a data block at most.
public final class RocksDBBlockIndex: BlockIndex, @unchecked Sendable {
    // Proof of Sendable: rocksdb_t and its options may be used by any number of threads at once
    // (rocksdb/db.h, "thread safety"); they are set once in `init` and destroyed in `deinit`, when nobody
    // holds a reference.
    private let database: OpaquePointer
    private let readOptions: OpaquePointer
    private let scanOptions: OpaquePointer
    private let writeOptions: OpaquePointer
    private let syncOptions: OpaquePointer
    private let tuning: RocksDBTuning
    private let isClosed = Atomic<Bool>(false)

    /// Opens or makes the database in a directory.
    public init(directory: String) throws {
        let tuning = RocksDBTuning()
        self.tuning = tuning
        let database: OpaquePointer? = try Self.check {
            rocksdb_open(tuning.options, directory, $0) as OpaquePointer?
        }
        guard let database, let read = rocksdb_readoptions_create(), let scan = rocksdb_readoptions_create(),
            let write = rocksdb_writeoptions_create(), let sync = rocksdb_writeoptions_create()
        else { throw BlockStoreError.index("cannot open \(directory)") }
        self.database = database
        // Blocks of the index are checksummed; each read checks.
        rocksdb_readoptions_set_verify_checksums(read, 1)
        readOptions = read
        rocksdb_readoptions_set_fill_cache(scan, 0)
        scanOptions = scan
        writeOptions = write
        rocksdb_writeoptions_set_sync(sync, 1)
        syncOptions = sync
    }

    deinit {
        rocksdb_readoptions_destroy(readOptions)
        rocksdb_readoptions_destroy(scanOptions)
        rocksdb_writeoptions_destroy(writeOptions)
        rocksdb_writeoptions_destroy(syncOptions)
        if !isClosed.load(ordering: .acquiring) { rocksdb_close(database) }
    }

    public func value(of key: [UInt8]) throws -> [UInt8]? {
        let slice: OpaquePointer? = try key.withUnsafeBytes { key in
            try Self.check {
                rocksdb_get_pinned(
                    database, readOptions, key.baseAddress?.assumingMemoryBound(to: CChar.self), key.count, $0
                )
                    as OpaquePointer?
            }
        }
        guard let slice else { return nil }
        defer { rocksdb_pinnableslice_destroy(slice) }
        var count = 0
        guard let bytes = rocksdb_pinnableslice_value(slice, &count) else { return nil }
        return [UInt8](UnsafeRawBufferPointer(start: bytes, count: count))
    }

    public func write(_ batch: IndexBatch, sync: Bool) throws {
        guard let native = rocksdb_writebatch_create() else { throw BlockStoreError.index("out of memory") }
        defer { rocksdb_writebatch_destroy(native) }
        for change in batch.changes {
            switch change {
            case .put(let key, let value):
                key.withUnsafeBytes { key in
                    value.withUnsafeBytes { value in
                        rocksdb_writebatch_put(
                            native, key.baseAddress?.assumingMemoryBound(to: CChar.self), key.count,
                            value.baseAddress?.assumingMemoryBound(to: CChar.self), value.count)
                    }
                }
            case .remove(let key):
                key.withUnsafeBytes {
                    rocksdb_writebatch_delete(
                        native, $0.baseAddress?.assumingMemoryBound(to: CChar.self), $0.count)
                }
            }
        }
        try Self.check { rocksdb_write(database, sync ? syncOptions : writeOptions, native, $0) }
    }

    public func scan(
        prefix: [UInt8], from start: [UInt8],
        _ body: (UnsafeRawBufferPointer, UnsafeRawBufferPointer) throws -> Bool
    ) throws {
        guard let iterator = rocksdb_create_iterator(database, scanOptions) else {
            throw BlockStoreError.index("out of memory")
        }
        defer { rocksdb_iter_destroy(iterator) }
        let first = start.lexicographicallyPrecedes(prefix) ? prefix : start
        first.withUnsafeBytes {
            rocksdb_iter_seek(iterator, $0.baseAddress?.assumingMemoryBound(to: CChar.self), $0.count)
        }
        while rocksdb_iter_valid(iterator) != 0 {
            var keyCount = 0
            var valueCount = 0
            let key = UnsafeRawBufferPointer(start: rocksdb_iter_key(iterator, &keyCount), count: keyCount)
            guard key.starts(with: prefix) else { break }
            let value = UnsafeRawBufferPointer(
                start: rocksdb_iter_value(iterator, &valueCount), count: valueCount)
            guard try body(key, value) else { return }
            rocksdb_iter_next(iterator)
        }
        try Self.check { rocksdb_iter_get_error(iterator, $0) }
    }

    public func sync() throws {
        try Self.check { rocksdb_flush_wal(database, 1, $0) }
    }

    public func close() throws {
        guard !isClosed.exchange(true, ordering: .acquiringAndReleasing) else { return }
        // Whatever the sync says, the database is given free.
        let result = Result { try sync() }
        rocksdb_close(database)
        try result.get()
    }

    /// Runs a call that reports by an allocated text.
    private static func check<R>(
        _ call: (UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>) -> R
    ) throws(BlockStoreError) -> R {
        var message: UnsafeMutablePointer<CChar>?
        let result = call(&message)
        if let message {
            defer { rocksdb_free(message) }
            throw .index(String(cString: message))
        }
        return result
    }
}

/// The options of the database, kept as long as it is open.
private final class RocksDBTuning {
    let options: OpaquePointer
    private let table: OpaquePointer
    private let cache: OpaquePointer

    private static let cacheBytes = 32 * 1024 * 1024
    private static let writeBufferBytes = 8 * 1024 * 1024

    init() {
        // These allocate small objects; they return null only where malloc does, and then nothing could go
        // on.
        options = rocksdb_options_create()
        table = rocksdb_block_based_options_create()
        cache = Self.undividedCache()
        rocksdb_block_based_options_set_block_cache(table, cache)
        rocksdb_block_based_options_set_block_size(table, 4096)
        rocksdb_block_based_options_set_format_version(table, 5)
        // Ten bits a key: one look-up in a hundred for an absent block reads a block of the table.
        rocksdb_block_based_options_set_filter_policy(table, rocksdb_filterpolicy_create_bloom_full(10))
        rocksdb_block_based_options_set_whole_key_filtering(table, 1)
        rocksdb_block_based_options_set_cache_index_and_filter_blocks(table, 1)
        rocksdb_block_based_options_set_cache_index_and_filter_blocks_with_high_priority(table, 1)
        rocksdb_block_based_options_set_pin_l0_filter_and_index_blocks_in_cache(table, 1)
        rocksdb_options_set_block_based_table_factory(options, table)
        rocksdb_options_set_create_if_missing(options, 1)
        rocksdb_options_set_write_buffer_size(options, Self.writeBufferBytes)
        rocksdb_options_set_max_write_buffer_number(options, 3)
        rocksdb_options_set_target_file_size_base(options, 32 * 1024 * 1024)
        rocksdb_options_set_max_bytes_for_level_base(options, 128 * 1024 * 1024)
        rocksdb_options_set_max_open_files(options, 256)
        // Keys are digests: nothing in them compresses.
        rocksdb_options_set_compression(options, Int32(rocksdb_no_compression))
        rocksdb_options_set_max_background_jobs(options, 2)
        rocksdb_options_set_bytes_per_sync(options, 1024 * 1024)
        rocksdb_options_set_max_total_wal_size(options, 64 * 1024 * 1024)
        rocksdb_options_set_keep_log_file_num(options, 2)
        rocksdb_options_set_info_log_level(options, 3)
        rocksdb_options_set_paranoid_checks(options, 1)
        // A torn tail of the log is what a crash leaves; recovery reads what is missing from the packs.
        rocksdb_options_set_wal_recovery_mode(options, Int32(rocksdb_point_in_time_recovery))
    }

    /// By default a cache is divided into shards of half a MiB, and what is larger than its shard is never kept:
    /// a filter of a table of 32 MiB has 0.7 MiB, so every look-up would read one.
    private static func undividedCache() -> OpaquePointer {
        let cacheOptions: OpaquePointer = rocksdb_lru_cache_options_create()
        defer { rocksdb_lru_cache_options_destroy(cacheOptions) }
        rocksdb_lru_cache_options_set_capacity(cacheOptions, cacheBytes)
        rocksdb_lru_cache_options_set_num_shard_bits(cacheOptions, 0)
        return rocksdb_cache_create_lru_opts(cacheOptions)
    }

    deinit {
        rocksdb_block_based_options_destroy(table)
        rocksdb_options_destroy(options)
        rocksdb_cache_destroy(cache)
    }
}
