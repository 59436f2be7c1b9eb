import CZlib
public import IPLD
public import Multiformats
import UnixFS

/// Streams a UnixFS DAG as a ZIP archive: entries as they are (`stored`), with ZIP64 where sizes ask for it.
///
/// What a file hashes to is known behind its content alone, and stands there (a data descriptor) and in the
/// directory at the end. That is made by a second walk over the tree, so that names are not kept. Symlinks
/// and modes are written as Info-ZIP has them. Names that are UTF-8 are marked as such, others are written as
/// they are. Times are recorded ones in UTC, or 1980-01-01. What ends an archive: see ``TarExport``.
/// Memory: four bytes a file, one directory page a level, of unsharded directories all names, and 16 MiB of
/// leaves.
///
/// Spec: PKWARE APPNOTE 6.3.10, sections 4.3 to 4.5.
public final class ZipExport {
    /// The most entries of an archive, where nobody says otherwise.
    public static let defaultMaximumEntries = 1_000_000

    private let makeWalk: () throws -> ArchiveWalk
    private let cancellation: Cancellation
    private var walk: ArchiveWalk
    /// Headers and descriptors that are to be given out.
    private var output: [UInt8] = []
    /// What was given out, and what is in ``output``.
    private var offset: UInt64 = 0
    /// The file whose content comes now.
    private var file: (entry: ZipEntry, cursor: UnixFSFileCursor, bytes: UInt64, checksum: UInt32)?
    /// Of the files, in their order.
    private var checksums: [UInt32] = []
    private var part = Part.contents

    private enum Part {
        case contents
        /// `offset` is where the entry that comes next begins.
        case directory(begin: UInt64, entries: UInt64, files: Int, offset: UInt64)
        case end
    }

    /// - Parameters:
    ///   - root: what is packed: a file, symlink or directory.
    ///   - name: what the root is called in the archive.
    /// - Throws: what concerns the root itself; everything else comes while it is read.
    public init(
        source: any BlockSource, root: CID, name: [UInt8],
        maximumEntries: Int = ZipExport.defaultMaximumEntries, names rule: ArchiveNameRule = .plain,
        cancellation: Cancellation = Cancellation()
    ) throws {
        makeWalk = {
            try ArchiveWalk(
                source: source, root: root, name: name, maximumEntries: maximumEntries, names: rule)
        }
        self.cancellation = cancellation
        walk = try makeWalk()
    }

    /// The next bytes of the archive, at most a block with its headers; `nil` at the end.
    public func next() throws -> ArraySlice<UInt8>? {
        while true {
            try cancellation.check()
            if !output.isEmpty {
                defer { output.removeAll(keepingCapacity: true) }
                offset += UInt64(output.count)
                return output[...]
            }
            if file != nil {
                guard let piece = try nextOfFile() else { continue }
                offset += UInt64(piece.count)
                return piece
            }
            switch part {
            case .contents: try takeEntry()
            case .directory: try listEntry()
            case .end: return nil
            }
        }
    }

    private func takeEntry() throws {
        guard let found = try walk.next() else {
            walk = try makeWalk()
            part = .directory(begin: offset, entries: 0, files: 0, offset: 0)
            return
        }
        let entry = try ZipEntry(found)
        output += entry.localHeader
        switch found.kind {
        case .directory: break
        case .symlink(let target): output += target
        case .file(let reader): file = (entry, try reader.cursor(), 0, 0)
        }
    }

    private func nextOfFile() throws -> ArraySlice<UInt8>? {
        guard var current = file else { return nil }
        file = nil
        guard let piece = try current.cursor.next() else {
            // The directory is made by what the file says of itself.
            guard current.bytes == current.entry.size else {
                throw ZipExportError.sizeIsAnother(
                    current.entry.path, claimed: current.entry.size, actual: current.bytes)
            }
            checksums.append(current.checksum)
            output += current.entry.descriptor(current.checksum)
            return nil
        }
        current.bytes += UInt64(piece.count)
        current.checksum = Self.checksum(piece, after: current.checksum)
        file = current
        return piece
    }

    private func listEntry() throws {
        guard case .directory(let begin, var entries, var files, var place) = part else { return }
        guard let found = try walk.next() else {
            output += ZipEntry.end(entries: entries, begin: begin, end: offset)
            checksums = []
            part = .end
            return
        }
        let entry = try ZipEntry(found)
        var checksum = entry.checksum
        if entry.hasDescriptor {
            checksum = checksums[files]
            files += 1
        }
        output += entry.centralHeader(checksum, offset: place)
        place += entry.localBytes
        entries += 1
        part = .directory(begin: begin, entries: entries, files: files, offset: place)
    }

    static func checksum(_ bytes: ArraySlice<UInt8>, after checksum: UInt32 = 0) -> UInt32 {
        bytes.withUnsafeBufferPointer {
            UInt32(truncatingIfNeeded: crc32_z(UInt(checksum), $0.baseAddress, $0.count))
        }
    }
}

/// Why a tree is no ZIP archive.
public enum ZipExportError: Error, Equatable, Sendable {
    /// A file has another number of bytes than it says.
    case sizeIsAnother([UInt8], claimed: UInt64, actual: UInt64)
    /// A path of more bytes than an archive has room for.
    case pathTooLong(bytes: Int, maximum: Int)
}

extension ZipExportError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .sizeIsAnother(let path, let claimed, let actual):
            "\(PathText.printable(path)) says that it has \(claimed) bytes, and has \(actual)"
        case .pathTooLong(let bytes, let maximum):
            "a path of \(bytes) bytes does not fit into a ZIP, which has room for \(maximum); take it as TAR"
        }
    }
}
