import Multiformats

/// One pack that is being appended to. Whoever took the lane is the only one to touch it.
final class AppendLane: @unchecked Sendable {
    // Proof of Sendable: a lane is handed out by `PackBlockStore.lanes` to one thread at a time and given
    // back when that thread is done; flushing reads only `pack`, under the store's state lock.
    private(set) var pack: OpenPack?

    func use(_ pack: OpenPack?) { self.pack = pack }
}

/// A pack that is open for appending.
final class OpenPack: Sendable {
    let number: UInt64
    let path: String
    let file: any FileHandle

    init(number: UInt64, path: String, file: any FileHandle) {
        self.number = number
        self.path = path
        self.file = file
    }
}

/// Lays sections one behind the other in as few writes as possible: small ones are copied together, large
/// payloads are written from where they lie.
struct SectionWriter {
    private var staging: [UInt8] = []
    /// Pieces in order: ranges of the staging bytes, or payloads elsewhere.
    private var pieces: [Piece] = []
    private(set) var bytes = 0

    private enum Piece {
        case staged(Range<Int>)
        case payload(UnsafeRawBufferPointer)
    }

    /// Payloads of at least this size are not copied.
    private static let vectoredBytes = 16 * 1024

    /// - Returns: the bytes in front of the payload.
    mutating func append(_ block: BlockView) -> Int {
        let start = staging.count
        let headerBytes = PackFormat.appendSectionHeader(
            block.cid, payloadBytes: block.bytes.count, to: &staging)
        let isLarge = block.bytes.count >= Self.vectoredBytes
        if !isLarge { staging.append(contentsOf: block.bytes) }
        if case .staged(let range)? = pieces.last, range.upperBound == start {
            pieces[pieces.count - 1] = .staged(range.lowerBound..<staging.count)
        } else {
            pieces.append(.staged(start..<staging.count))
        }
        if isLarge { pieces.append(.payload(block.bytes)) }
        bytes += headerBytes + block.bytes.count
        return headerBytes
    }

    /// Writes everything at `offset`.
    func write(to file: any FileHandle, at offset: Int64) throws {
        try staging.withUnsafeBytes { staging in
            try file.write(
                pieces.map { piece in
                    switch piece {
                    case .staged(let range): UnsafeRawBufferPointer(rebasing: staging[range])
                    case .payload(let payload): payload
                    }
                }, at: offset)
        }
    }
}
