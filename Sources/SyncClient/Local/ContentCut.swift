import Glibc
public import UnixFS

/// How the content of a file is cut into leaves: by the content alone, so that every device cuts equally.
///
/// Up to 4 KiB travel within messages and are one leaf. Text up to 32 MiB is cut between lines, so that an
/// edit of a line changes a leaf of one or two KiB. Other content up to 1 MiB is one leaf, and above that
/// is cut where it says itself (FastCDC), which finds the same leaves again behind an insertion.
public enum ContentCut {
    /// Content of so many bytes travels within messages.
    public static let maximumInlineBytes = 4096
    /// Text above this is cut as other content, so that the list of its leaves stays short.
    public static let maximumTextBytes: Int64 = 32 * 1024 * 1024
    /// Other content up to this is one leaf.
    public static let maximumLeafBytes = 1024 * 1024
    /// How much of the beginning decides whether it is text.
    public static let headBytes = 64 * 1024

    static let text = ChunkerKind.lines(bytes: 1024)
    static let data = ChunkerKind.fastCDC(
        ChunkSizes(minimum: 256 * 1024, average: 512 * 1024, maximum: ChunkerKind.maximumChunkBytes))

    /// The chunker for a file.
    ///
    /// - Parameter head: the first ``headBytes`` bytes, or all if there are fewer.
    /// - Returns: `nil` for one leaf.
    public static func chunker(size: Int64, head: UnsafeRawBufferPointer) -> ChunkerKind? {
        guard size > maximumInlineBytes else { return nil }
        if size <= maximumTextBytes, isText(head, isWhole: head.count == size) { return text }
        return size <= maximumLeafBytes ? nil : data
    }

    /// Whether bytes are UTF-8 without a zero byte.
    ///
    /// - Parameter isWhole: false if the last character may be cut off.
    static func isText(_ bytes: UnsafeRawBufferPointer, isWhole: Bool) -> Bool {
        guard let start = bytes.baseAddress else { return true }
        guard memchr(start, 0, bytes.count) == nil else { return false }
        var count = bytes.count
        if !isWhole {
            // Back to the start of the last character, if it is not complete.
            var tail = 0
            while tail < min(3, count), bytes[count - 1 - tail] & 0xC0 == 0x80 { tail += 1 }
            if tail < count, bytes[count - 1 - tail] >= 0xC0 { count -= tail + 1 }
        }
        let span = Span<UInt8>(_unsafeStart: start.assumingMemoryBound(to: UInt8.self), count: count)
        return (try? UTF8Span(validating: span)) != nil
    }
}
