import Multiformats
import SyncProtocol
import TestKit
import Testing

/// Differences of lists of leaves.
@Suite struct LeafEditTests {
    /// Edits as an editor makes them: leaves changed, put in, taken out, doubled and moved.
    private func edited(_ leaves: [Leaf], _ maker: inout MessageMaker) -> [Leaf] {
        var leaves = leaves
        for _ in 0..<maker.random.number(0...5) {
            let place = maker.random.number(0...leaves.count)
            let end = min(leaves.count, place + maker.random.number(0...4))
            switch maker.random.number(0..<4) {
            case 0: leaves.replaceSubrange(place..<end, with: maker.list(3) { $0.leaf() })
            case 1: leaves.removeSubrange(place..<end)
            case 2: leaves.insert(contentsOf: leaves[place..<end], at: maker.random.number(0...leaves.count))
            default:
                let moved = Array(leaves[place..<end])
                leaves.removeSubrange(place..<end)
                leaves.insert(contentsOf: moved, at: maker.random.number(0...leaves.count))
            }
        }
        return leaves
    }

    @Test(arguments: SeededRandom.seeds(500)) func anEditOfAListMakesTheOtherList(seed: UInt64) throws {
        var maker = MessageMaker(seed: seed)
        var base = maker.list(40) { $0.leaf() }
        // A file of zeros: the same leaf again and again.
        if maker.random.oneIn(3), let leaf = base.first {
            for index in base.indices where maker.random.oneIn(2) { base[index] = leaf }
        }
        let leaves = edited(base, &maker)
        let edit = LeafEdit(from: base, root: maker.cid(), to: leaves)
        #expect(try edit.apply(to: base) == leaves)
        for form in WireForm.allCases {
            let bytes = try form.encode(edit.value(form))
            #expect(try LeafEdit(form.decode(bytes, maximumBytes: bytes.count)) == edit)
        }
        let whole = LeafEdit(from: [], root: nil, to: leaves)
        #expect(whole.base == nil)
        #expect(try whole.apply(to: []) == leaves)
    }

    @Test func oneChangedLeafOfTenThousandIsOneSpliceOfOneLeaf() throws {
        var maker = MessageMaker(seed: 1)
        let base = (0..<10_000).map { _ in maker.leaf() }
        let new = maker.leaf()
        for place in [0, 5000, 9999] {
            var leaves = base
            leaves[place] = new
            let edit = LeafEdit(from: base, root: maker.cid(), to: leaves)
            #expect(edit.splices == [LeafEdit.Splice(start: place, remove: 1, insert: [new])])
            #expect(try WireForm.cbor.encode(edit.value(.cbor)).count < 200)
        }
        var longer = base
        longer.insert(new, at: 5000)
        #expect(
            LeafEdit(from: base, root: maker.cid(), to: longer).splices
                == [LeafEdit.Splice(start: 5000, remove: 0, insert: [new])])
    }

    @Test func moreSplicesThanAMessageMayHaveBecomeOne() throws {
        var maker = MessageMaker(seed: 7)
        let base = (0..<2 * SyncLimits.maximumSplices + 2).map { _ in maker.leaf() }
        var leaves = base
        for index in stride(from: 0, to: base.count, by: 2) { leaves[index].bytes ^= 1 }
        let edit = LeafEdit(from: base, root: maker.cid(), to: leaves)
        #expect(edit.splices.count == 1)
        #expect(try edit.apply(to: base) == leaves)
    }

    @Test func equalListsNeedNoSplice() {
        var maker = MessageMaker(seed: 2)
        let base = (0..<100).map { _ in maker.leaf() }
        #expect(LeafEdit(from: base, root: maker.cid(), to: base).splices.isEmpty)
    }

    @Test(arguments: [
        (4, 0), (3, 1), (0, 4), (0, -1), (-1, 1), (Int.max, 1), (1, Int.max), (Int.min, Int.min),
    ])
    func aSpliceThatIsNotWithinTheListIsRefused(start: Int, remove: Int) {
        var maker = MessageMaker(seed: 3)
        let base = (0..<3).map { _ in maker.leaf() }
        let edit = LeafEdit(base: maker.cid(), splices: [.init(start: start, remove: remove, insert: [])])
        #expect(throws: SyncMessageError.self) { try edit.apply(to: base) }
    }

    @Test func splicesThatOverlapOrComeOutOfOrderAreRefused() {
        var maker = MessageMaker(seed: 4)
        let base = (0..<10).map { _ in maker.leaf() }
        for (first, second) in [((4, 2), (5, 1)), ((4, 2), (0, 1)), ((0, 10), (9, 1))] {
            let edit = LeafEdit(
                base: maker.cid(),
                splices: [
                    .init(start: first.0, remove: first.1, insert: []),
                    .init(start: second.0, remove: second.1, insert: []),
                ])
            #expect(throws: SyncMessageError.self) { try edit.apply(to: base) }
            for form in WireForm.allCases {
                #expect(throws: SyncMessageError.self) {
                    try LeafEdit(form.decode(form.encode(edit.value(form)), maximumBytes: 10_000))
                }
            }
        }
    }
}
