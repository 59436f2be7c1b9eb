import TestKit
import UnixFS

/// One chunker of each kind, with chunks so small that little input gives many.
let chunkersForProperties = [
    "size-1", "size-100", "size-4096", "rabin-36-512-1024", "rabin-16-17-18", "fastcdc-64-65-66",
    "fastcdc-256-1024-4096", "lines-256", "lines-1024", "line", "buzhash",
]

/// The chunks of `input`; `window`: how many bytes to offer at first, one more each time that is not enough.
func chunks(of input: [UInt8], _ kind: ChunkerKind, window: Int = .max) -> [[UInt8]] {
    var chunker = Chunker(kind)
    var result: [[UInt8]] = []
    input.withUnsafeBytes { bytes in
        var offset = 0
        var visible = min(window, bytes.count)
        while offset < bytes.count {
            let end = min(bytes.count, offset + visible)
            let rest = UnsafeRawBufferPointer(rebasing: bytes[offset..<end])
            guard let length = chunker.nextChunk(in: rest, isLast: end == bytes.count) else {
                visible += max(1, visible / 2)
                continue
            }
            result.append([UInt8](rest[..<length]))
            offset += length
            visible = min(window, bytes.count)
        }
    }
    return result
}

/// The lengths of the chunks of `input`.
func chunkLengths(of input: [UInt8], _ kind: ChunkerKind, window: Int = .max) -> [UInt64] {
    chunks(of: input, kind, window: window).map { UInt64($0.count) }
}

extension SeededRandom {
    /// Random letters in lines of random length; the last one may lack its newline.
    mutating func lines(bytes count: Int, upTo lengths: ClosedRange<Int>) -> [UInt8] {
        var result: [UInt8] = []
        while result.count < count {
            for _ in 0..<number(lengths) { result.append(UInt8(truncatingIfNeeded: 0x61 + number(0..<26))) }
            result.append(0x0A)
        }
        return Array(result.prefix(count))
    }

    /// Lines, some of them longer than small chunks, or random bytes.
    mutating func someText(bytes count: Int) -> [UInt8] {
        oneIn(4) ? bytes(count) : lines(bytes: count, upTo: oneIn(4) ? 0...3000 : 0...120)
    }
}
