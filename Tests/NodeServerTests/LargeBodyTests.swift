import BlockStorage
import Digests
import Foundation
import Multiformats
import NodeCore
import TestKit
import Testing

/// Bodies that go from packs to sockets without being read.
@Suite struct LargeBodyTests {
    private static let size = 5_000_000

    @Test func aLargeFileAndItsRangesHaveTheRightBytes() async throws {
        let bytes = SeededRandom.bytes(seed: 1, count: Self.size)
        try await ServerLaboratory.serve { laboratory in
            let root = try laboratory.add(bytes)
            try await laboratory.connect { connection in
                for _ in 0..<2 {
                    let answer = try connection.get("/ipfs/\(root)")
                    #expect(answer.status == 200 && answer.isWhole && answer.body == bytes)
                }
                let megabyte = 1024 * 1024
                for range in [
                    0..<1, 0..<megabyte, megabyte - 1..<megabyte + 1, megabyte..<3 * megabyte + 7,
                    Self.size - 1..<Self.size, 17..<Self.size,
                ] {
                    let answer = try connection.get(
                        "/ipfs/\(root)", "Range: bytes=\(range.lowerBound)-\(range.upperBound - 1)\r\n")
                    #expect(answer.status == 206 && answer.body == Array(bytes[range]), "\(range)")
                }
                #expect(
                    try connection.get("/ipfs/\(root)", method: "HEAD").fields["content-length"] == "5000000")
                #expect(try connection.get("/health/live").text == "live\n")
            }
        }
    }

    @Test func aCARHasEveryBlockOnceAndItsEnd() async throws {
        let bytes = SeededRandom.bytes(seed: 2, count: Self.size)
        try await ServerLaboratory.serve { laboratory in
            let root = try laboratory.add(bytes)
            for query in ["format=car", "format=car&dag-scope=entity", "format=car&car-dups=y"] {
                let answer = try await laboratory.connect { try $0.get("/ipfs/\(root)?\(query)") }
                #expect(answer.status == 200 && answer.isWhole)
                var content: [UInt8] = []
                var count = 0
                var offset = Int(answer.body[0]) + 1
                while offset < answer.body.count {
                    let span = answer.body.span.bytes
                    let length = Int(try Varint.decode(span, at: &offset))
                    let end = offset + length
                    let cid = try CID.decode(span, at: &offset)
                    let payload = Array(answer.body[offset..<end])
                    #expect(cid.multihash.matches(payload))
                    if cid.codec == .raw { content += payload }
                    count += 1
                    offset = end
                }
                #expect(count == 6 && content == bytes, "\(query)")
            }
        }
    }

    /// A leaf that is damaged breaks the answer off before its bytes, in a way that a client can tell.
    @Test func aDamagedLeafIsNoticedBeforeItIsSent() async throws {
        let bytes = SeededRandom.bytes(seed: 3, count: Self.size)
        try await ServerLaboratory.serve { laboratory in
            let root = try laboratory.add(bytes)
            let leaf = 3 * 1024 * 1024
            try laboratory.damage(bytes[leaf..<leaf + 64])
            let answer = try await laboratory.connect { try $0.get("/ipfs/\(root)") }
            #expect(answer.status == 200 && !answer.isWhole)
            #expect(answer.body == Array(bytes[..<leaf]))
            let car = try await laboratory.connect { try $0.get("/ipfs/\(root)?format=car") }
            #expect(
                !car.isWhole || car.status >= 400, "\(car.status), \(car.body.count) bytes, \(car.fields)")
            let range = try await laboratory.connect {
                try $0.get("/ipfs/\(root)", "Range: bytes=\(leaf)-\(leaf + 9)\r\n")
            }
            #expect(range.status == 500)
        }
    }

    @Test func clientsThatLeaveHoldNothing() async throws {
        let bytes = SeededRandom.bytes(seed: 4, count: Self.size)
        try await ServerLaboratory.serve { laboratory in
            let root = try laboratory.add(bytes)
            for _ in 0..<20 {
                try await laboratory.connect(receiveBuffer: 4096) { connection in
                    connection.send(HTTPConnection.request("/ipfs/\(root)"))
                    connection.send(HTTPConnection.request("/ipfs/\(root)?format=car"))
                }
            }
            let answer = try await laboratory.connect { try $0.get("/ipfs/\(root)") }
            #expect(answer.body == bytes)
            // Those that left are noticed when something is written to them.
            for _ in 0..<200 {
                let metrics = try await laboratory.connect { try $0.get("/metrics").text }
                if metrics.contains("\nnacre_http_requests_in_flight 1\n") { return }
                try await Task.sleep(for: .milliseconds(20))
            }
            Issue.record("requests of clients that left are still under way")
        }
    }

    @Test func aFileStaysReadableWhileItsPackIsRewritten() async throws {
        let bytes = SeededRandom.bytes(seed: 5, count: 3 * Self.size)
        try await ServerLaboratory.serve { laboratory in
            let other = try laboratory.add(SeededRandom.bytes(seed: 6, count: 900_000))
            let root = try laboratory.add(bytes)
            let store = laboratory.node.store
            try await laboratory.connect(receiveBuffer: 4096) { connection in
                connection.send(HTTPConnection.request("/ipfs/\(root)"))
                #expect(try store.remove(other))
                let report = try store.compact(maximumUnusedShare: 0)
                #expect(report.rewrittenPacks > 0)
                #expect(try connection.answer().body == bytes)
                #expect(try connection.get("/ipfs/\(root)").body == bytes)
            }
        }
    }
}
