import SyncProtocol
import Testing

@testable import SyncClient

/// A large file of which a part was received: the rest is received, and no more.
@Suite struct ResumeTests {
    private static let window = 16 * 1024
    private static let text = (0..<20_000).map { "line \($0) of a large file\n" }.joined()

    /// A pair in which `here` has received some of a large file when the node goes away.
    private func makePair() throws -> TwoDevices {
        let pair = try TwoDevices { $0.windowBytes = Self.window }
        try pair.there.write(Self.text, to: "large")
        try pair.there.synchronize()
        pair.here.server.set(retrievesLeft: 30)
        try pair.here.synchronize()
        pair.here.server.set(retrievesLeft: nil)
        let received = pair.here.server.retrievedBytes
        try #require(received > 50_000 && received < Self.text.utf8.count / 2, "\(received) bytes came")
        return pair
    }

    /// Files in the making.
    private func fragments(_ pair: TwoDevices) throws -> [String] {
        try pair.here.disk.asUser { disk throws(FileError) in
            try FolderEntry.tree(of: disk, below: OwnDirectory.temporary)
        }.filter { $0.value != [.directory] }.keys.sorted()
    }

    /// Of a window in which the node goes away, nothing is written; a window ends with the leaf that fills it.
    private func expectReceived(_ pair: TwoDevices, interruptions: Int) {
        let again = pair.here.server.retrievedBytes - Self.text.utf8.count
        #expect(again >= 0 && again < interruptions * 2 * Self.window, "\(again) bytes came twice")
    }

    @Test(arguments: [false, true])
    func eachLeafIsReceivedOnce(isKilled: Bool) throws {
        let pair = try makePair()
        #expect(try fragments(pair).count == 1)
        #expect(try pair.files(pair.here).isEmpty)
        if isKilled { pair.here.stop() }
        try pair.settle()
        #expect(try pair.files(pair.here) == ["large": Self.text])
        expectReceived(pair, interruptions: 1)
        #expect(try fragments(pair).isEmpty)
        #expect(try pair.here.trash().isEmpty)
    }

    @Test func eachLeafIsReceivedOnceHoweverOftenItIsKilled() throws {
        let pair = try makePair()
        for _ in 0..<4 {
            pair.here.stop()
            pair.clock.advance(milliseconds: 4_000_000)
            pair.here.server.set(retrievesLeft: 20)
            try pair.here.synchronize()
        }
        pair.here.server.set(retrievesLeft: nil)
        try pair.settle()
        #expect(try pair.files(pair.here) == ["large": Self.text])
        expectReceived(pair, interruptions: 5)
        #expect(try fragments(pair).isEmpty)
        #expect(try pair.here.trash().isEmpty)
    }

    @Test func aNewVersionOfAFileIsGoneOnWithAndTheOldOneGoesToTheTrash() throws {
        let pair = try TwoDevices { $0.windowBytes = Self.window }
        try pair.there.write("old", to: "large")
        try pair.settle()
        try pair.there.write(Self.text, to: "large")
        try pair.there.synchronize()
        pair.here.server.set(retrievesLeft: 30)
        try pair.here.synchronize()
        pair.here.server.set(retrievesLeft: nil)
        #expect(try pair.files(pair.here) == ["large": "old"])
        pair.here.stop()
        try pair.settle()
        #expect(try pair.files(pair.here) == ["large": Self.text])
        expectReceived(pair, interruptions: 1)
        #expect(try pair.here.trash() == ["old"])
        #expect(try fragments(pair).isEmpty)
    }

    @Test func whatIsNotWhatItShouldBeIsReceivedAgain() throws {
        let pair = try makePair()
        let name = try #require(try fragments(pair).first)
        try pair.here.disk.asUser { disk throws(FileError) in
            let path = OwnDirectory.temporary + "/" + name
            // In the middle of what came, and a part of a leaf at its end.
            try [UInt8](repeating: 0, count: 10).span.bytes.withUnsafeBytes { (bytes) throws(FileError) in
                try disk.write(bytes, to: path, at: 20_000)
                try disk.write(bytes, to: path, at: try disk.status(path)?.size ?? 0)
            }
        }
        pair.here.stop()
        try pair.settle()
        #expect(try pair.files(pair.here) == ["large": Self.text])
        let again = pair.here.server.retrievedBytes - Self.text.utf8.count
        #expect(again > 0 && again < 50_000, "\(again) bytes came twice")
    }

    @Test func moreThanTheFileHasIsNotWrittenTo() throws {
        let pair = try makePair()
        let name = try #require(try fragments(pair).first)
        let own = Self.text + "and what somebody wrote\n"
        try pair.here.write(own, to: OwnDirectory.temporary + "/" + name)
        pair.here.stop()
        try pair.settle()
        #expect(try pair.files(pair.here) == ["large": Self.text])
        #expect(try pair.here.trash() == [own])
    }

    @Test(arguments: [false, true])
    func whatNobodyWantsAnyMoreGoesToTheTrash(isKilled: Bool) throws {
        let pair = try makePair()
        if isKilled { pair.here.stop() }
        try pair.there.remove("large")
        try pair.there.synchronize()
        try pair.settle()
        #expect(try pair.files(pair.here).isEmpty)
        #expect(try fragments(pair).isEmpty)
        let trash = try pair.here.trash()
        #expect(trash.count == 1 && trash.allSatisfy { Self.text.hasPrefix($0) && $0.utf8.count > 50_000 })
    }
}
