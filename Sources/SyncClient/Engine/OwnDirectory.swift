import Multiformats
import SyncProtocol
import TreeValues

/// `.nacre` in a folder: the marker, files in the making, and the trash.
///
/// Nothing in it is synced. What is in `tmp` when a run begins was left by one that ended suddenly. Fragments
/// of large files are gone on with, see ``Fragments``; everything else goes to the trash: it may be the only
/// copy of something.
struct OwnDirectory {
    static let marker = SyncNames.ownDirectory + "/folder"
    static let temporary = SyncNames.ownDirectory + "/tmp"
    static let trash = SyncNames.ownDirectory + "/trash"
    /// Directories in `tmp` for files in the making: threads that make files in one directory wait for each
    /// other, and the system looks through it for every name.
    private static let lanes = 4

    let disk: any FolderFileSystem
    let environment: SyncEnvironment
    /// What is here of large files that are not whole yet.
    var fragments = Fragments()
    /// Directories in the trash that are there.
    private var made = PathSet()

    init(disk: any FolderFileSystem, environment: SyncEnvironment) {
        self.disk = disk
        self.environment = environment
    }

    /// The text of the marker; `nil` if there is none.
    func readMarker() throws(FileError) -> String? { try Self.readMarker(on: disk) }

    /// The text of the marker of a folder; `nil` if there is none.
    static func readMarker(on disk: any FolderFileSystem) throws(FileError) -> String? {
        guard let status = try disk.status(marker), status.kind == .file else { return nil }
        let room = 256
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: room, alignment: 1)
        defer { buffer.deallocate() }
        let count = try disk.read(marker, at: 0, into: buffer)
        return String(decoding: buffer.prefix(count), as: UTF8.self)
    }

    /// Makes the directory with a marker that is whole or not there at all.
    func make(folderID: String) throws(FileError) {
        try makeDirectory(SyncNames.ownDirectory)
        try makeDirectory(Self.temporary)
        try makeDirectory(Self.trash)
        let file = Self.temporary + "/" + environment.randomName()
        try disk.create(file)
        let bytes = Array(folderID.utf8)
        try bytes.span.bytes.withUnsafeBytes { (bytes) throws(FileError) in
            try disk.write(bytes, to: file, at: 0)
        }
        try disk.synchronize(file: file)
        try disk.rename(file, to: Self.marker, replacing: true)
        try disk.synchronize(directory: SyncNames.ownDirectory)
        try disk.synchronize(directory: "")
    }

    private func makeDirectory(_ path: String) throws(FileError) {
        do throws(FileError) {
            try disk.makeDirectory(path)
        } catch {
            if case .exists = error { return }
            throw error
        }
    }

    /// Makes sure of the directories.
    func prepare() throws(FileError) {
        try makeDirectory(Self.temporary)
        for lane in 0..<Self.lanes { try makeDirectory(Self.path(ofLane: lane)) }
        try makeDirectory(Self.trash)
    }

    private static func path(ofLane lane: Int) -> String { temporary + "/" + String(lane) }

    /// Makes sure of the directories, keeps the fragments that an earlier run left, and moves what else it left
    /// to the trash.
    mutating func recover() throws(FileError) {
        try prepare()
        fragments = Fragments()
        for directory in [Self.temporary] + (0..<Self.lanes).map(Self.path(ofLane:)) {
            for entry in try disk.list(directory) where entry.status?.kind != .directory {
                guard let name = entry.name else { continue }
                let path = directory + "/" + name
                if entry.status?.kind == .file, let size = entry.status?.size, size > 0,
                    let fragment = Fragment(path: path, bytes: size), fragments.insert(fragment)
                {
                    continue
                }
                try moveToTrash(leftover: path, entry.status)
            }
        }
    }

    private mutating func moveToTrash(leftover path: String, _ status: FileStatus?) throws(FileError) {
        if status?.size == 0 {
            try disk.removeFile(path)
        } else {
            try moveToTrash(path, as: "recovered/" + FolderPath.name(of: path))
        }
    }

    /// A fragment that a file of this content can be made from, which nobody else gets then.
    mutating func takeFragment(of root: CID, fileBytes: Int64) -> Fragment? {
        while let fragment = fragments.take(root) {
            // A disk that does not answer is no reason to stop here: the file is made anew then.
            guard let status = try? disk.status(fragment.path), status.kind == .file else { continue }
            if status.size <= fileBytes { return fragment }
            // There is more in it than was ever written there.
            _ = try? moveToTrash(leftover: fragment.path, status)
        }
        return nil
    }

    /// Moves fragments to the trash whose file nobody waits for any more.
    mutating func dropFragments(except isWanted: (Fragment) throws -> Bool) rethrows {
        for fragment in fragments.all where try !isWanted(fragment) {
            fragments.remove(fragment)
            // What cannot be moved now is looked at again when the next run begins.
            if let status = try? disk.status(fragment.path) {
                _ = try? moveToTrash(leftover: fragment.path, status)
            }
        }
    }

    /// Where a file may be made.
    ///
    /// - Parameter index: of the file among those that are made at once.
    func temporaryPath(_ index: Int = 0) -> String {
        Self.path(ofLane: index % Self.lanes) + "/" + environment.randomName()
    }

    /// Where a large file may be made, of which a later run is to know what it is.
    func makeFragment(of root: CID, for node: NodeID, _ index: Int) -> Fragment {
        Fragment(
            root: root, node: node, directory: Self.path(ofLane: index % Self.lanes),
            suffix: environment.randomName())
    }

    /// Moves a file or a symlink to the trash of the day.
    ///
    /// - Returns: where it is there.
    @discardableResult
    mutating func moveToTrash(_ path: String, as name: String) throws(FileError) -> String {
        let day = Self.trash + "/" + CalendarText(nanoseconds: environment.wallClock()).date
        if try makeDirectories(above: name, in: day) {
            for name in [name, laterName(name)] {
                do throws(FileError) {
                    try disk.rename(path, to: day + "/" + name, replacing: false)
                    return day + "/" + name
                } catch .exists {
                    // An earlier version of that day.
                    continue
                } catch {
                    if case .notFound(path) = error { throw error }
                    // Too long, a file on the way: any name will do.
                    break
                }
            }
        }
        let other = day + "/" + environment.randomName()
        try disk.rename(path, to: other, replacing: false)
        return other
    }

    /// A name for one more version of a day, by which a person knows it: `soups/leek~2130-9f31.md`.
    private func laterName(_ name: String) -> String {
        let last = FolderPath.name(of: name)
        // A dot at the beginning begins no extension.
        let dot = last.lastIndex(of: ".").flatMap { $0 == last.startIndex ? nil : $0 } ?? last.endIndex
        let time = CalendarText(nanoseconds: environment.wallClock()).time
        let number = environment.randomName().prefix(4)
        return FolderPath.join(
            FolderPath.parent(of: name), "\(last[..<dot])~\(time)-\(number)\(last[dot...])")
    }

    private mutating func makeDirectories(above name: String, in day: String) throws(FileError) -> Bool {
        if !made.contains(day) {
            try makeDirectory(day)
            made.insert(day)
        }
        var path = day
        for part in FolderPath.names(of: name).dropLast() {
            path += "/" + part
            if made.contains(path) { continue }
            do throws(FileError) {
                try disk.makeDirectory(path)
            } catch {
                switch error {
                case .exists: guard try disk.status(path)?.kind == .directory else { return false }
                case .nameTooLong: return false
                default: throw error
                }
            }
            if made.count >= 10_000 {
                made.removeAll()
                made.insert(day)
            }
            made.insert(path)
        }
        return true
    }

    /// Removes what has been in the trash for so many days.
    mutating func emptyTrash(keepingDays days: Int64) throws(FileError) {
        let limit = environment.wallClock() - days * 86_400 * 1_000_000_000
        let oldest = CalendarText(nanoseconds: limit).date
        for entry in try disk.list(Self.trash) {
            // Dates of four-digit years are in the order of their texts.
            guard let name = entry.name, name.utf8.count == 10, name < oldest else { continue }
            try remove(Self.trash + "/" + name)
        }
        made.removeAll()
    }

    private func remove(_ directory: String) throws(FileError) {
        var stack = [directory]
        while let path = stack.last {
            var isEmpty = true
            for entry in try disk.list(path) {
                guard let name = entry.name else { continue }
                if entry.status?.kind == .directory {
                    stack.append(path + "/" + name)
                    isEmpty = false
                } else {
                    try disk.removeFile(path + "/" + name)
                }
            }
            if isEmpty {
                try disk.removeDirectory(path)
                stack.removeLast()
            }
        }
    }
}
