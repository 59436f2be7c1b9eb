public import IPLD
public import Multiformats
import UnixFS

/// What differs between two UnixFS directories, path by path.
///
/// Whatever has one CID on both sides is not looked into, so the cost is that of the directories on the way
/// to a difference. Memory: the names of a pair of directories on each level.
public struct TreeDifference: Hashable, Sendable {
    /// Without a slash before it; a directory has none behind it either.
    public let path: String
    /// `nil` where there was nothing.
    public let old: CID?
    /// `nil` where there is nothing now.
    public let new: CID?

    /// What happened to the path.
    public var kind: Kind { old == nil ? .added : new == nil ? .removed : .changed }

    /// Kinds of differences.
    public enum Kind: String, CaseIterable, Hashable, Sendable {
        case added
        case removed
        case changed
    }

    /// Visits what differs, files and symlinks only, in the order of paths.
    ///
    /// - Throws: what the source and UnixFS throw, and what `body` throws.
    public static func forEach(
        from old: CID, to new: CID, in source: any BlockSource, _ body: (TreeDifference) throws -> Void
    ) throws {
        var stack = [Pair(path: "", old: old, new: new)]
        while let pair = stack.popLast() {
            guard pair.old != pair.new else { continue }
            let (before, after) = (try listing(pair.old, source), try listing(pair.new, source))
            // What is a file on a side stands for itself there.
            if !pair.path.isEmpty {
                let old = before == nil ? pair.old : nil
                let new = after == nil ? pair.new : nil
                if old != nil || new != nil { try body(TreeDifference(path: pair.path, old: old, new: new)) }
            }
            let names = Set((before ?? [:]).keys).union((after ?? [:]).keys)
                .filter { before?[$0] != after?[$0] }
            // The last first: the next to be looked at is on top.
            for name in names.sorted(by: { $1.lexicographicallyPrecedes($0) }) {
                let text = String(decoding: name, as: UTF8.self)
                stack.append(
                    Pair(
                        path: pair.path.isEmpty ? text : pair.path + "/" + text, old: before?[name],
                        new: after?[name]))
            }
        }
    }

    private struct Pair {
        let path: String
        let old: CID?
        let new: CID?
    }

    /// The entries of a directory; `nil` for what is none.
    private static func listing(_ root: CID?, _ source: any BlockSource) throws -> [[UInt8]: CID]? {
        guard let root, root.codec == .dagPB, let block = try source.block(root),
            try UnixFSStat(block).kind.isDirectory
        else { return nil }
        var entries: [[UInt8]: CID] = [:]
        try DirectoryReader(source: source, root: block).forEach { entries[$0.name] = $0.cid }
        return entries
    }
}
