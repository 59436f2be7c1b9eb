import Testing

@testable import SyncClient

/// What is sent while the first scan goes on.
@Suite struct EarlySendingTests {
    private static let count = 40

    private func makePair(batch: Int = 4) throws -> TwoDevices {
        let pair = try TwoDevices { $0.commitBatch = batch }
        for directory in 0..<10 {
            try pair.here.makeDirectory("\(directory)")
            for file in 0..<4 { try pair.here.write("text \(file)", to: "\(directory)/\(file)") }
        }
        return pair
    }

    private var all: [String: String] {
        var files: [String: String] = [:]
        for directory in 0..<10 {
            files["\(directory)"] = "/"
            for file in 0..<4 { files["\(directory)/\(file)"] = "text \(file)" }
        }
        return files
    }

    /// Two calls of the disk at least are for each file that is looked at: read, and compared.
    @Test func theFirstFilesAreThereBeforeTheLastWereReadHere() throws {
        for calls in 1..<2 * Self.count {
            let pair = try makePair()
            pair.here.disk.crash(afterCalls: calls)
            try pair.here.synchronize()
            pair.here.disk.crash(afterCalls: nil)
            guard pair.server.head > 0 else { continue }
            // The rest comes with the next run, and nothing twice.
            try pair.settle()
            #expect(try pair.files(pair.here) == all)
            #expect(try pair.files(pair.there) == all)
            return
        }
        Issue.record("nothing was sent before everything was read")
    }

    @Test func whatOthersMadeMeanwhileIsLeftToThePlan() throws {
        let pair = try makePair()
        try pair.there.makeDirectory("7")
        try pair.there.write("text 0", to: "7/0")
        try pair.there.write("another text", to: "7/1")
        try pair.there.synchronize()
        try pair.settle()
        var expected = all
        expected["7/1"] = "another text"
        expected["7/1 (conflict here)"] = "text 1"
        #expect(try pair.files(pair.here) == expected)
        #expect(try pair.files(pair.there) == expected)
    }

    /// A folder that only receives sends nothing, early or late.
    @Test func aFolderThatOnlyReceivesKeepsItsFiles() throws {
        let pair = try TwoDevices {
            $0.commitBatch = 4
            $0.mode = .pullOnly
        }
        for file in 0..<Self.count { try pair.here.write("text \(file)", to: "\(file)") }
        try pair.settle()
        #expect(pair.server.head == 0)
        #expect(try pair.files(pair.there) == [:])
    }
}
