import Glibc

/// The names in one directory, in one block of memory: a million of them take some 30 MB.
struct DirectoryListing: Sendable {
    private var bytes: [UInt8] = []
    private var entries: [Entry] = []

    private struct Entry {
        let start: UInt32
        let count: UInt16
        let kind: UInt8
    }

    var count: Int { entries.count }
    var isEmpty: Bool { entries.isEmpty }

    mutating func append(_ name: UnsafeRawBufferPointer, kind: UInt8) {
        if name.count == 1, name[0] == PathText.dot { return }
        if name.count == 2, name[0] == PathText.dot, name[1] == PathText.dot { return }
        entries.append(Entry(start: UInt32(bytes.count), count: UInt16(name.count), kind: kind))
        bytes.append(contentsOf: name)
    }

    mutating func sort() {
        bytes.withUnsafeBytes { bytes in
            guard let base = bytes.baseAddress else { return }
            entries.sort { a, b in
                let common = Int(min(a.count, b.count))
                let order = memcmp(base + Int(a.start), base + Int(b.start), common)
                return order == 0 ? a.count < b.count : order < 0
            }
        }
    }

    func name(_ index: Int) -> [UInt8] {
        let entry = entries[index]
        return Array(bytes[Int(entry.start)..<(Int(entry.start) + Int(entry.count))])
    }

    /// What the directory says an entry is; `unknown` where the file system does not tell.
    func kind(_ index: Int) -> FileKind? {
        FileKind(directoryEntry: entries[index].kind)
    }
}
