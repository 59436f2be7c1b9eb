public import Multiformats

/// What differs between two UnixFS directories, path by path. ``TreeComparison`` finds it.
public struct TreeDifference: Hashable, Sendable {
    /// Without a slash before it; a directory has none behind it either. Of what was removed, where it was.
    public let path: String
    public let kind: Kind
    public let entry: EntryKind
    /// Of what was renamed or moved: where it was.
    public internal(set) var origin: String?
    /// `nil` where there was nothing.
    public let old: CID?
    /// `nil` where there is nothing now.
    public let new: CID?
    /// Of a directory that stands for all that came or went with it: how much that is, itself not counted.
    public internal(set) var below: Int?

    /// What happened to the path.
    public enum Kind: String, CaseIterable, Hashable, Sendable {
        case added
        case removed
        /// Of a directory: what is recorded of it, such as its mode, and none of its entries.
        case changed
        /// From ``TreeDifference/origin``. Another content is a difference of its own.
        case renamed
    }

    /// What is there; of a path that was two kinds of things there are two differences.
    public enum EntryKind: String, CaseIterable, Hashable, Sendable {
        case directory = "dir"
        case file
        case symlink
    }

    /// What was somewhere and is elsewhere.
    public struct Move: Hashable, Sendable {
        /// Without a slash before them.
        public let from: String
        public let to: String

        public init(from: String, to: String) {
            self.from = from
            self.to = to
        }
    }
}
