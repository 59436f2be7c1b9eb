/// Finds where chunks end.
///
/// Give the bytes that begin at the start of a chunk; the answer is how many of them the chunk takes. A cut
/// depends on nothing before the chunk, so that content that was inserted earlier in a file moves cuts only
/// near it. Offer at least ``maximumChunkBytes`` at a time: then there is always an answer, and no byte is
/// looked at twice.
public struct Chunker: Sendable {
    /// What was asked for.
    public let kind: ChunkerKind
    /// No chunk is longer.
    public let maximumChunkBytes: Int
    private let cut: Cut

    private enum Cut: Sendable {
        case fixed(bytes: Int)
        case buzhash(BuzhashCut)
        case rabin(RabinCut)
        case gear(GearCut)
        case lines(LineGroupCut)
        case line(LineCut)
    }

    /// - Precondition: the kind is valid, as those are that came from a text or passed `validate()`.
    public init(_ kind: ChunkerKind) {
        precondition((try? kind.validate()) != nil, "chunker parameters are checked before they are used")
        self.kind = kind
        maximumChunkBytes = kind.maximumChunkBytes
        cut =
            switch kind {
            case .fixed(let bytes): .fixed(bytes: bytes)
            case .buzhash: .buzhash(BuzhashCut())
            case .rabin(let sizes): .rabin(RabinCut(sizes))
            case .fastCDC(let sizes): .gear(GearCut(sizes))
            case .lines(let bytes): .lines(LineGroupCut(grouping: bytes))
            case .line: .line(LineCut())
            }
    }

    /// The length of the chunk that begins at the start of `bytes`.
    ///
    /// - Parameters:
    ///   - bytes: what follows the chunk before.
    ///   - isLast: whether the content ends with `bytes`.
    /// - Returns: 1 or more; `nil` if more bytes are needed to tell, or if `bytes` is empty.
    public mutating func nextChunk(in bytes: UnsafeRawBufferPointer, isLast: Bool) -> Int? {
        guard let start = bytes.baseAddress, !bytes.isEmpty else { return nil }
        let visible = min(bytes.count, maximumChunkBytes)
        let found: Int? =
            switch cut {
            case .fixed(let size): bytes.count >= size ? size : nil
            case .buzhash(let cut): cut.find(start, visible)
            case .rabin(let cut): cut.find(start, visible)
            case .gear(let cut): cut.find(start, visible)
            case .lines(let cut): cut.find(start, visible)
            case .line(let cut): cut.find(start, visible)
            }
        if let found { return found }
        if visible == maximumChunkBytes { return maximumChunkBytes }
        return isLast ? bytes.count : nil
    }
}
