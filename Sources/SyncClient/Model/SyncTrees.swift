public import SyncProtocol
public import TreeValues

/// Which of the three trees.
public enum TreeName: Int, CaseIterable, Hashable, Sendable {
    /// What the server's journal says, as far as it was read.
    case remote
    /// What the last scan found on the disk.
    case local
    /// What both were when they were last equal.
    case synced
}

/// The three trees of a folder: what the planner reads.
///
/// A directory's children are found by its id, whether or not the directory itself has a node (the root has
/// none). All three trees hold live nodes only: what was deleted is not in the tree any more.
public protocol SyncTrees {
    /// The directory that is the folder itself.
    var root: NodeID { get }
    /// `nil` if the tree does not have it.
    func node(_ id: NodeID, in tree: TreeName) throws -> SyncNode?
    /// The children of a directory, in no particular order.
    func children(of directory: NodeID, in tree: TreeName) throws -> [SyncNode]
    /// The child of that name: names are equal if their ``NameKey`` is.
    func child(of directory: NodeID, named key: NameKey, in tree: TreeName) throws -> SyncNode?
    /// What the three trees say of a node.
    func states(of id: NodeID) throws -> NodeStates
    /// Children whose names differ from this one by case and Unicode form at most: rarely more than one.
    func children(of directory: NodeID, named name: String, in tree: TreeName) throws -> [SyncNode]
}

/// Trees that can be changed: the state of a folder, in SQLite or in memory.
///
/// All changes within one ``transaction(_:)`` are there after a crash, or none is.
public protocol SyncState: SyncTrees, AnyObject {
    /// Writes a node in the place of its earlier state in that tree.
    func put(_ node: SyncNode, in tree: TreeName) throws
    /// Writes a local node together with its stamp.
    func putLocal(_ node: SyncNode, stamp: LocalStamp) throws
    func remove(_ id: NodeID, from tree: TreeName) throws
    /// Gives a local node another id, its children and its stamp with it.
    func renameLocal(_ id: NodeID, to new: NodeID) throws

    /// Nodes that are not the same in all three trees (see ``NodeStates/isSettled``), in the order of their
    /// ids, after one of them.
    func unsettled(after: NodeID?, limit: Int) throws -> [NodeID]
    /// The same with what the trees say of each.
    func unsettledStates(after: NodeID?, limit: Int) throws -> [NodeStates]
    /// What the disk said of a local node when it was last looked at.
    func stamp(of id: NodeID) throws -> LocalStamp?
    /// Does nothing if there is no such local node.
    func setStamp(_ stamp: LocalStamp?, of id: NodeID) throws
    /// The local nodes with that file identity, at most `limit`: how renames are recognised. More than one
    /// are the names of one file.
    func localNodes(with identity: FileIdentity, limit: Int) throws -> [NodeID]

    /// Up to where the server's journal was read; `nil` before the first time.
    func cursor() throws -> SyncCursor?
    /// `nil` to begin anew.
    func setCursor(_ cursor: SyncCursor?) throws
    /// What is kept by name beside the trees: the marker of the folder, the device, what a person decided.
    func value(_ key: String) throws -> String?
    /// `nil` to keep nothing under that key.
    func setValue(_ value: String?, _ key: String) throws

    /// Does all of `body` or nothing. One within another takes back itself only.
    func transaction<Result>(_ body: () throws -> Result) throws -> Result
}

/// A file as the file system knows it, whatever it is called.
public struct FileIdentity: Hashable, Sendable {
    public var device: UInt64
    public var inode: UInt64

    public init(device: UInt64, inode: UInt64) {
        self.device = device
        self.inode = inode
    }
}

/// What `stat` said of a local node when its content was last read. A file whose stamp is the same, and was
/// not touched within the two seconds before that look, was not changed.
public struct LocalStamp: Hashable, Sendable {
    public var identity: FileIdentity
    public var size: Int64
    /// Nanoseconds since 1970.
    public var modified: Int64
    /// Of the inode: nanoseconds since 1970. Nobody sets it at will.
    public var changed: Int64
    /// When it was looked at: nanoseconds since 1970, by the clock of this machine. `.max` where it makes no
    /// difference: whoever changes the file from then on cannot leave it with these times.
    public var seen: Int64

    public init(identity: FileIdentity, size: Int64, modified: Int64, changed: Int64, seen: Int64) {
        self.identity = identity
        self.size = size
        self.modified = modified
        self.changed = changed
        self.seen = seen
    }
}
