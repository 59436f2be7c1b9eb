import BlockStorage
import Foundation

/// A file with the id by which a catalog knows the data directory.
///
/// Format: docs/formats/data-directory.md.
struct DirectoryID {
    /// Which catalog it is about. Only one of the files counts: that of the place where the catalog is.
    enum Place: String {
        /// There as long as the catalog is not in the directory itself.
        case catalogInServer = "catalog.id"
        case catalogInFile = "directory.id"
    }

    private let directory: String
    private let path: String

    init(_ place: Place, _ directory: String) {
        self.directory = directory
        path = directory + "/" + place.rawValue
    }

    var exists: Bool { FileManager.default.fileExists(atPath: path) }

    /// The id; a new random one is durable under its name before it is returned.
    func readOrMake() throws -> String {
        if let bytes = try SmallFile.read(Array(path.utf8)) {
            let id = String(decoding: bytes.prefix { $0 != 10 }, as: UTF8.self)
            guard id.utf8.count == 32, id.utf8.allSatisfy(Self.digits.contains) else {
                throw NodeError.damaged(
                    "\(path) is not 32 hexadecimal digits; put it back from a backup, or remove it and begin with "
                        + "what the catalog has by `nacre verify --new-catalog`")
            }
            return id
        }
        let id = String(decoding: (0..<32).map { _ in Self.digits[Int.random(in: 0..<16)] }, as: UTF8.self)
        try make(id)
        return id
    }

    /// Writes the file; it is durable when this returns.
    func make(_ id: String) throws {
        let files = DiskFileSystem()
        let new = path + ".new"
        if try files.exists(new) { try files.remove(new) }
        let file = try files.open(new, .create)
        try Array((id + "\n").utf8).withUnsafeBytes { try file.write($0, at: 0) }
        try file.sync()
        try file.close()
        try files.rename(new, to: path)
        try files.syncDirectory(directory)
    }

    /// The catalog is elsewhere from now on.
    func remove() throws {
        let files = DiskFileSystem()
        try files.remove(path)
        try files.syncDirectory(directory)
    }

    private static let digits = Array("0123456789abcdef".utf8)
}
