import Foundation
import SyncProtocol
import Synchronization
import Testing
import TreeValues

@testable import SyncClient

/// A journal of many pages: what is read ahead, and what is done before all of it was read.
@Suite struct JournalPagesTests {
    /// Files that are made on one side: 300 entries, in pages of 100.
    private func makePair() throws -> TwoDevices {
        let pair = try TwoDevices()
        for file in 0..<300 { try pair.here.write("text \(file)", to: "\(file)") }
        try pair.here.synchronize()
        #expect(pair.server.head == 300)
        return pair
    }

    /// A machine stands at some moment, with files that have their names, and the journal not read to its end.
    @Test func filesArePlacedBeforeTheJournalWasReadToItsEnd() throws {
        for calls in 1..<1000 {
            let pair = try TwoDevices()
            try pair.there.synchronize()
            for file in 0..<300 { try pair.here.write("text \(file)", to: "\(file)") }
            try pair.here.synchronize()
            pair.there.disk.crash(afterCalls: calls)
            try pair.there.synchronize()
            pair.there.disk.crash(afterCalls: nil)
            guard let cursor = try pair.there.state.cursor(), (1..<300).contains(cursor.jid),
                try pair.there.names().count > 1
            else { continue }
            try pair.settle()
            #expect(try pair.files(pair.there) == pair.files(pair.here))
            #expect(try pair.there.names().count == 300)
            return
        }
        Issue.record("nothing was placed before the journal was read to its end")
    }

    /// A page has no more of them than may be removed without a question; all pages have.
    @Test func removalsOfManyPagesAreCountedTogether() throws {
        let pair = try makePair()
        try pair.settle()
        for file in 0..<250 { try pair.here.remove("\(file)") }
        pair.here.options.guardsRemovals = false
        pair.here.stop()
        try pair.here.synchronize()
        try pair.settle()
        #expect(pair.server.tree().count == 50)
        #expect(try pair.there.names().count == 300)
        #expect(pair.there.engine?.status.removalsToConfirm == 250)
    }

    // MARK: Reading ahead

    private static func page(_ number: Int, of count: Int) -> ListAnswer {
        ListAnswer(
            entries: [], cursor: SyncCursor(epoch: 1, jid: JID(number), text: "\(number)"),
            hasMore: number < count)
    }

    @Test(arguments: [1, 2, 9, 50]) func pagesComeInOrderAndNoMoreThanMayWait(count: Int) throws {
        let asked = Mutex(0)
        let pages = JournalPages(after: nil, start: { $0() }) { cursor throws(SyncServerError) in
            #expect(cursor.map { Int($0.jid) } ?? 0 == asked.withLock { $0 })
            return Self.page(
                asked.withLock { asked in
                    asked += 1
                    return asked
                }, of: count)
        }
        for number in 1...count {
            #expect(try pages.next() == Self.page(number, of: count))
            #expect(asked.withLock { $0 } == min(number + JournalPages.maximumAhead, count))
        }
        pages.end()
    }

    @Test func anErrorComesAfterThePagesBeforeIt() throws {
        let pages = JournalPages(after: nil, start: { $0() }) { cursor throws(SyncServerError) in
            if cursor?.jid == 2 { throw .resetRequired }
            return Self.page(Int(cursor?.jid ?? 0) + 1, of: 9)
        }
        #expect(try pages.next() == Self.page(1, of: 9))
        #expect(try pages.next() == Self.page(2, of: 9))
        #expect(throws: SyncServerError.resetRequired) { try pages.next() }
        pages.end()
    }

    @Test func nothingIsUnderWayAfterItsEnd() throws {
        let calls = Mutex(0)
        let pages = JournalPages(after: nil, start: { body in Thread.detachNewThread(body) }) {
            cursor throws(SyncServerError) in
            calls.withLock { $0 += 1 }
            Thread.sleep(forTimeInterval: 0.02)
            calls.withLock { $0 -= 1 }
            return Self.page(Int(cursor?.jid ?? 0) + 1, of: 1000)
        }
        _ = try pages.next()
        pages.end()
        #expect(calls.withLock { $0 } == 0)
    }
}
