import CRocksDB
import Glibc
import Synchronization

/// The index on disk.
///
/// Memory: two write buffers of 8 MiB, a cache of 8 MiB for data, and the filters and fences of all tables: some
/// 3 bytes a block, so that a look-up of a held block costs one read and that of an absent one none. From
/// 1.5 GiB of tables (some 25 million blocks) on, filters and fences share a cache of 48 MiB instead, so that
/// memory stays bounded whatever the number of blocks; cold look-ups then cost up to three reads.
public final class RocksDBBlockIndex: BlockIndex, @unchecked Sendable {
    // Proof of Sendable: rocksdb_t and its options may be used by any number of threads at once
    // (rocksdb/db.h, "thread safety"); they are set once in `init` and destroyed in `deinit`, when nobody
    // holds a reference.
    private let database: OpaquePointer
    private let family: OpaquePointer
    private let readOptions: OpaquePointer
    private let scanOptions: OpaquePointer
    private let writeOptions: OpaquePointer
    private let syncOptions: OpaquePointer
    private let tuning: RocksDBTuning
    private let isClosed = Atomic<Bool>(false)

    /// Opens or makes the database in a directory.
    public init(directory: String) throws {
        let tuning = try RocksDBTuning(tableBytes: Self.tableBytes(in: directory))
        self.tuning = tuning
        var family: OpaquePointer?
        let database: OpaquePointer? = try "default".withCString { name in
            var names: UnsafePointer<CChar>? = name
            var options: OpaquePointer? = tuning.options
            return try Self.check {
                rocksdb_open_column_families(tuning.options, directory, 1, &names, &options, &family, $0)
                    as OpaquePointer?
            }
        }
        guard let family else { throw BlockStoreError.index("cannot open \(directory)") }
        self.family = family
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
        if !isClosed.load(ordering: .acquiring) {
            rocksdb_column_family_handle_destroy(family)
            rocksdb_close(database)
        }
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
        return Self.bytes(of: slice)
    }

    public func values(of keys: [[UInt8]]) throws -> [[UInt8]?] {
        guard keys.count > 1 else { return try keys.map { try value(of: $0) } }
        var arena: [CChar] = []
        arena.reserveCapacity(keys.reduce(0) { $0 + $1.count })
        for key in keys { arena.append(contentsOf: key.lazy.map(CChar.init(bitPattern:))) }
        var slices = [OpaquePointer?](repeating: nil, count: keys.count)
        var messages = [UnsafeMutablePointer<CChar>?](repeating: nil, count: keys.count)
        let sizes = keys.map(\.count)
        arena.withUnsafeBufferPointer { arena in
            var next = arena.baseAddress
            let places = sizes.map { size in
                defer { next = next?.advanced(by: size) }
                return next
            }
            rocksdb_batched_multi_get_cf(
                database, readOptions, family, keys.count, places, sizes, &slices, &messages, false)
        }
        var failure: String?
        for case let message? in messages {
            failure = failure ?? String(cString: message)
            rocksdb_free(message)
        }
        defer { for case let slice? in slices { rocksdb_pinnableslice_destroy(slice) } }
        if let failure { throw Self.failure(failure) }
        return slices.map { slice in slice.flatMap(Self.bytes(of:)) }
    }

    private static func bytes(of slice: OpaquePointer) -> [UInt8]? {
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
        flushLog()
        rocksdb_column_family_handle_destroy(family)
        rocksdb_close(database)
        try result.get()
    }

    /// Turns the log into a table, so that the next open has less to replay. A log of few entries is cheaper to
    /// replay, and one that cannot be turned (the disk may be full) is replayed all the same.
    private func flushLog() {
        var entries: UInt64 = 0
        guard rocksdb_property_int(database, "rocksdb.num-entries-active-mem-table", &entries) == 0,
            entries > 8, let options = rocksdb_flushoptions_create()
        else { return }
        defer { rocksdb_flushoptions_destroy(options) }
        rocksdb_flushoptions_set_wait(options, 1)
        try? Self.check { rocksdb_flush(database, options, $0) }
    }

    /// The size of the tables that are there.
    private static func tableBytes(in directory: String) -> Int64 {
        guard let listing = opendir(directory) else { return 0 }
        defer { closedir(listing) }
        var bytes: Int64 = 0
        while let entry = readdir(listing) {
            let name = withUnsafeBytes(of: entry.pointee.d_name) {
                String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
            }
            var status = stat()
            guard name.hasSuffix(".sst"), stat(directory + "/" + name, &status) == 0 else { continue }
            bytes += Int64(status.st_size)
        }
        return bytes
    }

    /// A full disk is no damage: rebuilding the index would only need more of it.
    private static func failure(_ message: String) -> BlockStoreError {
        message.contains("No space left on device")
            ? .file(operation: "write the block index in", path: "blocks/index", code: ENOSPC)
            : .index(message)
    }

    /// Runs a call that reports by an allocated text.
    fileprivate static func check<R>(
        _ call: (UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>) -> R
    ) throws(BlockStoreError) -> R {
        var message: UnsafeMutablePointer<CChar>?
        let result = call(&message)
        if let message {
            defer { rocksdb_free(message) }
            throw Self.failure(String(cString: message))
        }
        return result
    }
}

/// The options of the database, kept as long as it is open.
///
/// Given as text (rocksdb/convenience.h, `GetOptionsFromString`): the C interface has no functions for some of them.
private final class RocksDBTuning {
    let options: OpaquePointer

    /// Tables that keep their filters in memory; beyond that they share the cache.
    private static let residentTableBytes: Int64 = 1536 * 1024 * 1024

    init(tableBytes: Int64) throws(BlockStoreError) {
        // Both allocate small objects; they return null only where malloc does, and nothing could go on then.
        let base: OpaquePointer = rocksdb_options_create()
        options = rocksdb_options_create()
        defer { rocksdb_options_destroy(base) }
        let table = Self.table + (tableBytes < Self.residentTableBytes ? Self.resident : Self.cached)
        try RocksDBBlockIndex.check {
            rocksdb_get_options_from_string(
                base, Self.database + "block_based_table_factory={" + table + "}", options, $0)
        }
    }

    private static let database = """
        create_if_missing=true;paranoid_checks=true;\
        write_buffer_size=8M;max_write_buffer_number=2;max_total_wal_size=64M;\
        memtable_whole_key_filtering=true;memtable_prefix_bloom_size_ratio=0.1;\
        compaction_style=kCompactionStyleUniversal;level0_file_num_compaction_trigger=8;\
        compaction_options_universal={max_size_amplification_percent=400;};\
        target_file_size_base=32M;compaction_readahead_size=1M;\
        compression=kNoCompression;max_background_jobs=2;bytes_per_sync=1M;max_open_files=-1;\
        avoid_flush_during_recovery=true;keep_log_file_num=2;\
        info_log_level=ERROR_LEVEL;wal_recovery_mode=kPointInTimeRecovery;
        """

    // Filters of 16 bits a key: one look-up in two thousand reads a block of a table that does not hold the key.
    private static let table =
        "filter_policy=bloomfilter:16:false;format_version=5;block_size=4096;whole_key_filtering=true;"

    private static let resident =
        "cache_index_and_filter_blocks=false;block_cache={capacity=8M;num_shard_bits=0};"

    // By default a cache is divided into shards of half a MiB, and what is larger than its shard is never kept.
    private static let cached = """
        cache_index_and_filter_blocks=true;cache_index_and_filter_blocks_with_high_priority=true;\
        partition_filters=true;index_type=kTwoLevelIndexSearch;pin_top_level_index_and_filter=true;\
        block_cache={capacity=48M;num_shard_bits=0;high_pri_pool_ratio=0.8};
        """

    deinit { rocksdb_options_destroy(options) }
}
