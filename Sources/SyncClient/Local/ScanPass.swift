import SyncProtocol
import TreeValues

/// One scan at work.
struct ScanPass {
    let fileSystem: any FolderFileSystem
    let tree: ScannedTree
    let content: ContentReader
    let options: ScannerOptions
    let makeID: () -> NodeID
    let clock: () -> Int64
    /// The file system that the folder is on.
    let device: UInt64

    var report = ScanReport()
    var busySince: [ExactPath: Int64]
    var held: [NodeID: Int64]
    /// Nodes that are not where the tree has them.
    var missing: Set<NodeID> = []
    /// Files whose content is to be read.
    var unread: [UnreadFile] = []
    /// Whether the whole folder is looked at, each directory once.
    private(set) var isOfEverything = false
    /// Files of several names that were looked at by each of them.
    var linked: Set<FileIdentity> = []

    private var directories: [Directory] = []
    private var unreadBytes: Int64 = 0
    /// Entries and changes since the last transaction began.
    private var steps = 0

    struct Directory {
        var id: NodeID
        var path: String
    }

    /// A file whose content is to be read.
    struct UnreadFile {
        /// `nil` for a new one.
        var id: NodeID?
        var parent: NodeID
        var name: String
        var request: ContentRequest
        /// When the status was asked for.
        var seen: Int64
    }

    /// After so many entries a transaction ends, and after so many files or bytes they are read.
    private static let maximumSteps = 20_000
    private static let maximumUnreadBytes: Int64 = 64 * 1024 * 1024
    /// So many names of one file are looked at; what others it has is found by a scan of everything.
    static let maximumLinks = 100

    init(_ scanner: FolderScanner, device: UInt64) {
        fileSystem = scanner.fileSystem
        tree = ScannedTree(scanner.state)
        content = scanner.content
        options = scanner.options
        makeID = scanner.makeID
        clock = scanner.clock
        busySince = scanner.busySince
        held = scanner.held
        self.device = device
    }

    // MARK: What is to be done

    var hasWork: Bool { !directories.isEmpty || !unread.isEmpty }

    /// The next directory; `nil` when it is time to end the transaction.
    mutating func nextDirectory() -> Directory? {
        guard steps < Self.maximumSteps, unread.count < options.filesReadTogether,
            unreadBytes < Self.maximumUnreadBytes
        else {
            steps = 0
            return nil
        }
        return directories.popLast()
    }

    mutating func push(_ id: NodeID, _ path: String) { directories.append(Directory(id: id, path: path)) }

    mutating func enqueue(_ file: UnreadFile) {
        unread.append(file)
        unreadBytes += min(file.request.status.size, Self.maximumUnreadBytes)
    }

    /// Begins with the whole folder.
    mutating func start() {
        isOfEverything = true
        push(tree.state.root, "")
    }

    /// Begins with a path; what is not valid is not there.
    mutating func start(at path: String) throws {
        var directory = tree.state.root
        var walked = ""
        let names = FolderPath.names(of: path)
        guard !names.isEmpty else { return push(tree.state.root, "") }
        guard !names.contains(where: { $0 == "." || $0 == ".." }) else { return }
        for (index, name) in names.enumerated() {
            let here = Self.join(walked, name)
            // A directory that the tree does not have is new: everything below it is.
            let known = try tree.child(of: directory, name)
            guard index < names.count - 1, let known, known.kind == .directory else {
                return try look(at: name, in: Directory(id: directory, path: walked))
            }
            if isExcluded(here, isDirectory: true) { return }
            directory = known.id
            walked = here
        }
    }

    /// Compares one entry with the tree, and what is below it.
    mutating func look(at name: String, in directory: Directory) throws {
        let path = Self.join(directory.path, name)
        let all = try tree.localChildren(of: directory.id, name)
        let seen = clock()
        let status: FileStatus?
        do throws(FileError) {
            status = try fileSystem.status(path)
        } catch .folderMissing {
            throw FileError.folderMissing
        } catch {
            return note(error, path)
        }
        guard let status else {
            for known in all where !isExcluded(path, isDirectory: known.kind == .directory) {
                if options.finished.contains(path) {
                    noteReplaced(known.id)
                } else {
                    missing.insert(known.id)
                }
            }
            return
        }
        let known = all.first { $0.stamp?.identity == status.identity } ?? all.first
        let entry = Entry(name: name, path: path, status: status, seen: seen)
        guard try accepts(entry) else { return }
        for double in all where double.id != known?.id { noteReplaced(double.id) }
        if let known, isSameKind(known.kind, status.kind) {
            try compare(known, entry, in: directory.id)
        } else {
            if let known { noteReplaced(known.id) }
            try add(entry, in: directory.id, isWhole: false)
        }
    }

    // MARK: A directory

    /// Something on the disk.
    struct Entry {
        var name: String
        var path: String
        var status: FileStatus
        var seen: Int64
    }

    /// Compares a directory with the tree.
    mutating func scan(_ directory: Directory) throws {
        let seen = clock()
        let found: [FileEntry]
        do throws(FileError) {
            found = try fileSystem.list(directory.path)
        } catch .folderMissing {
            throw FileError.folderMissing
        } catch {
            // Also if it is gone: whoever looks at the directory above finds that out.
            return note(error, directory.path)
        }
        var places: [ExactPath: Int] = Dictionary(minimumCapacity: found.count)
        for (index, entry) in found.enumerated() {
            guard let name = entry.name else {
                note(.system(directory.path, code: Self.notText), directory.path)
                continue
            }
            places[ExactPath(name)] = index
        }
        report.seen += found.count
        steps += found.count

        var changed: [(LocalChild, Int)] = []
        var absent: [LocalChild] = []
        var doubles: [LocalChild] = []
        var below: [Directory] = []
        try tree.forEachLocalChild(of: directory.id) { child in
            guard let place = places.index(forKey: ExactPath(child.name)) else { return absent.append(child) }
            let index = places.values[place]
            guard index >= 0 else { return doubles.append(child) }
            // Somebody has it.
            places.values[place] = ~index
            guard let status = found[index].status, isUnchanged(child, status) else {
                changed.append((child, index))
                return
            }
            if child.kind == .directory {
                below.append(Directory(id: child.id, path: Self.join(directory.path, child.name)))
            }
        }
        for child in absent {
            let path = Self.join(directory.path, child.name)
            if !isExcluded(path, isDirectory: child.kind == .directory) { missing.insert(child.id) }
        }
        for double in doubles {
            guard let index = places[ExactPath(double.name)] else { continue }
            take(double, ~index, found, &changed)
        }
        for next in below where !isExcluded(next.path, isDirectory: true) { directories.append(next) }
        try scan(
            changed, new: places.values.filter { $0 >= 0 }.sorted { found[$0].isBefore(found[$1]) }, found,
            in: directory, seen)
    }

    /// Two nodes of one place: what changed while it was looked at may have left them. The one that is there is
    /// known by its inode.
    private mutating func take(
        _ double: LocalChild, _ index: Int, _ found: [FileEntry], _ changed: inout [(LocalChild, Int)]
    ) {
        guard let identity = found[index].status?.identity, double.stamp?.identity == identity,
            let place = changed.firstIndex(where: { $0.1 == index }),
            changed[place].0.stamp?.identity != identity
        else { return noteReplaced(double.id) }
        noteReplaced(changed[place].0.id)
        changed[place].0 = double
    }

    private mutating func scan(
        _ changed: [(LocalChild, Int)], new: [Int], _ found: [FileEntry], in directory: Directory,
        _ seen: Int64
    ) throws {
        var replaced: [Int] = []
        for (child, index) in changed {
            guard let entry = entry(found[index], in: directory, seen), try accepts(entry) else { continue }
            if isSameKind(child.kind, entry.status.kind) {
                try compare(child, entry, in: directory.id)
            } else {
                noteReplaced(child.id)
                replaced.append(index)
            }
        }
        for index in new + replaced {
            guard let entry = entry(found[index], in: directory, seen), try accepts(entry) else { continue }
            try add(entry, in: directory.id, isWhole: true)
        }
    }

    private mutating func entry(_ found: FileEntry, in directory: Directory, _ seen: Int64) -> Entry? {
        guard let name = found.name else { return nil }
        let path = Self.join(directory.path, name)
        guard let status = found.status else {
            // What is excluded may as well be out of reach.
            if !isExcluded(path, isDirectory: false) { note(.denied(path), path) }
            return nil
        }
        return Entry(name: name, path: path, status: status, seen: seen)
    }

    /// Whether an entry takes part; reports those that cannot.
    private mutating func accepts(_ entry: Entry) throws -> Bool {
        guard !isExcluded(entry.path, isDirectory: entry.status.kind == .directory) else { return false }
        switch entry.status.kind {
        case .file, .symlink: return true
        case .other:
            note(.system(entry.path, code: Self.specialFile), entry.path)
            return false
        case .directory:
            // Only directories tell: an overlay gives files the number of another device.
            guard entry.status.identity.device == device else {
                note(.system(entry.path, code: Self.otherFileSystem), entry.path)
                return false
            }
            return true
        }
    }

    // MARK: Small things

    /// EILSEQ, EOPNOTSUPP and EXDEV: a name that is not text, a socket or the like, and a mounted file
    /// system.
    private static let notText = FileError.notText
    private static let specialFile = FileError.special
    private static let otherFileSystem: Int32 = 18

    static func join(_ directory: String, _ name: String) -> String {
        FolderPath.join(directory, name)
    }

    func isExcluded(_ path: String, isDirectory: Bool) -> Bool {
        // The client's own files.
        if path.utf8.elementsEqual(".nacre".utf8) { return true }
        return options.isExcluded?(path, isDirectory) ?? false
    }

    mutating func note(_ error: FileError, _ path: String) {
        guard report.problems.count < ScannerOptions.maximumListed else { return }
        report.problems.append(ScanReport.Problem(path: path, error: error))
    }

    mutating func countChange() {
        report.changes += 1
        steps += 1
    }

    /// The files that are to be read, which are taken.
    mutating func takeUnread() -> [UnreadFile] {
        let files = unread
        unread.removeAll(keepingCapacity: true)
        unreadBytes = 0
        return files
    }
}

extension FileEntry {
    /// Directories are listed in any order; what is made of them is to be the same each time. Of two forms of
    /// one name the composed one comes first: it is the one that keeps its name.
    fileprivate func isBefore(_ other: Self) -> Bool {
        guard let name, let otherName = other.name else { return name == nil && other.name != nil }
        // Texts are equal in any form.
        guard name == otherName else { return name < otherName }
        return (name.utf8.count, ExactPath(name)) < (otherName.utf8.count, ExactPath(otherName))
    }
}
