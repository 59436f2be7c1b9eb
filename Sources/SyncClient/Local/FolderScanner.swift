public import TreeValues

/// Compares a folder with the local tree, and writes into the tree what changed.
///
/// A file is read only if what `lstat` says of it is not what it said before. What is known by its inode
/// and gone from its place is the same node where it turns up; what was replaced at its place keeps its
/// node. What cannot be read or named is reported and stays as the tree has it; so does what is excluded,
/// and what is below another file system that is mounted in the folder.
///
/// Memory: the entries of one directory, and the paths of directories that are still to come. Nothing in
/// the folder is followed or recursed into. Many directories share a transaction; none is open while files
/// are read.
public struct FolderScanner: LocalScanning {
    let fileSystem: any FolderFileSystem
    let state: any SyncState
    let content: ContentReader
    /// May be changed between scans.
    public var options: ScannerOptions
    let makeID: () -> NodeID
    /// Nanoseconds since 1970.
    let clock: () -> Int64

    /// Files that are touched all the time, and since when that was seen.
    var busySince: [ExactPath: Int64] = [:]
    /// What is gone from the disk and still in the tree, and since when.
    var held: [NodeID: Int64] = [:]

    /// - Parameters:
    ///   - makeID: gives ids to new nodes.
    ///   - clock: nanoseconds since 1970, by the clock that the file system's times are of.
    public init(
        fileSystem: any FolderFileSystem, state: any SyncState, content: ContentReader,
        options: ScannerOptions = ScannerOptions(), makeID: @escaping () -> NodeID,
        clock: @escaping () -> Int64
    ) {
        self.fileSystem = fileSystem
        self.state = state
        self.content = content
        self.options = options
        self.makeID = makeID
        self.clock = clock
    }

    /// When what is held may be taken for deleted: nanoseconds since 1970. A scan at that time decides, of
    /// any scope, also of no path at all.
    public var nextDeadline: Int64? { held.values.min().map { $0 &+ options.deletionHold } }

    /// How many nodes are gone from the disk and not taken for deleted yet.
    public var heldCount: Int { held.count }

    public mutating func nodeIsRenamed(_ id: NodeID, to new: NodeID) {
        guard let since = held.removeValue(forKey: id) else { return }
        held[new] = since
    }

    /// - Throws: what the state and `onPart` throw, and `FileError.folderMissing`; other failures are in the
    ///   report.
    public mutating func scan(_ scope: ScanScope, onPart: () throws -> Void) throws -> ScanReport {
        guard let top = try fileSystem.status(""), top.kind == .directory else {
            throw FileError.folderMissing
        }
        var pass = ScanPass(self, device: top.identity.device)
        switch scope {
        case .everything: pass.start()
        case .paths(let paths): try state.transaction { for path in paths { try pass.start(at: path) } }
        }
        while pass.hasWork {
            try state.transaction {
                while let directory = pass.nextDirectory() { try pass.scan(directory) }
            }
            try pass.readContent()
            try onPart()
        }
        try state.transaction { try pass.removeMissing() }
        busySince = pass.busySince
        held = pass.held
        return pass.report
    }
}
