import IPLD
import UnixFS

/// A file larger than one buffer, cut into pieces that the workers hash and store at the same time; the
/// layout above is built in order as their results come in.
struct LargeFileImport {
    let options: ImportOptions
    let stage: LeafStage
    let pool: WorkerPool
    let buffers: BufferPool
    /// The size of each pooled buffer.
    let bufferBytes: Int
    let cancellation: Cancellation
    /// Told of each piece's bytes as it is stored.
    let onRead: (Int) throws -> Void

    /// The root, how much was read, and whether the source held still meanwhile.
    struct Outcome {
        let root: FileRoot
        let isStable: Bool
    }

    /// Stores an open file; a file that changes meanwhile is read again from its beginning.
    func run(_ file: SourceFile, reopen: () throws -> SourceFile) throws -> Outcome {
        var file = file
        for attempt in 1... {
            let metadata = options.metadata(of: file.status)
            let root: FileRoot
            if let chunkBytes = options.parameters.chunker.fixedSize {
                root = try storeInParallel(file, chunkBytes: chunkBytes, metadata: metadata)
            } else {
                root = try storeSequentially(metadata: metadata) { try file.read(into: $0, at: $1) }
            }
            let isStable = try root.contentBytes == UInt64(clamping: file.status.bytes) && file.isUnchanged()
            if isStable || attempt == SmallFileBatch.attempts {
                return Outcome(root: root, isStable: isStable)
            }
            file = try reopen()
        }
        // The range has no end, which the compiler does not see; nothing from outside decides this.
        preconditionFailure("the loop above returns at the last attempt")
    }

    /// Chunks of one size: each worker reads its own piece.
    private func storeInParallel(_ file: SourceFile, chunkBytes: Int, metadata: UnixFSMetadata?) throws
        -> FileRoot
    {
        let pieceBytes = Int64(max(1, bufferBytes / chunkBytes) * chunkBytes)
        let size = file.status.bytes
        var layout = FileLayoutBuilder(parameters: options.parameters, metadata: metadata)
        var inner = BlockCollector(store: stage.store, scope: stage.scope)
        var pending: [Pending<[FileLeaf]>] = []
        var offset: Int64 = 0
        var consumed = 0
        defer { Self.settle(pending[consumed...]) }
        while offset < size || consumed < pending.count {
            try cancellation.check()
            if offset < size, pending.count - consumed <= pool.threads {
                let start = offset
                let count = Int(min(pieceBytes, size - offset))
                let (stage, buffers) = (stage, buffers)
                pending.append(
                    pool.submit {
                        let buffer = buffers.take()
                        defer { buffers.giveBack(buffer) }
                        let target = UnsafeMutableRawBufferPointer(rebasing: buffer.bytes[..<count])
                        let read = try file.read(into: target, at: start)
                        return try stage.store(Self.slices(of: target, count: read, every: chunkBytes))
                    })
                offset += Int64(count)
            } else {
                let leaves = try pending[consumed].value()
                consumed += 1
                try add(leaves, to: &layout, &inner)
                if consumed == 64 {
                    pending.removeFirst(consumed)
                    consumed = 0
                }
            }
        }
        return try finish(&layout, &inner)
    }

    private static func slices(
        of buffer: UnsafeMutableRawBufferPointer, count: Int, every size: Int
    ) -> [UnsafeRawBufferPointer] {
        stride(from: 0, to: count, by: size).map { start in
            UnsafeRawBufferPointer(rebasing: buffer[start..<min(count, start + size)])
        }
    }

    /// Chunks of sizes that depend on the content, or a source that can be read only once: this thread reads
    /// and cuts, the workers hash and store.
    ///
    /// - Parameter read: fills as much of the buffer as there is; fewer bytes than asked mean the end.
    func storeSequentially(
        metadata: UnixFSMetadata?, read: (UnsafeMutableRawBufferPointer, Int64) throws -> Int
    ) throws -> FileRoot {
        var layout = FileLayoutBuilder(parameters: options.parameters, metadata: metadata)
        var inner = BlockCollector(store: stage.store, scope: stage.scope)
        var chunker = Chunker(options.parameters.chunker)
        var pending: [Pending<[FileLeaf]>] = []
        defer { Self.settle(pending[...]) }
        var buffer = buffers.take()
        var carried = 0
        var offset: Int64 = 0
        var isAtEnd = false
        var isFirst = true
        while !isAtEnd {
            do {
                try cancellation.check()
                let target = UnsafeMutableRawBufferPointer(rebasing: buffer.bytes[carried...])
                let count = try read(target, offset)
                offset += Int64(count)
                isAtEnd = count < target.count
                let filled = UnsafeRawBufferPointer(rebasing: buffer.bytes[..<(carried + count)])
                var (chunks, end) = Self.cut(filled, &chunker, isLast: isAtEnd)
                if isFirst && isAtEnd && filled.isEmpty { chunks = [filled] }
                isFirst = false
                // The tail that is no whole chunk yet begins the next buffer.
                let rest = UnsafeRawBufferPointer(rebasing: filled[end...])
                let next = isAtEnd ? nil : buffers.take()
                next?.bytes.copyMemory(from: rest)
                carried = rest.count
                pending.append(submit(chunks, in: buffer))
                if let next { buffer = next }
            } catch {
                if !isAtEnd { buffers.giveBack(buffer) }
                throw error
            }
            while let first = pending.first, first.isDone || pending.count > pool.threads {
                let leaves = try first.value()
                pending.removeFirst()
                try add(leaves, to: &layout, &inner)
            }
        }
        for result in pending { try add(try result.value(), to: &layout, &inner) }
        pending.removeAll()
        return try finish(&layout, &inner)
    }

    private static func cut(
        _ filled: UnsafeRawBufferPointer, _ chunker: inout Chunker, isLast: Bool
    ) -> (chunks: [UnsafeRawBufferPointer], end: Int) {
        var chunks: [UnsafeRawBufferPointer] = []
        var end = 0
        while end < filled.count {
            let rest = UnsafeRawBufferPointer(rebasing: filled[end...])
            guard let length = chunker.nextChunk(in: rest, isLast: isLast) else { break }
            chunks.append(UnsafeRawBufferPointer(rebasing: rest[..<length]))
            end += length
        }
        return (chunks, end)
    }

    /// Hands the chunks, and with them the buffer that they lie in, to a worker.
    private func submit(_ chunks: [UnsafeRawBufferPointer], in buffer: PooledBuffer) -> Pending<[FileLeaf]> {
        let (stage, buffers) = (stage, buffers)
        let ranges = chunks.map { chunk in
            let start =
                chunk.baseAddress.map { UnsafeRawPointer(buffer.bytes.baseAddress!).distance(to: $0) } ?? 0
            return start..<(start + chunk.count)
        }
        return pool.submit {
            defer { buffers.giveBack(buffer) }
            return try stage.store(ranges.map { UnsafeRawBufferPointer(rebasing: buffer.bytes[$0]) })
        }
    }

    private func add(_ leaves: [FileLeaf], to layout: inout FileLayoutBuilder, _ inner: inout BlockCollector)
        throws
    {
        var bytes = 0
        for leaf in leaves {
            try layout.add(leaf) { try inner.add($0) }
            bytes += Int(leaf.contentBytes)
        }
        try onRead(bytes)
    }

    private func finish(_ layout: inout FileLayoutBuilder, _ inner: inout BlockCollector) throws -> FileRoot {
        let root = try layout.finish { try inner.add($0) }
        try inner.flush()
        return root
    }

    /// Waits for tasks whose results nobody wants any more: they use buffers and the store until they end.
    private static func settle(_ pending: ArraySlice<Pending<[FileLeaf]>>) {
        for task in pending { _ = try? task.value() }
    }
}
