import IPLD
import Multiformats
import UnixFS

/// The entries of an archive of a UnixFS DAG, in their order: each directory before what is in it.
///
/// Entries whose names could lead a careless reader out of its target (`..`, a slash, a NUL) end the walk,
/// and so does a tree of more than `maximumEntries`, and a name that is in a directory twice: as a symlink
/// first, it would lead the second anywhere. Memory: one directory page a level, of unsharded directories
/// all names.
struct ArchiveWalk {
    /// What is to be packed.
    struct Entry {
        /// With the name of the root before it, and no slash at its end.
        let path: [UInt8]
        let kind: Kind
        let metadata: UnixFSMetadata

        enum Kind {
            case directory
            case symlink(target: [UInt8])
            case file(UnixFSFileReader)
        }

        /// Permission bits: those that are recorded, or what is usual.
        var mode: UInt32 {
            if let mode = metadata.mode { return mode & 0o777 }
            return switch kind {
            case .directory: 0o755
            case .symlink: 0o777
            case .file: 0o644
            }
        }
    }

    private struct Frame {
        /// `nil` if all entries are in `page` already.
        let reader: DirectoryReader?
        let path: [UInt8]
        var page: ArraySlice<DirectoryEntry> = []
        var cursor: DirectoryCursor?
        var isAtEnd = false
        /// In a HAMT the place of an entry follows from its name, so that none is there twice.
        var names: Set<[UInt8]> = []
    }

    private let source: any BlockSource
    private let maximumEntries: Int
    private let rule: ArchiveNameRule
    /// A file that is not where its directory is could be written through a symlink: an archive has the
    /// one or the other.
    private var hasDisplacedFiles = false
    private var hasSymlinks = false
    private var entries = 0
    private var frames: [Frame] = []
    /// The root, until it was given out.
    private var root: Entry?

    /// - Throws: what concerns the root itself; everything else comes while it is read.
    init(
        source: any BlockSource, root: CID, name: [UInt8], maximumEntries: Int, names rule: ArchiveNameRule
    ) throws {
        self.source = source
        self.rule = rule
        self.maximumEntries = maximumEntries
        guard PathText.isSafeName(name) else { throw NodeError.unsafeName(name, in: []) }
        self.root = try begin(root, path: name)
    }

    /// The next entry; `nil` at the end.
    mutating func next() throws -> Entry? {
        if let first = root {
            root = nil
            return first
        }
        while var frame = frames.popLast() {
            if frame.page.isEmpty {
                guard let reader = frame.reader, !frame.isAtEnd else { continue }
                let page = try reader.page(after: frame.cursor, limit: 1024)
                frame.page = page.entries[...]
                frame.cursor = page.next
                frame.isAtEnd = page.next == nil
                frames.append(frame)
                continue
            }
            let entry = frame.page.removeFirst()
            let isNew = frame.reader?.isSharded == true || frame.names.insert(entry.name).inserted
            frames.append(frame)
            entries += 1
            guard entries <= maximumEntries else { throw NodeError.tooManyEntries(limit: maximumEntries) }
            guard isNew else { throw NodeError.nameTwice(entry.name, in: frame.path) }
            return PathText.isSafeName(entry.name)
                ? try begin(entry.cid, path: PathText.join(frame.path, entry.name))
                : try displaced(entry, in: frame.path)
        }
        return nil
    }

    /// An entry whose name leads to another place below the root.
    private mutating func displaced(_ entry: DirectoryEntry, in directory: [UInt8]) throws -> Entry {
        let refusal = NodeError.unsafeName(entry.name, in: directory)
        guard rule == .withinRoot, !hasSymlinks, !entry.name.contains(0), entry.name.first != PathText.slash,
            entry.name.last != PathText.slash,
            PathText.isSafeName(entry.name.split(separator: PathText.slash).last.map(Array.init) ?? [])
        else { throw refusal }
        let way = PathText.join(directory, entry.name).split(separator: PathText.slash)
        var parts: [ArraySlice<UInt8>] = []
        for part in way where part != [PathText.dot] {
            if part != [PathText.dot, PathText.dot] {
                parts.append(part)
            } else if parts.popLast() == nil || parts.isEmpty {
                throw refusal
            }
        }
        hasDisplacedFiles = true
        guard parts.count > 1 else { throw refusal }
        let found = try begin(entry.cid, path: Array(parts.joined(separator: [PathText.slash])))
        if case .directory = found.kind { throw refusal }
        return found
    }

    /// Looks at what is behind an entry, and goes into a directory next.
    private mutating func begin(_ cid: CID, path: [UInt8]) throws -> Entry {
        guard let block = try source.block(cid) else { throw NodeError.blockNotFound(cid) }
        guard let stat = try UnixFSStat.ifUnixFS(block) else {
            throw NodeError.notUnixFS(cid, codec: cid.codec.rawValue)
        }
        let kind: Entry.Kind
        switch stat.kind {
        case .directory, .shardedDirectory:
            frames.append(try frame(of: block, path: path))
            kind = .directory
        case .symlink(let target):
            guard !target.isEmpty, !target.contains(0), !hasDisplacedFiles else {
                throw NodeError.unusableSymlink(path)
            }
            hasSymlinks = true
            kind = .symlink(target: target)
        case .file, .raw:
            kind = .file(try UnixFSFileReader(source: source, root: block))
        }
        return Entry(path: path, kind: kind, metadata: stat.metadata)
    }

    private func frame(of block: Block, path: [UInt8]) throws -> Frame {
        do throws(UnixFSDirectoryError) {
            return Frame(reader: try DirectoryReader(source: source, root: block), path: path)
        } catch {
            // Ways instead of names are no directory to anybody else.
            guard rule == .withinRoot, case .damagedNode(_, .badName) = error,
                try UnixFSStat(block).kind == .directory
            else { throw error }
            let entries = try DAGPBNode(decoding: block.bytes).links.map {
                DirectoryEntry(name: $0.name ?? [], cid: $0.cid, dagBytes: $0.tsize ?? 0)
            }
            return Frame(reader: nil, path: path, page: entries[...])
        }
    }
}

/// What names of entries of an archive may be.
public enum ArchiveNameRule: Sendable {
    /// One name of a file system each.
    case plain
    /// Also ways with `/` and `..` to a file elsewhere below the root, which are made plain (IPIP-288).
    case withinRoot
}
