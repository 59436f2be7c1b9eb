import Glibc
import IPLD
import UnixFS

/// Walks a folder depth first in the order of names and says what to do next, without doing it.
///
/// Iterative: the depth of the tree costs one open directory a level, and no stack.
struct TreeWalk {
    enum Step {
        case file(name: [UInt8], ImportFrame)
        case symlink(name: [UInt8], target: [UInt8], UnixFSMetadata?, ImportFrame)
        case end(ImportFrame)
    }

    private let options: ImportOptions
    private var frames: [ImportFrame]

    init(options: ImportOptions, root: DirectoryHandle, name: [UInt8]) {
        self.options = options
        frames = [ImportFrame(handle: root, name: name, parent: nil, options: options)]
    }

    /// The next step, or `nil` when the root has ended.
    mutating func next(onEvent: (ImportEvent) throws -> Void) throws -> Step? {
        while let frame = frames.last {
            do {
                try frame.open()
            } catch let error as POSIXError {
                try onEvent(.failed(path: frame.shownPath, error))
                frame.giveUp()
            }
            guard let (name, listedKind) = frame.nextName() else {
                frames.removeLast()
                return .end(frame)
            }
            let path = PathText.join(frame.shownPath, name)
            if let reason = exclusion(name, listedKind, frame) {
                try onEvent(.skipped(path: path, reason))
                continue
            }
            do {
                if let step = try step(name, listedKind, frame, path, onEvent) { return step }
            } catch let error as POSIXError {
                try onEvent(.failed(path: path, error))
            }
        }
        return nil
    }

    private func exclusion(_ name: [UInt8], _ kind: FileKind?, _ frame: ImportFrame) -> SkipReason? {
        if options.hiddenEntries == .leaveOut, name.first == PathText.dot { return .hidden }
        if options.ignoring.isEmpty { return nil }
        let segments = frame.segments + [name]
        let isDirectory = (kind ?? (try? frame.handle.status(of: name).kind)) == .directory
        return options.ignoring.ignores(segments, isDirectory: isDirectory) ? .ignored : nil
    }

    /// What to do with one entry; `nil` if that was to descend into it or to leave it out.
    private mutating func step(
        _ name: [UInt8], _ listedKind: FileKind?, _ frame: ImportFrame, _ path: [UInt8],
        _ onEvent: (ImportEvent) throws -> Void
    ) throws -> Step? {
        var kind = try listedKind ?? frame.handle.status(of: name).kind
        if kind == .symlink {
            guard options.symlinks == .follow else {
                let metadata =
                    options.metadata.isEmpty ? nil : options.metadata(of: try frame.handle.status(of: name))
                return .symlink(name: name, target: try frame.handle.symlinkTarget(name), metadata, frame)
            }
            kind = try frame.handle.status(of: name, following: true).kind
        }
        switch kind {
        case .file:
            return .file(name: name, frame)
        case .directory:
            let handle = try frame.handle.directory(name, following: options.symlinks == .follow)
            let child = ImportFrame(handle: handle, name: name, parent: frame, options: options)
            if options.symlinks == .follow, try child.isWithinItself() {
                try onEvent(.skipped(path: path, .symlinkLoop))
                return nil
            }
            frames.append(child)
            return nil
        case .special, .symlink:
            try onEvent(.skipped(path: path, .special))
            return nil
        }
    }
}

/// A directory that is being imported: what is still to be listed, and what it holds so far.
///
/// Belongs to the one thread that walks; workers see only its handle.
final class ImportFrame {
    let handle: DirectoryHandle
    let name: [UInt8]
    let parent: ImportFrame?
    /// The path as events show it, from the name that was given to add on.
    let shownPath: [UInt8]
    /// The path below the folder that was given to add.
    let segments: [[UInt8]]
    private(set) var contentBytes: UInt64 = 0
    private(set) var isEmpty = true
    private let options: ImportOptions
    private var listing: DirectoryListing?
    private var index = 0
    private var builder: DirectoryBuilder

    init(handle: DirectoryHandle, name: [UInt8], parent: ImportFrame?, options: ImportOptions) {
        self.handle = handle
        self.name = name
        self.parent = parent
        self.options = options
        shownPath = parent.map { PathText.join($0.shownPath, name) } ?? name
        segments = parent.map { $0.segments + [name] } ?? []
        let status =
            options.metadata.isEmpty
            ? nil : try? FileStatus(descriptor: handle.descriptor, path: handle.path)
        builder = DirectoryBuilder(
            parameters: options.parameters, metadata: status.flatMap { options.metadata(of: $0) })
    }

    /// Reads the names, once.
    func open() throws {
        if listing == nil { listing = try handle.listing() }
    }

    /// Goes on as if the directory were empty.
    func giveUp() { listing = DirectoryListing() }

    func nextName() -> ([UInt8], FileKind?)? {
        guard let listing, index < listing.count else {
            listing = DirectoryListing()
            return nil
        }
        defer { index += 1 }
        return (listing.name(index), listing.kind(index))
    }

    func add(_ entry: ImportedEntry) throws {
        try builder.add(name: entry.name, cid: entry.cid, dagBytes: entry.dagBytes)
        contentBytes &+= entry.contentBytes
        isEmpty = false
    }

    func finish(emit: (Block) throws -> Void) throws -> DirectoryRoot {
        try builder.finish(emit: emit)
    }

    /// Whether one of the directories above is this one.
    func isWithinItself() throws -> Bool {
        let own = try FileStatus(descriptor: handle.descriptor, path: handle.path)
        var above = parent
        while let frame = above {
            let status = try FileStatus(descriptor: frame.handle.descriptor, path: frame.handle.path)
            if status.device == own.device && status.inode == own.inode { return true }
            above = frame.parent
        }
        return false
    }
}
