import Foundation
import Multiformats
import Testing
import TreeValues

@testable import SyncClient

@Suite struct StateSchemaTests {
    @Test func runsTwiceAndGrows() throws {
        let scratch = try ScratchFolder()
        let path = scratch.path("state")
        let first = StateSchema(steps: ["CREATE TABLE a (x)"])
        let second = StateSchema(steps: first.steps + ["CREATE TABLE b (y); INSERT INTO b VALUES (3)"])
        for schema in [first, first, second, second] {
            // A step that ran again would fail: its table is there.
            _ = try StateFile.open(path, schema: schema, cacheBytes: 65536, now: 1)
        }
        #expect(throws: SyncStateError.newerSchema(path: path, found: 2, known: 1)) {
            try StateFile.open(path, schema: first, cacheBytes: 65536, now: 1)
        }
        let other = StateSchema(steps: ["CREATE TABLE a (z)", "CREATE TABLE b (y)"])
        #expect(throws: SyncStateError.otherSchema(path: path, step: 1)) {
            try StateFile.open(path, schema: other, cacheBytes: 65536, now: 1)
        }
    }

    @Test func saysThatAFileIsNoDatabase() throws {
        let scratch = try ScratchFolder()
        try scratch.write(String(repeating: "no database ", count: 1000), "state")
        #expect {
            _ = try SQLiteSyncState(path: scratch.path("state"), root: NodeID(bits: 1))
        } throws: { error in
            if case .damaged = error as? SyncStateError { return true }
            return false
        }
    }
}
