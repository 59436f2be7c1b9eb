import BlockStorage
import Glibc
import IPLD
import UnixFS

/// Files that fit into one buffer, read, hashed and stored by one worker: many little ones together fill the
/// lanes, and a lock, a hop between threads or a put is paid once for all of them.
struct SmallFileBatch: Sendable {
    struct Request: Sendable {
        let directory: DirectoryHandle
        let name: [UInt8]
    }

    enum Result: Sendable {
        case stored(FileRoot, isStable: Bool)
        /// Too large for the buffer: see ``LargeFileImport``.
        case large(SourceFile)
        /// By now it is something else than a regular file.
        case notAFile
        case failed(any Error)
    }

    let options: ImportOptions
    let stage: LeafStage
    let buffers: BufferPool
    let cancellation: Cancellation

    /// How often a file that changes while it is read is read again.
    static let attempts = 4
    /// The most files in one batch.
    static let maximumFiles = 128

    /// Stores the files; the results are in the order of the requests.
    func run(_ requests: [Request]) throws -> [Result] {
        let buffer = buffers.take()
        defer { buffers.giveBack(buffer) }
        var work = Work(batch: self, arena: buffer.bytes, capacity: requests.count)
        for request in requests {
            try cancellation.check()
            try work.read(request)
        }
        try work.flush()
        return work.results
    }

    /// One batch as it goes on: files whose bytes lie in the buffer and wait for being stored together.
    private struct Work {
        let batch: SmallFileBatch
        let arena: UnsafeMutableRawBufferPointer
        var results: [Result] = []
        private var used = 0
        private var chunks: [UnsafeRawBufferPointer] = []
        private var waiting: [Waiting] = []

        private struct Waiting {
            let result: Int
            let chunks: Int
            let metadata: UnixFSMetadata?
            let isStable: Bool
        }

        init(batch: SmallFileBatch, arena: UnsafeMutableRawBufferPointer, capacity: Int) {
            self.batch = batch
            self.arena = arena
            results.reserveCapacity(capacity)
        }

        mutating func read(_ request: Request) throws {
            let following = batch.options.symlinks == .follow
            for attempt in 1...SmallFileBatch.attempts {
                do {
                    let file = try SourceFile(request.name, in: request.directory, following: following)
                    // One byte more than the file has shows whether it grew.
                    let wanted = Int(clamping: file.status.bytes) &+ 1
                    guard wanted <= arena.count else {
                        results.append(.large(file))
                        return
                    }
                    if wanted > arena.count - used { try flush() }
                    let target = UnsafeMutableRawBufferPointer(rebasing: arena[used..<(used + wanted)])
                    let count = try file.read(into: target, at: 0)
                    let isStable = try count == wanted - 1 && file.isUnchanged()
                    if isStable || attempt == SmallFileBatch.attempts {
                        accept(bytes: count, of: file, isStable: isStable)
                        return
                    }
                } catch let error as POSIXError {
                    results.append(error.code == EINVAL ? .notAFile : .failed(error))
                    return
                }
            }
        }

        private mutating func accept(bytes count: Int, of file: SourceFile, isStable: Bool) {
            let content = UnsafeRawBufferPointer(rebasing: arena[used..<(used + count)])
            let before = chunks.count
            if count == 0 {
                chunks.append(content)
            } else {
                var chunker = Chunker(batch.options.parameters.chunker)
                var offset = 0
                while offset < count {
                    let rest = UnsafeRawBufferPointer(rebasing: content[offset...])
                    let length = chunker.nextChunk(in: rest, isLast: true) ?? rest.count
                    chunks.append(UnsafeRawBufferPointer(rebasing: rest[..<length]))
                    offset += length
                }
            }
            // Leaves begin at cache lines: the kernels read them 64 bytes at a time.
            used = min(arena.count, (used + count + 63) & ~63)
            waiting.append(
                Waiting(
                    result: results.count, chunks: chunks.count - before,
                    metadata: batch.options.metadata(of: file.status), isStable: isStable))
            results.append(.notAFile)
        }

        /// Hashes and stores what lies in the buffer, and builds the nodes above.
        mutating func flush() throws {
            guard !waiting.isEmpty else { return }
            let leaves = try storeLeaves()
            var inner = BlockCollector(store: batch.stage.store, scope: batch.stage.scope)
            var next = 0
            for file in waiting {
                var layout = FileLayoutBuilder(parameters: batch.options.parameters, metadata: file.metadata)
                for leaf in leaves[next..<(next + file.chunks)] { try layout.add(leaf) { try inner.add($0) } }
                next += file.chunks
                results[file.result] = .stored(
                    try layout.finish { try inner.add($0) }, isStable: file.isStable)
            }
            try inner.flush()
            chunks.removeAll(keepingCapacity: true)
            waiting.removeAll(keepingCapacity: true)
            used = 0
        }

        /// All chunks together, but for files whose one leaf carries their metadata: no two of those are alike.
        private func storeLeaves() throws -> [FileLeaf] {
            let parameters = batch.options.parameters
            let canCarry = !parameters.rawLeaves && parameters.layout == .balanced
            guard canCarry, waiting.contains(where: { $0.metadata != nil }) else {
                return try batch.stage.store(chunks)
            }
            var leaves: [FileLeaf] = []
            var next = 0
            for file in waiting {
                let own = Array(chunks[next..<(next + file.chunks)])
                next += file.chunks
                leaves += try batch.stage.store(own, soleLeafMetadata: own.count == 1 ? file.metadata : nil)
            }
            return leaves
        }
    }
}

extension ImportOptions {
    /// What of a status is recorded; `nil` if nothing.
    func metadata(of status: FileStatus) -> UnixFSMetadata? {
        guard !metadata.isEmpty else { return nil }
        return UnixFSMetadata(
            mode: metadata.contains(.mode) ? status.permissions : nil,
            mtime: metadata.contains(.modificationTime)
                ? UnixFSTime(seconds: status.modifiedSeconds, nanoseconds: status.modifiedNanoseconds) : nil)
    }
}
