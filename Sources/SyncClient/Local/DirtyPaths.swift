/// Paths that were reported as changed, until they have been quiet for a while.
///
/// Too many in one directory become the directory, too many in all the directory above all of them: a scan
/// of a subtree costs less than as many single looks. Bounded by that.
struct DirtyPaths {
    /// More names than this in one directory are the directory.
    static let maximumNames = 128
    /// More paths than this in all are one directory.
    static let maximumPaths = 512

    private var names: [String: Set<String>] = [:]
    /// Directories that are looked at with all that is below them.
    private var subtrees: Set<String> = []
    private var count = 0

    var isEmpty: Bool { names.isEmpty && subtrees.isEmpty }

    /// Notes a path.
    mutating func add(_ path: String) {
        guard !isCovered(path) else { return }
        let (directory, name) = Self.split(path)
        guard !name.isEmpty else { return addSubtree("") }
        guard names[directory, default: []].insert(name).inserted else { return }
        count += 1
        if names[directory]?.count ?? 0 > Self.maximumNames { addSubtree(directory) }
        if count + subtrees.count > Self.maximumPaths { collapse() }
    }

    /// Notes a directory with all that is below it.
    mutating func addSubtree(_ path: String) {
        guard !isCovered(path) else { return }
        subtrees = subtrees.filter { !Self.isAtOrBelow($0, path) }
        for directory in names.keys where Self.isAtOrBelow(directory, path) {
            count -= names.removeValue(forKey: directory)?.count ?? 0
        }
        subtrees.insert(path)
        if subtrees.count > Self.maximumPaths { collapse() }
    }

    /// The paths, in order; empty for the folder itself. Nothing is noted afterwards.
    mutating func take() -> [String] {
        var paths = Array(subtrees)
        for (directory, below) in names {
            for name in below { paths.append(directory.isEmpty ? name : directory + "/" + name) }
        }
        self = DirtyPaths()
        return paths.sorted()
    }

    private func isCovered(_ path: String) -> Bool {
        subtrees.contains { Self.isAtOrBelow(path, $0) }
    }

    /// Becomes the directory that everything is in.
    private mutating func collapse() {
        var common: [Substring]?
        for path in Array(subtrees) + names.keys {
            let segments = path.split(separator: "/")
            common = common.map { zip($0, segments).prefix { $0 == $1 }.map(\.0) } ?? segments
        }
        addSubtree((common ?? []).joined(separator: "/"))
    }

    private static func split(_ path: String) -> (directory: String, name: String) {
        guard let slash = path.lastIndex(of: "/") else { return ("", path) }
        return (String(path[..<slash]), String(path[path.index(after: slash)...]))
    }

    private static func isAtOrBelow(_ path: String, _ directory: String) -> Bool {
        let (path, directory) = (path.utf8, directory.utf8)
        guard !directory.isEmpty else { return true }
        guard path.starts(with: directory) else { return false }
        return path.count == directory.count || path.dropFirst(directory.count).first == UInt8(ascii: "/")
    }
}
