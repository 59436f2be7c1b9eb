import Foundation
import TestKit
import Testing

@Suite struct TemporaryDirectoryTests {
    @Test func goesWithItsLastReference() throws {
        var directory: TemporaryDirectory? = try TemporaryDirectory()
        let path = try #require(directory).path
        try directory?.write([1, 2, 3], to: "a/b")
        #expect(try directory?.read("a/b") == [1, 2, 3])
        directory = nil
        #expect(!FileManager.default.fileExists(atPath: path))
    }
}
