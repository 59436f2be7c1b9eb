import ArgumentParser
import Foundation
import Glibc
import NodeCore
import SyncClient

/// Finds conflict copies in a folder, and does what was decided about them.
enum ConflictCopies {
    /// A conflict copy.
    struct Copy: Encodable {
        /// Absolute.
        let path: String
        /// What it is a copy of.
        let original: String
    }

    enum Choice: String, ExpressibleByArgument, CaseIterable {
        case copy
        case file
        case both
    }

    /// Gives every conflict copy below a folder to `body`, in no particular order.
    static func forEach(in folder: String, _ body: (Copy) throws -> Void) throws {
        var directories = [folder]
        while let directory = directories.popLast() {
            guard let handle = opendir(directory) else { continue }
            defer { closedir(handle) }
            while let entry = readdir(handle) {
                let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                    pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
                }
                guard name != ".", name != "..", !(directory == folder && name == ".nacre") else { continue }
                let path = directory + "/" + name
                if let original = ConflictName(name)?.original {
                    try body(Copy(path: path, original: directory + "/" + original))
                }
                var status = stat()
                if lstat(path, &status) == 0, status.st_mode & S_IFMT == S_IFDIR { directories.append(path) }
            }
        }
    }

    /// - Returns: the path of the file that is left.
    static func resolve(_ text: String, keeping choice: Choice) throws -> String {
        let copy = try SyncPlace.path(text)
        let directory = (copy as NSString).deletingLastPathComponent
        guard let name = ConflictName((copy as NSString).lastPathComponent) else {
            throw CommandError(.wrongUsage, "\(SyncOutput.shown(text)) is no conflict copy")
        }
        let original = directory + "/" + name.original
        switch choice {
        case .copy:
            guard rename(copy, original) == 0 else { throw failure("rename", copy) }
            return original
        case .file:
            guard unlink(copy) == 0 else { throw failure("remove", copy) }
            return original
        case .both:
            for number in 2...1000 {
                let path = directory + "/" + "\(name.stem) \(number)\(name.suffix)"
                guard access(path, F_OK) != 0 else { continue }
                guard rename(copy, path) == 0 else { throw failure("rename", copy) }
                return path
            }
            throw CommandError(.conflict, "there are a thousand files of this name already")
        }
    }

    private static func failure(_ operation: String, _ path: String) -> CommandError {
        CommandError(
            .failed, "cannot \(operation) \(SyncOutput.shown(path)): \(String(cString: strerror(errno)))")
    }
}

extension ConflictName {
    /// What the file is called of which it is a copy.
    var original: String { stem + suffix }
}
