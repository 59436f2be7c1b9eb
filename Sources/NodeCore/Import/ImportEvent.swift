public import Multiformats

/// A file, directory or symlink that has become blocks.
public struct ImportedEntry: Sendable {
    /// The last part of its path, in bytes.
    public let name: [UInt8]
    public let kind: FileKind
    public let cid: CID
    /// Bytes of content; of a directory, of everything below it.
    public let contentBytes: UInt64
    /// Bytes of all blocks below and the block itself, counted once per link (`Tsize`).
    public let dagBytes: UInt64

    /// An entry whose blocks are stored.
    public init(name: [UInt8], kind: FileKind, cid: CID, contentBytes: UInt64, dagBytes: UInt64) {
        self.name = name
        self.kind = kind
        self.cid = cid
        self.contentBytes = contentBytes
        self.dagBytes = dagBytes
    }

    /// The same under another name.
    public func named(_ name: [UInt8]) -> ImportedEntry {
        ImportedEntry(name: name, kind: kind, cid: cid, contentBytes: contentBytes, dagBytes: dagBytes)
    }
}

/// What happens during an import, in the order of the tree.
public enum ImportEvent: Sendable {
    /// An entry is stored; `path` begins with the name that was given to add.
    case added(path: [UInt8], ImportedEntry)
    /// So many more bytes were read.
    case read(bytes: Int)
    /// An entry was left out on purpose.
    case skipped(path: [UInt8], SkipReason)
    /// The file was changed while it was read, several times over: what is stored may be a mixture.
    case unstable(path: [UInt8])
    /// An entry could not be read; everything else goes on.
    case failed(path: [UInt8], any Error)
}

/// Why an entry was left out.
public enum SkipReason: Equatable, Sendable {
    case hidden
    case ignored
    /// A socket, pipe or device.
    case special
    /// A followed symlink leads back to a directory that it lies in.
    case symlinkLoop
    case emptyDirectory
}

extension SkipReason: CustomStringConvertible {
    public var description: String {
        switch self {
        case .hidden: "hidden; --hidden takes it in"
        case .ignored: "matches an ignore rule"
        case .special: "a socket, pipe or device has no contents to keep"
        case .symlinkLoop: "the symlink leads back to a directory above it"
        case .emptyDirectory: "empty, and --no-empty-directories is given"
        }
    }
}
