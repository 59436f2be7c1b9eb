import BlockStorage
import Glibc
import IPLD
import Multiformats
import UnixFS

/// Writes single files; used by all workers at once.
struct FileExport: Sendable {
    let source: any BlockSource
    let options: ExportOptions
    let cancellation: Cancellation

    /// Larger files are written by several workers, a piece of this size each.
    static let pieceBytes = 16 * 1024 * 1024

    struct Request: Sendable {
        let directory: TargetDirectory
        let name: [UInt8]
        let path: [UInt8]
        let content: Content

        enum Content: Sendable {
            /// A file that is one raw block.
            case leaf(CID)
            case file(UnixFSFileReader)
        }
    }

    /// Writes several small files; the blocks of those that are one block are read and verified together.
    func run(_ requests: [Request]) throws -> [ExportEvent] {
        var events: [ExportEvent] = []
        events.reserveCapacity(requests.count)
        let leaves = requests.compactMap { if case .leaf(let cid) = $0.content { cid } else { nil } }
        var blocks: [Block?]
        do {
            blocks = try source.blocks(leaves)
        } catch {
            // One damaged block must not take the others with it: each by itself then.
            blocks = leaves.map { _ in nil }
        }
        var next = 0
        for request in requests {
            try cancellation.check()
            do {
                switch request.content {
                case .leaf(let cid):
                    defer { next += 1 }
                    guard let block = try blocks[next] ?? source.block(cid) else {
                        throw NodeError.blockNotFound(cid)
                    }
                    blocks[next] = nil
                    events.append(try write(block.bytes, request))
                case .file(let reader):
                    events.append(try write(reader, request))
                }
            } catch let error as CancelledError {
                throw error
            } catch {
                events.append(.failed(path: request.path, error))
            }
        }
        return events
    }

    /// A file of one block: made and written in two calls, under its name. What a kill leaves between them is
    /// a beginning of the content, which a repeated export recognises and completes.
    private func write(_ bytes: [UInt8], _ request: Request) throws -> ExportEvent {
        let size = UInt64(bytes.count)
        do {
            let file = try request.directory.createFile(request.name)
            try bytes.withUnsafeBytes { try file.write($0, at: 0) }
            return .written(path: request.path, bytes: size)
        } catch let error as POSIXError where error.code == EEXIST {
            return try replace(with: bytes, request)
        }
    }

    /// Something has the name of a file of one block already.
    private func replace(with bytes: [UInt8], _ request: Request) throws -> ExportEvent {
        let size = UInt64(bytes.count)
        guard let status = try request.directory.status(of: request.name) else {
            throw POSIXError("create", path: request.path, code: EEXIST)
        }
        if status.kind == .file, status.bytes <= Int64(bytes.count) {
            let file = try request.directory.openFile(request.name)
            if try begins(file, bytes: Int(status.bytes), with: bytes) {
                if status.bytes == Int64(bytes.count) { return .unchanged(path: request.path, bytes: size) }
                // Nothing of it is lost by completing it, unless it has a second name somewhere.
                if status.names == 1 {
                    try bytes.withUnsafeBytes { try file.write($0, at: 0) }
                    return .written(path: request.path, bytes: size)
                }
            }
        }
        try clear(status, request.name, request.directory, request.path)
        let part = Self.partName(of: request.name)
        let file = try create(part, in: request.directory)
        try bytes.withUnsafeBytes { try file.write($0, at: 0) }
        try request.directory.rename(part, to: request.name)
        return .written(path: request.path, bytes: size)
    }

    private func write(_ reader: UnixFSFileReader, _ request: Request) throws -> ExportEvent {
        guard let part = try open(reader, name: request.name, in: request.directory) else {
            return .unchanged(path: request.path, bytes: reader.size)
        }
        try write(reader, 0..<reader.size, to: part)
        try finish(part, reader, name: request.name, in: request.directory)
        return .written(path: request.path, bytes: reader.size)
    }

    // MARK: Files in pieces

    /// A file that is being written under a passing name.
    struct Part: Sendable {
        let name: [UInt8]
        let file: TargetFile
        /// It was begun by an earlier run: what is right in it is not written again.
        let isResumed: Bool
    }

    /// Opens the passing file, or says `nil` if the file is there already with the right content.
    func open(_ reader: UnixFSFileReader, name: [UInt8], in directory: TargetDirectory) throws -> Part? {
        if let status = try directory.status(of: name) {
            if status.kind == .file, status.bytes == Int64(clamping: reader.size),
                try holds(reader, directory.openFile(name))
            {
                return nil
            }
            try clear(status, name, directory, PathText.join(directory.handle.path, name))
        }
        // Named by the content, so that a repeated export finds what it began and nothing else, and by the
        // entry, since files of the same content are written at the same time.
        let partName =
            Self.partName(of: name) + [UInt8(ascii: "-")]
            + reader.root.cid.asVersion1.description.utf8.suffix(40)
        let file = try directory.openFile(partName)
        let status = try file.status()
        guard status.kind == .file, status.names == 1 else {
            // Not ours: what an earlier run began has one name.
            return Part(name: partName, file: try create(partName, in: directory), isResumed: false)
        }
        return Part(name: partName, file: file, isResumed: status.bytes > 0)
    }

    /// Writes a range of the file, several leaves in one call: each takes the file's lock, and may wait for what the
    /// system writes to the disk meanwhile.
    func write(_ reader: UnixFSFileReader, _ range: Range<UInt64>, to part: Part) throws {
        var cursor = try reader.cursor(range)
        var offset = Int64(range.lowerBound)
        var waiting: [ArraySlice<UInt8>] = []
        var waitingBytes = 0
        func write() throws {
            try part.file.write(waiting, at: offset)
            offset += Int64(waitingBytes)
            waiting.removeAll(keepingCapacity: true)
            waitingBytes = 0
        }
        while let piece = try cursor.next() {
            try cancellation.check()
            if part.isResumed, try isRight(piece, at: offset + Int64(waitingBytes), in: part.file) {
                try write()
                offset += Int64(piece.count)
                continue
            }
            waiting.append(piece)
            waitingBytes += piece.count
            if waitingBytes >= Self.writeBytes || waiting.count == Self.writePieces { try write() }
        }
        try write()
    }

    /// So many bytes or pieces go into one write.
    private static let writeBytes = 8 * 1024 * 1024
    private static let writePieces = 64

    /// Whether a file holds these bytes already.
    private func isRight(_ bytes: ArraySlice<UInt8>, at offset: Int64, in file: TargetFile) throws -> Bool {
        var existing = [UInt8](repeating: 0, count: bytes.count)
        let count = try existing.withUnsafeMutableBytes { try file.read(into: $0, at: offset) }
        return count == bytes.count
            && existing.withUnsafeBytes { existing in bytes.withUnsafeBytes { Self.areEqual(existing, $0) } }
    }

    func finish(_ part: Part, _ reader: UnixFSFileReader, name: [UInt8], in directory: TargetDirectory) throws
    {
        try part.file.truncate(to: Int64(clamping: reader.size))
        try part.file.apply(
            mode: reader.metadata.mode, seconds: reader.metadata.mtime?.seconds,
            nanoseconds: reader.metadata.mtime?.nanoseconds ?? 0)
        try directory.rename(part.name, to: name)
    }

    // MARK: What is there already

    private func clear(
        _ status: FileStatus, _ name: [UInt8], _ directory: TargetDirectory, _ path: [UInt8]
    ) throws {
        // Renaming over a file replaces it; only a directory stands in the way of that.
        guard options.existing == .overwrite, status.kind != .directory else {
            throw NodeError.targetExists(path)
        }
    }

    /// Whether the file's bytes, so many, are the first ones of the content.
    private func begins(_ file: TargetFile, bytes count: Int, with content: [UInt8]) throws -> Bool {
        var existing = [UInt8](repeating: 0, count: count)
        let read = try existing.withUnsafeMutableBytes { try file.read(into: $0, at: 0) }
        guard read == count, count <= content.count else { return false }
        return existing.withUnsafeBytes { existing in
            content.withUnsafeBytes {
                Self.areEqual(existing, UnsafeRawBufferPointer(rebasing: $0[..<count]))
            }
        }
    }

    private func holds(_ reader: UnixFSFileReader, _ file: TargetFile) throws -> Bool {
        var cursor = try reader.cursor()
        var offset: Int64 = 0
        while let bytes = try cursor.next() {
            guard try isRight(bytes, at: offset, in: file) else { return false }
            offset += Int64(bytes.count)
        }
        return true
    }

    private static func areEqual(_ a: UnsafeRawBufferPointer, _ b: UnsafeRawBufferPointer) -> Bool {
        guard a.count == b.count else { return false }
        guard let left = a.baseAddress, let right = b.baseAddress else { return a.isEmpty }
        return memcmp(left, right, a.count) == 0
    }

    /// A passing name for an entry, short whatever its name; others of the directory have another.
    private static func partName(of name: [UInt8]) -> [UInt8] {
        // FNV-1a: a clash, which takes a tree that was made for it, fails the file and nothing else.
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for byte in name { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
        return Array((".nacre-part-" + String(hash, radix: 16)).utf8)
    }

    private func create(_ part: [UInt8], in directory: TargetDirectory) throws -> TargetFile {
        do {
            return try directory.createFile(part)
        } catch let error as POSIXError where error.code == EEXIST {
            // Left by a run that was killed.
            try directory.remove(part)
            return try directory.createFile(part)
        }
    }
}
