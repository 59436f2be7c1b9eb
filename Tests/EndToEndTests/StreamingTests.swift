import Foundation
import TestKit
import Testing

/// A large file that is on the other side about when its upload ends: the real program at both ends, and a
/// node between.
@Suite(.serialized) struct StreamingTests {
    private static let mebibyte = 1 << 20
    private static let settings = ["NACRE_DEVICES_INFLIGHT_SECONDS": "3"]

    private let directory: TemporaryDirectory
    private let nacre: NacreProcess

    init() throws {
        directory = try TemporaryDirectory(in: TemporaryDirectory.fastParent)
        nacre = NacreProcess(data: directory.path("data"))
    }

    /// A folder on a machine of its own.
    private final class Device {
        let folder: String
        let nacre: NacreProcess
        private(set) var running: RunningNacre?

        init(_ name: String, _ directory: TemporaryDirectory, _ nacre: NacreProcess) throws {
            folder = directory.path(name)
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            var nacre = nacre
            nacre.environment["NACRE_SYNC_HOME"] = directory.path(name + "-home")
            self.nacre = nacre
        }

        func start(_ options: String...) throws {
            running = try RunningNacre(nacre, ["sync", folder, "stream", "--interactive"] + options)
        }

        func stop(_ signal: Int32 = SIGTERM) throws {
            running?.signal(signal)
            _ = try running?.end()
            running = nil
        }

        /// What `nacre sync status` says.
        func status() throws -> [String: Any] {
            let text = try nacre.run("sync", "status", "--json").output
            return (try? JSONSerialization.jsonObject(with: Data(text))) as? [String: Any] ?? [:]
        }

        func count(_ name: String) throws -> Int {
            (try status()["counters"] as? [String: Any])?[name] as? Int ?? 0
        }

        func waitUntil(_ what: Comment, _ isSo: (Device) throws -> Bool) throws {
            let running = try #require(running)
            try running.wait(what) { try isSo(self) }
        }

        func settle() throws {
            try waitUntil("it is settled") { try $0.status()["state"] as? String == "settled" }
        }

        var names: [String] {
            (try? FileManager.default.contentsOfDirectory(atPath: folder))?.filter { $0 != ".nacre" } ?? []
        }

        /// Bytes that were read ahead and are on the disk.
        var prefetched: Int {
            let path = folder + "/.nacre/prefetch"
            let files = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
            return files.reduce(0) { sum, name in
                let size = try? FileManager.default.attributesOfItem(atPath: path + "/" + name)[.size]
                return sum + (size as? Int ?? 0)
            }
        }
    }

    private func head() throws -> Int {
        let shown = try nacre.run("ns", "show", "stream", "--json").output
        let value = try #require(try JSONSerialization.jsonObject(with: Data(shown)) as? [String: Any])
        return try #require((value["head"] as? Int) ?? (value["head"] as? String).flatMap { Int($0) })
    }

    private func content(_ kind: String) -> Data {
        guard kind == "text" else { return Data(SeededRandom.bytes(seed: 11, count: 64 * Self.mebibyte)) }
        var random = SeededRandom(seed: 12)
        var text: [UInt8] = []
        while text.count < 24 * Self.mebibyte {
            text += Array("\(text.count): \(random.next()) and \(random.next())\n".utf8)
        }
        return Data(text)
    }

    @Test(arguments: ["image", "text"])
    func aFileIsReadWhileItIsSentAndIsThereSoonAfter(kind: String) throws {
        let node = try ServedNode(nacre)
        let content = content(kind)
        let (a, b) = (try Device("a", directory, nacre), try Device("b", directory, nacre))
        try b.start()
        try b.settle()
        let kibibytes = content.count / 1024 / 10
        try a.start("--up", "\(kibibytes)")
        try a.settle()
        try content.write(to: URL(fileURLWithPath: a.folder + "/large"))
        // Most of it is there before there is an entry, and nothing of it in the folder.
        try b.waitUntil("most is read ahead") { try $0.count("prefetchedBytes") > content.count * 6 / 10 }
        #expect(try head() == 0 && b.names.isEmpty && b.count("bytesReceived") == 0)
        try b.waitUntil("the file is there") { $0.names == ["large"] }
        #expect(try Data(contentsOf: URL(fileURLWithPath: b.folder + "/large")) == content)
        try b.settle()
        let (received, used) = (try b.count("bytesReceived"), try b.count("prefetchedBytesUsed"))
        #expect(received + used == content.count)
        #expect(received < content.count * 3 / 10, "what came after the commit")
        #expect(try head() == 1 && b.prefetched == 0)
        try a.stop()
        try b.stop()
        try node.stop()
    }

    @Test func anUploadThatEndsHalfwayLeavesNothingAndAnotherDeviceFinishesIt() throws {
        let node = try ServedNode(nacre, settings: Self.settings)
        let content = content("image")
        let (a, b, c) = (
            try Device("a", directory, nacre), try Device("b", directory, nacre),
            try Device("c", directory, nacre)
        )
        try b.start()
        try b.settle()
        try a.start("--up", "4096")
        try a.settle()
        try content.write(to: URL(fileURLWithPath: a.folder + "/large"))
        try b.waitUntil("some is read ahead") { try $0.count("prefetchedBytes") > 8 * Self.mebibyte }
        try a.stop(SIGKILL)
        #expect(try head() == 0 && b.names.isEmpty && b.prefetched > 8 * Self.mebibyte)
        try b.waitUntil("what was read ahead is gone") { $0.prefetched == 0 }
        #expect(try head() == 0 && b.names.isEmpty && b.status()["state"] as? String == "settled")

        try content.write(to: URL(fileURLWithPath: c.folder + "/large"))
        try c.start()
        try b.waitUntil("the file is there") { $0.names == ["large"] }
        #expect(try Data(contentsOf: URL(fileURLWithPath: b.folder + "/large")) == content)
        try c.settle()
        #expect(try c.count("bytesSent") < content.count - 8 * Self.mebibyte, "a part was here")
        // Who was killed finds it done.
        try a.start("--up", "0")
        try a.settle()
        #expect(try a.names == ["large"] && head() == 1)
        for device in [a, b, c] { try device.stop() }
        try node.stop()
    }

    @Test func aFolderThatOnlySendsOrIsPausedOrDoesNotWantToReadsNothingAhead() throws {
        let node = try ServedNode(nacre)
        let content = content("image")
        let (a, b, c) = (
            try Device("a", directory, nacre), try Device("b", directory, nacre),
            try Device("c", directory, nacre)
        )
        let d = try Device("d", directory, nacre)
        try b.start("--mode", "push-only")
        try c.start("--prefetch", "0")
        try d.start()
        for device in [b, c, d] { try device.settle() }
        #expect(try d.nacre.run("sync", "pause", d.folder).status == 0)
        try d.waitUntil("it is paused") { try $0.status()["state"] as? String == "paused" }
        try content.write(to: URL(fileURLWithPath: a.folder + "/large"))
        try a.start("--up", "16384")
        try c.waitUntil("the file is there") { $0.names == ["large"] }
        try c.settle()
        #expect(try c.count("bytesReceived") == content.count && c.count("prefetchedBytes") == 0)
        #expect(try b.names.isEmpty && b.count("prefetchedBytes") == 0 && b.prefetched == 0)
        #expect(try d.names.isEmpty && d.count("prefetchedBytes") == 0)
        #expect(try d.nacre.run("sync", "resume", d.folder).status == 0)
        try d.waitUntil("the file is there") { $0.names == ["large"] }
        for device in [a, b, c, d] { try device.stop() }
        try node.stop()
    }

    /// What an earlier run left is removed, also where it was killed.
    @Test func aReaderThatIsKilledLeavesNothingThatGrows() throws {
        let node = try ServedNode(nacre)
        let content = content("image")
        let (a, b) = (try Device("a", directory, nacre), try Device("b", directory, nacre))
        try b.start()
        try b.settle()
        try a.start("--up", "8192")
        try a.settle()
        try content.write(to: URL(fileURLWithPath: a.folder + "/large"))
        try b.waitUntil("some is read ahead") { try $0.count("prefetchedBytes") > 4 * Self.mebibyte }
        try b.stop(SIGKILL)
        #expect(b.prefetched > 4 * Self.mebibyte)
        try b.start()
        try b.waitUntil("the file is there") { $0.names == ["large"] }
        #expect(try Data(contentsOf: URL(fileURLWithPath: b.folder + "/large")) == content)
        try b.settle()
        #expect(b.prefetched == 0)
        let trash = FileManager.default.enumerator(atPath: b.folder + "/.nacre/trash")
        #expect(trash?.nextObject() == nil)
        try a.stop()
        try b.stop()
        try node.stop()
    }
}
