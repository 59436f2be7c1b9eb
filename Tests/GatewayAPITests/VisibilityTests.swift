import BlockStorage
import Catalog
import Dispatch
import Foundation
import IPLD
import Multiformats
import NodeCore
import Synchronization
import TestKit
import Testing

/// What a removed or withdrawn pin leaves public, and what not.
@Suite struct VisibilityTests {
    let laboratory: GatewayLaboratory

    init() throws { laboratory = try GatewayLaboratory() }

    private var node: StorageNode { laboratory.node }

    private func block(_ text: String) throws -> Block {
        let block = Block(content: Array(text.utf8))
        try node.store.put(block, scope: [.defaultProject, .public])
        return block
    }

    /// Blocks of this very millisecond count as just put.
    private func waitForTheNextMillisecond() {
        let start = Date.now
        while Date.now.timeIntervalSince(start) < 0.002 {}
    }

    private func collect() throws {
        _ = try node.collectGarbage(CollectionOptions(grace: .zero, maximumUnusedShare: 1))
    }

    /// A private pin kept the blocks of a removed public one readable for everybody.
    @Test func aCollectionTakesBackWhatNoPublicPinReaches() throws {
        let (shared, open) = (try block("shared"), try block("open"))
        let gone = try node.pin(shared.cid, name: "gone", visibility: .public).pin
        _ = try node.pin(shared.cid, name: "kept", visibility: .private)
        _ = try node.pin(open.cid, name: "open", visibility: .public)
        waitForTheNextMillisecond()
        try collect()
        #expect(try laboratory.get("/ipfs/\(shared.cid)").status == 200, "a public pin is there")
        _ = try node.catalog.pins.remove(gone.id)
        try collect()
        #expect(try laboratory.get("/ipfs/\(shared.cid)").status == 404)
        #expect(try laboratory.get("/ipfs/\(open.cid)").status == 200)
    }

    @Test func whatWasJustPutAndWhatALeaseHoldsStaysReadable() throws {
        _ = try node.pin(try block("private").cid, name: "p", visibility: .private)
        let lease = node.store.beginLease()
        let young = try block("young")
        waitForTheNextMillisecond()
        try collect()
        #expect(try laboratory.get("/ipfs/\(young.cid)").status == 200)
        lease.end()
        try collect()
        #expect(try laboratory.get("/ipfs/\(young.cid)").status == 404)
    }

    @Test func takingBackLeavesWhatAnotherPublicPinReaches() throws {
        let shared = try block("shared")
        let first = try node.pin(shared.cid, name: "a", visibility: .public).pin
        let second = try node.pin(shared.cid, name: "b", visibility: .public).pin
        #expect(try node.setVisibility(.private, of: first).visibility == .private)
        #expect(try laboratory.get("/ipfs/\(shared.cid)").status == 200)
        _ = try node.setVisibility(.private, of: second)
        #expect(try laboratory.get("/ipfs/\(shared.cid)").status == 404)
        _ = try node.setVisibility(.public, of: first)
        #expect(try laboratory.get("/ipfs/\(shared.cid)").status == 200)
    }

    /// An upload puts blocks that are there already, somebody takes another pin over them back, and only then
    /// the upload is pinned.
    @Test func whatIsTakenBackBetweenPutAndPinOfOthersIsPublicAgain() throws {
        let shared = try block("shared")
        let first = try node.pin(shared.cid, name: "first", visibility: .public).pin
        let lease = node.store.beginLease()
        defer { lease.end() }
        _ = try block("shared")
        _ = try node.setVisibility(.private, of: first)
        _ = try node.pin(shared.cid, name: "second", visibility: .public)
        #expect(try laboratory.get("/ipfs/\(shared.cid)").status == 200)
    }

    /// The same at every moment: one thread takes back and shows again, another adds and removes.
    @Test(arguments: SeededRandom.seeds(4)) func publicPinsArePublicWhateverOthersTakeBack(seed: UInt64)
        throws
    {
        var random = SeededRandom(seed: seed)
        let blocks = (0..<40).map { _ in Block(content: random.bytes(100)) }
        let links = blocks.map { DAGPBLink(cid: $0.cid, name: nil, tsize: nil) }
        let root = Block(content: DAGPBNode(links: links).encoded(), codec: .dagPB)
        let node = node
        let add = { @Sendable (name: String) throws -> Pin in
            let lease = node.store.beginLease()
            defer { lease.end() }
            for block in blocks + [root] { try node.store.put(block, scope: [.defaultProject, .public]) }
            return try node.pin(root.cid, name: name, visibility: .public).pin
        }
        let other = try add("other")
        let failure = Mutex<(any Error)?>(nil)
        let toggling = DispatchGroup()
        DispatchQueue.global().async(group: toggling) {
            do {
                for _ in 0..<60 {
                    _ = try node.setVisibility(.private, of: other)
                    _ = try node.setVisibility(.public, of: other)
                }
            } catch {
                failure.withLock { $0 = error }
            }
        }
        for number in 0..<120 {
            let pin = try add("own \(number)")
            for block in blocks + [root] {
                #expect(try node.store.scopeMarks(of: block.cid.multihash)?.contains(.public) == true)
            }
            _ = try node.catalog.pins.remove(pin.id)
        }
        toggling.wait()
        if let error = failure.withLock({ $0 }) { throw error }
    }
}
