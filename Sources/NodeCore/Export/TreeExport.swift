import BlockStorage
import Glibc
public import IPLD
public import Multiformats
import UnixFS

/// Writes a UnixFS DAG to disk as files.
///
/// Directories are walked depth first without recursion; workers read, verify and write files. A file is
/// written under a name of its own and renamed when it is whole, so that a name never stands for half a file.
/// Repeating an export goes on where it stopped: files that are there with the right content are left alone,
/// and of a half-written one only what is missing or wrong is written. Symlinks are made last of all.
public final class TreeExport {
    let source: any BlockSource
    let options: ExportOptions
    let cancellation: Cancellation
    private let onEvent: (ExportEvent) throws -> Void
    private let pool: WorkerPool
    private var pending: [Task] = []
    /// Large files that are being written, at most as many as there are workers: two workers that write to
    /// one file wait for each other.
    private var large: [LargeFile] = []
    /// Its failure is that of the export.
    private var rootIsFile = false
    private var batch: [FileExport.Request] = []
    private var symlinks: [Symlink] = []
    private var directories: [(target: TargetDirectory, metadata: UnixFSMetadata)] = []

    private struct Symlink {
        let directory: TargetDirectory
        let name: [UInt8]
        let target: [UInt8]
        let metadata: UnixFSMetadata?
        let path: [UInt8]
    }

    /// Work that is under way.
    private struct Task {
        let outcome: Pending<[ExportEvent]>
        /// The large file that a piece is of.
        let file: LargeFile?
    }

    /// A file that several workers write, a piece at a time.
    private final class LargeFile {
        let part: FileExport.Part
        let reader: UnixFSFileReader
        let name: [UInt8]
        let directory: TargetDirectory
        let path: [UInt8]
        /// Where the next piece begins.
        var offset: UInt64 = 0
        var pieces = 0
        var failure: (any Error)?

        init(
            _ part: FileExport.Part, _ reader: UnixFSFileReader, name: [UInt8],
            in directory: TargetDirectory, path: [UInt8]
        ) {
            self.part = part
            self.reader = reader
            self.name = name
            self.directory = directory
            self.path = path
        }

        var isSubmitted: Bool { failure != nil || offset >= reader.size }
    }

    public init(
        source: any BlockSource, options: ExportOptions, cancellation: Cancellation = Cancellation(),
        onEvent: @escaping (ExportEvent) throws -> Void = { _ in }
    ) {
        self.source = source
        self.options = options
        self.cancellation = cancellation
        self.onEvent = onEvent
        pool = WorkerPool(threads: options.threads)
    }

    /// Files in one task at most: small ones are read and verified together.
    private static let batchFiles = 64

    /// Writes what `root` names to `path`: a file, or a directory with everything in it.
    ///
    /// - Throws: what concerns everything, such as a missing root. What concerns one entry is an event.
    public func run(root: CID, to path: [UInt8]) throws {
        guard let block = try source.block(root) else { throw NodeError.blockNotFound(root) }
        guard let node = try UnixFSStat.ifUnixFS(block) else {
            throw NodeError.notUnixFS(root, codec: root.codec.rawValue)
        }
        defer { settle() }
        if node.kind.isDirectory {
            try walk(DirectoryReader(source: source, root: block), into: TargetDirectory(creating: path))
        } else {
            rootIsFile = true
            let (parent, name) = ImportPath.split(path)
            let directory = TargetDirectory(try DirectoryHandle(opening: parent))
            try take(block, node, name: name, in: directory, path: path)
        }
        try submitBatch()
        while !large.isEmpty { try writePieces() }
        try drain(to: 0)
        try makeSymlinks()
        for (target, metadata) in directories.reversed() {
            try target.apply(
                mode: metadata.mode, seconds: metadata.mtime?.seconds,
                nanoseconds: metadata.mtime?.nanoseconds ?? 0)
        }
    }

    /// A directory that is being gone through, a page of entries at a time.
    private struct Frame {
        let reader: DirectoryReader
        let target: TargetDirectory
        let path: [UInt8]
        var page: ArraySlice<DirectoryEntry> = []
        var cursor: DirectoryCursor?
        var isAtEnd = false
    }

    private static let pageEntries = 4096

    private func walk(_ reader: DirectoryReader, into target: TargetDirectory) throws {
        var frames = [Frame(reader: reader, target: target, path: [])]
        note(reader, target)
        var entries = 0
        while var frame = frames.popLast() {
            try cancellation.check()
            if frame.page.isEmpty {
                if frame.isAtEnd { continue }
                let page = try frame.reader.page(after: frame.cursor, limit: Self.pageEntries)
                frame.isAtEnd = page.next == nil
                frame.cursor = page.next
                frame.page = page.entries[...]
                frames.append(frame)
                continue
            }
            let entry = frame.page.removeFirst()
            frames.append(frame)
            entries += 1
            guard entries <= options.maximumEntries else {
                throw NodeError.tooManyEntries(limit: options.maximumEntries)
            }
            let path = PathText.join(frame.path, entry.name)
            do {
                if let child = try open(entry, in: frame, path: path) { frames.append(child) }
            } catch let error as CancelledError {
                throw error
            } catch {
                try onEvent(.failed(path: path, error))
            }
        }
    }

    /// Starts the export of an entry; returns a frame if it is a directory to go through.
    private func open(_ entry: DirectoryEntry, in frame: Frame, path: [UInt8]) throws -> Frame? {
        guard PathText.isSafeName(entry.name) else { throw NodeError.unsafeName(entry.name, in: frame.path) }
        if entry.cid.codec == .raw, entry.dagBytes <= UInt64(Block.hardMaximumBytes) {
            batch.append(
                .init(directory: frame.target, name: entry.name, path: path, content: .leaf(entry.cid)))
            if batch.count == Self.batchFiles { try submitBatch() }
            return nil
        }
        guard let block = try source.block(entry.cid) else { throw NodeError.blockNotFound(entry.cid) }
        guard let node = try UnixFSStat.ifUnixFS(block) else {
            throw NodeError.notUnixFS(entry.cid, codec: entry.cid.codec.rawValue)
        }
        guard node.kind.isDirectory else {
            try take(block, node, name: entry.name, in: frame.target, path: path)
            return nil
        }
        let reader = try DirectoryReader(source: source, root: block)
        let target = try frame.target.makeDirectory(entry.name)
        note(reader, target)
        return Frame(reader: reader, target: target, path: path)
    }

    private func note(_ reader: DirectoryReader, _ target: TargetDirectory) {
        if !reader.metadata.isEmpty { directories.append((target, reader.metadata)) }
    }

    private func take(
        _ block: Block, _ node: UnixFSStat, name: [UInt8], in directory: TargetDirectory, path: [UInt8]
    ) throws {
        if case .symlink(let target) = node.kind {
            symlinks.append(
                Symlink(directory: directory, name: name, target: target, metadata: node.metadata, path: path)
            )
            return
        }
        let reader = try UnixFSFileReader(source: source, root: block)
        if reader.size <= UInt64(FileExport.pieceBytes) {
            batch.append(.init(directory: directory, name: name, path: path, content: .file(reader)))
            if batch.count == Self.batchFiles { try submitBatch() }
        } else {
            try submitBatch()
            try exportLarge(reader, name: name, in: directory, path: path)
        }
    }

    // MARK: Work in flight

    private func submitBatch() throws {
        guard !batch.isEmpty else { return }
        let export = FileExport(source: source, options: options, cancellation: cancellation)
        let requests = batch
        batch.removeAll(keepingCapacity: true)
        pending.append(Task(outcome: pool.submit { try export.run(requests) }, file: nil))
        try drain(to: pool.threads + 2)
    }

    /// Waits until no more than `limit` tasks are under way, and reports what the others did.
    private func drain(to limit: Int) throws {
        while pending.count > limit {
            let task = pending.removeFirst()
            guard let file = task.file else {
                for event in try task.outcome.value() { try onEvent(event) }
                continue
            }
            do {
                for event in try task.outcome.value() { try onEvent(event) }
            } catch let error as CancelledError {
                throw error
            } catch {
                file.failure = file.failure ?? error
            }
            file.pieces -= 1
            if file.pieces == 0 && file.isSubmitted { try end(file) }
        }
    }

    private func settle() {
        for task in pending { _ = try? task.outcome.value() }
        pending.removeAll()
    }

    private func exportLarge(
        _ reader: UnixFSFileReader, name: [UInt8], in directory: TargetDirectory, path: [UInt8]
    ) throws {
        let export = FileExport(source: source, options: options, cancellation: cancellation)
        guard let part = try export.open(reader, name: name, in: directory) else {
            try onEvent(.unchanged(path: path, bytes: reader.size))
            return
        }
        large.append(LargeFile(part, reader, name: name, in: directory, path: path))
        // Until another one comes, or nothing more, the workers are busy with what is there.
        while large.count >= pool.threads { try writePieces() }
    }

    /// Has a piece of each large file written.
    private func writePieces() throws {
        let export = FileExport(source: source, options: options, cancellation: cancellation)
        for file in large where !file.isSubmitted {
            try cancellation.check()
            let range = file.offset..<min(file.reader.size, file.offset + UInt64(FileExport.pieceBytes))
            let (reader, part) = (file.reader, file.part)
            file.offset = range.upperBound
            file.pieces += 1
            let outcome = pool.submit {
                try export.write(reader, range, to: part)
                return [ExportEvent.progress(bytes: range.count)]
            }
            pending.append(Task(outcome: outcome, file: file))
            try drain(to: pool.threads + 1)
        }
        if large.allSatisfy(\.isSubmitted) { try drain(to: 0) }
    }

    /// Puts a file that is written under its name.
    private func end(_ file: LargeFile) throws {
        large.removeAll { $0 === file }
        do {
            if let failure = file.failure { throw failure }
            let export = FileExport(source: source, options: options, cancellation: cancellation)
            try export.finish(file.part, file.reader, name: file.name, in: file.directory)
            try onEvent(.written(path: file.path, bytes: file.reader.size))
        } catch let error where rootIsFile || error is CancelledError {
            throw error
        } catch {
            try onEvent(.failed(path: file.path, error))
        }
    }

    private func makeSymlinks() throws {
        for symlink in symlinks {
            do {
                if try !isThere(symlink) {
                    try symlink.directory.makeSymlink(symlink.name, target: symlink.target)
                }
                if let mtime = symlink.metadata?.mtime {
                    try symlink.directory.setModificationTime(
                        symlink.name, seconds: mtime.seconds, nanoseconds: mtime.nanoseconds)
                }
                try onEvent(.written(path: symlink.path, bytes: UInt64(symlink.target.count)))
            } catch let error as CancelledError {
                throw error
            } catch {
                try onEvent(.failed(path: symlink.path, error))
            }
        }
    }

    /// Whether the same symlink is there; another entry in its place is removed or refused.
    private func isThere(_ symlink: Symlink) throws -> Bool {
        guard let status = try symlink.directory.status(of: symlink.name) else { return false }
        if status.kind == .symlink, try symlink.directory.handle.symlinkTarget(symlink.name) == symlink.target
        {
            return true
        }
        guard options.existing == .overwrite, status.kind != .directory else {
            throw NodeError.targetExists(symlink.path)
        }
        try symlink.directory.remove(symlink.name)
        return false
    }
}

/// How files are written.
public struct ExportOptions: Sendable {
    /// What to do with a file that is there with other content.
    public var existing: Existing = .refuse
    public var threads: Int
    /// The most files, directories and symlinks: a DAG of a few blocks can be a tree of 2^64.
    public var maximumEntries = Self.defaultMaximumEntries

    public static let defaultMaximumEntries = 10_000_000

    public init(threads: Int) { self.threads = max(1, threads) }

    /// What to do with what is there.
    public enum Existing: Sendable {
        case refuse
        case overwrite
    }
}

/// What happens during an export.
public enum ExportEvent: Sendable {
    case written(path: [UInt8], bytes: UInt64)
    /// Was there already, with the right content.
    case unchanged(path: [UInt8], bytes: UInt64)
    case progress(bytes: Int)
    case failed(path: [UInt8], any Error)
}
