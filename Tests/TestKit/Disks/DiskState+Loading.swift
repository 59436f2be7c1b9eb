import Foundation

extension DiskState {
    /// The files and directories below a directory of a real disk, by relative path; none if it is absent.
    static func contents(of root: String) throws -> (
        files: [(path: String, bytes: [UInt8])], directories: [String]
    ) {
        var files: [(path: String, bytes: [UInt8])] = []
        var directories: [String] = []
        for name in FileManager.default.subpaths(atPath: root)?.sorted() ?? [] {
            let path = root + "/" + name
            var isDirectory: ObjCBool = false
            guard FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory) else { continue }
            if isDirectory.boolValue {
                directories.append(name)
            } else {
                files.append((name, [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))))
            }
        }
        return (files, directories)
    }
}
