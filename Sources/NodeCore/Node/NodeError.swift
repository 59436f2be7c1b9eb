public import Multiformats

/// What a use case can say of its failure, beyond what storage and formats say.
public enum NodeError: Error, Sendable {
    /// No block, path or pin by this name.
    case blockNotFound(CID)
    case pathNotFound(root: CID, path: [UInt8], missing: [UInt8])
    case pinNotFound(String)
    case noDataDirectory(String)
    /// Blocks are there, and the catalog that says what keeps them is not.
    case catalogLost(String)
    /// The catalog of the directory is in a server that the configuration no longer names.
    case catalogElsewhere(String)
    /// What lies below a pin cannot be known, so that nothing may be collected.
    case pinNotWhole(pin: String, reason: String)
    /// What a namespace keeps cannot be walked.
    case namespaceNotWhole(namespace: String, reason: String)
    /// It is a directory where a file is needed.
    case isDirectory(String)
    case notADirectory(String)
    case pathTooLong(segments: Int)
    case notUnixFS(CID, codec: UInt64)
    /// The name is in use for another root.
    case pinNameTaken(name: String, root: CID)
    /// A file that is there already and has other content.
    case targetExists([UInt8])
    /// A name that must not be written to a disk.
    case unsafeName([UInt8], in: [UInt8])
    /// Two entries of a directory: unpacked one after the other, one would be written over or through the other.
    case nameTwice([UInt8], in: [UInt8])
    /// The target is empty or holds a zero byte.
    case unusableSymlink([UInt8])
    /// A small DAG can name itself into a tree without end.
    case tooManyEntries(limit: Int)
    case ambiguousPin(name: String, count: Int)
    /// Blocks of a DAG that the store does not hold.
    case incomplete(root: CID, missing: CID, count: Int)
    case damaged(String)
    case invalidConfiguration(String)

    /// The sort of failure, for exit codes and HTTP statuses.
    public enum Kind: Sendable {
        case notFound
        case conflict
        case damaged
        case usage
        case failed
    }

    public var kind: Kind {
        switch self {
        case .blockNotFound, .pathNotFound, .pinNotFound, .noDataDirectory, .incomplete: .notFound
        case .pinNameTaken, .targetExists, .ambiguousPin: .conflict
        case .damaged, .catalogLost, .catalogElsewhere, .pinNotWhole, .namespaceNotWhole: .damaged
        case .isDirectory, .notADirectory, .notUnixFS, .unsafeName, .nameTwice, .unusableSymlink,
            .tooManyEntries:
            .failed
        case .invalidConfiguration, .pathTooLong: .usage
        }
    }
}

extension NodeError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .blockNotFound(let cid):
            "block \(cid) is not in this data directory; import it (`nacre car import`) or check --data"
        case .pathNotFound(let root, let path, let missing):
            "\(root) has no \(PathText.printable(path)): \(PathText.printable(missing)) is not there; "
                + "`nacre ls \(root)` shows what is"
        case .pinNotFound(let name):
            "no pin is named or has the root \(name); `nacre pin ls` lists the pins"
        case .noDataDirectory(let path):
            "there is no data directory at \(path); `nacre add` makes one, or name another with --data"
        case .catalogLost(let path):
            "\(path) holds blocks, but its catalog.sqlite is gone, so nobody knows what is pinned; put it back from a "
                + "backup, or begin with an empty one by `nacre verify --new-catalog` (then pin what is to stay)"
        case .catalogElsewhere(let path):
            "the catalog of \(path) is in PostgreSQL, and catalog.url is empty; set it again (NACRE_CATALOG_URL), or "
                + "begin with an empty catalog by `nacre verify --new-catalog` (then pin what is to stay)"
        case .pinNotWhole(let pin, let reason):
            "nothing is collected, since pin \(pin) is not whole and what lies below cannot be known: \(reason); add or "
                + "import what is missing again, or give the pin up by `nacre pin rm \(pin)`"
        case .namespaceNotWhole(let namespace, let reason):
            "nothing is collected, since namespace \(namespace) is not whole and what lies below cannot be known: "
                + "\(reason); add or import what is missing again"
        case .isDirectory(let name):
            "\(name) is a directory; name a file in it, or use `nacre ls` or `nacre get`"
        case .pathTooLong(let segments):
            "a path of \(segments) segments is too long; at most 1024 are followed"
        case .notADirectory(let name):
            "\(name) is not a directory"
        case .notUnixFS(let cid, let codec):
            "\(cid) is no file or directory (codec \(MulticodecTable.name(of: codec) ?? "0x" + String(codec, radix: 16))); "
                + "`nacre dag get` or `nacre block get` show it"
        case .pinNameTaken(let name, let root):
            "a pin named \(name) exists and keeps \(root); remove it (`nacre pin rm \(name)`) or choose another --name"
        case .targetExists(let path):
            "\(PathText.printable(path)) exists with other content; choose another -o, or give --overwrite"
        case .unsafeName(let name, let parent):
            "an entry named \"\(PathText.printable(name))\" in \(PathText.printable(parent)) cannot be a file name here, "
                + "so it is not written"
        case .nameTwice(let name, let parent):
            "\(PathText.printable(parent)) has two entries named \"\(PathText.printable(name))\", which no archive "
                + "can hold safely; `nacre get` without --archive writes what can be written"
        case .unusableSymlink(let path):
            "\(PathText.printable(path)) is a symlink whose target is empty or holds a zero byte, "
                + "so it is not written"
        case .tooManyEntries(let limit):
            "the tree has more than \(limit) files and directories, what is beyond them is not written; if that is no "
                + "mistake, raise --max-entries"
        case .ambiguousPin(let name, let count):
            "\(count) roots are pinned as \(name); name one by its CID (`nacre pin ls \(name)` lists them)"
        case .incomplete(let root, let missing, let count):
            "\(count) blocks below \(root) are not in this data directory, the first is \(missing); "
                + "import them (`nacre car import`) and try again"
        case .damaged(let what):
            what
        case .invalidConfiguration(let what):
            what
        }
    }
}
