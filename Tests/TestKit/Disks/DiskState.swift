import BlockStorage
import Glibc

/// What stands on a disk and what of it is durable, as a sequence of ``DiskOperation``s leaves it.
///
/// The model is the weakest that Linux promises: pages of a file become durable one by one and in any
/// order, all of them by `sync` of the file; names become durable by `syncDirectory`, in the order in which
/// they were changed.
struct DiskState {
    static let pageBytes = 4096
    static let sectorBytes = 512

    /// One file. Pages that are absent are zero.
    struct File {
        var size: Int64 = 0
        var pages: [Int: [UInt8]] = [:]
        var durableSize: Int64 = 0
        var durablePages: [Int: [UInt8]] = [:]
        /// The contents that pages had since the last sync, oldest first; the newest is in `pages`.
        var unsynced: [Int: [[UInt8]?]] = [:]
        var unsyncedSizes: [Int64] = []
    }

    enum Entry: Equatable {
        case file(Int)
        case directory
    }

    /// A change of names, and the directories of which one must be synced to keep it.
    struct NameChange {
        let operation: DiskOperation
        let directories: Set<String>
    }

    private(set) var files: [Int: File] = [:]
    private(set) var names: [String: Entry] = [:]
    private var durableNames: [String: Entry] = [:]
    private var unsyncedNames: [NameChange] = []

    /// The state from which a recording starts: everything is durable.
    init(files: [String: (number: Int, bytes: [UInt8])], directories: [String]) {
        for (path, file) in files {
            var state = File()
            state.write(file.bytes, at: 0)
            state.sync()
            self.files[file.number] = state
            names[path] = .file(file.number)
        }
        for directory in directories { names[directory] = .directory }
        durableNames = names
    }

    mutating func apply(_ operation: DiskOperation) {
        switch operation {
        case .create(let path, let file):
            files[file] = File()
            change(operation, in: [Self.parent(of: path)])
        case .write(let file, let offset, let bytes):
            files[file]?.write(bytes, at: offset)
        case .allocate(let file, let size):
            files[file]?.extend(to: size)
        case .truncate(let file, let size):
            files[file]?.resize(to: size)
        case .sync(let file):
            files[file]?.sync()
        case .rename(let source, let destination):
            change(operation, in: [Self.parent(of: source), Self.parent(of: destination)])
        case .remove(let path), .createDirectory(let path):
            change(operation, in: [Self.parent(of: path)])
        case .syncDirectory(let path):
            sync(directory: path)
        case .note:
            break
        }
    }

    private mutating func change(_ operation: DiskOperation, in directories: Set<String>) {
        Self.apply(operation, to: &names)
        unsyncedNames.append(NameChange(operation: operation, directories: directories))
    }

    private mutating func sync(directory: String) {
        var kept: [NameChange] = []
        for change in unsyncedNames {
            if change.directories.contains(directory) {
                Self.apply(change.operation, to: &durableNames)
            } else {
                kept.append(change)
            }
        }
        unsyncedNames = kept
    }

    private static func apply(_ operation: DiskOperation, to names: inout [String: Entry]) {
        switch operation {
        case .create(let path, let file): names[path] = .file(file)
        case .createDirectory(let path): names[path] = .directory
        case .remove(let path): names[path] = nil
        case .rename(let source, let destination):
            if let entry = names.removeValue(forKey: source) { names[destination] = entry }
        case .write, .allocate, .truncate, .sync, .syncDirectory, .note: break
        }
    }

    static func parent(of path: String) -> String {
        path.lastIndex(of: "/").map { String(path[..<$0]) } ?? ""
    }
}

extension DiskState {
    /// The disk after a power cut right after the last operation applied: names, and files by number.
    func image(_ variant: CrashVariant) -> (names: [String: Entry], files: [Int: File]) {
        switch variant {
        case .everything, .tornWrite:
            return (names, files)
        case .namesLost:
            return (durableNames, files)
        case .onlySynced:
            return (durableNames, files.mapValues { $0.onlySynced })
        case .reordered(let seed):
            var random = SeededRandom(seed: seed)
            var names = durableNames
            for change in unsyncedNames.prefix(random.number(0...unsyncedNames.count)) {
                Self.apply(change.operation, to: &names)
            }
            var result: [Int: File] = [:]
            for number in files.keys.sorted() { result[number] = files[number]?.reordered(&random) }
            return (names, result)
        }
    }

    /// Writes the image into an empty directory of a real disk.
    func materialize(_ variant: CrashVariant, at root: String) throws {
        let (names, files) = image(variant)
        // Shorter paths first: a directory stands before what is in it.
        for (path, entry) in names.sorted(by: { $0.key.utf8.count < $1.key.utf8.count }) {
            let target = root + "/" + path
            switch entry {
            case .directory:
                // Without its parent on the disk it is lost, and all below it.
                _ = mkdir(target, 0o755)
            case .file(let number):
                let descriptor = open(target, O_CREAT | O_RDWR | O_TRUNC | O_CLOEXEC, 0o644)
                guard descriptor >= 0 else { continue }
                defer { _ = close(descriptor) }
                try files[number]?.write(to: descriptor, path: target)
            }
        }
    }
}

extension DiskState.File {
    /// The contents of a page before a change of it.
    private mutating func remember(_ page: Int) { unsynced[page, default: []].append(pages[page]) }

    mutating func write(_ bytes: [UInt8], at offset: Int64) {
        guard !bytes.isEmpty else { return }
        unsyncedSizes.append(size)
        size = max(size, offset + Int64(bytes.count))
        let pageBytes = DiskState.pageBytes
        var done = 0
        while done < bytes.count {
            let position = Int(offset) + done
            let (page, start) = (position / pageBytes, position % pageBytes)
            let count = min(pageBytes - start, bytes.count - done)
            remember(page)
            var contents = pages[page] ?? [UInt8](repeating: 0, count: pageBytes)
            contents.replaceSubrange(start..<(start + count), with: bytes[done..<(done + count)])
            pages[page] = contents
            done += count
        }
    }

    mutating func extend(to newSize: Int64) {
        if newSize > size { resize(to: newSize) }
    }

    mutating func resize(to newSize: Int64) {
        unsyncedSizes.append(size)
        if newSize < size {
            let pageBytes = Int64(DiskState.pageBytes)
            for page in pages.keys where Int64(page) * pageBytes + pageBytes > newSize {
                remember(page)
                let kept = Int(newSize - Int64(page) * pageBytes)
                // What a file is extended over again later is zero.
                pages[page] = kept <= 0 ? nil : Array((pages[page] ?? []).prefix(kept))
                if let rest = pages[page]?.count {
                    pages[page]? += repeatElement(0, count: DiskState.pageBytes - rest)
                }
            }
        }
        size = newSize
    }

    mutating func sync() {
        durableSize = size
        durablePages = pages
        unsynced = [:]
        unsyncedSizes = []
    }

    var onlySynced: Self {
        var result = self
        result.size = durableSize
        result.pages = durablePages
        return result
    }

    /// Every page as of some moment since the last sync, and so the size.
    func reordered(_ random: inout SeededRandom) -> Self {
        var result = self
        for page in unsynced.keys.sorted() {
            let choices = (unsynced[page] ?? []) + [pages[page]]
            // Half of the unsynced pages reach the disk in their newest form.
            if random.oneIn(2) { result.pages[page] = random.pick(choices) }
        }
        if random.oneIn(2) { result.size = random.pick(unsyncedSizes + [size]) }
        return result
    }

    func write(to descriptor: Int32, path: String) throws {
        guard ftruncate(descriptor, off_t(size)) == 0 else {
            throw BlockStoreError.file(operation: "use", path: path, code: errno)
        }
        for (page, contents) in pages {
            let offset = Int64(page) * Int64(DiskState.pageBytes)
            guard offset < size else { continue }
            let count = Int(min(Int64(contents.count), size - offset))
            let written = contents.withUnsafeBytes {
                pwrite(descriptor, $0.baseAddress, count, off_t(offset))
            }
            guard written == count else {
                throw BlockStoreError.file(operation: "use", path: path, code: errno)
            }
        }
    }
}
