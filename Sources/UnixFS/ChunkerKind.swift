/// How content is cut into chunks, with all parameters.
///
/// The text form is what a person gives to `--chunker` and what is recorded; a short form such as `rabin`
/// is printed with its parameters spelled out. How each chunker cuts: `docs/formats/chunkers.md`.
public enum ChunkerKind: Hashable, Sendable {
    /// `size-N`: N bytes each, the last one shorter.
    case fixed(bytes: Int)
    /// `buzhash`: content-defined, 128 to 512 KiB, as in Kubo.
    case buzhash
    /// `rabin`, `rabin-AVERAGE`, `rabin-MIN-AVERAGE-MAX`: content-defined, as in Kubo.
    case rabin(ChunkSizes)
    /// `fastcdc`, `fastcdc-MIN-AVERAGE-MAX`: content-defined by a gear hash.
    case fastCDC(ChunkSizes)
    /// `lines`, `lines-N`: whole lines, grouped to at least N bytes.
    case lines(bytes: Int)
    /// `line`: one line each.
    case line

    /// The most bytes of a chunk: a block of 2 MiB less room for the encoding around it.
    public static let maximumChunkBytes = 2 * 1024 * 1024 - 256

    /// The chunk size of ``fixed(bytes:)``; `nil` where cuts depend on the content.
    public var fixedSize: Int? {
        if case .fixed(let bytes) = self { bytes } else { nil }
    }

    /// The most bytes of any chunk of this kind.
    public var maximumChunkBytes: Int {
        switch self {
        case .fixed(let bytes): bytes
        case .buzhash: BuzhashCut.maximumBytes
        case .rabin(let sizes), .fastCDC(let sizes): sizes.maximum
        case .lines(let bytes): LineCut.maximumBytes(grouping: bytes)
        case .line: LineCut.maximumLineBytes
        }
    }

    /// Checks parameters; those that came from a text are valid.
    public func validate() throws(ChunkerError) {
        switch self {
        case .fixed(let bytes):
            guard bytes >= 1 else { throw .sizeOutOfRange(bytes, allowed: 1...Self.maximumChunkBytes) }
            guard bytes <= Self.maximumChunkBytes else {
                throw .sizeOutOfRange(bytes, allowed: 1...Self.maximumChunkBytes)
            }
        case .lines(let bytes):
            guard LineCut.groupBytes.contains(bytes) else {
                throw .sizeOutOfRange(bytes, allowed: LineCut.groupBytes)
            }
        case .rabin(let sizes): try sizes.validate(smallestMinimum: RabinCut.windowBytes)
        case .fastCDC(let sizes): try sizes.validate(smallestMinimum: GearCut.smallestMinimum)
        case .buzhash, .line: break
        }
    }
}

/// The least, the average and the most bytes of content-defined chunks.
public struct ChunkSizes: Hashable, Sendable {
    public var minimum: Int
    public var average: Int
    public var maximum: Int

    public init(minimum: Int, average: Int, maximum: Int) {
        self.minimum = minimum
        self.average = average
        self.maximum = maximum
    }

    /// - Throws: unless `smallestMinimum <= minimum < average < maximum <= ChunkerKind.maximumChunkBytes`.
    func validate(smallestMinimum: Int) throws(ChunkerError) {
        guard minimum >= smallestMinimum, minimum < average, average < maximum,
            maximum <= ChunkerKind.maximumChunkBytes
        else { throw .unorderedSizes(self, smallestMinimum: smallestMinimum) }
    }
}

/// Why a chunker cannot be used.
public enum ChunkerError: Error, Equatable, Sendable {
    case unknown(String)
    case sizeOutOfRange(Int, allowed: ClosedRange<Int>)
    case unorderedSizes(ChunkSizes, smallestMinimum: Int)
}

extension ChunkerError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .unknown(let text):
            return
                "`\(text)` is not a chunker; use size-N, fastcdc, fastcdc-MIN-AVERAGE-MAX, buzhash, rabin, "
                + "rabin-AVERAGE, rabin-MIN-AVERAGE-MAX, lines, lines-N or line"
        case .sizeOutOfRange(let size, let allowed):
            return
                "a chunk size of \(size) bytes is not possible; use \(allowed.lowerBound) to \(allowed.upperBound)"
        case .unorderedSizes(let sizes, let smallest):
            return
                "chunk sizes \(sizes.minimum)-\(sizes.average)-\(sizes.maximum) are not possible; they must rise, "
                + "from at least \(smallest) to at most \(ChunkerKind.maximumChunkBytes) bytes"
        }
    }
}
