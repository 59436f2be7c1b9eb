import Foundation
import Glibc
import Multiformats
import SyncProtocol
import Synchronization
import Testing
import TreeValues

@testable import SyncClient

/// Figures, not judgements: `NACRE_MEASURE=1 swift test -c release --filter Measure`.
@Suite(.serialized, .enabled(if: ProcessInfo.processInfo.environment["NACRE_MEASURE"] != nil))
struct MeasureTests {
    private func timed<Result>(_ what: String, per count: Int, _ body: () throws -> Result) rethrows -> Result
    {
        let (start, work) = (Self.seconds(CLOCK_MONOTONIC), Self.seconds(CLOCK_PROCESS_CPUTIME_ID))
        let result = try body()
        let took = Self.seconds(CLOCK_MONOTONIC) - start
        let worked = Self.seconds(CLOCK_PROCESS_CPUTIME_ID) - work
        print(
            "\(what): \(took) s, of the processor \(worked) s, \(worked / Double(count) * 1e6) us each; "
                + "most memory \(Self.peakMegabytes) MB")
        return result
    }

    private static func seconds(_ clock: clockid_t) -> Double {
        var time = timespec()
        clock_gettime(clock, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
    }

    private static var peakMegabytes: Int {
        let status = (try? String(contentsOfFile: "/proc/self/status", encoding: .utf8)) ?? ""
        let line = status.split(separator: "\n").first { $0.hasPrefix("VmHWM:") } ?? ""
        return (Int(line.filter(\.isNumber)) ?? 0) / 1024
    }

    @Test func threeRowsForEachOfManyFiles() throws {
        let scratch = try ScratchFolder()
        let state = try SQLiteSyncState(path: scratch.path("state"), root: NodeID(bits: 1))
        let count = 100_000
        let generator = NodeIDGenerator()
        var random = LocalRandom(seed: 1)
        let nodes = try (0..<count).map { number in
            let digest = random.bytes(32)
            return SyncNode(
                id: generator.next(now: 1_700_000_000_000 + Int64(number / 10)),
                parent: NodeID(bits: UInt128(2 + number / 1000)), name: "file number \(number).txt",
                kind: .file,
                content: CID(
                    codec: .raw, multihash: try Multihash(code: .sha2_256, digest: digest.span.bytes)),
                size: 1024, modified: 5, mode: 0o644, revision: Int64(number), contentRevision: Int64(number))
        }
        func stamp(_ number: Int) -> LocalStamp {
            LocalStamp(
                identity: FileIdentity(device: 1, inode: UInt64(number)), size: 1024, modified: 5, changed: 6,
                seen: 7)
        }
        try timed("local rows by the scanner", per: count) {
            for start in stride(from: 0, to: count, by: 1000) {
                try state.transaction {
                    for number in start..<(start + 1000) {
                        try state.putLocal(nodes[number], stamp: stamp(number))
                    }
                }
            }
        }
        try timed("list of unsettled ids", per: count) {
            let found = try state.unsettled(after: nil, limit: count)
            #expect(found.count == count)
        }
        try timed("remote and synced rows after a commit", per: count) {
            for start in stride(from: 0, to: count, by: 1000) {
                try state.transaction {
                    for node in nodes[start..<(start + 1000)] {
                        try state.put(node, in: .remote)
                        try state.put(node, in: .synced)
                    }
                }
            }
        }
        #expect(try state.unsettled(after: nil, limit: 10).isEmpty)
        try timed("three nodes by id", per: count) {
            let settled = try nodes.count { try state.states(of: $0.id).isSettled }
            #expect(settled == count)
        }
        try state.close()
    }

    @Test(arguments: [100_000, Int(ProcessInfo.processInfo.environment["NACRE_MEASURE_FILES"] ?? "") ?? 1000])
    func scansManyFiles(count: Int) throws {
        let (scratch, home) = (try ScratchFolder(), try ScratchFolder())
        var random = LocalRandom(seed: 1)
        for directory in 0..<(count / 1000) {
            try scratch.makeDirectory("directory \(directory)")
            for number in 0..<1000 {
                try scratch.write(random.bytes(1024), "directory \(directory)/file number \(number).txt")
            }
        }
        let clock = StillClock.afterNow(seconds: 100)
        let disk = try DiskFolder(scratch.path)
        let state = try SQLiteSyncState(path: home.path("state"), root: NodeID(bits: 1))
        let generator = NodeIDGenerator()
        var options = ScannerOptions()
        options.forEach = ScannerOptions.onAllCores
        var scanner = FolderScanner(
            fileSystem: disk, state: state, content: ContentReader(fileSystem: disk), options: options,
            makeID: { generator.next(now: clock.now / 1_000_000) }, clock: { clock.now })
        let first = try timed("first scan", per: count) { try scanner.scan(.everything) }
        #expect(first.changes == count + count / 1000)
        for _ in 0..<2 {
            let again = try timed("rescan", per: count) { try scanner.scan(.everything) }
            #expect(again.changes == 0 && again.seen == count + count / 1000)
        }
        try timed("directory that moved", per: 1) {
            try scratch.rename("directory 0", "moved")
            let changes = try scanner.scan(.paths(["directory 0", "moved"])).changes
            #expect(changes == 1)
        }
        try state.close()
    }
}
