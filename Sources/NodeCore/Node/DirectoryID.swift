import BlockStorage
import Foundation

/// The file `catalog.id`: by which id a catalog in a server knows the data directory. It is there as long as
/// the catalog is not in the directory itself.
///
/// Format: docs/formats/data-directory.md.
enum DirectoryID {
    static let fileName = "catalog.id"

    private static func path(_ directory: String) -> String { directory + "/" + fileName }

    static func exists(in directory: String) -> Bool {
        FileManager.default.fileExists(atPath: path(directory))
    }

    /// The id; a new random one is durable under its name before it is returned.
    static func readOrMake(in directory: String) throws -> String {
        let path = path(directory)
        if let bytes = try SmallFile.read(Array(path.utf8)) {
            let id = String(decoding: bytes.prefix { $0 != 10 }, as: UTF8.self)
            guard id.utf8.count == 32, id.utf8.allSatisfy(digits.contains) else {
                throw NodeError.damaged(
                    "\(path) is not 32 hexadecimal digits; put it back from a backup, or remove it and begin with "
                        + "what the catalog has by `nacre verify --new-catalog`")
            }
            return id
        }
        let id = String(decoding: (0..<32).map { _ in digits[Int.random(in: 0..<16)] }, as: UTF8.self)
        let files = DiskFileSystem()
        let new = path + ".new"
        if try files.exists(new) { try files.remove(new) }
        let file = try files.open(new, .create)
        try Array((id + "\n").utf8).withUnsafeBytes { try file.write($0, at: 0) }
        try file.sync()
        try file.close()
        try files.rename(new, to: path)
        try files.syncDirectory(directory)
        return id
    }

    /// The catalog is in the directory from now on.
    static func remove(from directory: String) throws {
        let files = DiskFileSystem()
        try files.remove(path(directory))
        try files.syncDirectory(directory)
    }

    private static let digits = Array("0123456789abcdef".utf8)
}
