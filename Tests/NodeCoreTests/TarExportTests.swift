import BlockStorage
import Foundation
import IPLD
import Multiformats
import NodeCore
import TestKit
import Testing
import UnixFS

/// Archives to the byte, and DAGs that would make an archive do harm where it is unpacked.
@Suite struct TarExportTests {
    private let store = MemoryBlockStore()
    private let parameters = NodeLaboratory.parameters

    private func archive(
        _ root: CID, name: String = "root", names rule: ArchiveNameRule = .plain
    ) throws -> [UInt8] {
        var bytes: [UInt8] = []
        try TarExport(source: store, root: root, name: Array(name.utf8), names: rule).run { bytes += $0 }
        return bytes
    }

    private func forged(_ links: [(String, Block)]) throws -> CID {
        let links = try links.map { name, block in
            try store.put(block)
            return DAGPBLink(cid: block.cid, name: Array(name.utf8), tsize: 1)
        }
        let data = UnixFSData(kind: .directory).encoded()
        let block = Block(content: DAGPBNode(links: links, data: data).encoded(), codec: .dagPB)
        try store.put(block)
        return block.cid
    }

    private func symlink(_ target: String) throws -> Block {
        try UnixFSSymlink(target: Array(target.utf8)).block(parameters: parameters)
    }

    @Test func aTreeBecomesTheseBlocks() throws {
        let root = try Tree(["a": [1, 2, 3], "d/b": [UInt8](repeating: 7, count: 513)]).store(in: store)
        let bytes = try archive(root)
        let entries = try TarEntry.read(bytes)
        #expect(entries.map(\.name) == ["root/", "root/a", "root/d/", "root/d/b"].map { Array($0.utf8) })
        #expect(entries.map(\.type) == Array("5050".utf8))
        #expect(entries.map(\.mode) == [0o755, 0o644, 0o755, 0o644])
        #expect(entries[1].content == [1, 2, 3])
        #expect(entries[3].content == [UInt8](repeating: 7, count: 513))
        #expect(bytes.count == 512 * (4 + 1 + 2 + 2), "headers, contents, the end")

        // The second header field by field, as POSIX draws it.
        var expected = [UInt8](repeating: 0, count: 512)
        let fields: [(Int, String)] = [
            (0, "root/a"), (100, "0000644"), (108, "0000000"), (116, "0000000"), (124, "00000000003"),
            (136, "00000000000"), (156, "0"), (257, "ustar"), (263, "00"),
        ]
        for (offset, text) in fields {
            expected.replaceSubrange(offset..<(offset + text.utf8.count), with: text.utf8)
        }
        let sum = expected.reduce(0) { $0 + Int($1) } + 8 * 32
        let octal = String(sum, radix: 8)
        expected.replaceSubrange(
            148..<156, with: Array((String(repeating: "0", count: 6 - octal.count) + octal).utf8) + [0, 32])
        #expect(Array(bytes[512..<1024]) == expected)
    }

    @Test(arguments: [99, 100, 101, 154, 255, 300])
    func namesOfAnyLengthComeBack(_ length: Int) throws {
        let name = String(repeating: "n", count: min(length, 255) - 5)
        let folder = String(repeating: "f", count: max(1, length - 255))
        let root = try Tree(["\(folder)/\(name)": [5]]).store(in: store)
        let entries = try TarEntry.read(try archive(root))
        #expect(entries.last?.name == Array("root/\(folder)/\(name)".utf8))
        #expect(entries.last?.content == [5])
    }

    @Test func namesAndTargetsOfAnyBytesComeBack() throws {
        let file = Block(content: [1])
        let names = ["new\nline", "é🌊", "=", "9 path=x"]
        let target = String(repeating: "t", count: 150) + "é"
        let root = try forged(names.map { ($0, file) } + [("z", symlink(target))])
        let entries = try TarEntry.read(try archive(root))
        #expect(entries.dropFirst().dropLast().map(\.name) == names.map { Array("root/\($0)".utf8) })
        #expect(entries.last?.type == UInt8(ascii: "2"))
        #expect(entries.last?.target == Array(target.utf8))
    }

    @Test func modeAndTimeAreThoseOfTheNodes() throws {
        let metadata = UnixFSMetadata(mode: 0o6750, mtime: UnixFSTime(seconds: 1_000_000_001, nanoseconds: 5))
        let data = UnixFSData(kind: .file, content: [9], fileSize: 1, metadata: metadata)
        let file = Block(content: DAGPBNode(links: [], data: data.encoded()).encoded(), codec: .dagPB)
        let entries = try TarEntry.read(try archive(forged([("f", file)])))
        #expect(entries.last?.mode == 0o750, "no set-user-ID from somebody else's DAG")
        #expect(entries.last?.seconds == 1_000_000_001)
    }

    /// A time before 1970 or after 2242 has no place in a plain header.
    @Test func timesBeyondTheHeaderStandInARecordBeforeIt() throws {
        for seconds in [Int64.min, -1, 1 << 33, Int64.max] {
            let metadata = UnixFSMetadata(mode: nil, mtime: UnixFSTime(seconds: seconds))
            let data = UnixFSData(kind: .file, content: [9], fileSize: 1, metadata: metadata)
            let file = Block(content: DAGPBNode(links: [], data: data.encoded()).encoded(), codec: .dagPB)
            let entries = try TarEntry.read(try archive(forged([("f", file)])))
            #expect(entries.last?.content == [9])
            #expect(entries.last?.seconds == seconds)
        }
    }

    @Test func aFileOfMoreThanEightGibibytesHasItsSizeInAPaxRecord() throws {
        // Nine GiB of one leaf, again and again.
        let leaf = Block(content: [UInt8](repeating: 7, count: 1024 * 1024))
        let sizes = [UInt64](repeating: UInt64(leaf.bytes.count), count: 9 * 1024)
        let size = sizes.reduce(0, +)
        let data = UnixFSData(kind: .file, fileSize: size, blockSizes: sizes)
        let links = sizes.map { DAGPBLink(cid: leaf.cid, name: [], tsize: $0) }
        let root = Block(content: DAGPBNode(links: links, data: data.encoded()).encoded(), codec: .dagPB)

        var head: [UInt8] = []
        var total: UInt64 = 0
        let source = DictionaryBlockSource([leaf, root])
        try withoutActuallyEscaping({ (bytes: UnsafeRawBufferPointer) in
            total += UInt64(bytes.count)
            if head.count < 2048 { head += bytes.prefix(2048 - head.count) }
        }) { sink in
            try TarExport(source: source, root: root.cid, name: Array("large".utf8)).run(sink: sink)
        }
        // Record header, records, header, content, end.
        #expect(total == 512 + 512 + 512 + size + 1024)
        #expect(head[156] == UInt8(ascii: "x"))
        #expect(Array(head[512..<528]) == Array("19 size=\(size)".utf8.prefix(16)))
        #expect(head[1024..<1029] == Array("large".utf8)[...])
        #expect(head[1024 + 156] == UInt8(ascii: "0"))
        #expect(head[1536] == 7)
    }

    // MARK: Harm

    @Test(arguments: ["..", ".", ""])
    func badInput17NamesThatLeadElsewhereEndTheArchive(_ name: String) throws {
        let root = try forged([(name, Block(content: [1]))])
        #expect(throws: (any Error).self) { try archive(root) }
    }

    /// Unpackers that keep the first symlink would write the second entry through it.
    @Test func badInput17ANameThatIsThereTwiceEndsTheArchive() throws {
        let inner = try forged([("f", Block(content: [1]))])
        let directory = try #require(try store.block(inner))
        let link = try symlink("/outside")
        for links in [
            [("a", link), ("a", directory)], [("a", directory), ("a", link)],
            [("a", Block(content: [1])), ("b", Block(content: [2])), ("a", Block(content: [3]))],
        ] {
            #expect(throws: NodeError.self) { try archive(forged(links)) }
        }
    }

    @Test func aWayToAFileWithinTheRootIsMadePlainWhereThatIsAskedFor() throws {
        let way = try forged([("../file", Block(content: [1])), ("b/./c", Block(content: [2]))])
        let root = try forged([("d", #require(try store.block(way)))])
        #expect(throws: (any Error).self) { try archive(root) }
        let entries = try TarEntry.read(try archive(root, names: .withinRoot))
        #expect(
            entries.map { String(decoding: $0.name, as: UTF8.self) }
                == ["root/", "root/d/", "root/file", "root/d/b/c"])
    }

    @Test(arguments: ["../f", "../../f", "a/../../f", "/f", "a/", "x/..", "a\0/b", "../root/../../f"])
    func badInput17AWayOutOfTheRootEndsTheArchive(_ name: String) throws {
        let root = try forged([(name, Block(content: [1]))])
        #expect(throws: (any Error).self) { try archive(root, names: .withinRoot) }
    }

    /// Whoever unpacks would write the file through the link.
    @Test func badInput17SymlinksAndWaysAreNotInOneArchive() throws {
        let way = try forged([("../s/f", Block(content: [1]))])
        let (link, directory) = (try symlink("/outside"), try #require(try store.block(way)))
        for links in [[("s", link), ("t", directory)], [("d", directory), ("s", link)]] {
            #expect(throws: NodeError.self) { try archive(forged(links), names: .withinRoot) }
        }
        let folder = try #require(try store.block(forged([("f", Block(content: [1]))])))
        #expect(throws: NodeError.self) { try archive(forged([("a/b", folder)]), names: .withinRoot) }
    }

    @Test(arguments: ["", "a\0b"])
    func badInput17ASymlinkWithoutAUsableTargetEndsTheArchive(_ target: String) throws {
        #expect(throws: NodeError.self) { try archive(forged([("s", symlink(target))])) }
    }

    @Test func badInput17ARootNameThatLeadsElsewhereIsRefused() throws {
        let root = try Tree(["a": [1]]).store(in: store)
        for name in ["", "..", "a/b", "/a"] {
            #expect(throws: NodeError.self) { try archive(root, name: name) }
        }
    }
}

/// One entry as an unpacker that knows pax sees it.
private struct TarEntry {
    var name: [UInt8]
    var type: UInt8
    var mode: Int
    var seconds: Int64
    var target: [UInt8]
    var content: [UInt8]

    static func read(_ archive: [UInt8]) throws -> [TarEntry] {
        #expect(archive.count % 512 == 0)
        var entries: [TarEntry] = []
        var records: [String: [UInt8]] = [:]
        var offset = 0
        while offset < archive.count {
            let header = Array(archive[offset..<(offset + 512)])
            if header.allSatisfy({ $0 == 0 }) { break }
            let sum = header.enumerated().reduce(0) { $0 + ((148..<156) ~= $1.offset ? 32 : Int($1.element)) }
            #expect(number(header, 148, 8) == UInt64(sum))
            #expect(Array(header[257..<265]) == Array("ustar\u{0}00".utf8))
            let size = Int(number(header, 124, 12))
            let content = Array(archive[(offset + 512)..<(offset + 512 + size)])
            offset += 512 + (size + 511) / 512 * 512
            if header[156] == UInt8(ascii: "x") {
                records = parse(content)
                continue
            }
            entries.append(
                TarEntry(
                    name: records["path"] ?? text(header, 0, 100), type: header[156],
                    mode: Int(number(header, 100, 8)),
                    seconds: records["mtime"].flatMap { Int64(String(decoding: $0, as: UTF8.self)) }
                        ?? Int64(number(header, 136, 12)),
                    target: records["linkpath"] ?? text(header, 157, 100), content: content))
            records = [:]
        }
        #expect(archive[offset...].count == 1024, "two blocks of zeros and nothing behind them")
        #expect(archive[offset...].allSatisfy { $0 == 0 })
        return entries
    }

    private static func text(_ header: [UInt8], _ start: Int, _ count: Int) -> [UInt8] {
        Array(header[start..<(start + count)].prefix { $0 != 0 })
    }

    private static func number(_ header: [UInt8], _ start: Int, _ count: Int) -> UInt64 {
        let digits = header[start..<(start + count)].prefix { $0 >= 0x30 && $0 <= 0x37 }
        return UInt64(String(decoding: digits, as: UTF8.self), radix: 8) ?? 0
    }

    /// `LENGTH KEY=VALUE\n`, any number of them.
    private static func parse(_ bytes: [UInt8]) -> [String: [UInt8]] {
        var records: [String: [UInt8]] = [:]
        var rest = bytes[...]
        while let space = rest.firstIndex(of: 0x20),
            let length = Int(String(decoding: rest[rest.startIndex..<space], as: UTF8.self)),
            length <= rest.count
        {
            let record = rest.prefix(length)
            #expect(record.last == 0x0A)
            let body = record[(space + 1)...].dropLast()
            guard let equals = body.firstIndex(of: UInt8(ascii: "=")) else { break }
            records[String(decoding: body[..<equals], as: UTF8.self)] = Array(body[(equals + 1)...])
            rest = rest.dropFirst(length)
        }
        #expect(rest.isEmpty)
        return records
    }
}
