@testable import SyncClient

/// The system calls.
extension VirtualDisk: FolderFileSystem {
    func list(_ directory: String) throws(FileError) -> [FileEntry] {
        try use { (volume) throws(FileError) in
            let id = try self.find(directory, &volume)
            guard let inode = volume.inodes[id], inode.kind == .directory else {
                throw .notDirectory(directory)
            }
            if let last = directory.utf8.split(separator: 0x2F).last, volume.unreadable.contains(Array(last))
            {
                throw .denied(directory)
            }
            return inode.entries.sorted { $0.key.lexicographicallyPrecedes($1.key) }.map { name, id in
                let inode = volume.inodes[id]
                return FileEntry(
                    name: String(decoding: name, as: UTF8.self),
                    status: inode.map { self.status(id, $0, volume) })
            }
        }
    }

    func status(_ path: String) throws(FileError) -> FileStatus? {
        try name(path)
        return try use { (volume) throws(FileError) in
            do throws(FileError) {
                let id = try self.find(path, &volume)
                guard let inode = volume.inodes[id] else { return nil }
                return self.status(id, inode, volume)
            } catch {
                switch error {
                case .notFound, .notDirectory: return nil
                default: throw error
                }
            }
        }
    }

    func readLink(_ path: String) throws(FileError) -> String {
        try use { (volume) throws(FileError) in
            let inode = volume.inodes[try self.find(path, &volume)]
            // EINVAL.
            guard let inode, inode.kind == .symlink else { throw .system(path, code: 22) }
            return inode.target
        }
    }

    func read(_ path: String, at offset: Int64, into buffer: UnsafeMutableRawBufferPointer) throws(FileError)
        -> Int
    {
        try name(path)
        let bytes = try use { (volume) throws(FileError) -> [UInt8] in
            let id = try self.find(path, &volume)
            if let last = path.utf8.split(separator: 0x2F).last, volume.unreadable.contains(Array(last)) {
                throw .denied(path)
            }
            guard let inode = volume.inodes[id], inode.kind == .file else { throw .isDirectory(path) }
            return Array(inode.content.dropFirst(Int(offset)))
        }
        buffer.copyBytes(from: bytes.prefix(buffer.count))
        return min(bytes.count, buffer.count)
    }

    private func make(_ path: String, _ inode: Inode) throws(FileError) {
        try changeNames { (volume) throws(FileError) in
            try Self.takeRoom(for: path, &volume, isNew: true)
            let (directory, name) = try self.parent(of: path, &volume)
            if name.utf8.count > 255 { throw .nameTooLong(path) }
            guard self.entry(name, in: directory, volume) == nil else { throw .exists(path) }
            let id = volume.nextInode
            volume.nextInode += 1
            volume.inodes[id] = inode
            volume.inodes[directory]?.entries[self.stored(name)] = id
            volume.inodes[directory]?.changed = inode.changed
        }
    }

    func makeDirectory(_ path: String) throws(FileError) {
        let now = clock()
        try make(path, Inode(kind: .directory, modified: now, changed: now, mode: 0o755))
    }

    func makeSymlink(_ path: String, target: String) throws(FileError) {
        let now = clock()
        try make(path, Inode(kind: .symlink, target: target, modified: now, changed: now, mode: 0o777))
    }

    /// As ``UnnamedFiles`` has it: where the system makes files without a name, those in the making get one
    /// when they are in place, and end with the process.
    func create(
        _ path: String, _ content: UnsafeRawBufferPointer, modified: Int64?, mode: UInt32?
    ) throws(FileError) {
        let now = clock()
        let bytes = Array(content)
        let isMade = try use { (volume) throws(FileError) in
            guard path.hasPrefix(OwnDirectory.temporary + "/"), volume.unnamed.count < self.maximumUnnamed
            else { return false }
            if volume.isUnmounted { throw .folderMissing }
            if volume.isReadOnly { throw .readOnly(path) }
            try Self.takeRoom(for: path, &volume, isNew: true)
            _ = try self.parent(of: path, &volume)
            volume.inodes[volume.nextInode] = Inode(
                kind: .file, content: bytes, modified: modified ?? now, changed: now, mode: mode ?? 0o644)
            volume.unnamed[Array(path.utf8)] = volume.nextInode
            volume.nextInode += 1
            return true
        }
        if isMade { return }
        try create(path)
        if !content.isEmpty { try write(content, to: path, at: 0) }
        try setAttributes(path, modified: modified, mode: mode)
    }

    /// Gives a file that has none the name under which it was made.
    private func name(_ path: String) throws(FileError) { _ = try place(path, at: path) }

    /// Puts a file that has no name in its place; where that cannot be, the file is no more.
    ///
    /// - Returns: whether there was one of that path.
    private func place(_ source: String, at destination: String) throws(FileError) -> Bool {
        guard maximumUnnamed > 0, isUnnamed(source) else { return false }
        let now = clock()
        let id = try use { (volume) throws(FileError) in
            volume.unnamed.removeValue(forKey: Array(source.utf8))
        }
        guard let id else { return false }
        do throws(FileError) {
            try changeNames { (volume) throws(FileError) in
                let (directory, name) = try self.parent(of: destination, &volume)
                if name.utf8.count > 255 { throw .nameTooLong(destination) }
                guard self.entry(name, in: directory, volume) == nil else { throw .exists(destination) }
                volume.inodes[directory]?.entries[self.stored(name)] = id
                volume.inodes[directory]?.changed = now
                volume.inodes[id]?.changed = now
            }
        } catch {
            drop(id)
            throw error
        }
        return true
    }

    func create(_ path: String) throws(FileError) {
        let now = clock()
        try make(path, Inode(kind: .file, modified: now, changed: now, mode: 0o644))
    }

    func write(_ bytes: UnsafeRawBufferPointer, to path: String, at offset: Int64) throws(FileError) {
        let now = clock()
        let new = Array(bytes)
        try name(path)
        try use { (volume) throws(FileError) in
            try Self.takeRoom(for: path, &volume, isNew: false)
            if volume.isReadOnly { throw .readOnly(path) }
            let id = try self.find(path, &volume)
            var content = volume.inodes[id]?.content ?? []
            if content.count < Int(offset) + new.count {
                content += Array(repeating: 0, count: Int(offset) + new.count - content.count)
            }
            content.replaceSubrange(Int(offset)..<Int(offset) + new.count, with: new)
            volume.inodes[id]?.content = content
            volume.inodes[id]?.modified = now
            volume.inodes[id]?.changed = now
        }
    }

    func copy(
        _ source: String, at sourceOffset: Int64, to path: String, at offset: Int64, count: Int64
    ) throws(FileError) {
        let bytes = try contents(of: source).dropFirst(Int(sourceOffset)).prefix(Int(count))
        try Array(bytes).span.bytes.withUnsafeBytes { (bytes) throws(FileError) in
            try write(bytes, to: path, at: offset)
        }
    }

    func synchronize(file path: String) throws(FileError) {
        passBarrier()
        try use { (volume) throws(FileError) in
            let id: Int
            if let unnamed = volume.unnamed[Array(path.utf8)] {
                id = unnamed
            } else {
                id = try self.find(path, &volume)
            }
            let content = volume.inodes[id]?.content ?? []
            volume.inodes[id]?.durable = content
        }
    }

    func synchronize(directory path: String) throws(FileError) {
        try use { (volume) throws(FileError) in
            _ = try self.find(path, &volume)
            // What is written into files is not part of it.
            volume.undurable.removeAll()
        }
    }

    func synchronizeAll() throws(FileError) {
        passBarrier()
        try use { (volume) throws(FileError) in Self.barrier(&volume) }
    }

    func rename(_ source: String, to destination: String, replacing: Bool) throws(FileError) {
        if replacing { try name(source) } else if try place(source, at: destination) { return }
        let now = clock()
        try changeNames { (volume) throws(FileError) in
            let (from, name) = try self.parent(of: source, &volume)
            guard let moved = self.entry(name, in: from, volume) else { throw .notFound(source) }
            let (to, newName) = try self.parent(of: destination, &volume)
            if newName.utf8.count > 255 { throw .nameTooLong(destination) }
            if let there = self.entry(newName, in: to, volume) {
                guard replacing else { throw .exists(destination) }
                // Two names of one file stay as they are; one that gets another case does not.
                if there.id == moved.id, from != to || there.name != moved.name { return }
                volume.inodes[to]?.entries[there.name] = nil
                if there.id != moved.id { Self.release(there.id, &volume) }
            }
            // Not into itself.
            var above = to
            while above != 1 {
                if above == moved.id { throw .system(destination, code: 22) }
                above = volume.inodes.first { $0.value.entries.values.contains(above) }?.key ?? 1
            }
            volume.inodes[from]?.entries[moved.name] = nil
            volume.inodes[to]?.entries[self.stored(newName)] = moved.id
            volume.inodes[moved.id]?.changed = now
        }
    }

    /// Gives a file another name beside the one that it has.
    func link(_ path: String, at other: String) throws(FileError) {
        let now = clock()
        try changeNames { (volume) throws(FileError) in
            let id = try self.find(path, &volume)
            guard volume.inodes[id]?.kind == .file else { throw .isDirectory(path) }
            let (directory, name) = try self.parent(of: other, &volume)
            guard self.entry(name, in: directory, volume) == nil else { throw .exists(other) }
            volume.inodes[directory]?.entries[self.stored(name)] = id
            volume.inodes[id]?.changed = now
        }
    }

    func exchange(_ first: String, _ second: String) throws(FileError) {
        try name(first)
        guard canExchange else { throw .system(first, code: FileError.notSupported) }
        let now = clock()
        try changeNames { (volume) throws(FileError) in
            let (firstParent, firstName) = try self.parent(of: first, &volume)
            let (secondParent, secondName) = try self.parent(of: second, &volume)
            guard let one = self.entry(firstName, in: firstParent, volume) else { throw .notFound(first) }
            guard let two = self.entry(secondName, in: secondParent, volume) else { throw .notFound(second) }
            volume.inodes[firstParent]?.entries[one.name] = two.id
            volume.inodes[secondParent]?.entries[two.name] = one.id
            volume.inodes[one.id]?.changed = now
            volume.inodes[two.id]?.changed = now
        }
    }

    func removeFile(_ path: String) throws(FileError) {
        let isUnnamed = try use { (volume) throws(FileError) in
            guard let id = volume.unnamed.removeValue(forKey: Array(path.utf8)) else { return false }
            volume.inodes[id] = nil
            return true
        }
        if isUnnamed { return }
        let now = clock()
        try changeNames { (volume) throws(FileError) in
            let (directory, name) = try self.parent(of: path, &volume)
            guard let found = self.entry(name, in: directory, volume) else { throw .notFound(path) }
            if volume.inodes[found.id]?.kind == .directory { throw .isDirectory(path) }
            volume.inodes[directory]?.entries[found.name] = nil
            volume.inodes[found.id]?.changed = now
            Self.release(found.id, &volume)
        }
    }

    func removeDirectory(_ path: String) throws(FileError) {
        try changeNames { (volume) throws(FileError) in
            let (directory, name) = try self.parent(of: path, &volume)
            guard let found = self.entry(name, in: directory, volume) else { throw .notFound(path) }
            guard volume.inodes[found.id]?.kind == .directory else { throw .notDirectory(path) }
            guard volume.inodes[found.id]?.entries.isEmpty == true else { throw .notEmpty(path) }
            volume.inodes[directory]?.entries[found.name] = nil
            volume.inodes[found.id] = nil
        }
    }

    func setAttributes(_ path: String, modified: Int64?, mode: UInt32?) throws(FileError) {
        try name(path)
        let now = clock()
        try use { (volume) throws(FileError) in
            if volume.isReadOnly { throw .readOnly(path) }
            let id = try self.find(path, &volume)
            if let modified { volume.inodes[id]?.modified = modified }
            if let mode { volume.inodes[id]?.mode = mode }
            volume.inodes[id]?.changed = now
        }
    }

    func freeBytes() throws(FileError) -> Int64 {
        try use { (volume) throws(FileError) in volume.isFull || volume.files == .none ? 0 : 1 << 40 }
    }

    private static func takeRoom(
        for path: String, _ volume: inout sending Volume, isNew: Bool
    ) throws(FileError) {
        guard volume.isFull || (isNew && volume.files != .some) else { return }
        volume.refusals += 1
        throw .noSpace(path)
    }
}
