import ArgumentParser
import Foundation
import Glibc
import NodeCore
import SyncClient
import SyncProtocol

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

    /// What goes is moved to the trash of the folder: it may not have been sent yet.
    ///
    /// - Returns: the path of the file that is left.
    static func resolve(_ text: String, keeping choice: Choice) throws -> String {
        let copy = try SyncPlace.path(ofFile: text)
        guard let name = ConflictName((copy as NSString).lastPathComponent) else {
            throw CommandError(
                .wrongUsage,
                "\(SyncOutput.shown(text)) is no conflict copy; `nacre sync conflicts DIR` lists those there are"
            )
        }
        guard let folder = FolderTrash.folder(of: copy), let below = FolderPath.path(copy, within: folder)
        else { throw CommandError(.notFound, "\(SyncOutput.shown(text)) is in no synced folder") }
        let parent = FolderPath.parent(of: below)
        func path(_ name: String) -> String { FolderPath.join(parent, name) }
        let trash = try FolderTrash(folder: folder)
        var original = path(name.original)
        if name.reason != .content, try !trash.has(original),
            let other = try trash.names(in: parent).first(where: { $0.isSameButForCase(as: name.original) })
        {
            // The name that stands in the way is spelled otherwise: beside it there would be another conflict.
            original = path(other)
        }
        let left = try resolve(below, trash, keeping: choice, original: original) {
            "\(name.stem) \($0)\(name.suffix)"
        }
        SyncPlace.tellFinished([below, original, left], in: folder)
        return (folder as NSString).appendingPathComponent(left)
    }

    private static func resolve(
        _ copy: String, _ trash: FolderTrash, keeping choice: Choice, original: String,
        numbered: (Int) -> String
    ) throws -> String {
        var trash = trash
        guard try trash.has(copy) else {
            throw CommandError(.notFound, "there is no file \(SyncOutput.shown(copy))")
        }
        switch choice {
        case .copy:
            if try trash.hasDirectory(original) {
                throw CommandError(
                    .conflict,
                    "\(SyncOutput.shown(original)) is a directory by now: `--keep both` gives the copy a name of "
                        + "its own")
            }
            if try trash.has(original) { try trash.take(original) }
            try trash.rename(copy, to: original)
            return original
        case .file:
            try trash.take(copy)
            return original
        case .both:
            if let path = try move(copy, trash, toOneOf: (2...1000).map(numbered)) { return path }
            throw CommandError(.conflict, "there are a thousand files of this name already")
        }
    }

    /// Gives a file the first of some names that is free; `nil` if none is.
    private static func move(
        _ path: String, _ trash: FolderTrash, toOneOf names: [String]
    ) throws -> String? {
        let parent = FolderPath.parent(of: path)
        // Beside one that differs by case or Unicode form there would be another conflict.
        let taken = Set(try trash.names(in: parent).map { NameKey($0, ignoringCase: true) })
        let free = names.filter { !taken.contains(NameKey($0, ignoringCase: true)) }
        for name in free {
            let other = FolderPath.join(parent, name)
            do throws(FileError) {
                try trash.rename(path, to: other)
                return other
            } catch {
                guard case .exists = error else { throw error }
            }
        }
        return nil
    }
}

extension String {
    /// Whether two names are one where case and Unicode form are not told apart.
    fileprivate func isSameButForCase(as other: String) -> Bool {
        NameKey(self, ignoringCase: true) == NameKey(other, ignoringCase: true)
    }
}
