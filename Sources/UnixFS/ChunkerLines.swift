import CChunking

/// Cuts after every newline: `line`.
struct LineCut: Sendable {
    /// A longer line is split at every so many bytes.
    static let maximumLineBytes = 1024 * 1024
    /// What ``ChunkerKind/lines(bytes:)`` may group to.
    static let groupBytes = (4 * GearCut.smallestMinimum)...(ChunkerKind.maximumChunkBytes / 5)
    static let defaultGroupBytes = 64 * 1024

    /// The longest chunk of grouped lines: the longest group, and a line to finish it.
    static func maximumBytes(grouping bytes: Int) -> Int {
        bytes.multipliedReportingOverflow(by: 5).partialValue
    }

    /// The length of the line at `bytes`, newline included; `nil` if it does not end among the first `count`.
    func find(_ bytes: UnsafeRawPointer, _ count: Int) -> Int? {
        Self.newline(bytes, from: 0, to: count)
    }

    /// The end of the first line that ends at or after `start`.
    static func newline(_ bytes: UnsafeRawPointer, from start: Int, to end: Int) -> Int? {
        let found = nacre_newline_scan(bytes.assumingMemoryBound(to: UInt8.self), start, end)
        return found > 0 ? found : nil
    }
}

/// Whole lines in groups that the content defines: `lines`.
///
/// A group ends with the line in which ``GearCut`` would cut. A changed line so changes the group that it
/// is in, and not, as grouping by size would, all that follow. A line that goes on for long after the cut
/// is split at the cut.
struct LineGroupCut: Sendable {
    private let gear: GearCut
    /// How far behind the cut the end of its line may be.
    private let reach: Int

    init(grouping bytes: Int) {
        gear = GearCut(ChunkSizes(minimum: bytes / 4, average: bytes, maximum: bytes * 4))
        reach = bytes
    }

    /// The length of the group at `bytes`; `nil` if it may go on behind the first `count` bytes.
    func find(_ bytes: UnsafeRawPointer, _ count: Int) -> Int? {
        guard let cut = gear.find(bytes, count) else { return nil }
        // The byte before the cut may be the newline already.
        if let end = LineCut.newline(bytes, from: cut - 1, to: min(count, cut + reach)) { return end }
        return count >= cut + reach ? cut : nil
    }
}
