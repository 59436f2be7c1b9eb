public import Foundation

/// A new directory that is removed, with all that is in it, when the last reference goes.
///
/// A test keeps it alive by using it: `withExtendedLifetime` where only ``path`` travels on.
public final class TemporaryDirectory: Sendable {
    public let path: String
    public var url: URL { URL(fileURLWithPath: path, isDirectory: true) }

    /// - Parameter parent: where to make it; the system's temporary directory by default.
    public init(in parent: String? = nil) throws {
        let base = parent ?? NSTemporaryDirectory()
        var template = (base + "/nacre-test-XXXXXX").utf8CString.map { $0 }
        guard mkdtemp(&template) != nil else {
            throw CocoaError(.fileWriteUnknown, userInfo: [NSFilePathErrorKey: base])
        }
        path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    deinit {
        // A directory that cannot be removed is the system's to clean up; the test has its result.
        try? FileManager.default.removeItem(atPath: path)
    }

    /// Where syncing costs nothing, if the machine has such a place: for thousands of short-lived stores.
    public static let fastParent: String? =
        FileManager.default.isWritableFile(atPath: "/dev/shm") ? "/dev/shm" : nil

    /// The path of `name` in the directory.
    public func path(_ name: String) -> String { path + "/" + name }

    /// Writes a file, with the directories above it.
    @discardableResult
    public func write(_ bytes: [UInt8], to name: String) throws -> String {
        let file = path(name)
        try FileManager.default.createDirectory(
            at: URL(fileURLWithPath: file).deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(bytes).write(to: URL(fileURLWithPath: file))
        return file
    }

    /// The contents of a file.
    public func read(_ name: String) throws -> [UInt8] {
        [UInt8](try Data(contentsOf: URL(fileURLWithPath: path(name))))
    }

    /// The contents of every file below, by relative path.
    public func allFiles() throws -> [String: [UInt8]] {
        Dictionary(uniqueKeysWithValues: try DiskState.contents(of: path).files.map { ($0.path, $0.bytes) })
    }
}
