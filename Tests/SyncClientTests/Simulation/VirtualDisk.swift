import Foundation
import SyncProtocol
import Synchronization
import SyncClient

/// A file system in memory that loses at a crash what a real one may lose.
///
/// Changes of names are kept in order: after a crash the disk is as it was after some change since the last
/// barrier. What was written into a file and not synchronized may be there or not. What a user does is
/// durable at once, so that nothing that a user wrote is lost by the disk itself.
final class VirtualDisk: Sendable {
    enum Names: CaseIterable, Sendable {
        /// As most systems have it: names are bytes.
        case bytes
        /// `a` is `A`.
        case ignoringCase
        /// Names are kept decomposed, and `é` is `é` in either form; case is ignored as well.
        case decomposed
    }

    /// Whether the disk has room for more files, however many bytes are free.
    enum FilesLeft: Sendable {
        case some
        case none
        /// None, and the file system does not say so: it counts no files.
        case noneUncounted
    }

    struct Inode {
        var kind: FileStatus.Kind
        var content: [UInt8] = []
        /// What a crash leaves of the content.
        var durable: [UInt8] = []
        var target = ""
        var modified: Int64
        var changed: Int64
        var mode: UInt32
        var entries: [[UInt8]: Int] = [:]
    }

    struct Volume {
        var inodes: [Int: Inode]
        var nextInode = 2
        /// The disk after each change of names since the last barrier.
        var undurable: [[Int: Inode]] = []
        var calls = 0
        var crashAt: Int?
        /// The call that fails, and no other.
        var failsAt: Int?
        var isCrashed = false
        var isUnmounted = false
        var isFull = false
        var isReadOnly = false
        var files = FilesLeft.some
        /// How often there was no room for something.
        var refusals = 0
        /// Files in the making that have no name yet, by the path under which they were made.
        var unnamed: [[UInt8]: Int] = [:]
        var interference: (at: Int, body: @Sendable () -> Void)?
        /// Runs when something is about to be made durable.
        var lateInterference: (@Sendable () -> Void)?
        var unreadable: Set<[UInt8]> = []
    }

    let names: Names
    let canExchange: Bool
    /// How many files in the making may be without a name at once; the others have one.
    let maximumUnnamed: Int
    let clock: @Sendable () -> Int64
    private let volume: Mutex<Volume>

    init(
        names: Names = .bytes, canExchange: Bool = true, maximumUnnamed: Int = 0,
        clock: @escaping @Sendable () -> Int64
    ) {
        self.names = names
        self.canExchange = canExchange
        self.maximumUnnamed = maximumUnnamed
        self.clock = clock
        let now = clock()
        let root = Inode(kind: .directory, modified: now, changed: now, mode: 0o755)
        volume = Mutex(Volume(inodes: [1: root]))
    }

    var ignoresCase: Bool { names != .bytes }

    // MARK: Faults

    var calls: Int { volume.withLock { $0.calls } }
    var isCrashed: Bool { volume.withLock { $0.isCrashed } }
    func crash(afterCalls count: Int?) {
        volume.withLock { volume in volume.crashAt = count.map { volume.calls + $0 } }
    }
    /// Lets one call fail, the one behind so many others, as a disk does that cannot read a sector.
    func fail(afterCalls count: Int?) {
        volume.withLock { volume in volume.failsAt = count.map { volume.calls + $0 + 1 } }
    }
    func crashNow() { volume.withLock { $0.isCrashed = true } }
    /// How often the disk said that it has no room.
    var refusals: Int { volume.withLock { $0.refusals } }
    func set(
        unmounted: Bool? = nil, full: Bool? = nil, readOnly: Bool? = nil, files: FilesLeft? = nil
    ) {
        volume.withLock { volume in
            if let files { volume.files = files }
            if let unmounted { volume.isUnmounted = unmounted }
            if let full { volume.isFull = full }
            if let readOnly { volume.isReadOnly = readOnly }
        }
    }
    /// Files of that name cannot be read or listed.
    func set(unreadable name: String?) {
        volume.withLock { $0.unreadable = name.map { [Array($0.utf8)] } ?? [] }
    }
    /// Runs something between two calls, as if another program did it.
    func interfere(afterCalls count: Int, _ body: @escaping @Sendable () -> Void) {
        volume.withLock { $0.interference = ($0.calls + count, body) }
    }

    /// Runs something when what was written is next made durable: after the last look at the folder, and
    /// before a file gets its name.
    func interfereBeforeBarrier(_ body: (@Sendable () -> Void)?) {
        volume.withLock { $0.lateInterference = body }
    }

    /// Lets another program do what it is to do before a barrier.
    func passBarrier() {
        let body = volume.withLock { volume in
            defer { volume.lateInterference = nil }
            return volume.lateInterference
        }
        body?()
    }

    /// Whether a file was made under that path and has no name.
    func isUnnamed(_ path: String) -> Bool { volume.withLock { $0.unnamed[Array(path.utf8)] != nil } }

    /// Lets a file go that has no name.
    func drop(_ id: Int) { volume.withLock { $0.inodes[id] = nil } }

    /// Ends the process that has the folder open: files that have no name end with it.
    func endProcess() { volume.withLock { Self.dropUnnamed(&$0) } }

    private static func dropUnnamed(_ volume: inout Volume) {
        for id in volume.unnamed.values { volume.inodes[id] = nil }
        volume.unnamed.removeAll()
    }

    /// Starts again after a crash with what was durable, and what happened to be.
    ///
    /// - Parameter isPowerCut: not where only the program was killed: all that it did is there.
    func restart(_ random: SimulationRandom, isPowerCut: Bool = true) {
        volume.withLock { volume in
            if !isPowerCut { Self.barrier(&volume) }
            let withoutName = volume.unnamed
            defer {
                volume.unnamed = withoutName
                Self.dropUnnamed(&volume)
            }
            if !volume.undurable.isEmpty {
                let index = random.number(0...volume.undurable.count)
                if index < volume.undurable.count {
                    let now = volume.inodes
                    volume.inodes = volume.undurable[index]
                    // Content is of the inode, whatever it is called.
                    for (id, inode) in now where volume.inodes[id] != nil {
                        volume.inodes[id]?.content = inode.content
                        volume.inodes[id]?.durable = inode.durable
                    }
                }
            }
            for id in volume.inodes.keys.sorted() {
                guard let inode = volume.inodes[id], inode.kind == .file, inode.content != inode.durable,
                    random.oneIn(2)
                else { continue }
                volume.inodes[id]?.content = inode.durable
                volume.inodes[id]?.changed += 1
            }
            Self.barrier(&volume)
            volume.isCrashed = false
            volume.crashAt = nil
            volume.failsAt = nil
            volume.interference = nil
            volume.lateInterference = nil
        }
    }

    // MARK: For users and checks

    /// Does something that no fault touches, and makes it durable.
    func asUser<Result>(_ body: (VirtualDisk) throws(FileError) -> Result) throws(FileError) -> Result {
        let kept = volume.withLock { volume in
            let kept = (
                volume.crashAt, volume.isCrashed, volume.isUnmounted, volume.isFull, volume.isReadOnly,
                volume.files, volume.unreadable, volume.interference, volume.lateInterference, volume.calls,
                volume.failsAt
            )
            volume.crashAt = nil
            volume.failsAt = nil
            volume.isCrashed = false
            volume.isUnmounted = false
            volume.isFull = false
            volume.isReadOnly = false
            volume.files = .some
            volume.unreadable = []
            volume.interference = nil
            volume.lateInterference = nil
            return kept
        }
        defer {
            volume.withLock { volume in
                Self.barrier(&volume)
                (
                    volume.crashAt, volume.isCrashed, volume.isUnmounted, volume.isFull, volume.isReadOnly,
                    volume.files, volume.unreadable, volume.interference, volume.lateInterference,
                    volume.calls, volume.failsAt
                ) = kept
            }
        }
        return try body(self)
    }

    func contents(of path: String) throws(FileError) -> [UInt8] {
        try use { (volume) throws(FileError) in
            volume.inodes[try self.find(path, &volume)]?.content ?? []
        }
    }

    func replaceContents(of path: String, with bytes: [UInt8]) throws(FileError) {
        let now = clock()
        try use { (volume) throws(FileError) in
            let id = try self.find(path, &volume)
            volume.inodes[id]?.content = bytes
            volume.inodes[id]?.durable = bytes
            volume.inodes[id]?.modified = now
            volume.inodes[id]?.changed = now
        }
    }

    // MARK: Calls

    /// EIO.
    private static let inputOutputError: Int32 = 5

    static func barrier(_ volume: inout Volume) {
        volume.undurable.removeAll()
        for id in Array(volume.inodes.keys) {
            guard let inode = volume.inodes[id], inode.kind == .file, inode.content != inode.durable else {
                continue
            }
            volume.inodes[id]?.durable = inode.content
        }
    }

    func use<Result>(_ body: (inout sending Volume) throws(FileError) -> sending Result)
        throws(FileError)
        -> sending Result
    {
        let action = volume.withLock { volume -> (@Sendable () -> Void)? in
            volume.calls += 1
            guard let interference = volume.interference, volume.calls >= interference.at else { return nil }
            volume.interference = nil
            return interference.body
        }
        action?()
        return try volume.withLock { (volume) throws(FileError) in
            if let at = volume.crashAt, volume.calls >= at { volume.isCrashed = true }
            if volume.isCrashed { throw .system("the machine stands", code: -1) }
            if volume.calls == volume.failsAt { throw .system("the disk", code: Self.inputOutputError) }
            return try body(&volume)
        }
    }

    func changeNames<Result>(
        _ body: (inout sending Volume) throws(FileError) -> sending Result
    ) throws(FileError) -> sending Result {
        try use { (volume) throws(FileError) in
            if volume.isUnmounted { throw .folderMissing }
            if volume.isReadOnly { throw .readOnly("disk") }
            let before = volume.inodes
            let result = try body(&volume)
            volume.undurable.append(before)
            return result
        }
    }

    private func key(_ name: String) -> [UInt8] {
        switch names {
        case .bytes: Array(name.utf8)
        case .ignoringCase: Array(name.lowercased().utf8)
        case .decomposed: Array(name.lowercased().decomposedStringWithCanonicalMapping.utf8)
        }
    }

    /// As the disk writes it down.
    func stored(_ name: String) -> [UInt8] {
        names == .decomposed ? Array(name.decomposedStringWithCanonicalMapping.utf8) : Array(name.utf8)
    }

    func entry(_ name: String, in directory: Int, _ volume: borrowing Volume) -> (
        name: [UInt8], id: Int
    )? {
        guard let entries = volume.inodes[directory]?.entries else { return nil }
        if names == .bytes {
            let name = Array(name.utf8)
            return entries[name].map { (name, $0) }
        }
        let wanted = key(name)
        for (name, id) in entries where key(String(decoding: name, as: UTF8.self)) == wanted {
            return (name, id)
        }
        return nil
    }

    func find(_ path: String, _ volume: inout Volume) throws(FileError) -> Int {
        if volume.isUnmounted { throw .folderMissing }
        var id = 1
        for part in path.utf8.split(separator: UInt8(ascii: "/")) {
            guard let directory = volume.inodes[id], directory.kind == .directory else {
                throw .notDirectory(path)
            }
            if names == .bytes {
                guard let next = directory.entries[Array(part)] else { throw .notFound(path) }
                id = next
            } else {
                guard let next = entry(String(Substring(part)), in: id, volume) else { throw .notFound(path) }
                id = next.id
            }
        }
        return id
    }

    func parent(of path: String, _ volume: inout Volume) throws(FileError) -> (id: Int, name: String) {
        guard !path.isEmpty else { throw .exists(path) }
        let slash = path.utf8.lastIndex(of: UInt8(ascii: "/"))
        let name = slash.map { path[path.utf8.index(after: $0)...] } ?? path[...]
        let id = try find(slash.map { String(path[..<$0]) } ?? "", &volume)
        guard volume.inodes[id]?.kind == .directory else { throw .notDirectory(path) }
        return (id, String(name))
    }

    /// Lets a file go that has no name any more.
    static func release(_ id: Int, _ volume: inout Volume) {
        if links(id, volume) == 0 { volume.inodes[id] = nil }
    }

    private static func links(_ id: Int, _ volume: borrowing Volume) -> Int {
        volume.inodes.values.reduce(0) { $0 + $1.entries.values.count { $0 == id } }
    }

    func status(_ id: Int, _ inode: Inode, _ volume: borrowing Volume) -> FileStatus {
        FileStatus(
            kind: inode.kind, identity: FileIdentity(device: 7, inode: UInt64(id)),
            size: Int64(inode.kind == .symlink ? inode.target.utf8.count : inode.content.count),
            modified: inode.modified, changed: inode.changed, mode: inode.mode,
            links: inode.kind == .file ? Self.links(id, volume) : 1)
    }
}
