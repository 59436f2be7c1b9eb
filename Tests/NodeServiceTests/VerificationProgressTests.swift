import BlockStorage
import Catalog
import Digests
import Foundation
import IPLD
import Multiformats
import NodeCore
import NodeMessages
import NodeService
import Synchronization
import TestKit
import Testing

/// What verifying tells of how far it is.
@Suite struct VerificationProgressTests {
    let directory: TemporaryDirectory
    let node: StorageNode
    let local: LocalNode

    init() throws {
        directory = try TemporaryDirectory(in: TemporaryDirectory.fastParent)
        node = try StorageNode.open(directory.path("data"))
        local = try LocalNode(node, authority: nil)
    }

    /// Small blocks, of which the heads of sections are a large part, and some that are gone.
    private func fill(_ count: UInt64, bytes: Int) throws {
        var random = SeededRandom(seed: count)
        for number in 0..<count {
            let content = random.bytes(bytes)
            let cid = CID(codec: .raw, multihash: try Multihash(hashing: content, with: .sha2_256))
            try node.store.put(Block(cid: cid, bytes: content))
            if number % 10 == 0 {
                _ = try node.store.remove(cid)
            } else if number % 10 == 1 {
                try node.pin(cid, name: "\(number)", visibility: .private)
            }
        }
    }

    private struct Told {
        var totals: (items: Int64?, bytes: Int64?) = (nil, nil)
        var items = 0
        var bytes: [Int] = []
    }

    private func verify(_ request: VerificationRequest = VerificationRequest()) throws -> (
        VerificationMessage, Told
    ) {
        let told = Mutex(Told())
        let watch = Watch(
            setTotal: { items, bytes in told.withLock { $0.totals = (items, bytes) } },
            advance: { items, bytes in
                told.withLock {
                    $0.items += items
                    if bytes > 0 { $0.bytes.append(bytes) }
                }
            })
        let message = try local.verify(request, watch)
        return (message, told.withLock { $0 })
    }

    @Test func whatIsToldAddsUpToWhatWasSaidBeforehand() throws {
        try fill(500, bytes: 50)
        let (message, told) = try verify()
        #expect(message.findings.isEmpty && message.pins == 50)
        #expect(told.totals.items == 50 && told.items == 50)
        let total = try #require(told.totals.bytes)
        #expect(told.bytes.reduce(0, +) == Int(total))
        // Of content: not of what stands around it in the packs.
        #expect(abs(total - 500 * 50) < 500, "\(total)")
        #expect(message.bytes == 450 * 50)
    }

    /// One read has all there is: the waiting that follows it is not one long 0 %.
    @Test func aSlowVerificationOfLittleMovesOn() throws {
        try fill(100, bytes: 500)
        var request = VerificationRequest()
        request.bytesPerSecond = 120_000
        let (_, told) = try verify(request)
        #expect(told.bytes.count > 2, "\(told.bytes)")
        #expect(told.bytes.reduce(0, +) == Int(try #require(told.totals.bytes)))
    }

    @Test func aJobIsWholeWhenItIsDone() throws {
        try fill(20, bytes: 100)
        let jobs = NodeJobs(node) { _ in }
        try jobs.engine.start()
        defer { jobs.engine.stop() }
        let job = try jobs.verify(VerificationRequest(), for: local)
        let done = try #require(try jobs.engine.wait(for: job.id, patience: .seconds(30)))
        let progress = JobMessage<JSONValue>(done).progress
        #expect(progress.percent == 100 && progress.bytes == progress.totalBytes)
        #expect(progress.items == 2 && progress.totalItems == 2)
    }
}
