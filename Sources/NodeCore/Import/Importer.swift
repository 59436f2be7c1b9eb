public import BlockStorage
import Digests
import Glibc
import IPLD
import Multiformats
import UnixFS

/// Brings files, folders and streams into a block store.
///
/// One thread walks the tree and builds layouts and directories in the order of names; workers read, hash
/// and store. What is in flight is bounded by the buffers: `threads + 2` of `ImportOptions.bufferBytes`.
/// Nothing is durable before the caller commits the store.
///
/// The same input and parameters give the same CIDs, whatever the number of threads.
public final class Importer {
    private let store: any BlockStore
    private let options: ImportOptions
    private let cancellation: Cancellation
    private let onEvent: (ImportEvent) throws -> Void
    private let pool: WorkerPool
    private let buffers: BufferPool
    private let stage: LeafStage

    /// - Parameter onEvent: told of everything in order, on the thread that called; may throw to stop.
    public init(
        store: any BlockStore, options: ImportOptions, cancellation: Cancellation = Cancellation(),
        onEvent: @escaping (ImportEvent) throws -> Void = { _ in }
    ) {
        self.store = store
        self.options = options
        self.cancellation = cancellation
        self.onEvent = onEvent
        pool = WorkerPool(threads: options.threads)
        buffers = BufferPool(count: options.threads + 2, bytes: options.bufferBytes)
        stage = LeafStage(parameters: options.parameters, store: store, scope: options.scope)
    }

    /// Adds a file, folder or symlink.
    ///
    /// - Parameters:
    ///   - path: in bytes. A symlink given here by name is followed, as a user expects.
    ///   - name: what the entry is called; by default the last part of the path.
    /// - Throws: `POSIXError` if the path itself cannot be read. What fails below it is an event.
    public func add(path: [UInt8], name: [UInt8]? = nil) throws -> ImportedEntry {
        let name = name ?? ImportPath.name(of: path)
        var status = stat()
        guard Path.withCString(path, { stat($0, &status) }) == 0 else { throw POSIXError.last("add", path) }
        switch FileKind(mode: status.st_mode) {
        case .directory:
            return try walk(root: DirectoryHandle(opening: path), name: name)
        case .file:
            let (parent, last) = ImportPath.split(path)
            return try addFile(last, in: DirectoryHandle(opening: parent), name: name)
        case .symlink, .special:
            throw ImportError.notAFile(path)
        }
    }

    /// Adds a stream that is read once, to its end.
    ///
    /// - Parameter read: fills a buffer; returns 0 only at the end.
    public func add(
        streamNamed name: [UInt8], read: (UnsafeMutableRawBufferPointer) throws -> Int
    ) throws -> ImportedEntry {
        let root = try largeFile().storeSequentially(metadata: nil) { target, _ in
            var filled = 0
            while filled < target.count {
                let count = try read(UnsafeMutableRawBufferPointer(rebasing: target[filled...]))
                if count == 0 { break }
                filled += count
            }
            return filled
        }
        let entry = ImportedEntry(name: name, kind: .file, root)
        try onEvent(.added(path: name, entry))
        return entry
    }

    /// A directory that holds the entries: what `--wrap` makes.
    public func wrap(_ entries: [ImportedEntry]) throws -> ImportedEntry {
        var builder = DirectoryBuilder(parameters: options.parameters, metadata: nil)
        var content: UInt64 = 0
        for entry in entries {
            try builder.add(name: entry.name, cid: entry.cid, dagBytes: entry.dagBytes)
            content &+= entry.contentBytes
        }
        var blocks = BlockCollector(store: store, scope: options.scope)
        let root = try builder.finish { try blocks.add($0) }
        try blocks.flush()
        let entry = ImportedEntry(
            name: [], kind: .directory, cid: root.cid, contentBytes: content, dagBytes: root.dagBytes)
        try onEvent(.added(path: [], entry))
        return entry
    }

    private func addFile(_ last: [UInt8], in parent: DirectoryHandle, name: [UInt8]) throws -> ImportedEntry {
        // The path was named by the user: if its last part is a symlink, what it points to is meant.
        var options = options
        options.symlinks = .follow
        let batch = SmallFileBatch(
            options: options, stage: stage, buffers: buffers, cancellation: cancellation)
        guard let result = try batch.run([.init(directory: parent, name: last)]).first else {
            throw ImportError.notAFile(PathText.join(parent.path, last))
        }
        let (root, isStable) = try resolve(result, path: PathText.join(parent.path, last)) {
            try SourceFile(last, in: parent, following: true)
        }
        if !isStable { try onEvent(.unstable(path: name)) }
        let entry = ImportedEntry(name: name, kind: .file, root)
        try onEvent(.added(path: name, entry))
        return entry
    }

    /// The root of a file from a batch; a large one is stored now.
    private func resolve(
        _ result: SmallFileBatch.Result, path: [UInt8], reopen: () throws -> SourceFile
    ) throws -> (FileRoot, isStable: Bool) {
        switch result {
        case .stored(let root, let isStable):
            try onEvent(.read(bytes: Int(clamping: root.contentBytes)))
            return (root, isStable)
        case .large(let file):
            let outcome = try largeFile().run(file, reopen: reopen)
            return (outcome.root, outcome.isStable)
        case .notAFile:
            throw ImportError.notAFile(path)
        case .failed(let error):
            throw error
        }
    }

    private func largeFile() -> LargeFileImport {
        LargeFileImport(
            options: options, stage: stage, pool: pool, buffers: buffers, bufferBytes: options.bufferBytes,
            cancellation: cancellation, onRead: { [onEvent] in try onEvent(.read(bytes: $0)) })
    }

    private func walk(root: DirectoryHandle, name: [UInt8]) throws -> ImportedEntry {
        var walk = TreeWalk(options: options, root: root, name: name)
        let batches = SmallFileBatch(
            options: options, stage: stage, buffers: buffers, cancellation: cancellation)
        var queue = ImportQueue(pool: pool, batches: batches)
        var directories = BlockCollector(store: store, scope: options.scope)
        var result: ImportedEntry?
        defer { queue.settle() }
        while result == nil {
            try cancellation.check()
            if !queue.isFull, let step = try walk.next(onEvent: onEvent) {
                try queue.append(step)
                continue
            }
            guard let step = try queue.popFirst() else { break }
            result = try perform(step, &directories)
        }
        try directories.flush()
        guard let result else { throw ImportError.notAFile(root.path) }
        return result
    }

    /// Takes one finished step into its directory; returns the root once that is complete.
    private func perform(_ step: ImportQueue.Finished, _ blocks: inout BlockCollector) throws
        -> ImportedEntry?
    {
        switch step {
        case .file(let name, let frame, let result):
            let path = PathText.join(frame.shownPath, name)
            do {
                let following = options.symlinks == .follow
                let (root, isStable) = try resolve(result, path: PathText.join(frame.handle.path, name)) {
                    try SourceFile(name, in: frame.handle, following: following)
                }
                if !isStable { try onEvent(.unstable(path: path)) }
                try frame.add(ImportedEntry(name: name, kind: .file, root))
                try onEvent(.added(path: path, ImportedEntry(name: name, kind: .file, root)))
            } catch let error as POSIXError {
                try onEvent(.failed(path: path, error))
            } catch ImportError.notAFile {
                try onEvent(.skipped(path: path, .special))
            }
            return nil
        case .symlink(let name, let target, let metadata, let frame):
            let node = try UnixFSSymlink(target: target, metadata: metadata ?? UnixFSMetadata()).block(
                parameters: options.parameters)
            try blocks.add(node)
            let entry = ImportedEntry(
                name: name, kind: .symlink, cid: node.cid, contentBytes: UInt64(target.count),
                dagBytes: UInt64(node.bytes.count))
            try frame.add(entry)
            try onEvent(.added(path: PathText.join(frame.shownPath, name), entry))
            return nil
        case .end(let frame):
            if frame.isEmpty, options.emptyDirectories == .leaveOut, let parent = frame.parent {
                _ = parent
                try onEvent(.skipped(path: frame.shownPath, .emptyDirectory))
                return nil
            }
            let root = try frame.finish { try blocks.add($0) }
            let entry = ImportedEntry(
                name: frame.name, kind: .directory, cid: root.cid, contentBytes: frame.contentBytes,
                dagBytes: root.dagBytes)
            try frame.parent?.add(entry)
            try onEvent(.added(path: frame.shownPath, entry))
            return frame.parent == nil ? entry : nil
        }
    }
}

extension ImportedEntry {
    init(name: [UInt8], kind: FileKind, _ root: FileRoot) {
        self.init(
            name: name, kind: kind, cid: root.cid, contentBytes: root.contentBytes, dagBytes: root.dagBytes)
    }
}

/// Why a path cannot be added.
public enum ImportError: Error, Equatable, Sendable {
    /// Neither a file nor a folder.
    case notAFile([UInt8])
}

extension ImportError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .notAFile(let path):
            "\(PathText.printable(path)) is neither a file nor a folder, so there is nothing to add"
        }
    }
}
