import Digests
import IPLD
import Multiformats
import UnixFS

extension FuzzTarget {
    /// Settings: a kind of root, the ends of a range; then the blocks of a file, the root first.
    ///
    /// With the second bit set, content to import and read back.
    static let unixFSFile = FuzzTarget("unixfs-file") { input in
        var input = FuzzInput(input)
        let settings = input.byte()
        let (a, b) = (input.short(), input.short())
        if settings & 2 != 0 { return checkImport(Array(input.rest), range: min(a, b)..<max(a, b)) }
        let source = InputBlocks(input.rest)
        var limits = FileReadLimits()
        limits.depth = 16
        limits.links = 512
        limits.batchBlocks = 4
        limits.batchBytes = 4096
        let reader = try UnixFSFileReader(
            source: source, root: source.root(settings & 1 == 1 ? .raw : .dagPB), limits: limits)
        let (bytes, error) = readSome(reader)
        require(UInt64(bytes.count) <= reader.size, "no file is longer than it claims")
        if error == nil {
            require(UInt64(bytes.count) == reader.size, "a file that ends is as long as it claims")
        }
        if bytes.isEmpty { return }
        // What could be read once can be read in part: a range needs no other blocks.
        let lower = min(a, b) % bytes.count
        let upper = min(lower + max(a, b) % 1024, bytes.count)
        let again = UnixFSFileReaderRange(reader, lower..<upper)
        let part = try again.read()
        require(part[...] == bytes[lower..<upper], "a range holds the bytes of the file")
        try reader.forEachBlock(UInt64(lower)..<UInt64(upper)) { block in
            require(block.bytes.count <= input.rest.count + 128, "no block is larger than the input")
        }
    }

    /// Reads up to 64 KiB, and says why there is no more.
    private static func readSome(_ reader: UnixFSFileReader) -> ([UInt8], (any Error)?) {
        var bytes: [UInt8] = []
        do {
            var cursor = try reader.cursor()
            while let piece = try cursor.next() {
                require(!piece.isEmpty, "a piece has bytes")
                bytes += piece
                if bytes.count > 64 * 1024 { return (bytes, BudgetSpent()) }
            }
            return (bytes, nil)
        } catch {
            return (bytes, error)
        }
    }

    /// Content cut into leaves of eight bytes, below nodes of two to five links, comes back.
    private static func checkImport(_ content: [UInt8], range: Range<Int>) {
        let content = Array(content.prefix(512))
        for layout in FileLayout.allCases {
            var parameters = ImportParameters.unixfsV1_2025
            parameters.layout = layout
            parameters.maximumLinks = 2 + range.lowerBound % 4
            let source = BuiltBlocks()
            let root = must("content can be imported") { () throws in
                var builder = FileLayoutBuilder(parameters: parameters)
                for start in stride(from: 0, to: content.count, by: 8) {
                    let chunk = Array(content[start..<min(start + 8, content.count)])
                    let block = Block(cid: try CID(hashing: chunk, codec: .raw), bytes: chunk)
                    source.insert(block)
                    try builder.add(
                        FileLeaf(
                            cid: block.cid, contentBytes: UInt64(chunk.count), dagBytes: UInt64(chunk.count)),
                        emit: source.insert)
                }
                return try builder.finish(emit: source.insert)
            }
            let wanted = range.clamped(to: content.indices)
            let part = must("what was imported can be read") { () throws in
                let reader = try UnixFSFileReader(source: source, root: root.cid)
                require(reader.size == UInt64(content.count), "a file is as long as its content")
                return try UnixFSFileReaderRange(reader, wanted).read()
            }
            require(part[...] == content[wanted], "what was imported comes back")
        }
    }
}

/// A range of a file, read at once.
private struct UnixFSFileReaderRange {
    let reader: UnixFSFileReader
    let range: Range<UInt64>

    init(_ reader: UnixFSFileReader, _ range: Range<Int>) {
        self.reader = reader
        self.range = UInt64(range.lowerBound)..<UInt64(range.upperBound)
    }

    func read() throws -> [UInt8] {
        var bytes: [UInt8] = []
        try reader.read(range) { bytes += $0 }
        return bytes
    }
}
