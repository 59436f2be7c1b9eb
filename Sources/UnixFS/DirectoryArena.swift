import Multiformats

/// The entries of a directory that is being built, in compact memory: 24 bytes, the name and the binary CID
/// each.
///
/// Names and CIDs lie in slabs that never move, so that growing needs no second copy.
struct DirectoryArena: Sendable {
    struct Record: Sendable {
        /// What records are sorted by: the hash of the name, or its first eight bytes.
        var key: UInt64
        let dagBytes: UInt64
        /// Which slab, and where in it: name, then CID.
        fileprivate let place: UInt32
        let nameBytes: UInt16
        let cidBytes: UInt8
    }

    private(set) var records: [Record] = []
    private var slabs: [[UInt8]] = []

    private static let offsetBits: UInt32 = 20
    private static let slabBytes = 1 << 20
    /// A slab of a directory that stays small.
    private static let firstSlabBytes = 4 * 1024

    /// - Throws: `directoryTooLarge` beyond 4 GiB.
    mutating func append(name: [UInt8], cid: CID, dagBytes: UInt64) throws(UnixFSDirectoryError) {
        let cidBytes = cid.byteCount
        let needed = name.count + cidBytes
        if slabs.isEmpty || slabs[slabs.count - 1].count + needed > Self.slabBytes {
            guard slabs.count < 1 << (32 - Self.offsetBits) else { throw .directoryTooLarge }
            var slab: [UInt8] = []
            slab.reserveCapacity(slabs.isEmpty ? Self.firstSlabBytes : Self.slabBytes)
            slabs.append(slab)
        }
        let last = slabs.count - 1
        let place = UInt32(last) << Self.offsetBits | UInt32(slabs[last].count)
        slabs[last].append(contentsOf: name)
        cid.append(to: &slabs[last])
        records.append(
            Record(
                key: 0, dagBytes: dagBytes, place: place, nameBytes: UInt16(name.count),
                cidBytes: UInt8(cidBytes)))
    }

    /// Gives name and binary CID to `body`.
    func with<R>(
        _ record: Record, _ body: (_ name: UnsafeRawBufferPointer, _ cid: UnsafeRawBufferPointer) throws -> R
    ) rethrows -> R {
        let offset = Int(record.place & (1 << Self.offsetBits - 1))
        let nameEnd = offset + Int(record.nameBytes)
        return try slabs[Int(record.place >> Self.offsetBits)].withUnsafeBytes { slab in
            try body(
                UnsafeRawBufferPointer(rebasing: slab[offset..<nameEnd]),
                UnsafeRawBufferPointer(rebasing: slab[nameEnd..<(nameEnd + Int(record.cidBytes))]))
        }
    }

    func name(of record: Record) -> [UInt8] { with(record) { name, _ in [UInt8](name) } }

    /// Sorts by the hashes of the names.
    mutating func sortByHash() {
        setKeys { Murmur3.hash64($0) }
        records.sort { $0.key < $1.key }
    }

    /// Sorts by the bytes of the names.
    mutating func sortByName() {
        setKeys { name in
            var key: UInt64 = 0
            for index in 0..<min(8, name.count) { key |= UInt64(name[index]) << UInt64(56 - 8 * index) }
            return key
        }
        // Names hold no zero bytes, so that a short one differs from a longer one within the key.
        var sorted = records
        sorted.sort { a, b in
            if a.key != b.key { return a.key < b.key }
            return with(a) { left, _ in with(b) { right, _ in left.lexicographicallyPrecedes(right) } }
        }
        records = sorted
    }

    private mutating func setKeys(_ key: (UnsafeRawBufferPointer) -> UInt64) {
        var changed = records
        records = []
        for index in changed.indices { changed[index].key = with(changed[index]) { name, _ in key(name) } }
        records = changed
    }
}
