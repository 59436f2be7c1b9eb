import Digests
import Multiformats
import SyncProtocol
import Synchronization

@testable import SyncClient

/// What users wrote, and what of it they gave up themselves.
final class WrittenContents: Sendable {
    private struct Contents {
        var written: Set<[UInt8]> = []
        var given: Set<[UInt8]> = []
        /// By whom.
        var replaced: [[UInt8]: Set<String>] = [:]
        var next = 0
    }

    private let contents = Mutex(Contents())

    /// A content that nobody wrote before.
    func make(_ random: SimulationRandom, by name: String) -> [UInt8] {
        let number = contents.withLock { contents in
            contents.next += 1
            return contents.next
        }
        var text = "\(number) by \(name)\n"
        // Some have several leaves.
        if random.oneIn(12) {
            for line in 0..<random.number(250...400) { text += "line \(line) of some text\n" }
            if random.oneIn(2) { text += "\(number)\n" }
        }
        let bytes = Array(text.utf8)
        contents.withLock { _ = $0.written.insert(bytes) }
        return bytes
    }

    /// A user took away a content before it was anywhere else, or a disk did that held the only copy.
    func giveUp(_ bytes: [UInt8]) { contents.withLock { _ = $0.given.insert(bytes) } }
    /// A user removed a content from a place, or wrote another one over it.
    func replace(_ bytes: [UInt8], by name: String) {
        contents.withLock { _ = $0.replaced[bytes, default: []].insert(name) }
    }
    /// Somebody did not mean to remove them.
    func keep(_ all: [[UInt8]], by name: String) {
        contents.withLock { contents in for bytes in all { contents.replaced[bytes]?.remove(name) } }
    }
    /// What nobody ever removed or wrote over, anywhere.
    var untouched: Set<[UInt8]> {
        contents.withLock { contents in contents.written.filter { contents.replaced[$0]?.isEmpty != false } }
    }
    var kept: Set<[UInt8]> { contents.withLock { $0.written.subtracting($0.given) } }
    var all: Set<[UInt8]> { contents.withLock { $0.written } }
}

/// Somebody who works in a folder.
struct SimulatedUser: Sendable {
    let disk: VirtualDisk
    let name: String
    let random: SimulationRandom
    let contents: WrittenContents
    let server: ModelServer
    let clock: SimulatedClock

    /// Whether files are given their time back after an edit: between the last look at one and its removal
    /// nobody can tell.
    var editsUnseen = true

    /// What files and directories are called.
    var ownNames = SimulatedUser.names

    /// Some are one but for case or Unicode form, one begins with what goes onto the letter before.
    static let names = [
        "a", "b", "A", "doc.txt", "Doc.txt", "\u{e9}", "e\u{301}", "\u{301}m", "d", "sub",
    ]

    /// Does one thing; what cannot be done is not.
    func act() {
        try? disk.asUser { disk throws(FileError) in try act(disk) }
    }

    /// Writes into some of the files that there are.
    func editSome() {
        try? disk.asUser { disk throws(FileError) in
            for file in try paths(disk) where file.kind == .file && !random.oneIn(4) {
                try edit(file.path, disk)
            }
        }
    }

    /// Removes something, and says what; `nil` if there is nothing.
    func removeSomething() -> String? {
        let path = try? disk.asUser { disk throws(FileError) -> String? in
            let all = try paths(disk)
            guard !all.isEmpty else { return nil }
            let path = random.pick(all).path
            try remove(path, disk)
            return path
        }
        return path ?? nil
    }

    /// Removes most of what there is.
    func removeMuch() {
        try? disk.asUser { disk throws(FileError) in
            for entry in try disk.list("") where !random.oneIn(5) {
                if let name = entry.name, name != SyncNames.ownDirectory { try remove(name, disk) }
            }
        }
    }

    /// Removes what is at a path, if it is there.
    func remove(_ path: String) {
        try? disk.asUser { disk throws(FileError) in try remove(path, disk) }
    }

    private func act(_ disk: VirtualDisk) throws(FileError) {
        let all = try paths(disk)
        let directories = [""] + all.filter { $0.kind == .directory }.map(\.path)
        let files = all.filter { $0.kind == .file }.map(\.path)
        let directory = random.pick(directories)
        let place = join(directory, random.pick(ownNames))
        switch random.number(0...23) {
        case 0...4: try write(place, disk)
        case 5...7: if !files.isEmpty { try edit(random.pick(files), disk) }
        case 8: try disk.makeDirectory(place)
        case 9...11: if !all.isEmpty { try disk.rename(random.pick(all).path, to: place, replacing: false) }
        case 12, 13: if !all.isEmpty { try remove(random.pick(all).path, disk) }
        case 14: try disk.makeSymlink(place, target: random.pick(["a", "../up", "/etc/x"]))
        case 15: if !files.isEmpty { try saveByRename(random.pick(files), disk) }
        case 16:
            if !files.isEmpty {
                try disk.setAttributes(
                    random.pick(files), modified: Int64(random.number(-5...5)) * 1_000_000_000,
                    mode: random.pick([0o600, 0o644, 0o755]))
            }
        case 17: if !files.isEmpty { try copy(random.pick(files), to: place, disk) }
        case 18: if !all.isEmpty { try swapKind(random.pick(all), disk) }
        case 19: if all.count > 1 { try swap(random.pick(all).path, random.pick(all).path, disk) }
        default: try actOnMore(disk, all: all, files: files, place: place)
        }
    }

    /// What takes several steps, or is rare.
    private func actOnMore(
        _ disk: VirtualDisk, all: [(path: String, kind: FileStatus.Kind)], files: [String], place: String
    ) throws(FileError) {
        let below = all.filter { $0.kind == .directory }.map(\.path)
        switch random.number(0...8) {
        case 0: if !below.isEmpty { try invert(random.pick(below), disk) }
        case 1: if !below.isEmpty { try makeAnew(random.pick(below), disk) }
        case 2: if !below.isEmpty { try leave(random.pick(below), for: place, disk) }
        case 3: if !all.isEmpty { try becomeSymlink(random.pick(all).path, disk) }
        case 4: if files.count > 1 { try renameOver(random.pick(files), random.pick(files), disk) }
        case 5: if !all.isEmpty { try changeCase(random.pick(all).path, disk) }
        case 6: if !files.isEmpty { try disk.link(random.pick(files), at: place) }
        case 7: if !files.isEmpty, editsUnseen { try editUnseen(random.pick(files), disk) }
        default:
            if files.count > 2 {
                try rotate(random.pick(files), random.pick(files), random.pick(files), disk)
            }
        }
    }

    // MARK: Deeds

    private func write(_ path: String, _ disk: VirtualDisk) throws(FileError) {
        if try disk.status(path) != nil { return }
        try disk.create(path)
        try disk.replaceContents(of: path, with: contents.make(random, by: name))
    }

    private func edit(_ path: String, _ disk: VirtualDisk) throws(FileError) {
        let old = try disk.contents(of: path)
        try disk.replaceContents(of: path, with: contents.make(random, by: name))
        try noteGone([old], disk)
    }

    private func saveByRename(_ path: String, _ disk: VirtualDisk) throws(FileError) {
        let old = try disk.contents(of: path)
        let temporary = path + "~"
        if try disk.status(temporary) != nil { return }
        try disk.create(temporary)
        try disk.replaceContents(of: temporary, with: contents.make(random, by: name))
        try disk.rename(temporary, to: path, replacing: true)
        try noteGone([old], disk)
    }

    private func copy(_ path: String, to place: String, _ disk: VirtualDisk) throws(FileError) {
        let bytes = try disk.contents(of: path)
        if try disk.status(place) != nil { return }
        try disk.create(place)
        try disk.replaceContents(of: place, with: bytes)
    }

    private func remove(_ path: String, _ disk: VirtualDisk) throws(FileError) {
        var gone: [[UInt8]] = []
        var stack = [path]
        var directories: [String] = []
        while let next = stack.popLast() {
            guard let status = try disk.status(next) else { continue }
            if status.kind == .directory {
                directories.append(next)
                for entry in try disk.list(next) {
                    if let name = entry.name { stack.append(join(next, name)) }
                }
            } else {
                if status.kind == .file { gone.append(try disk.contents(of: next)) }
                try disk.removeFile(next)
            }
        }
        for directory in directories.reversed() { try disk.removeDirectory(directory) }
        try noteGone(gone, disk)
    }

    /// A file becomes a directory, or a directory a file.
    private func swapKind(_ item: (path: String, kind: FileStatus.Kind), _ disk: VirtualDisk)
        throws(FileError)
    {
        try remove(item.path, disk)
        if item.kind == .directory {
            try write(item.path, disk)
        } else {
            try disk.makeDirectory(item.path)
            try write(join(item.path, "in"), disk)
        }
    }

    private func swap(_ first: String, _ second: String, _ disk: VirtualDisk) throws(FileError) {
        guard first != second, !first.hasPrefix(second + "/"), !second.hasPrefix(first + "/") else { return }
        let between = "between"
        try disk.rename(first, to: between, replacing: false)
        try disk.rename(second, to: first, replacing: false)
        try disk.rename(between, to: second, replacing: false)
    }

    /// A directory changes places with the one that it is in.
    private func invert(_ path: String, _ disk: VirtualDisk) throws(FileError) {
        let above = FolderPath.parent(of: path)
        guard !above.isEmpty, try disk.status("between") == nil else { return }
        try disk.rename(path, to: "between", replacing: false)
        let inside = join("between", FolderPath.name(of: above))
        if try disk.status(inside) != nil { return try disk.rename("between", to: path, replacing: false) }
        try disk.rename(above, to: inside, replacing: false)
        try disk.rename("between", to: above, replacing: false)
    }

    /// A directory is removed, and made again with something else in it.
    private func makeAnew(_ path: String, _ disk: VirtualDisk) throws(FileError) {
        try remove(path, disk)
        try disk.makeDirectory(path)
        try write(join(path, random.pick(ownNames)), disk)
    }

    /// A directory goes elsewhere, and another one is made in its place.
    private func leave(_ path: String, for place: String, _ disk: VirtualDisk) throws(FileError) {
        try disk.rename(path, to: place, replacing: false)
        try disk.makeDirectory(path)
        try write(join(path, random.pick(ownNames)), disk)
    }

    private func becomeSymlink(_ path: String, _ disk: VirtualDisk) throws(FileError) {
        try remove(path, disk)
        try disk.makeSymlink(path, target: random.pick(["a", "../up", "/etc/x"]))
    }

    private func renameOver(_ path: String, _ other: String, _ disk: VirtualDisk) throws(FileError) {
        let (new, old) = (try disk.contents(of: path), try disk.contents(of: other))
        try disk.rename(path, to: other, replacing: true)
        if new != old { try noteGone([old], disk) }
    }

    private func changeCase(_ path: String, _ disk: VirtualDisk) throws(FileError) {
        let name = FolderPath.name(of: path)
        let other = name == name.lowercased() ? name.uppercased() : name.lowercased()
        let place = join(FolderPath.parent(of: path), other)
        if other == name { return }
        if try disk.status(place) != nil, !disk.ignoresCase { return }
        try disk.rename(path, to: join(FolderPath.parent(of: path), "between"), replacing: false)
        try disk.rename(join(FolderPath.parent(of: path), "between"), to: place, replacing: false)
    }

    /// A file is written to, and given its time back.
    private func editUnseen(_ path: String, _ disk: VirtualDisk) throws(FileError) {
        guard let before = try disk.status(path) else { return }
        try edit(path, disk)
        try disk.setAttributes(path, modified: before.modified, mode: nil)
    }

    private func rotate(
        _ first: String, _ second: String, _ third: String, _ disk: VirtualDisk
    ) throws(FileError) {
        guard Set([first, second, third]).count == 3, try disk.status("between") == nil else { return }
        try disk.rename(third, to: "between", replacing: false)
        try disk.rename(second, to: third, replacing: false)
        try disk.rename(first, to: second, replacing: false)
        try disk.rename("between", to: first, replacing: false)
    }

    // MARK: What there is

    /// Contents that are nowhere else any more were given up by their user.
    private func noteGone(_ gone: [[UInt8]], _ disk: VirtualDisk) throws(FileError) {
        let history = server.history
        for bytes in gone {
            contents.replace(bytes, by: name)
            guard let root = SimulatedUser.root(of: bytes), history.contains(root) else {
                contents.giveUp(bytes)
                continue
            }
        }
    }

    static func root(of bytes: [UInt8]) -> CID? {
        if bytes.count <= ContentCut.maximumInlineBytes {
            return try? CID(hashing: bytes, codec: .raw)
        }
        var stream = LeafStream()
        return bytes.withUnsafeBytes { bytes in
            stream.start(size: Int64(bytes.count), head: bytes)
            _ = stream.add(bytes, isLast: true)
            return stream.finish(size: Int64(bytes.count))?.root
        }
    }

    private func paths(_ disk: VirtualDisk) throws(FileError) -> [(path: String, kind: FileStatus.Kind)] {
        var found: [(path: String, kind: FileStatus.Kind)] = []
        var stack = [""]
        while let directory = stack.popLast() {
            for entry in try disk.list(directory) {
                guard let name = entry.name, let status = entry.status else { continue }
                if directory.isEmpty, name == SyncNames.ownDirectory { continue }
                found.append((join(directory, name), status.kind))
                if status.kind == .directory { stack.append(join(directory, name)) }
            }
        }
        return found
    }

    private func join(_ directory: String, _ name: String) -> String {
        directory.isEmpty ? name : directory + "/" + name
    }
}
