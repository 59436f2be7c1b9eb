/// Paths in a folder, taken apart by bytes as the system does it.
///
/// A `Character` is more than that: `/` is another one where a name begins with a combining mark.
package enum FolderPath {
    /// The directory that something is in; empty for the folder itself.
    package static func parent(of path: String) -> String {
        guard let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")) else { return "" }
        return String(path[..<slash])
    }

    /// What something is called in its directory.
    package static func name(of path: String) -> String {
        guard let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")) else { return path }
        return String(path[path.utf8.index(after: slash)...])
    }

    /// The names of a path, outermost first; empty ones are left out.
    package static func names(of path: String) -> [String] {
        // Cut at slashes, which are no part of another character's bytes: each piece is UTF-8 again.
        path.utf8.split(separator: UInt8(ascii: "/")).map { String(Substring($0)) }
    }

    package static func join(_ directory: String, _ name: String) -> String {
        directory.isEmpty ? name : directory + "/" + name
    }

    /// A path as one within a directory; `nil` for what is not below it.
    package static func path(_ path: String, within directory: String) -> String? {
        guard isBelow(path, directory) else { return nil }
        let below = path.utf8.dropFirst(directory.utf8.count)
        // No name begins with a slash: what stands before it is the directory.
        return String(Substring(below.drop { $0 == UInt8(ascii: "/") }))
    }

    /// Whether a path is below a directory; everything else is below the folder itself.
    package static func isBelow(_ path: String, _ directory: String) -> Bool {
        let (path, directory) = (path.utf8, directory.utf8)
        guard !directory.isEmpty else { return !path.isEmpty }
        return path.count > directory.count && path.starts(with: directory)
            && (directory.last == UInt8(ascii: "/")
                || path.dropFirst(directory.count).first == UInt8(ascii: "/"))
    }
}

/// A name or a path by its bytes: two forms of one letter are two names of a directory, and one `String`.
package struct ExactPath: Hashable, Comparable, Sendable {
    package let text: String

    package init(_ text: String) { self.text = text }

    package static func == (a: Self, b: Self) -> Bool {
        guard a.text.utf8.count == b.text.utf8.count else { return false }
        var (a, b) = (a.text, b.text)
        return a.withUTF8 { a in b.withUTF8 { b in a.elementsEqual(b) } }
    }

    package static func < (a: Self, b: Self) -> Bool { a.text.utf8.lexicographicallyPrecedes(b.text.utf8) }

    package func hash(into hasher: inout Hasher) {
        var text = text
        text.withUTF8 { hasher.combine(bytes: UnsafeRawBufferPointer($0)) }
    }
}

/// Different paths, by their bytes.
package struct PathSet: Hashable, Sendable {
    private var paths: Set<ExactPath> = []

    package init() {}

    package var isEmpty: Bool { paths.isEmpty }
    package var count: Int { paths.count }
    /// In the order of their bytes.
    package var sorted: [String] { paths.sorted().map(\.text) }

    package func contains(_ path: String) -> Bool { paths.contains(ExactPath(path)) }

    /// - Returns: whether it was not there.
    @discardableResult
    package mutating func insert(_ path: String) -> Bool { paths.insert(ExactPath(path)).inserted }

    package mutating func insert(_ others: some Sequence<String>) {
        for path in others { insert(path) }
    }

    package mutating func removeAll() { paths.removeAll() }
}
