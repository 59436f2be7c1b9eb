import Multiformats
import NodeCore
import NodeMessages

/// The files of a form with their relative paths, until they are directories.
struct UploadTree {
    /// A file, or a directory that is still being filled.
    private enum Node {
        case file(ImportedEntry)
        /// Indexes of what it holds, by name.
        case directory([[UInt8]: Int])
    }

    private var nodes: [Node] = [.directory([:])]
    private(set) var directories = 0

    /// The most segments of a path.
    private static let maximumDepth = 128

    /// The segments of a file's name in a form; browsers give `\` on Windows only in very old ones, and it
    /// is a character like any other here.
    static func path(_ filename: String) throws -> [[UInt8]] {
        let parts = filename.split(separator: "/", omittingEmptySubsequences: true)
        guard !parts.isEmpty, parts.count <= maximumDepth else {
            throw APIRequest.invalid("a filename has 1 to \(maximumDepth) segments")
        }
        guard
            !parts.contains(where: { $0 == "." || $0 == ".." || $0.utf8.contains(0) || $0.utf8.count > 255 })
        else {
            throw APIRequest.invalid(
                "\(APIRequest.shown(filename)): a segment of a filename has at most 255 bytes and is not . or .."
            )
        }
        return parts.map { Array($0.utf8) }
    }

    /// - Throws: `name-twice`.
    mutating func insert(_ entry: ImportedEntry, at path: [[UInt8]]) throws {
        var place = 0
        for (depth, segment) in path.enumerated() {
            guard case .directory(var children) = nodes[place] else { throw Self.twice(path) }
            let isLast = depth == path.count - 1
            if let child = children[segment] {
                guard !isLast, case .directory = nodes[child] else { throw Self.twice(path) }
                place = child
                continue
            }
            children[segment] = nodes.count
            nodes[place] = .directory(children)
            place = nodes.count
            nodes.append(isLast ? .file(entry) : .directory([:]))
        }
    }

    private static func twice(_ path: [[UInt8]]) -> NodeFailure {
        let text = PathText.printable(Array(path.joined(separator: [PathText.slash])))
        return NodeFailure(.invalid, code: "name-twice", detail: "\(text) comes twice in the form")
    }

    /// Makes the directories, the deepest first.
    ///
    /// - Returns: the only entry at the top, or a directory that holds all of them.
    mutating func root(
        wrapping: Bool, _ make: ([ImportedEntry]) throws -> ImportedEntry
    ) throws -> ImportedEntry {
        var entries: [ImportedEntry?] = Array(repeating: nil, count: nodes.count)
        // A node comes before what it holds.
        for index in nodes.indices.reversed() {
            switch nodes[index] {
            case .file(let entry): entries[index] = entry
            case .directory(let children):
                // In the order of names, as they are stored.
                let held = children.sorted { $0.key.lexicographicallyPrecedes($1.key) }
                let inside = held.compactMap { name, child in entries[child].map { $0.named(name) } }
                if index == 0, inside.count == 1, !wrapping, let only = inside.first { return only }
                entries[index] = try make(inside)
                directories += 1
            }
        }
        guard let root = entries[0] else { throw APIRequest.invalid("the form has no file") }
        return root
    }
}
