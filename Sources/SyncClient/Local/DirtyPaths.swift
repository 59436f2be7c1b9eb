/// Paths that were reported as changed, until they have been quiet for a while.
///
/// Too many in one directory become the directory, too many in all the directory above all of them: a scan
/// of a subtree costs less than as many single looks. Bounded by that.
struct DirtyPaths {
    /// More names than this in one directory are the directory.
    static let maximumNames = 128
    /// More paths than this in all are one directory.
    static let maximumPaths = 512

    private var names: [ExactPath: Set<ExactPath>] = [:]
    /// Directories that are looked at with all that is below them.
    private var subtrees: Set<ExactPath> = []
    private var count = 0

    var isEmpty: Bool { names.isEmpty && subtrees.isEmpty }

    /// Notes a path.
    mutating func add(_ path: String) {
        guard !isCovered(path) else { return }
        let (directory, name) = (FolderPath.parent(of: path), FolderPath.name(of: path))
        guard !name.isEmpty else { return addSubtree("") }
        guard names[ExactPath(directory), default: []].insert(ExactPath(name)).inserted else { return }
        count += 1
        if names[ExactPath(directory)]?.count ?? 0 > Self.maximumNames { addSubtree(directory) }
        if count + subtrees.count > Self.maximumPaths { collapse() }
    }

    /// Notes a directory with all that is below it.
    mutating func addSubtree(_ path: String) {
        guard !isCovered(path) else { return }
        subtrees = subtrees.filter { !Self.isAtOrBelow($0.text, path) }
        for directory in names.keys where Self.isAtOrBelow(directory.text, path) {
            count -= names.removeValue(forKey: directory)?.count ?? 0
        }
        subtrees.insert(ExactPath(path))
        if subtrees.count > Self.maximumPaths { collapse() }
    }

    /// The paths, in order; empty for the folder itself. Nothing is noted afterwards.
    mutating func take() -> [String] {
        var paths = Array(subtrees)
        for (directory, below) in names {
            for name in below { paths.append(ExactPath(FolderPath.join(directory.text, name.text))) }
        }
        self = DirtyPaths()
        return paths.sorted().map(\.text)
    }

    /// Whether a directory is looked at with all that is below it.
    func covers(_ directory: String) -> Bool { isCovered(directory) }

    private func isCovered(_ path: String) -> Bool {
        subtrees.contains { Self.isAtOrBelow(path, $0.text) }
    }

    /// Becomes the directory that everything is in.
    private mutating func collapse() {
        var common: [ExactPath]?
        for path in Array(subtrees) + names.keys {
            let segments = FolderPath.names(of: path.text).map(ExactPath.init)
            common = common.map { zip($0, segments).prefix { $0 == $1 }.map(\.0) } ?? segments
        }
        addSubtree((common ?? []).map(\.text).joined(separator: "/"))
    }

    private static func isAtOrBelow(_ path: String, _ directory: String) -> Bool {
        path.utf8.elementsEqual(directory.utf8) || FolderPath.isBelow(path, directory)
    }
}
