import CAR
import Multiformats

extension FuzzTarget {
    /// An index of either format.
    static let carIndex = FuzzTarget("car-index") { input in
        let index = try CARIndex(bytes: input)
        let records = Records(index)
        require(records.all.count == index.count, "all records are counted")
        require(index.count * 8 <= input.count, "there are no more records than bytes for them")
        for format in [CARIndexFormat.sorted, .multihashSorted] {
            let bytes = index.encoded(as: format)
            let back = must("what was written can be read") { try CARIndex(bytes: bytes) }
            require(back.encoded(as: format) == bytes, "an index has one form")
            let keepsCodes = back.format == .multihashSorted
            require(
                Records(back).sorted(withCodes: keepsCodes) == records.sorted(withCodes: keepsCodes),
                "records go there and back")
        }
        for record in records.all.prefix(32) {
            let code = record.code ?? .sha2_256
            guard let multihash = try? Multihash(code: code, digest: record.digest.span.bytes) else {
                continue
            }
            require(index.offsets(of: multihash).contains(record.offset), "a record is found by its digest")
        }
    }

    private struct Records {
        private(set) var all: [(code: MultihashCode?, digest: [UInt8], offset: UInt64)] = []

        init(_ index: CARIndex) {
            index.forEach { code, digest, offset in all.append((code, Array(digest), offset)) }
        }

        func sorted(withCodes: Bool) -> [[UInt64]] {
            all.map { record in
                [withCodes ? record.code?.rawValue ?? 0 : 0, record.offset] + record.digest.map(UInt64.init)
            }
            .sorted { $0.lexicographicallyPrecedes($1) }
        }
    }
}
