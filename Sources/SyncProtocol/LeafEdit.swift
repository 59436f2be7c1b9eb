public import Multiformats

/// A leaf of a file: a raw block, and how many bytes of the file it is.
public struct Leaf: Hashable, Sendable {
    public var cid: CID
    public var bytes: Int

    public init(cid: CID, bytes: Int) {
        self.cid = cid
        self.bytes = bytes
    }
}

/// The list of a file's leaves as a difference to another file's.
public struct LeafEdit: Hashable, Sendable {
    /// Leaves that take the place of others.
    public struct Splice: Hashable, Sendable {
        /// Where in the list of the base, counted in leaves. Splices are in rising order and do not
        /// overlap.
        public var start: Int
        public var remove: Int
        public var insert: [Leaf]

        public init(start: Int, remove: Int, insert: [Leaf]) {
            self.start = start
            self.remove = remove
            self.insert = insert
        }
    }

    /// The root of the file whose list is changed; `nil` for the empty list.
    public var base: CID?
    public var splices: [Splice]

    public init(base: CID? = nil, splices: [Splice]) {
        self.base = base
        self.splices = splices
    }
}
