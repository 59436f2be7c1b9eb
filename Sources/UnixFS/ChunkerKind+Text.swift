extension ChunkerKind: CustomStringConvertible {
    /// Reads `size-N`, `buzhash`, `rabin…`, `fastcdc…`, `lines…` or `line`.
    ///
    /// - Throws: `unknown`, `sizeOutOfRange`, `unorderedSizes`.
    public init(text: String) throws(ChunkerError) {
        let parts = text.split(separator: "-", omittingEmptySubsequences: false)
        var numbers: [Int] = []
        for part in parts.dropFirst() {
            // `Int` would take a sign as well.
            guard part.utf8.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }), let number = Int(part) else {
                throw .unknown(text)
            }
            numbers.append(number)
        }
        switch (parts.first, numbers.count) {
        case ("size", 1): self = .fixed(bytes: numbers[0])
        case ("buzhash", 0): self = .buzhash
        case ("rabin", 0): self = .rabin(RabinCut.sizes(average: RabinCut.defaultAverage))
        case ("rabin", 1): self = .rabin(RabinCut.sizes(average: numbers[0]))
        case ("rabin", 3): self = .rabin(ChunkSizes(numbers))
        case ("fastcdc", 0): self = .fastCDC(GearCut.defaultSizes)
        case ("fastcdc", 3): self = .fastCDC(ChunkSizes(numbers))
        case ("lines", 0): self = .lines(bytes: LineCut.defaultGroupBytes)
        case ("lines", 1): self = .lines(bytes: numbers[0])
        case ("line", 0): self = .line
        default: throw .unknown(text)
        }
        try validate()
    }

    public var description: String {
        switch self {
        case .fixed(let bytes): "size-\(bytes)"
        case .buzhash: "buzhash"
        case .rabin(let sizes): "rabin-\(sizes.minimum)-\(sizes.average)-\(sizes.maximum)"
        case .fastCDC(let sizes): "fastcdc-\(sizes.minimum)-\(sizes.average)-\(sizes.maximum)"
        case .lines(let bytes): "lines-\(bytes)"
        case .line: "line"
        }
    }
}

extension ChunkSizes {
    fileprivate init(_ numbers: [Int]) {
        self.init(minimum: numbers[0], average: numbers[1], maximum: numbers[2])
    }
}
