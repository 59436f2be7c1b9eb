extension FileSystem {
    /// Creates a directory, and those above it, and makes their names durable.
    ///
    /// A file that is synced is lost all the same if a power cut takes the directory that it is in.
    func createDurableDirectory(_ path: String) throws {
        var parents: [String] = []
        var missing = path
        while !missing.isEmpty, try !exists(missing) {
            let parent = Self.parent(of: missing)
            parents.append(parent.isEmpty ? "." : parent)
            missing = parent
        }
        try createDirectory(path)
        for parent in parents { try syncDirectory(parent) }
    }

    /// The directory that a path is in; empty for a name in the current one.
    private static func parent(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "" }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }
}
