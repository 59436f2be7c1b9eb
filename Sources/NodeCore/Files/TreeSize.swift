import Glibc

/// How many bytes of files lie in a folder, roughly: for progress bars.
public enum TreeSize {
    /// - Parameter includingHidden: whether entries whose names begin with a dot count.
    public static func bytes(at path: [UInt8], includingHidden: Bool, cancellation: Cancellation) -> Int64 {
        var status = stat()
        guard Path.withCString(path, { stat($0, &status) }) == 0 else { return 0 }
        guard FileKind(mode: status.st_mode) == .directory else { return Int64(status.st_size) }
        var sum: Int64 = 0
        var waiting = [path]
        while let directory = waiting.popLast(), !cancellation.isCancelled {
            guard let handle = try? DirectoryHandle(opening: directory), let listing = try? handle.listing()
            else {
                continue
            }
            for index in 0..<listing.count {
                let name = listing.name(index)
                if !includingHidden && name.first == PathText.dot { continue }
                guard let status = try? handle.status(of: name) else { continue }
                if status.kind == .file { sum += status.bytes }
                if status.kind == .directory { waiting.append(PathText.join(directory, name)) }
            }
        }
        return sum
    }
}
