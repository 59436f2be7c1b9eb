import IPLD
import Multiformats
import NodeCore
import TestKit
import Testing
import UnixFS

/// What of tar a test through the command line cannot reach.
@Suite struct TarExportTests {
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
            try TarExport(source: source, sink: sink).run(root: root.cid, name: Array("large".utf8))
        }
        // Record header, records, header, content, end.
        #expect(total == 512 + 512 + 512 + size + 1024)
        #expect(head[156] == UInt8(ascii: "x"))
        #expect(Array(head[512..<528]) == Array("19 size=\(size)".utf8.prefix(16)))
        #expect(head[1024..<1029] == Array("large".utf8)[...])
        #expect(head[1024 + 156] == UInt8(ascii: "0"))
        #expect(head[1536] == 7)
    }
}
