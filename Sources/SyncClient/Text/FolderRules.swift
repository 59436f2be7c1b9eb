import Digests
import Multiformats

/// What of a folder takes part: the ignore lists, and the paths that a person selected.
public struct FolderRules: Sendable {
    /// The list that is synced with the folder.
    public static let fileName = ".syncignore"
    /// Changes with what is left out whatever the lists say.
    private static let version = "2"
    /// More of the file is not read.
    public static let maximumFileBytes = 1024 * 1024

    /// Lists in rising order of weight: a later one decides where it says anything.
    private var ignored: IgnoreList
    /// Paths that take part, with what is below them; empty for all.
    private let selected: [String]
    /// Names these rules: another text for other ones, as long as both are of the same version of the program.
    public let fingerprint: String

    /// - Parameters:
    ///   - shared: the lines of the folder's own list.
    ///   - local: the lines of the list that is for this device only.
    ///   - selected: paths relative to the folder; empty for all.
    public init(shared: String = "", local: String = "", selected: [String] = []) {
        ignored = .defaults
        ignored.add(text: shared)
        ignored.add(text: local)
        self.selected = selected.map { FolderPath.names(of: $0).joined(separator: "/") }
            .filter { !$0.isEmpty }
        let texts = [Self.version, shared, local] + self.selected.sorted()
        fingerprint = Array(texts.joined(separator: "\u{0}").utf8).withUnsafeBytes {
            Multihash.sha256(of: $0).digest.prefix(16).map { String($0, radix: 16) }.joined(separator: ".")
        }
    }

    /// Reads the folder's own list.
    ///
    /// - Throws: if there is a list that cannot be read: without it too much would take part.
    public init(
        of fileSystem: any FolderFileSystem, local: String = "", selected: [String] = []
    ) throws(FileError) {
        var shared = ""
        if let status = try fileSystem.status(Self.fileName), status.kind == .file {
            var bytes = [UInt8](repeating: 0, count: Int(min(status.size, Int64(Self.maximumFileBytes))))
            var result: Result<Int, FileError> = .success(0)
            bytes.withUnsafeMutableBytes { buffer in
                do throws(FileError) {
                    result = .success(try fileSystem.read(Self.fileName, at: 0, into: buffer))
                } catch {
                    result = .failure(error)
                }
            }
            shared = String(decoding: bytes.prefix(try result.get()), as: UTF8.self)
        }
        self.init(shared: shared, local: local, selected: selected)
    }

    /// Lines of the lists that could not be taken.
    public var problems: [IgnoreList.Problem] { ignored.problems }

    /// Whether a path takes no part. What is below one that does not is not asked for.
    ///
    /// What another synced folder has of its own in a folder below takes none whatever the lists say: its trash
    /// is older versions and what was removed, which nobody means to share, or to have twice.
    public func isExcluded(_ path: String, isDirectory: Bool) -> Bool {
        if isDirectory, Self.isOwnDirectory(path) { return true }
        if !isSelected(path, isDirectory: isDirectory) { return true }
        // The list itself goes with the folder, whatever it says.
        if path.utf8.elementsEqual(Self.fileName.utf8) { return false }
        return ignored.ignores(path, isDirectory: isDirectory)
    }

    private static func isOwnDirectory(_ path: String) -> Bool {
        let own = SyncNames.ownDirectory.utf8
        let rest = path.utf8.dropLast(own.count)
        return path.utf8.dropFirst(rest.count).elementsEqual(own)
            && (rest.isEmpty || rest.last == UInt8(ascii: "/"))
    }

    /// Whether a path is selected, is below one that is, or leads to one.
    private func isSelected(_ path: String, isDirectory: Bool) -> Bool {
        guard !selected.isEmpty else { return true }
        if path.utf8.elementsEqual(Self.fileName.utf8) { return true }
        return selected.contains { chosen in
            Self.isAtOrBelow(path, chosen) || (isDirectory && Self.isAtOrBelow(chosen, path))
        }
    }

    private static func isAtOrBelow(_ path: String, _ directory: String) -> Bool {
        let (path, directory) = (path.utf8, directory.utf8)
        guard path.starts(with: directory) else { return false }
        return path.count == directory.count || path.dropFirst(directory.count).first == UInt8(ascii: "/")
    }
}
