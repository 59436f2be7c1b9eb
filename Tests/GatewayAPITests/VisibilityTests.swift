import BlockStorage
import Catalog
import Foundation
import IPLD
import Multiformats
import NodeCore
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
}
