public import Multiformats
public import SyncProtocol
public import TreeValues

/// Finds leaves in the files of the folder, by what the scanner noted of them. Files that are not what they
/// were at the last scan are passed over.
public struct IndexedBlocks: LocalBlockSource {
    private let index: BlockIndex
    private let state: SQLiteSyncState
    private let fileSystem: any FolderFileSystem

    public init(index: BlockIndex, state: SQLiteSyncState, fileSystem: any FolderFileSystem) {
        self.index = index
        self.state = state
        self.fileSystem = fileSystem
    }

    public func note(_ leaves: [Leaf], in node: NodeID) { index.addPlaces(of: leaves, in: node) }

    public func find(_ cid: CID) -> LocalBlock? {
        for place in index.places(of: cid) {
            // A state that cannot be read is no reason to stop here: the block is fetched then.
            guard let node = try? state.node(place.node, in: .local), node.kind == .file,
                place.offset >= 0, place.bytes >= 0, place.offset <= node.size - Int64(place.bytes),
                let path = try? ScannedTree(state).path(of: node), let stamp = try? state.stamp(of: node.id),
                let status = try? fileSystem.status(path), status.kind == .file,
                status.identity == stamp.identity, status.size == stamp.size,
                status.modified == stamp.modified, status.changed == stamp.changed
            else { continue }
            return LocalBlock(path: path, offset: place.offset, bytes: place.bytes)
        }
        return nil
    }
}
