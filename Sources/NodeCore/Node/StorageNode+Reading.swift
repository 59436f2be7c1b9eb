public import BlockStorage
import Catalog
public import IPLD
public import Multiformats
import Namespaces
public import UnixFS

extension StorageNode {
    /// The CID that a reference leads to.
    ///
    /// - Throws: `pinNotFound`, `ambiguousPin`, `blockNotFound`, `pathNotFound`.
    public func resolve(_ reference: ContentReference) throws -> CID {
        let root: CID
        switch reference.root {
        case .cid(let cid):
            root = cid
        case .pinName(let name):
            let roots = Set(try pins(matching: name).map(\.root))
            guard roots.count == 1, let only = roots.first else {
                throw NodeError.ambiguousPin(name: name, count: roots.count)
            }
            root = only
        case .namespace(let name, let version):
            let found = try namespaces.namespace(name)
            let jid = try version.map { try namespaces.jid(of: $0, in: found) }
            root = try snapshot(of: found, asOf: jid).root
        }
        guard try store.size(of: root) != nil || store.block(root) != nil else {
            throw NodeError.blockNotFound(root)
        }
        return try PathLookup.resolve(reference.path, from: root, in: store)
    }
}

extension BlockStore {
    /// A block that must be there.
    public func requireBlock(_ cid: CID) throws -> Block {
        guard let block = try block(cid) else { throw NodeError.blockNotFound(cid) }
        return block
    }

    /// A block as UnixFS.
    ///
    /// - Throws: `notUnixFS`.
    public func requireUnixFS(_ cid: CID) throws -> (block: Block, node: UnixFSStat) {
        let block = try requireBlock(cid)
        guard let node = try UnixFSStat.ifUnixFS(block) else {
            throw NodeError.notUnixFS(cid, codec: cid.codec.rawValue)
        }
        return (block, node)
    }

    /// A file's reader.
    ///
    /// - Throws: `isDirectory`, `notUnixFS`.
    public func fileReader(_ cid: CID, shownAs name: String) throws -> UnixFSFileReader {
        let (block, node) = try requireUnixFS(cid)
        switch node.kind {
        case .file, .raw: return try UnixFSFileReader(source: self, root: block)
        case .directory, .shardedDirectory: throw NodeError.isDirectory(name)
        case .symlink: throw NodeError.notUnixFS(cid, codec: cid.codec.rawValue)
        }
    }
}
