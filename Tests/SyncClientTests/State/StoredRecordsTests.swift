import Testing
import TreeValues

@testable import SyncClient

@Suite struct StoredRecordsTests {
    @Test func keepsOperationsUntilTheyAreAnswered() throws {
        let scratch = try ScratchFolder()
        let state = try SQLiteSyncState(path: scratch.path("state"), root: NodeID(bits: 1))
        var operations = (0..<5).map { number in
            StoredOperation(
                id: OperationID(bits: UInt128(number) << 90), node: NodeID(bits: UInt128(number % 2)),
                body: [1, UInt8(number)])
        }
        for operation in operations { try state.putOperation(operation) }
        #expect(try state.operations(limit: 10) == operations)
        #expect(try state.operations(after: operations[1].id, limit: 2) == [operations[2], operations[3]])
        #expect(try state.operations(on: NodeID(bits: 1)) == [operations[1], operations[3]])
        operations[3].attempts = 2
        operations[3].error = "no connection"
        try state.putOperation(operations[3])
        try state.removeOperation(operations[1].id)
        #expect(try state.operations(on: NodeID(bits: 1)) == [operations[3]])
        try state.close()
    }

    @Test func keepsTheReasonOfAnItem() throws {
        let scratch = try ScratchFolder()
        let state = try SQLiteSyncState(path: scratch.path("state"), root: NodeID(bits: 1))
        var item = StoredItem(path: "a/b", code: "locked", message: "wait", since: 5, attempts: 1, nextTry: 9)
        try state.putItem(item)
        item.attempts = 2
        try state.putItem(item)
        let other = StoredItem(path: "a/c", code: "x", message: "y", since: 1, attempts: 0, nextTry: 0)
        try state.putItem(other)
        #expect(try state.items(limit: 5) == [item, other])
        #expect(try state.items(after: "a/b", limit: 5) == [other])
        try state.removeItem("a/b")
        #expect(try state.items(limit: 5) == [other])
        try state.close()
    }

    @Test func forgetsTheOldestEvents() throws {
        let scratch = try ScratchFolder()
        var options = SQLiteSyncState.Options()
        options.maximumEvents = 3
        options.now = { 42 }
        let state = try SQLiteSyncState(path: scratch.path("state"), root: NodeID(bits: 1), options: options)
        for number in 1...5 {
            #expect(try state.addEvent(.warning, path: "p", code: "c", message: "\(number)") == Int64(number))
        }
        #expect(try state.events(limit: 10).map(\.message) == ["3", "4", "5"])
        #expect(try state.events(limit: 1).map(\.message) == ["5"])
        #expect(try state.events(after: 4, limit: 10).map(\.time) == [42])
        try state.close()
    }
}
