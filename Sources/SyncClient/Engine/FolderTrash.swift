import Foundation

/// The trash of a synced folder, for what a person decides about its files between two passes.
public struct FolderTrash {
    private let disk: DiskFolder
    private var own: OwnDirectory

    /// - Parameter folder: the folder itself: where the marker is.
    /// - Throws: `folderMissing`, and what else the disk says.
    public init(folder: String) throws(FileError) {
        disk = try DiskFolder(folder)
        let environment = SyncEnvironment(
            wallClock: { Int64(Date().timeIntervalSince1970 * 1e9) }, steadyClock: { 0 },
            random: { UInt64.random(in: 0 ... .max) },
            parallelForEach: { count, body in for index in 0..<count { body(index) } })
        own = OwnDirectory(disk: disk, environment: environment)
        try own.prepare()
    }

    /// The synced folder that a path is in: the nearest directory above it with a marker.
    public static func folder(of path: String) -> String? {
        var directory = (path as NSString).deletingLastPathComponent
        while !directory.isEmpty {
            if FileManager.default.fileExists(atPath: directory + "/" + OwnDirectory.marker) {
                return directory
            }
            if directory == "/" { return nil }
            directory = (directory as NSString).deletingLastPathComponent
        }
        return nil
    }

    /// Moves a file into the trash of the day.
    ///
    /// - Parameter path: relative to the folder.
    public mutating func take(_ path: String) throws(FileError) { try own.moveToTrash(path, as: path) }

    /// Renames a file; nothing is replaced.
    ///
    /// - Throws: `exists` if something is there.
    public func rename(_ path: String, to other: String) throws(FileError) {
        try disk.rename(path, to: other, replacing: false)
    }

    /// Whether something is there.
    public func has(_ path: String) throws(FileError) -> Bool { try disk.status(path) != nil }

    /// Whether a directory is there.
    public func hasDirectory(_ path: String) throws(FileError) -> Bool {
        try disk.status(path)?.kind == .directory
    }

    /// What is in a directory of the folder.
    public func names(in directory: String) throws(FileError) -> [String] {
        try disk.list(directory).compactMap(\.name).sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    }
}
