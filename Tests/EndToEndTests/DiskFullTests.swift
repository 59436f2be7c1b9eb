import Foundation
import TestKit
import Testing

/// A full disk is met before it bites: writing stops, everything else goes on.
@Suite struct DiskFullTests {
    @Test func addStopsAndReadingRemovingAndCollectingGoOn() throws {
        guard let disk = try SmallDisk(mebibytes: 128) else { return }
        var nacre = NacreProcess(data: disk.path + "/data")
        nacre.environment = ["NACRE_STORE_RESERVE": "16MiB", "NACRE_IMPORT_THREADS": "1"]
        let directory = try TemporaryDirectory(in: TemporaryDirectory.fastParent)
        let kept = SeededRandom.bytes(seed: 1, count: 6_000_000)
        try directory.write(kept, to: "kept")
        try directory.write(SeededRandom.bytes(seed: 2, count: 40_000_000), to: "gone")
        try directory.write(SeededRandom.bytes(seed: 3, count: 128 << 20), to: "large")
        let root = try #require(try nacre.run("add", "-Q", directory.path("kept")).lines.last)
        let gone = try #require(try nacre.run("add", "-Q", directory.path("gone")).lines.last)

        let full = try nacre.run("add", directory.path("large"))
        #expect(full.status == 1, "\(full.errors)")
        #expect(full.output.isEmpty)
        for word in ["bytes are needed", "free", "nacre gc"] { #expect(full.errors.contains(word)) }
        #expect(try disk.freeBytes() >= 16 << 20, "the reserve is left alone")

        #expect(try nacre.run("cat", root).output == kept)
        #expect(try nacre.run("ls", gone).status == 0)
        #expect(try nacre.run("pin", "rm", gone).status == 0)
        let collected = try nacre.run("gc", "--grace", "0")
        #expect(collected.status == 0, "\(collected.errors)")
        #expect(try disk.freeBytes() > 90 << 20)
        #expect(try nacre.run("verify").status == 0)
        let again = try nacre.run("add", "-Q", directory.path("gone"))
        #expect(again.status == 0, "\(again.errors)")
        #expect(again.lines == [gone])
        #expect(try nacre.run("cat", root).output == kept)
    }

    /// Others filled the disk to the last byte: changes are refused (507), reading goes on, and a node that is
    /// started again starts, more than once, and takes changes when there is room.
    @Test func aNodeOnADiskThatOthersFilledServesAndStartsAgain() throws {
        guard let disk = try SmallDisk(mebibytes: 128) else { return }
        var nacre = NacreProcess(data: disk.path + "/data")
        nacre.environment = ["NACRE_STORE_RESERVE": "1MiB"]
        let directory = try TemporaryDirectory(in: TemporaryDirectory.fastParent)
        try directory.write(Array("hello".utf8), to: "small")
        let root = try #require(try nacre.run("add", "-Q", directory.path("small")).lines.last)
        #expect(try nacre.run("ns", "create", "docs").status == 0)
        var served = try ServedNacre(nacre)
        let token = try String(contentsOfFile: disk.path + "/data/secrets/admin-token", encoding: .utf8)
            .trimmingCharacters(in: .whitespacesAndNewlines)
        let fields = "Authorization: Bearer \(token)\nX-Device-Id: laptop\n"
        let description = try served.get("/sync/v1/ns/docs", fields)
        let parent = try #require(description.firstMatch(of: /"root":"([0-9A-Z]{26})"/)?.1)
        let epoch = try #require(description.firstMatch(of: /"epoch":"(-?[0-9]+)"/)?.1)
        func post(_ path: String, _ body: String) throws -> String {
            try served.request(
                "POST \(path) HTTP/1.1\nHost: 127.0.0.1\nConnection: close\n\(fields)"
                    + "Content-Type: application/json\nContent-Length: \(body.utf8.count)\n\n" + body)
        }
        func makeDirectory(_ number: Int) throws -> String {
            try post(
                "/sync/v1/ns/docs/commit",
                #"{"base_epoch":"\#(epoch)","ops":[{"op":"mkdir","op_id":"01K5V2M9C3X4Q7Y8Z6W1T0R5N\#(number)","#
                    + #""nid":"01K5V2M9C3X4Q7Y8Z6W1T0R5M\#(number)","parent":"\#(parent)","#
                    + #""name":"d\#(number)","mtime_ns":"1"}]}"#)
        }
        #expect(try makeDirectory(1).hasPrefix("HTTP/1.1 200"))

        for round in 0..<3 {
            try disk.fill()
            #expect(try served.get("/ipfs/\(root)").hasSuffix("hello"), "round \(round)")
            #expect(try served.get("/sync/v1/ns/docs", fields).hasPrefix("HTTP/1.1 200"))
            // What the log of the catalog has room for already goes through.
            var refused = ""
            for number in 2...9 where refused.isEmpty {
                let answer = try makeDirectory(number)
                if !answer.hasPrefix("HTTP/1.1 200") { refused = answer }
            }
            #expect(refused.hasPrefix("HTTP/1.1 507"), "\(refused)")
            #expect(refused.contains("insufficient_storage") && refused.contains("add disk"), "\(refused)")
            let made = try post("/api/v1/namespaces", #"{"name":"other"}"#)
            #expect(made.hasPrefix("HTTP/1.1 507") && made.contains("storage-full"), "\(made)")
            let ready = try served.get("/health/ready")
            #expect(ready.hasPrefix("HTTP/1.1 503") && ready.contains("add disk"), "\(ready)")
            served.running.signal(SIGKILL)
            _ = try served.running.end()
            // It names the address of the node that was killed.
            try FileManager.default.removeItem(atPath: disk.path + "/data/LOCK")
            try disk.fill()
            served = try ServedNacre(nacre)
        }
        try disk.empty()
        #expect(try makeDirectory(9).hasPrefix("HTTP/1.1 200"))
        #expect(try served.get("/health/ready").hasPrefix("HTTP/1.1 200"))
        try served.end()
    }

    @Test func getOnAFullDiskSaysSoAndLeavesNothingUnderTheName() throws {
        guard let disk = try SmallDisk(mebibytes: 8) else { return }
        let directory = try TemporaryDirectory(in: TemporaryDirectory.fastParent)
        let nacre = NacreProcess(data: directory.path("data"))
        try directory.write(SeededRandom.bytes(seed: 4, count: 12_000_000), to: "large")
        let root = try #require(try nacre.run("add", "-Q", directory.path("large")).lines.last)
        for arguments in [["get", root], ["get", root, "--archive", "tar"], ["car", "export", root]] {
            let got = try nacre.run(arguments + ["-o", disk.path + "/out"])
            #expect(got.status != 0, "\(arguments)")
            #expect(got.errors.contains("No space left"), "\(got.errors)")
            #expect(!FileManager.default.fileExists(atPath: disk.path + "/out"), "\(arguments)")
            for left in try FileManager.default.contentsOfDirectory(atPath: disk.path) {
                try FileManager.default.removeItem(atPath: disk.path + "/" + left)
            }
        }
    }
}

/// A file system of few bytes, in memory; gone with the last reference.
private final class SmallDisk {
    private let directory: TemporaryDirectory
    var path: String { directory.path }

    /// - Returns: `nil`, with a printed reason, where mounting is not permitted.
    init?(mebibytes: Int) throws {
        directory = try TemporaryDirectory()
        let mounted = try Tool.run(
            "mount", "-t", "tmpfs", "-o", "size=\(mebibytes)m", "tmpfs", directory.path)
        guard mounted.status == 0 else {
            print("skipped, since no small file system can be mounted here: \(mounted.output)")
            return nil
        }
    }

    deinit { _ = try? Tool.run("umount", "-l", directory.path) }

    /// Fills it to the last byte.
    func fill() throws {
        let descriptor = open(path + "/ballast", O_WRONLY | O_CREAT | O_APPEND, 0o600)
        guard descriptor >= 0 else { throw POSIXFailure(code: errno) }
        defer { close(descriptor) }
        let page = [UInt8](repeating: 1, count: 4096)
        while write(descriptor, page, page.count) > 0 {}
    }

    /// Takes away what filled it.
    func empty() throws { try FileManager.default.removeItem(atPath: path + "/ballast") }

    func freeBytes() throws -> Int64 {
        var status = statvfs()
        guard statvfs(path, &status) == 0 else { throw POSIXFailure(code: errno) }
        return Int64(status.f_bavail) * Int64(status.f_frsize)
    }
}
