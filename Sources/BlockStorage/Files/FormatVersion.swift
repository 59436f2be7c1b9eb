/// The VERSION file: which format a data directory has, checked before anything else is touched.
///
/// Format: docs/formats/data-directory.md.
enum FormatVersion {
    static let current = 1
    /// Features that this version knows how to read.
    static let knownFeatures: Set<String> = []
    /// What a directory may hold that becomes a data directory: what people put there first, and what making one
    /// leaves that was stopped.
    private static let mayBeThere: Set<String> = [
        "nacre.toml", "secrets", "VERSION.new", "LOCK", "blocks", "staging", "lost+found",
    ]

    /// Checks the directory; makes it one if it is empty or not there.
    ///
    /// - Parameter create: whether a directory may be made.
    static func check(_ directory: String, in files: any FileSystem, create: Bool) throws {
        let path = directory + "/VERSION"
        if try files.exists(path) {
            try checkText(read(path, files), directory)
            return
        }
        guard create else {
            throw BlockStoreError.notADataDirectory(directory: directory, reason: "it has no VERSION file")
        }
        if try files.exists(directory),
            let stranger = try files.names(in: directory).sorted().first(where: { !mayBeThere.contains($0) })
        {
            throw BlockStoreError.notADataDirectory(
                directory: directory,
                reason:
                    "it holds \(stranger) and no VERSION file; name an empty directory, or one that is not there"
            )
        }
        if try files.exists(directory + "/blocks/packs"),
            try !files.names(in: directory + "/blocks/packs").isEmpty
        {
            throw BlockStoreError.notADataDirectory(
                directory: directory,
                reason: "it has packs and no VERSION file; put back the one that was lost")
        }
        try files.createDurableDirectory(directory)
        try write("nacre \(current)\nfeatures:\n", path, directory, files)
    }

    private static func checkText(_ text: String, _ directory: String) throws {
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        let words = lines.first.map { $0.split(separator: " ") } ?? []
        guard words.count == 2, words[0] == "nacre", let number = Int(words[1]) else {
            throw BlockStoreError.notADataDirectory(
                directory: directory, reason: "its VERSION file is not one of nacre's")
        }
        guard number <= current else {
            throw BlockStoreError.newerFormat(directory: directory, found: "\(number)", supported: current)
        }
        let features =
            lines.dropFirst().first.map { $0.split(separator: " ").dropFirst().map(String.init) } ?? []
        if let unknown = features.first(where: { !knownFeatures.contains($0) }) {
            throw BlockStoreError.newerFormat(
                directory: directory, found: "\(number) with \(unknown)", supported: current)
        }
    }

    private static func read(_ path: String, _ files: any FileSystem) throws -> String {
        let file = try files.open(path, .read)
        var bytes = [UInt8](repeating: 0, count: 4096)
        let count = try bytes.withUnsafeMutableBytes { try file.read(into: $0, at: 0) }
        return String(decoding: bytes.prefix(count), as: UTF8.self)
    }

    private static func write(_ text: String, _ path: String, _ directory: String, _ files: any FileSystem)
        throws
    {
        let new = path + ".new"
        if try files.exists(new) { try files.remove(new) }
        let file = try files.open(new, .create)
        try Array(text.utf8).withUnsafeBytes { try file.write($0, at: 0) }
        try file.sync()
        try file.close()
        try files.rename(new, to: path)
        // The directory is synced too: without it the rename itself can be lost on power cut.
        try files.syncDirectory(directory)
    }
}
