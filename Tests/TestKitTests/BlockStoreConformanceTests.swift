import BlockStorage
import IPLD
import Multiformats
import Synchronization
import TestKit
import Testing

/// The conformance suite passes a right store, and finds each of these wrong ones.
@Suite struct BlockStoreConformanceTests {
    enum Flaw: CaseIterable {
        case losesTheLastOfABatch, countsDuplicates, forgetsTheCodecAskedFor, storesIdentity, hasNoLimit
        case mixesUpTheOrder, losesEverythingOnReopening, cutsAByteOff
    }

    @Test func aRightStorePasses() throws {
        try checkBlockStoreConformance(makeStore: { PlainStore(flaw: nil) }, reopen: { $0 })
    }

    @Test(
        arguments: isFullTest ? Flaw.allCases : [.countsDuplicates, .hasNoLimit, .losesEverythingOnReopening])
    func aFlawIsFound(flaw: Flaw) throws {
        let counted = Mutex(0)
        try withKnownIssue {
            try checkBlockStoreConformance(makeStore: { PlainStore(flaw: flaw) }) {
                flaw == .losesEverythingOnReopening ? PlainStore(flaw: flaw) : $0
            }
        } matching: { _ in
            counted.withLock { $0 += 1 }
            return true
        }
        #expect(counted.withLock { $0 } > 0)
    }
}

private final class PlainStore: BlockStore {
    struct TooLarge: Error {}
    private let blocks = Mutex<[Multihash: [UInt8]]>([:])
    private let flaw: BlockStoreConformanceTests.Flaw?

    init(flaw: BlockStoreConformanceTests.Flaw?) { self.flaw = flaw }

    func size(of cid: CID) throws -> Int? { try block(cid)?.bytes.count }

    func block(_ cid: CID) throws -> Block? {
        if cid.isIdentity { return Block(cid: cid, bytes: cid.multihash.digest) }
        guard let bytes = blocks.withLock({ $0[cid.multihash] }) else { return nil }
        let answered = flaw == .forgetsTheCodecAskedFor ? CID(codec: .raw, multihash: cid.multihash) : cid
        return Block(cid: answered, bytes: flaw == .cutsAByteOff ? bytes.dropLast() : bytes)
    }

    func blocks(_ cids: [CID]) throws -> [Block?] {
        let found = try cids.map { try block($0) }
        return flaw == .mixesUpTheOrder ? found.reversed() : found
    }

    func put(_ views: [BlockView], scope: ScopeMarks) throws -> PutSummary {
        if flaw != .hasNoLimit, views.contains(where: { $0.bytes.count > Block.hardMaximumBytes }) {
            throw TooLarge()
        }
        var summary = PutSummary()
        for view in flaw == .losesTheLastOfABatch ? views.dropLast() : views[...] {
            let isNew = blocks.withLock {
                $0.updateValue([UInt8](view.bytes), forKey: view.cid.multihash) == nil
                    && (flaw == .storesIdentity || !view.cid.isIdentity)
            }
            if isNew || flaw == .countsDuplicates {
                summary.newBlocks += 1
                summary.newBytes += Int64(view.bytes.count)
            } else {
                summary.knownBlocks += 1
                summary.knownBytes += Int64(view.bytes.count)
            }
        }
        return summary
    }

    func commit() throws {}
}
