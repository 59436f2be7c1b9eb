public import Multiformats

/// The two index formats of a CARv2.
public enum CARIndexFormat: UInt64, Hashable, Sendable {
    /// By digest alone.
    case sorted = 0x0400
    /// By hash function, then by digest.
    case multihashSorted = 0x0401
}

/// Where in a payload the section of a block begins.
///
/// Records of one length lie together, in the order of their digests, as they do in the file: a lookup is a
/// binary search, and an entry takes its digest and eight bytes.
///
/// An index read from a file is a claim: look at what is at the offset.
public struct CARIndex: Hashable, Sendable {
    /// The format it was read from, or can be written in without losing hash functions.
    public let format: CARIndexFormat
    var buckets: [CARIndexBucket]

    init(format: CARIndexFormat, buckets: [CARIndexBucket]) {
        self.format = format
        self.buckets = buckets
    }

    /// How many sections are listed.
    public var count: Int { buckets.reduce(0) { $0 + $1.count } }

    /// The offsets of sections that may hold the block, from the start of the payload; usually one or none.
    public func offsets(of multihash: Multihash) -> [UInt64] {
        multihash.withDigest { digest in
            buckets.flatMap { bucket in
                guard bucket.digestBytes == digest.count else { return [] as [UInt64] }
                if let code = bucket.code, code != multihash.code { return [] }
                return bucket.offsets(of: digest)
            }
        }
    }

    /// Calls `body` with each record: the hash function if the format keeps it, the digest, and the offset.
    public func forEach(_ body: (MultihashCode?, _ digest: ArraySlice<UInt8>, UInt64) throws -> Void) rethrows
    {
        for bucket in buckets {
            for index in 0..<bucket.count {
                let record = bucket.records[(index * bucket.width)..<((index + 1) * bucket.width)]
                try body(bucket.code, record.prefix(bucket.digestBytes), bucket.offset(at: index))
            }
        }
    }
}

/// Records of one hash function and one length of digest, `digest | offset (8 bytes, little-endian)`, in
/// order.
struct CARIndexBucket: Hashable, Sendable {
    /// `nil` where the format does not keep it.
    let code: MultihashCode?
    let digestBytes: Int
    var records: [UInt8]

    var width: Int { digestBytes + 8 }
    var count: Int { records.count / width }

    func offset(at index: Int) -> UInt64 {
        records.withUnsafeBytes {
            UInt64(
                littleEndian: $0.loadUnaligned(fromByteOffset: index * width + digestBytes, as: UInt64.self))
        }
    }

    func offsets(of digest: UnsafeRawBufferPointer) -> [UInt64] {
        let first = records.withUnsafeBytes { records in
            var low = 0
            var high = count
            while low < high {
                let middle = low + (high - low) / 2
                let record = UnsafeRawBufferPointer(
                    rebasing: records[(middle * width)...].prefix(digestBytes))
                if record.isBefore(digest) { low = middle + 1 } else { high = middle }
            }
            return low
        }
        var offsets: [UInt64] = []
        var index = first
        while index < count, records[(index * width)...].prefix(digestBytes).elementsEqual(digest) {
            offsets.append(offset(at: index))
            index += 1
        }
        return offsets
    }

    var isSorted: Bool {
        records.withUnsafeBytes { records in
            for index in 0..<max(0, count - 1) {
                let this = UnsafeRawBufferPointer(rebasing: records[(index * width)...].prefix(digestBytes))
                let next = UnsafeRawBufferPointer(
                    rebasing: records[((index + 1) * width)...].prefix(digestBytes))
                if next.isBefore(this) { return false }
            }
            return true
        }
    }

    /// Brings the records in order: by digest, then by offset.
    mutating func sort() {
        let width = width
        let digestBytes = digestBytes
        records = records.withUnsafeBytes { records in
            // Digests are uniform, so their first eight bytes decide nearly always.
            var keys = (0..<count).map { index in
                (prefix: records.bigEndianPrefix(at: index * width, digestBytes), index: index)
            }
            keys.sort { a, b in
                if a.prefix != b.prefix { return a.prefix < b.prefix }
                let left = UnsafeRawBufferPointer(rebasing: records[(a.index * width)...].prefix(digestBytes))
                let right = UnsafeRawBufferPointer(
                    rebasing: records[(b.index * width)...].prefix(digestBytes))
                if left.isBefore(right) { return true }
                return right.isBefore(left) ? false : a.index < b.index
            }
            return [UInt8](unsafeUninitializedCapacity: records.count) { buffer, initialized in
                let target = UnsafeMutableRawBufferPointer(buffer)
                for (place, key) in keys.enumerated() {
                    let record = UnsafeRawBufferPointer(
                        rebasing: records[(key.index * width)...].prefix(width))
                    UnsafeMutableRawBufferPointer(rebasing: target[(place * width)...]).copyMemory(
                        from: record)
                }
                initialized = records.count
            }
        }
    }
}

extension UnsafeRawBufferPointer {
    /// Whether these bytes come before others of the same count, byte by byte.
    fileprivate func isBefore(_ other: UnsafeRawBufferPointer) -> Bool {
        for index in indices where self[index] != other[index] { return self[index] < other[index] }
        return false
    }

    /// The first eight of `count` bytes at an offset as a number that sorts as they do.
    fileprivate func bigEndianPrefix(at offset: Int, _ count: Int) -> UInt64 {
        if count >= 8 { return UInt64(bigEndian: loadUnaligned(fromByteOffset: offset, as: UInt64.self)) }
        var prefix: UInt64 = 0
        for index in 0..<count { prefix |= UInt64(self[offset + index]) << (56 - 8 * UInt64(index)) }
        return prefix
    }
}
