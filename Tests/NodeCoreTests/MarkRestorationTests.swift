import BlockStorage
import Catalog
import Foundation
import IPLD
import Multiformats
import NodeCore
import TestKit
import Testing

/// Who may read what is known to the index alone: what is lost with it comes back from the pins, and no more.
@Suite struct MarkRestorationTests {
    private let laboratory: NodeLaboratory

    init() throws { laboratory = try NodeLaboratory() }

    enum Loss: CaseIterable, Sendable {
        /// The index is gone, or is made anew.
        case index
        /// Power goes, and with it what the index had not synced.
        case power

        func apply(to index: MemoryBlockIndex) -> MemoryBlockIndex {
            self == .index ? MemoryBlockIndex() : index.afterCrash(keepingBatches: 0)
        }
    }

    private func blocks(_ seed: UInt64) -> [Block] {
        var random = SeededRandom(seed: seed)
        let leaves = (0..<3).map { _ in Block(content: random.bytes(200)) }
        let links = leaves.map { DAGPBLink(cid: $0.cid, name: nil, tsize: nil) }
        return [Block(content: DAGPBNode(links: links).encoded(), codec: .dagPB)] + leaves
    }

    private func marks(_ blocks: [Block], _ node: StorageNode) throws -> Set<ScopeMarks.RawValue?> {
        Set(try blocks.map { try node.store.scopeMarks(of: $0.cid.multihash)?.rawValue })
    }

    @Test(arguments: Loss.allCases) func marksComeBackFromThePinsAndNoOthers(loss: Loss) throws {
        let index = MemoryBlockIndex()
        let node = try laboratory.open(files: UnlockedDisk(), index: index)
        let project = try node.catalog.projects.add(name: "photos").id
        let audience = BlockAudience(scope: try node.catalog.projects.scope(of: project))
        let (open, secret, taken, loose, foreign) = (blocks(1), blocks(2), blocks(3), blocks(4), blocks(5))
        for block in open + taken + loose { try node.store.put(block, scope: [.defaultProject, .public]) }
        for block in secret { try node.store.put(block) }
        let ofProject = ProjectBlockStore(node.store, audience: audience)
        for block in foreign { try ofProject.put(block, scope: []) }
        try node.pin(open[0].cid, name: "open", visibility: .public)
        try node.pin(secret[0].cid, name: "secret", visibility: .private)
        let pin = try node.pin(taken[0].cid, name: "taken", visibility: .public).pin
        _ = try node.setVisibility(.private, of: pin)
        try node.pin(foreign[0].cid, name: "foreign", visibility: .private, owner: project)
        try node.store.commit()
        try node.catalog.close()

        let left = loss.apply(to: index)
        // The second time nothing was lost.
        for _ in 0..<2 {
            let again = try laboratory.open(files: UnlockedDisk(), index: left)
            #expect(try again.store.marksUncertainSince == nil)
            #expect(try marks(open, again) == [ScopeMarks([.defaultProject, .public]).rawValue])
            #expect(try marks(secret, again) == [ScopeMarks.defaultProject.rawValue])
            #expect(try marks(taken, again) == [ScopeMarks.defaultProject.rawValue])
            #expect(try marks(foreign, again) == [0], "the default project learns nothing of it")
            for block in foreign { #expect(try audience.mayRead(block.cid.multihash, in: again.store)) }
            if loss == .index { #expect(try marks(loose, again) == [0], "no pin says who may read it") }
            try again.close()
        }
    }

    /// What was there is published anew, nothing but marks is written, and power goes.
    @Test func marksOfKnownBlocksComeBackAfterAPowerCut() throws {
        let index = MemoryBlockIndex()
        let known = blocks(6)
        let first = try laboratory.open(files: UnlockedDisk(), index: index)
        for block in known { try first.store.put(block) }
        try first.pin(known[0].cid, name: "mine", visibility: .private)
        try first.close()
        laboratory.clock.advance(milliseconds: 3_600_000)
        let node = try laboratory.open(files: UnlockedDisk(), index: index)
        for block in known { try node.store.put(block, scope: .public) }
        try node.pin(known[0].cid, name: "everybody's", visibility: .public)
        try node.catalog.close()
        let again = try laboratory.open(
            files: UnlockedDisk(), index: index.afterCrash(keepingBatches: 0))
        #expect(try marks(known, again) == [ScopeMarks([.defaultProject, .public]).rawValue])
        try again.close()
    }

    private func damage(_ bytes: [UInt8]) throws {
        let packs = laboratory.directory.path("data/blocks/packs")
        for name in try FileManager.default.contentsOfDirectory(atPath: packs) {
            let url = URL(fileURLWithPath: packs + "/" + name)
            var contents = try Data(contentsOf: url)
            guard let range = contents.range(of: Data(bytes)) else { continue }
            contents[range.lowerBound + 10] ^= 1
            return try contents.write(to: url)
        }
        Issue.record("the block is in no pack")
    }

    /// A damaged block hides what only it leads to, and nothing else.
    @Test func damageDoesNotKeepTheRestFromComingBack() throws {
        let node = try laboratory.open(files: UnlockedDisk(), index: MemoryBlockIndex())
        let (broken, whole) = (blocks(7), blocks(8))
        for block in broken + whole { try node.store.put(block, scope: [.defaultProject, .public]) }
        try node.pin(broken[0].cid, name: "broken", visibility: .public)
        try node.pin(whole[0].cid, name: "whole", visibility: .public)
        try node.store.commit()
        try node.catalog.close()
        try damage(broken[0].bytes)
        let again = try laboratory.open(files: UnlockedDisk(), index: MemoryBlockIndex())
        #expect(try marks(whole, again) == [ScopeMarks([.defaultProject, .public]).rawValue])
        try again.close()
    }
}
