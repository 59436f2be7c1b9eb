import Glibc

/// What a watcher knows: its watches, and what was reported and not given out yet.
struct WatchState {
    private let inotify: Int32
    private let folder: DiskFolder
    private let options: FolderWatcher.Options
    private(set) var tree = WatchTree()
    private var dirty = DirtyPaths()
    /// Watches of directories that are given out with all that is below them: what else happens to files in
    /// them says nothing more. While many files come, nearly all events are of such.
    private var covered: Set<Int32> = []
    private var hasLostEvents = false
    private var isDegraded = false
    private var hasSaidDegraded = false
    /// When the first and the last change that is not given out yet was reported.
    private var first: Int64?
    private var last: Int64 = 0
    /// Directories that left a place, and may turn up at another one, by the cookie of the system.
    private var leaving: [UInt32: (number: Int32, parent: Int32, name: String)] = [:]
    /// Directories whose place another one has taken: two that change places are told of as two moves, and the
    /// second one is of the directory that was there before the first.
    private var displaced: [Place: Int32] = [:]

    private struct Place: Hashable {
        let parent: Int32
        let name: ExactPath
    }
    private let buffer: WatchBuffer

    init(inotify: Int32, folder: DiskFolder, options: FolderWatcher.Options) {
        self.inotify = inotify
        self.folder = folder
        self.options = options
        buffer = WatchBuffer()
    }

    // MARK: Watches

    mutating func start() throws(FileError) {
        let handle = try folder.openDirectory("")
        let number = watch(handle)
        guard number >= 0 else {
            // Without a single watch there is nothing to hear; scans from time to time find everything.
            isDegraded = true
            return
        }
        tree.setRoot(number)
        watchBelow(number, "")
    }

    /// Watches an open directory, through its descriptor: its path could lead elsewhere meanwhile.
    ///
    /// - Returns: the number of the watch, or the negative error number.
    private func watch(_ handle: DirectoryHandle) -> Int32 {
        let events =
            UInt32(IN_CREATE) | UInt32(IN_DELETE) | UInt32(IN_MODIFY) | UInt32(IN_ATTRIB)
            | UInt32(IN_CLOSE_WRITE)
            | UInt32(IN_MOVED_FROM) | UInt32(IN_MOVED_TO) | UInt32(IN_DELETE_SELF) | UInt32(IN_MOVE_SELF)
        let flags = UInt32(IN_ONLYDIR) | UInt32(IN_EXCL_UNLINK)
        let number = inotify_add_watch(inotify, "/proc/self/fd/\(handle.descriptor)", events | flags)
        return number >= 0 ? number : -errno
    }

    /// Watches all directories below one. Watched first, then listed, so that nothing falls in between.
    private mutating func watchBelow(_ number: Int32, _ path: String) {
        var rest = [(number, path)]
        while let (parent, path) = rest.popLast() {
            // A directory that cannot be listed is reported by the scanner.
            guard let names = try? folder.subdirectories(of: path) else { continue }
            for name in names {
                let below = path.isEmpty ? name : path + "/" + name
                guard let number = add(name, in: parent, below) else { continue }
                rest.append((number, below))
            }
        }
    }

    private mutating func add(_ name: String, in parent: Int32, _ path: String) -> Int32? {
        guard !isExcluded(path, isDirectory: true), !isDegraded else { return nil }
        guard tree.count < options.maximumWatches else {
            isDegraded = true
            return nil
        }
        guard let handle = try? folder.openDirectory(path) else { return nil }
        let number = watch(handle)
        guard number >= 0 else {
            // Others cannot be watched for reasons of their own; only this one is said of all.
            if number == -ENOSPC || number == -ENOMEM { isDegraded = true }
            return nil
        }
        tree.add(number, name, in: parent)
        return number
    }

    private func isExcluded(_ path: String, isDirectory: Bool) -> Bool {
        path.utf8.elementsEqual(".nacre".utf8) || options.isExcluded?(path, isDirectory) ?? false
    }

    private mutating func unwatch(_ number: Int32) {
        for removed in tree.remove(number) { inotify_rm_watch(inotify, removed) }
    }

    // MARK: What is given out

    mutating func takeEvent(now: Int64) -> FolderWatcher.Event? {
        if isDegraded, !hasSaidDegraded {
            hasSaidDegraded = true
            return .degraded
        }
        guard let wait = timeUntilQuiet(now: now), wait <= 0 else { return nil }
        forgetWhatLeft()
        first = nil
        let paths = dirty.take()
        covered.removeAll(keepingCapacity: true)
        if hasLostEvents || paths == [""] {
            hasLostEvents = false
            return .everything
        }
        return paths.isEmpty ? nil : .changed(paths)
    }

    /// How long until what was reported is given out; `nil` if there is nothing.
    func timeUntilQuiet(now: Int64) -> Int64? {
        first.map { min(last + options.quietTime, $0 + options.maximumDelay) - now }
    }

    private mutating func touch(now: Int64) {
        first = first ?? now
        last = now
    }

    /// Directories that did not turn up elsewhere are not in the folder any more.
    private mutating func forgetWhatLeft() {
        for (number, parent, name) in leaving.values where tree.isAt(number, name, in: parent) {
            unwatch(number)
        }
        leaving.removeAll()
        displaced.removeAll()
    }

    // MARK: What is reported

    /// Reads all that the system has to say.
    mutating func read(now: Int64) {
        while true {
            guard buffer.read(inotify, { take($0, now: now) }) else { return }
        }
    }

    private mutating func take(_ event: WatchBuffer.Event, now: Int64) {
        if event.has(IN_Q_OVERFLOW) || event.has(IN_UNMOUNT) {
            hasLostEvents = true
            return touch(now: now)
        }
        if event.has(IN_IGNORED) {
            _ = tree.remove(event.watch)
            covered.remove(event.watch)
            return
        }
        guard event.watch != tree.root || !(event.has(IN_DELETE_SELF) || event.has(IN_MOVE_SELF)) else {
            hasLostEvents = true
            return touch(now: now)
        }
        let isDirectory = event.has(IN_ISDIR)
        if !isDirectory, covered.contains(event.watch) {
            if event.hasName { touch(now: now) }
            return
        }
        // Of a directory itself its parent tells.
        guard event.hasName, let directory = tree.path(of: event.watch) else { return }
        guard let name = event.name else {
            // It cannot be asked for by a name that is no text: the scanner finds it where it is, and says so.
            touch(now: now)
            return dirty.addSubtree(directory)
        }
        let path = directory.isEmpty ? name : directory + "/" + name
        if isDirectory { follow(event, name, path) }
        guard !isExcluded(path, isDirectory: isDirectory) else { return }
        touch(now: now)
        if isDirectory {
            dirty.addSubtree(path)
        } else {
            dirty.add(path)
            if dirty.covers(directory) { covered.insert(event.watch) }
        }
    }

    /// Keeps the watches right when directories come, go and move.
    private mutating func follow(_ event: WatchBuffer.Event, _ name: String, _ path: String) {
        if event.has(IN_MOVED_FROM) {
            // A bound on what never turns up; to forget too early costs a few watches.
            if leaving.count >= 4096 { forgetWhatLeft() }
            let place = Place(parent: event.watch, name: ExactPath(name))
            guard let number = displaced.removeValue(forKey: place) ?? tree.child(name, of: event.watch)
            else {
                return
            }
            leaving[event.cookie] = (number, event.watch, name)
        } else if event.has(IN_MOVED_TO), let from = leaving.removeValue(forKey: event.cookie) {
            if let other = tree.child(name, of: event.watch), other != from.number {
                displaced[Place(parent: event.watch, name: ExactPath(name))] = other
            }
            if isExcluded(path, isDirectory: true) {
                unwatch(from.number)
            } else {
                tree.add(from.number, name, in: event.watch)
            }
        } else if event.has(IN_CREATE) || event.has(IN_MOVED_TO) {
            if let number = add(name, in: event.watch, path) { watchBelow(number, path) }
        }
    }
}
