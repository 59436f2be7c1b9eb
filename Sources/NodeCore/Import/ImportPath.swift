import Glibc

/// Paths as the user gave them.
enum ImportPath {
    /// What an entry is called when it is added by this path: the last part, of the real path for `.` and the
    /// like.
    static func name(of path: [UInt8]) -> [UInt8] {
        let last = PathText.lastComponent(path)
        if PathText.isSafeName(last) { return last }
        guard let real = Path.withCString(path, { realpath($0, nil) }) else { return last }
        defer { free(real) }
        let bytes = UnsafeBufferPointer(start: real, count: strlen(real)).map { UInt8(bitPattern: $0) }
        let name = PathText.lastComponent(bytes)
        return PathText.isSafeName(name) ? name : Array("root".utf8)
    }

    /// The directory and the last part of a path to a file.
    static func split(_ path: [UInt8]) -> (parent: [UInt8], name: [UInt8]) {
        guard let index = path.lastIndex(of: PathText.slash) else { return ([PathText.dot], path) }
        let parent = index == 0 ? [PathText.slash] : Array(path[..<index])
        return (parent, Array(path[(index + 1)...]))
    }
}
