public import Multiformats
public import SyncProtocol

/// The content of a file, cut and hashed.
public struct FileContent: Hashable, Sendable {
    public var root: CID
    public var size: Int64
    /// In their order; none of an empty file.
    public var leaves: [Leaf]
    /// The bytes of a file that travels within messages, where they were asked for.
    public var inline: [UInt8]?

    public init(root: CID, size: Int64, leaves: [Leaf], inline: [UInt8]? = nil) {
        self.root = root
        self.size = size
        self.leaves = leaves
        self.inline = inline
    }
}

/// A file that is to be read, with what the disk says of it.
public struct ContentRequest: Hashable, Sendable {
    public var path: String
    public var status: FileStatus

    public init(path: String, status: FileStatus) {
        self.path = path
        self.status = status
    }
}

/// What came of reading a file.
public enum ContentResult: Hashable, Sendable {
    case content(FileContent)
    /// The file is not the one that was asked for any more, or was written to meanwhile.
    case changed
    case failed(FileError)
}
