public import IPLD
public import Multiformats
import UnixFS

/// Compares two UnixFS directories.
///
/// Whatever has one CID on both sides is not looked into, so the cost is that of the directories on the way
/// to a difference. Memory: the names of a pair of directories on each level, and ``maximumMoves`` moves.
public struct TreeComparison {
    /// The most moves that are told of; further ones are something removed and something added.
    public static let maximumMoves = 4096

    private let (old, new): (CID, CID)
    private let source: any BlockSource
    /// Whether everything in a directory that came or went is told of, and not the directory alone.
    private let isRecursive: Bool
    private var moves = Moves()

    /// - Parameters:
    ///   - moves: what is known to have been moved: ``maximumMoves`` at most. Where one of its paths leads to
    ///     nothing it is passed over.
    ///   - isRecursive: whether everything in a directory that came or went is told of, or the directory
    ///     alone with how much is below it.
    /// - Throws: what the source and UnixFS throw.
    public init(
        from old: CID, to new: CID, in source: any BlockSource, moves known: [TreeDifference.Move] = [],
        isRecursive: Bool = true
    ) throws {
        self.old = old
        self.new = new
        self.source = source
        self.isRecursive = isRecursive
        for move in known.prefix(Self.maximumMoves) {
            guard let before = try find(move.from, below: old), let after = try find(move.to, below: new)
            else { continue }
            moves.add(move, before, after)
        }
        try findMovesByContent()
    }

    /// Visits what differs, in the order of paths.
    ///
    /// What was removed in one place and added in another with the same content was moved.
    ///
    /// - Throws: what the source and UnixFS throw, and what `body` throws.
    public func forEach(_ body: (TreeDifference) throws -> Void) throws {
        try walk(isRecursive: isRecursive, body)
    }

    // MARK: Moves

    /// Pairs what was removed with what was added by its CID, in the order of paths. Only whole trees: what
    /// is in them is not looked at. Empty files and directories are equal without being the same.
    private mutating func findMovesByContent() throws {
        var removed: [CID: [String]] = [:]
        var added: [CID: [String]] = [:]
        var counts = (removed: 0, added: 0)
        try walk(isRecursive: false) { difference in
            switch difference.kind {
            case .removed where counts.removed < Self.maximumMoves:
                guard let cid = difference.old, try !isEmpty(cid) else { return }
                removed[cid, default: []].append(difference.path)
                counts.removed += 1
            case .added where counts.added < Self.maximumMoves:
                guard let cid = difference.new, try !isEmpty(cid) else { return }
                added[cid, default: []].append(difference.path)
                counts.added += 1
            default: break
            }
        }
        for (cid, origins) in removed {
            for (from, to) in zip(origins, added[cid] ?? []) where moves.count < Self.maximumMoves {
                moves.add(TreeDifference.Move(from: from, to: to), cid, cid)
            }
        }
    }

    private func isEmpty(_ cid: CID) throws -> Bool {
        guard let block = try source.block(cid) else { return false }
        guard cid.codec == .dagPB else { return block.bytes.isEmpty }
        let stat = try UnixFSStat(block)
        return stat.size == 0 && stat.links == 0
    }

    private func find(_ path: String, below root: CID) throws -> CID? {
        var cid = root
        for name in NamespaceStore.components(of: path) {
            guard cid.codec == .dagPB, let block = try source.block(cid),
                try UnixFSStat(block).kind.isDirectory,
                let entry = try DirectoryReader(source: source, root: block).entry(named: Array(name.utf8))
            else { return nil }
            cid = entry.cid
        }
        return cid
    }

    /// Moves by either end.
    private struct Moves {
        private var byOrigin: Set<String> = []
        private(set) var byTarget: [String: (from: String, old: CID)] = [:]
        /// Hashes of the paths above an end, which must be looked into whatever their CIDs are. One too many
        /// costs a look.
        private var above: (old: Set<Int>, new: Set<Int>) = ([], [])

        var count: Int { byTarget.count }

        mutating func add(_ move: TreeDifference.Move, _ before: CID, _ after: CID) {
            guard !byOrigin.contains(move.from), byTarget[move.to] == nil else { return }
            byOrigin.insert(move.from)
            byTarget[move.to] = (move.from, before)
            Self.insert(above: move.from, &above.old)
            Self.insert(above: move.to, &above.new)
        }

        private static func insert(above path: String, _ hashes: inout Set<Int>) {
            var rest = path[...]
            while let slash = rest.utf8.lastIndex(of: UInt8(ascii: "/")) {
                rest = rest[..<slash]
                hashes.insert(String(rest).hashValue)
            }
            hashes.insert("".hashValue)
        }

        func isMovedAway(_ path: String) -> Bool { byOrigin.contains(path) }

        func concern(_ pair: Pair) -> Bool {
            guard !byTarget.isEmpty else { return false }
            return pair.old != nil && above.old.contains(pair.oldPath.hashValue)
                || pair.new != nil && above.new.contains(pair.newPath.hashValue)
        }
    }

    // MARK: The walk

    /// Two things that are compared, or one that came or went.
    private struct Pair {
        var oldPath: String
        var newPath: String
        var old: CID?
        var new: CID?
        /// What is told of before anything else.
        var isMove = false
    }

    /// What is at the end of a path.
    private enum Content {
        case file
        case symlink
        case directory([[UInt8]: CID])

        var kind: TreeDifference.EntryKind {
            switch self {
            case .file: .file
            case .symlink: .symlink
            case .directory: .directory
            }
        }

        var entries: [[UInt8]: CID]? {
            if case .directory(let entries) = self { entries } else { nil }
        }
    }

    private func walk(isRecursive: Bool, _ body: (TreeDifference) throws -> Void) throws {
        var stack = [Pair(oldPath: "", newPath: "", old: old, new: new)]
        while let pair = stack.popLast() {
            let isEqual = pair.old == pair.new
            guard !isEqual || pair.isMove || moves.concern(pair) else { continue }
            let (before, after) = (try content(pair.old), try content(pair.new))
            if let before, let after, (before.entries == nil) != (after.entries == nil) {
                // What went before what came; the last is on top.
                stack.append(Pair(oldPath: pair.oldPath, newPath: pair.newPath, old: nil, new: pair.new))
                stack.append(Pair(oldPath: pair.oldPath, newPath: pair.newPath, old: pair.old, new: nil))
                continue
            }
            let children = self.children(of: pair, before?.entries ?? [:], after?.entries ?? [:])
            guard let kind = (after ?? before)?.kind else { continue }
            if pair.isMove, pair.oldPath != pair.newPath {
                var move = TreeDifference(
                    path: pair.newPath, kind: .renamed, entry: kind, old: pair.old, new: pair.new)
                move.origin = pair.oldPath
                try body(move)
            }
            let difference = Self.difference(pair, kind, isListedAlike: before?.entries == after?.entries)
            guard !isRecursive, kind == .directory, var whole = difference, before == nil || after == nil
            else {
                if let difference { try body(difference) }
                stack += children.reversed()
                continue
            }
            let (below, others) = try count(children)
            whole.below = below
            try body(whole)
            stack += others.reversed()
        }
    }

    /// What a pair is told of as, besides its children.
    private static func difference(
        _ pair: Pair, _ kind: TreeDifference.EntryKind, isListedAlike: Bool
    ) -> TreeDifference? {
        // The root is the root.
        guard pair.old != pair.new, !pair.newPath.isEmpty || !pair.oldPath.isEmpty else { return nil }
        let isBoth = pair.old != nil && pair.new != nil
        guard !isBoth || kind != .directory || isListedAlike else { return nil }
        return TreeDifference(
            path: pair.new == nil ? pair.oldPath : pair.newPath,
            kind: pair.old == nil ? .added : pair.new == nil ? .removed : .changed, entry: kind,
            old: pair.old, new: pair.new)
    }

    /// The pairs below one that may differ, in the order of their names.
    private func children(
        of pair: Pair, _ before: [[UInt8]: CID], _ after: [[UInt8]: CID]
    ) -> [Pair] {
        var children: [Pair] = []
        let isConcerned = moves.concern(pair)
        let names = Set(before.keys).union(after.keys).filter { isConcerned || before[$0] != after[$0] }
        for name in names.sorted(by: { $0.lexicographicallyPrecedes($1) }) {
            let text = String(decoding: name, as: UTF8.self)
            var child = Pair(
                oldPath: Self.path(pair.oldPath, text), newPath: Self.path(pair.newPath, text),
                old: before[name], new: after[name])
            if child.old != nil, moves.isMovedAway(child.oldPath) { child.old = nil }
            guard let new = child.new, let origin = moves.byTarget[child.newPath] else {
                if child.old != nil || child.new != nil { children.append(child) }
                continue
            }
            child.new = nil
            if child.old != nil { children.append(child) }
            children.append(
                Pair(
                    oldPath: origin.from, newPath: child.newPath, old: origin.old, new: new, isMove: true))
        }
        return children
    }

    /// How much came or went with a directory, and what of it was moved there instead.
    private func count(_ children: [Pair]) throws -> (Int, moved: [Pair]) {
        var (count, moved) = (0, [Pair]())
        var stack = Array(children.reversed())
        while let pair = stack.popLast() {
            if pair.isMove {
                moved.append(pair)
                continue
            }
            count += 1
            let entries = (before: try content(pair.old)?.entries, after: try content(pair.new)?.entries)
            stack += self.children(of: pair, entries.before ?? [:], entries.after ?? [:]).reversed()
        }
        return (count, moved)
    }

    private static func path(_ directory: String, _ name: String) -> String {
        directory.isEmpty ? name : directory + "/" + name
    }

    private func content(_ root: CID?) throws -> Content? {
        guard let root else { return nil }
        guard root.codec == .dagPB, let block = try source.block(root) else { return .file }
        let kind = try UnixFSStat(block).kind
        if case .symlink = kind { return .symlink }
        guard kind.isDirectory else { return .file }
        var entries: [[UInt8]: CID] = [:]
        try DirectoryReader(source: source, root: block).forEach { entries[$0.name] = $0.cid }
        return .directory(entries)
    }
}
