import Digests
public import Multiformats
public import SyncProtocol
import Synchronization

/// Files as lists of leaves: cutting them, and putting them together from leaves that are at hand.
///
/// At hand is what files of the folder hold and what was saved here, in memory, up to a limit. Thread-safe.
public final class FileChunks: Sendable {
    private let fileSystem: any FolderFileSystem
    private let reader: ContentReader
    private let blocks: any LocalBlockSource
    private let cache: Mutex<ChunkCache>

    /// - Parameter cacheBytes: how much of what is saved is kept; the oldest goes.
    public init(
        fileSystem: any FolderFileSystem, reader: ContentReader,
        blocks: any LocalBlockSource = NoLocalBlocks(),
        cacheBytes: Int = 64 * 1024 * 1024
    ) {
        self.fileSystem = fileSystem
        self.reader = reader
        self.blocks = blocks
        cache = Mutex(ChunkCache(limit: cacheBytes))
    }

    /// Cuts and hashes a file.
    ///
    /// - Throws: `changed` if it is written to meanwhile, or is no file.
    public func hashify(_ path: String) throws(FileChunksError) -> FileContent {
        let content: FileContent?
        do throws(FileError) {
            content = try reader.read(path)
        } catch {
            throw .file(error)
        }
        guard let content else { throw .changed(path) }
        return content
    }

    /// Writes a new file of leaves, in order, and makes it durable. Nothing is left of one that fails.
    ///
    /// - Parameter path: where nothing is.
    /// - Throws: `missingBlock` for a leaf that is not at hand.
    public func save(_ path: String, _ leaves: [Leaf]) throws(FileChunksError) {
        try disk { () throws(FileError) in try fileSystem.create(path) }
        do throws(FileChunksError) {
            var offset: Int64 = 0
            for leaf in leaves {
                guard let bytes = try readChunk(leaf.cid), bytes.count == leaf.bytes else {
                    throw .missingBlock(leaf.cid)
                }
                try disk { () throws(FileError) in
                    var failure: FileError?
                    bytes.withUnsafeBytes { bytes in
                        do throws(FileError) {
                            try fileSystem.write(bytes, to: path, at: offset)
                        } catch {
                            failure = error
                        }
                    }
                    if let failure { throw failure }
                }
                offset += Int64(bytes.count)
            }
            try disk { () throws(FileError) in try fileSystem.synchronize(file: path) }
        } catch {
            // The error that counts is the one before.
            try? fileSystem.removeFile(path)
            throw error
        }
    }

    /// The bytes of a leaf, checked; `nil` if it is not at hand.
    public func readChunk(_ cid: CID) throws(FileChunksError) -> [UInt8]? {
        if let bytes = cache.withLock({ $0.chunks[cid] }) { return bytes }
        guard let place = blocks.find(cid), place.bytes <= Self.maximumBytes else { return nil }
        var bytes = [UInt8](repeating: 0, count: place.bytes)
        let isRead = bytes.withUnsafeMutableBytes { buffer in
            // A file that went away, or cannot be read, does not have it.
            (try? fileSystem.read(place.path, at: place.offset, into: buffer)) == buffer.count
        }
        return isRead && check(cid, bytes) ? bytes : nil
    }

    /// Keeps the bytes of a leaf.
    ///
    /// - Throws: `wrongBytes` if they are not the leaf's, `tooLarge`.
    public func saveChunk(_ cid: CID, _ bytes: [UInt8]) throws(FileChunksError) {
        guard bytes.count <= Self.maximumBytes else { throw .tooLarge(cid, bytes: bytes.count) }
        guard check(cid, bytes) else { throw .wrongBytes(cid) }
        cache.withLock { $0.insert(cid, bytes) }
    }

    /// Whether a leaf is at hand. Its bytes are read and hashed.
    public func checkChunk(_ cid: CID) throws(FileChunksError) -> Bool { try readChunk(cid) != nil }

    /// The leaves of one list that another one does not have, each once.
    public static func compareSets(_ first: [Leaf], _ second: [Leaf]) -> [Leaf] {
        var known = Set(second.map(\.cid))
        return first.filter { known.insert($0.cid).inserted }
    }

    /// A block.
    private static let maximumBytes = 2 * 1024 * 1024

    private func check(_ cid: CID, _ bytes: [UInt8]) -> Bool { (try? cid.verify(bytes)) != nil }

    private func disk(_ body: () throws(FileError) -> Void) throws(FileChunksError) {
        do throws(FileError) { try body() } catch { throw .file(error) }
    }
}

/// Leaves in memory, the oldest first to go.
private struct ChunkCache {
    let limit: Int
    var chunks: [CID: [UInt8]] = [:]
    private var order: [CID] = []
    private var bytes = 0

    init(limit: Int) { self.limit = limit }

    mutating func insert(_ cid: CID, _ content: [UInt8]) {
        guard chunks[cid] == nil, content.count <= limit else { return }
        var gone = 0
        while bytes + content.count > limit, gone < order.count {
            bytes -= chunks.removeValue(forKey: order[gone])?.count ?? 0
            gone += 1
        }
        order.removeFirst(gone)
        chunks[cid] = content
        order.append(cid)
        bytes += content.count
    }
}

/// Why a file cannot be cut, or put together.
public enum FileChunksError: Error, Hashable, Sendable {
    /// A leaf is not at hand.
    case missingBlock(CID)
    case wrongBytes(CID)
    case tooLarge(CID, bytes: Int)
    /// The file was written to while it was read.
    case changed(String)
    case file(FileError)
}

extension FileChunksError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .missingBlock(let cid): "block \(cid) is not at hand: fetch it and save it first"
        case .wrongBytes(let cid): "the bytes are not those of block \(cid): fetch it from elsewhere"
        case .tooLarge(let cid, let bytes): "block \(cid) of \(bytes) bytes is longer than a block may be"
        case .changed(let path): "`\(path)` is being written to: try again when it is quiet"
        case .file(let error): error.description
        }
    }
}
