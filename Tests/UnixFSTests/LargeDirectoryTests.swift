import Digests
import Foundation
import IPLD
import Multiformats
import TestKit
import Testing
import UnixFS

/// Directories of many entries in bounded memory.
@Suite struct LargeDirectoryTests {
    @Test func manyEntriesAreBuiltPagedAndFoundInBoundedMemory() throws {
        let count = scaled(50_000, full: 1_000_000)
        let cid = try CID(hashing: [1, 2, 3], codec: .raw)
        let before = residentBytes()
        var builder = DirectoryBuilder(parameters: .unixfsV1_2025)
        for number in 0..<count {
            try builder.add(name: Self.name(number), cid: cid, dagBytes: UInt64(number))
        }
        var peak = residentBytes()
        var blocks = 0
        // What is emitted is only counted here: a store would have it on disk.
        _ = try builder.finish { _ in
            blocks += 1
            if blocks % 1000 == 0 { peak = max(peak, residentBytes()) }
        }
        // The names, CIDs and records of a million entries take some 80 MiB.
        if isFullTest { #expect(peak - before < 120_000_000) }

        let source = DictionaryBlockSource()
        for number in 0..<count {
            try builder.add(name: Self.name(number), cid: cid, dagBytes: UInt64(number))
        }
        let root = try builder.finish { source.insert($0) }
        #expect(root.isSharded)
        let reader = try DirectoryReader(source: source, root: root.cid)
        source.resetCounters()
        #expect(try reader.entry(named: Self.name(count / 3))?.dagBytes == UInt64(count / 3))
        #expect(source.readCount <= 4)

        var seen = 0
        var sum: UInt64 = 0
        var cursor: DirectoryCursor?
        repeat {
            let page = try reader.page(after: cursor, limit: 1000)
            seen += page.entries.count
            for entry in page.entries { sum &+= entry.dagBytes }
            cursor = page.next
        } while cursor != nil
        #expect(seen == count)
        #expect(sum == UInt64(count) * UInt64(count - 1) / 2)
    }

    private static func name(_ number: Int) -> [UInt8] { Array("file-\(number).txt".utf8) }
}

/// Bytes of memory that the process has now.
private func residentBytes() -> Int {
    guard let text = try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8) else { return 0 }
    let fields = text.split(separator: " ")
    return fields.count > 1 ? (Int(fields[1]) ?? 0) * 4096 : 0
}
