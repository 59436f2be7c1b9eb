import Multiformats

/// Bytes of an index, all numbers little-endian:
///
/// ```
/// 0x0400:  varint 0x0400 | lists
/// 0x0401:  varint 0x0401 | count of codes (4) | for each: code (8) | lists
/// lists:   count (4) | for each: width of a record (4) | bytes of records (8) | records
/// record:  digest | offset from the start of the payload (8)
/// ```
///
/// Spec: ipld, "CARv2 Specification", section "Index payload".
extension CARIndex {
    /// The most lists of an index: far more than there are hash functions and lengths.
    public static let maximumBuckets = 4096

    /// Decodes an index that stands at the start of a span. Bytes may follow it.
    ///
    /// - Parameter base: the offset of the span in the file, for errors.
    /// - Throws: `invalidIndex`. Counts are claims; what they promise must be there.
    public init(decoding bytes: RawSpan, base: UInt64 = 0) throws(CARError) {
        var cursor = Cursor(base: base)
        let code: UInt64
        do {
            code = try Varint.decode(bytes, at: &cursor.offset)
        } catch {
            throw .invalidIndex(at: base, .notAVarint)
        }
        guard let format = CARIndexFormat(rawValue: code) else {
            throw .invalidIndex(at: base, .unknownFormat(code))
        }
        var buckets: [CARIndexBucket] = []
        switch format {
        case .sorted:
            try cursor.lists(bytes, code: nil, into: &buckets)
        case .multihashSorted:
            for _ in 0..<(try cursor.count(bytes)) {
                let function = MultihashCode(rawValue: try cursor.number(bytes, as: UInt64.self))
                try cursor.lists(bytes, code: function, into: &buckets)
            }
        }
        self.init(format: format, buckets: buckets)
    }

    /// Decodes an index that takes all of the bytes.
    public init(bytes: [UInt8]) throws(CARError) {
        try self.init(decoding: bytes.span.bytes)
    }

    /// The bytes of the index.
    ///
    /// - Parameter format: only an index that knows hash functions can be written as
    ///   ``CARIndexFormat/multihashSorted``;
    ///   one that does not is written as ``CARIndexFormat/sorted``.
    public func encoded(as format: CARIndexFormat) -> [UInt8] {
        var bytes: [UInt8] = []
        let format = buckets.contains { $0.code == nil } ? .sorted : format
        Varint.append(format.rawValue, to: &bytes)
        switch format {
        case .sorted:
            Self.append(byWidth, to: &bytes)
        case .multihashSorted:
            let groups = Dictionary(grouping: buckets) { $0.code?.rawValue ?? 0 }.sorted { $0.key < $1.key }
            Self.append(UInt32(groups.count), to: &bytes)
            for (code, group) in groups {
                Self.append(code, to: &bytes)
                Self.append(group.sorted { $0.width < $1.width }, to: &bytes)
            }
        }
        return bytes
    }

    /// The records without their hash functions.
    private var byWidth: [CARIndexBucket] {
        Dictionary(grouping: buckets, by: \.digestBytes).sorted { $0.key < $1.key }.map {
            digestBytes, group in
            var merged = CARIndexBucket(
                code: nil, digestBytes: digestBytes, records: group.flatMap(\.records))
            if group.count > 1 { merged.sort() }
            return merged
        }
    }

    private static func append(_ lists: [CARIndexBucket], to bytes: inout [UInt8]) {
        append(UInt32(lists.count), to: &bytes)
        for list in lists {
            append(UInt32(list.width), to: &bytes)
            append(UInt64(list.records.count), to: &bytes)
            bytes += list.records
        }
    }

    private static func append<N: FixedWidthInteger>(_ number: N, to bytes: inout [UInt8]) {
        withUnsafeBytes(of: number.littleEndian) { bytes.append(contentsOf: $0) }
    }
}

/// A place in the bytes of an index.
private struct Cursor {
    let base: UInt64
    var offset = 0

    init(base: UInt64) { self.base = base }

    var place: UInt64 { base &+ UInt64(offset) }

    mutating func number<N: FixedWidthInteger & BitwiseCopyable>(
        _ bytes: RawSpan, as type: N.Type
    ) throws(CARError) -> N {
        let size = MemoryLayout<N>.size
        guard bytes.byteCount - offset >= size else { throw .invalidIndex(at: place, .truncated) }
        defer { offset += size }
        return N(littleEndian: bytes.unsafeLoadUnaligned(fromByteOffset: offset, as: N.self))
    }

    /// A number of lists.
    mutating func count(_ bytes: RawSpan) throws(CARError) -> Int {
        let start = place
        let count = try number(bytes, as: UInt32.self)
        guard count <= UInt32(CARIndex.maximumBuckets) else {
            throw .invalidIndex(at: start, .tooManyBuckets(maximum: CARIndex.maximumBuckets))
        }
        return Int(count)
    }

    mutating func lists(
        _ bytes: RawSpan, code: MultihashCode?, into buckets: inout [CARIndexBucket]
    ) throws(CARError) {
        for _ in 0..<(try count(bytes)) {
            guard buckets.count < CARIndex.maximumBuckets else {
                throw .invalidIndex(at: place, .tooManyBuckets(maximum: CARIndex.maximumBuckets))
            }
            let start = place
            let width = try number(bytes, as: UInt32.self)
            guard width >= 8, width <= UInt32(8 + Multihash.maximumDigestBytes) else {
                throw .invalidIndex(at: start, .badWidth(width))
            }
            let length = try number(bytes, as: UInt64.self)
            guard length <= UInt64(bytes.byteCount - offset) else {
                throw .invalidIndex(at: start, .truncated)
            }
            guard length % UInt64(width) == 0 else { throw .invalidIndex(at: start, .raggedBucket) }
            let range = offset..<(offset + Int(length))
            let records = bytes.extracting(range).withUnsafeBytes { [UInt8]($0) }
            let bucket = CARIndexBucket(code: code, digestBytes: Int(width) - 8, records: records)
            guard bucket.isSorted else { throw .invalidIndex(at: start, .notSorted) }
            buckets.append(bucket)
            offset = range.upperBound
        }
    }
}
