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

    func freeBytes() throws -> Int64 {
        var status = statvfs()
        guard statvfs(path, &status) == 0 else { throw POSIXFailure(code: errno) }
        return Int64(status.f_bavail) * Int64(status.f_frsize)
    }
}
