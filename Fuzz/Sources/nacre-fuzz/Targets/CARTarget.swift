import CAR
import Digests
import IPLD
import Multiformats

extension FuzzTarget {
    /// Settings: options and the size of pieces; then a CAR file, read as it streams by.
    static let car = FuzzTarget("car") { input in
        var input = FuzzInput(input)
        let options = readingOptions(input.byte())
        let pieceBytes = 1 + Int(input.byte())
        let file = Array(input.rest)
        let whole = CARReading(of: file, options, pieceBytes: max(1, file.count))
        require(
            CARReading(of: file, options, pieceBytes: pieceBytes) == whole,
            "it does not matter in which pieces a file comes")
        require(
            CARReading(streaming: file, options, pieceBytes: pieceBytes) == whole,
            "a stream reads what a reader reads")
        check(whole, of: file, options)
        if whole.errors.isEmpty, let header = whole.header {
            checkWriting(whole.sections.map(\.block), roots: header.roots)
        }
    }

    /// Options that the bits of a setting choose.
    static func readingOptions(_ setting: UInt8) -> CARReadingOptions {
        CARReadingOptions(
            limits: setting & 1 == 0
                ? .standard : CARLimits(maximumHeaderBytes: 256, maximumBlockBytes: 48),
            verification: setting & 2 == 0 ? .everyBlock : .none,
            zeroLengthSection: setting & 4 == 0 ? .isError : .isEnd,
            batchBytes: setting & 8 == 0 ? 8 * 1024 * 1024 : 64)
    }

    private static func check(_ reading: CARReading, of file: [UInt8], _ options: CARReadingOptions) {
        var end: UInt64 = 0
        for section in reading.sections {
            require(section.offset >= end, "sections come one behind the other")
            require(section.bytes.count <= options.limits.maximumBlockBytes, "no block is over the limit")
            var bytes: [UInt8] = []
            CARv1.appendSectionHead(section.cid, blockBytes: section.bytes.count, to: &bytes)
            bytes += section.bytes
            end = section.offset + UInt64(bytes.count)
            require(end <= UInt64(file.count), "a section ends within the file")
            require(file[Int(section.offset)..<Int(end)] == bytes[...], "a section has one form")
            if options.verification == .everyBlock {
                require((try? section.cid.verify(section.bytes)) != nil, "blocks are what their CIDs name")
            }
        }
        for error in reading.errors {
            require((error.offset ?? .max) <= UInt64(file.count), "an error says where in the file it is")
            require(!error.description.isEmpty, "an error has a description")
        }
        require(reading.isAtEnd == (reading.errors.last?.concernsOneSection ?? true), "a file has an end")
    }

    /// Blocks go into a file of either version and come out again, by streaming and by asking for them.
    private static func checkWriting(_ blocks: [Block], roots: [CID]) {
        let formats: [CARWritingFormat] = [
            .version1, .version2(index: nil, payloadBytes: payloadBytes(blocks, roots)),
            .version2(index: .sorted, payloadBytes: nil),
            .version2(index: .multihashSorted, payloadBytes: nil),
        ]
        var options = CARReadingOptions(limits: .widest)
        options.verification = .none
        for format in formats {
            let file = must("blocks can be written") { try write(blocks, roots: roots, format) }
            let reading = CARReading(of: file, options, pieceBytes: max(1, file.count))
            require(reading.errors.isEmpty && reading.isAtEnd, "what was written can be read")
            require(reading.header?.roots == roots, "roots go there and back")
            require(reading.sections.map(\.block) == blocks, "blocks go there and back")
            let access = must("what was written can be opened") { try randomAccess(file, options) }
            for block in blocks.prefix(16) {
                let found = must("what was written can be asked for") { try access.block(block.cid) }
                require(found != nil, "what was written is found")
            }
        }
    }

    private static func payloadBytes(_ blocks: [Block], _ roots: [CID]) -> UInt64 {
        CARWriter.payloadBytes(
            roots: roots, sections: blocks.map { (cid: $0.cid, blockBytes: $0.bytes.count) })
    }

    private static func write(_ blocks: [Block], roots: [CID], _ format: CARWritingFormat) throws -> [UInt8] {
        var file: [UInt8] = []
        var writer = try CARWriter(roots: roots, format: format) { file += $0 }
        for block in blocks { try writer.append(block) }
        let result = try writer.finish()
        require(result.fileBytes == UInt64(file.count), "a writer knows how much it wrote")
        if let patch = result.patch {
            let start = Int(patch.offset)
            file.replaceSubrange(start..<(start + patch.bytes.count), with: patch.bytes)
        }
        return file
    }

    /// Opens a file that is in memory. Reading outside of it is a finding of the address sanitizer.
    static func randomAccess(
        _ file: [UInt8], _ options: CARReadingOptions, usesIndex: Bool = true
    ) throws -> CARRandomAccess {
        try CARRandomAccess(size: UInt64(file.count), options: options, usesIndex: usesIndex) {
            offset, buffer in
            guard offset < UInt64(file.count) else { return 0 }
            let piece = file[Int(offset)...].prefix(buffer.count)
            buffer.copyBytes(from: piece)
            return piece.count
        }
    }
}

/// All that reading a file gives.
struct CARReading: Equatable {
    private(set) var header: CARHeader?
    private(set) var container: CARv2Header?
    private(set) var sections: [CARSection] = []
    private(set) var errors: [CARError] = []
    private(set) var isAtEnd = false

    /// Feeds a reader.
    init(of file: [UInt8], _ options: CARReadingOptions, pieceBytes: Int) {
        var reader = CARReader(options: options)
        var rest = file[...]
        while !isAtEnd {
            do {
                while let section = try reader.next() { sections.append(section) }
                isAtEnd = reader.isAtEnd
                if !isAtEnd {
                    if rest.isEmpty { reader.finish() }
                    require(reader.bufferedBytes <= file.count, "no more is kept than came")
                    reader.feed(Array(rest.prefix(pieceBytes)))
                    rest = rest.dropFirst(pieceBytes)
                }
            } catch {
                errors.append(error)
                if !error.concernsOneSection { break }
            }
        }
        header = reader.header
        container = reader.version2Header
    }

    /// Pulls a stream.
    init(streaming file: [UInt8], _ options: CARReadingOptions, pieceBytes: Int) {
        var place = 0
        var stream = CARStream(options: options, pieceBytes: pieceBytes) { buffer in
            let piece = file[place...].prefix(buffer.count)
            buffer.copyBytes(from: piece)
            place += piece.count
            return piece.count
        }
        while !isAtEnd {
            do {
                if let section = try stream.next() { sections.append(section) } else { isAtEnd = true }
            } catch let error as CARError {
                errors.append(error)
                if !error.concernsOneSection { break }
            } catch {
                require(false, "a stream throws what a reader throws")
            }
        }
        header = try? stream.header()
        container = stream.version2Header
    }
}
