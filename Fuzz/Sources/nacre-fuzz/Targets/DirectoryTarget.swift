import Digests
import IPLD
import Multiformats
import UnixFS

extension FuzzTarget {
    /// One byte of settings; then blocks of a directory, the root first: a basic one or a HAMT.
    ///
    /// With the lowest bit set, the names of entries to build a directory of and to change it.
    static let directory = FuzzTarget("hamt") { input in
        var input = FuzzInput(input)
        let settings = input.byte()
        if settings & 1 == 1 {
            DirectoryPlan(settings: settings, names: input.rest).check()
            return
        }
        let source = InputBlocks(input.rest)
        let reader = try DirectoryReader(source: source, root: source.root(.dagPB))
        var entries: [DirectoryEntry] = []
        try reader.forEach { entry in
            require(isReadable(entry.name), "no name has a zero byte or a slash, or is empty")
            entries.append(entry)
        }
        // Everything could be read, so every way to read it agrees.
        try checkPages(of: reader, entries, limit: 1 + Int(settings >> 4))
        for entry in entries.prefix(32) {
            let first = entries.first { $0.name == entry.name }
            let found = try reader.entry(named: entry.name)
            require(found == first, "an entry is found by its name")
        }
        if reader.isSharded {
            require(Set(entries.map(\.name)).count == entries.count, "no name is in a HAMT twice")
        }
        let absent = Array("no such name".utf8)
        if !entries.contains(where: { $0.name == absent }) {
            let found = try reader.entry(named: absent)
            require(found == nil, "a name that is not there is not found")
        }
        try reader.forEachBlock { _ in }
    }

    private static func isReadable(_ name: [UInt8]) -> Bool {
        !name.isEmpty && !name.contains(0) && !name.contains(0x2F)
    }

    static func checkPages(of reader: DirectoryReader, _ entries: [DirectoryEntry], limit: Int) throws {
        var paged: [DirectoryEntry] = []
        var cursor: DirectoryCursor?
        repeat {
            let page = try reader.page(after: cursor, limit: limit)
            require(page.entries.count <= limit, "a page is no longer than asked")
            require(page.next == nil || !page.entries.isEmpty, "a page that is not the last has entries")
            paged += page.entries
            require(paged.count <= entries.count, "pages hold each entry once")
            let text = page.next?.description
            cursor = try text.map { text throws in try DirectoryCursor(text: text) }
        } while cursor != nil
        require(paged == entries, "pages together are the directory")
    }
}

/// Builds a directory of names out of an input, reads it, changes it, and builds the outcome anew.
private struct DirectoryPlan {
    private let parameters: ImportParameters
    private let first: [[UInt8]]
    private let changed: [[UInt8]]
    private let removed: [[UInt8]]

    /// - Parameter names: with slashes between them; two in a row begin the next of three lists.
    init(settings: UInt8, names: ArraySlice<UInt8>) {
        var parameters = ImportParameters.unixfsV1_2025
        let estimates = DirectoryParameters.HAMTEstimate.allCases
        parameters.directory = DirectoryParameters(
            hamtThreshold: settings & 2 == 0 ? 3 : 300, hamtEstimate: estimates[Int(settings >> 4) % 3],
            fanout: 8 << Int(settings >> 2 & 3))
        self.parameters = parameters
        var lists: [[[UInt8]]] = [[]]
        for name in names.prefix(1024).split(separator: 0x2F, omittingEmptySubsequences: false) {
            if name.isEmpty && lists.count < 3 {
                lists.append([])
            } else if !name.isEmpty, !name.contains(0), name != [0x2E], name != [0x2E, 0x2E] {
                lists[lists.count - 1].append(Array(name))
            }
        }
        first = lists[0]
        changed = lists.count > 1 ? lists[1] : []
        removed = lists.count > 2 ? lists[2] : []
    }

    func check() {
        let blocks = BuiltBlocks()
        var entries: [[UInt8]: DirectoryEntry] = [:]
        for name in first { entries[name] = entry(name, salt: 0) }
        let root = build(entries, into: blocks)
        check(root, has: entries, in: blocks)
        let edited = must("a directory can be changed") { () throws in
            var editor = try DirectoryEditor(source: blocks, root: root.cid, parameters: parameters)
            for name in changed {
                entries[name] = entry(name, salt: 1)
                try editor.set(entry(name, salt: 1))
            }
            for name in removed {
                entries[name] = nil
                editor.remove(name)
            }
            return try editor.finish(emit: blocks.insert)
        }
        require(edited == build(entries, into: blocks), "a changed directory is as one built from scratch")
        check(edited, has: entries, in: blocks)
    }

    private func build(_ entries: [[UInt8]: DirectoryEntry], into blocks: BuiltBlocks) -> DirectoryRoot {
        must("a directory can be built") {
            var builder = DirectoryBuilder(parameters: parameters)
            for (name, entry) in entries {
                try builder.add(name: name, cid: entry.cid, dagBytes: entry.dagBytes)
            }
            return try builder.finish(emit: blocks.insert)
        }
    }

    private func check(_ root: DirectoryRoot, has entries: [[UInt8]: DirectoryEntry], in blocks: BuiltBlocks)
    {
        must("what was built can be read") { () throws in
            let reader = try DirectoryReader(source: blocks, root: root.cid)
            var found: [DirectoryEntry] = []
            try reader.forEach { found.append($0) }
            require(found.count == entries.count, "a directory has the entries it was built of, once each")
            for entry in found {
                require(entries[entry.name] == entry, "an entry comes back as it was")
                let named = try reader.entry(named: entry.name)
                require(named == entry, "an entry is found by its name")
            }
            try FuzzTarget.checkPages(of: reader, found, limit: 3)
        }
    }

    private func entry(_ name: [UInt8], salt: UInt8) -> DirectoryEntry {
        let cid = must("sha2-256 is there") { try CID(hashing: name + [salt], codec: .raw) }
        return DirectoryEntry(name: name, cid: cid, dagBytes: UInt64(name.count) << (3 * UInt64(salt)))
    }
}
