public import IPLD
public import Multiformats
public import UnixFS

extension UnixFSStat {
    /// What a block says of itself, or `nil` if it carries no UnixFS.
    ///
    /// - Throws: `UnixFSStatError` for UnixFS that is damaged.
    public static func ifUnixFS(_ block: Block) throws(UnixFSStatError) -> UnixFSStat? {
        do {
            return try UnixFSStat(block)
        } catch {
            switch error.reason {
            case .wrongCodec, .noData: return nil
            default: throw error
            }
        }
    }
}

/// Follows names from a root down through directories.
public enum PathLookup {
    /// The most segments of a path.
    public static let maximumSegments = 1024

    /// The CID that a path leads to. Symlinks on the way are not followed.
    ///
    /// - Throws: `pathNotFound` with the segment that is missing, `notADirectory`, `pathTooLong`.
    public static func resolve(_ path: [[UInt8]], from root: CID, in source: any BlockSource) throws -> CID {
        guard path.count <= maximumSegments else { throw NodeError.pathTooLong(segments: path.count) }
        var cid = root
        for (position, segment) in path.enumerated() {
            let shown = Array(path[...position].joined(separator: [PathText.slash]))
            guard let block = try source.block(cid) else { throw NodeError.blockNotFound(cid) }
            guard try UnixFSStat.ifUnixFS(block)?.kind.isDirectory == true else {
                throw NodeError.pathNotFound(root: root, path: shown, missing: segment)
            }
            guard let entry = try DirectoryReader(source: source, root: block).entry(named: segment) else {
                throw NodeError.pathNotFound(root: root, path: shown, missing: segment)
            }
            cid = entry.cid
        }
        return cid
    }
}
