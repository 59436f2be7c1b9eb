import BlockStorage
import Catalog
import Foundation
import Glibc
import Multiformats
import NodeCore
import Synchronization
import TestKit
import Testing

/// Everything at once for a while: adds, reads of every kind, clients that leave, publishing and taking back,
/// unpinning, garbage collections. Every body has to be right, what is not public has to be absent, and
/// neither memory nor descriptors may grow.
///
/// 15 seconds, or `NACRE_SOAK_SECONDS` (`make soak`: an hour).
@Suite(.serialized) struct SoakTests {
    private static let seconds =
        ProcessInfo.processInfo.environment["NACRE_SOAK_SECONDS"].flatMap { Int($0) } ?? 15

    @Test func nothingGrowsAndEveryBodyIsRight() async throws {
        try await ServerLaboratory.serve { laboratory in
            let watch = ResourceWatch(duration: .seconds(Self.seconds))
            try await withThrowingTaskGroup(of: Void.self) { group in
                for seed in 1...4 {
                    group.addTask {
                        try await laboratory.connect { first in
                            var worker = SoakWorker(laboratory, seed: UInt64(seed), first)
                            while watch.goesOn { try worker.step() }
                            try worker.finish()
                        }
                    }
                }
                group.addTask {
                    try await laboratory.onThread {
                        while watch.goesOn {
                            // With everything else under way, and nothing spared for its age.
                            _ = try laboratory.node.collectGarbage(
                                CollectionOptions(grace: .zero, maximumUnusedShare: 0.3))
                            watch.pause(.seconds(1))
                        }
                    }
                }
                group.addTask { try await laboratory.onThread { watch.sample() } }
                try await group.waitForAll()
            }
            watch.expectFlat()
            let report = try laboratory.node.verify()
            #expect(report.isClean, "\(report.storage) \(report.catalog)")
        }
    }
}

/// One client with files of its own, of which it knows what everybody may see of them.
private struct SoakWorker {
    private struct File {
        let root: CID
        let bytes: [UInt8]
        let pin: Pin
        var isPublic: Bool
    }

    private let laboratory: ServerLaboratory
    private let seed: UInt64
    private var random: SeededRandom
    private var connection: HTTPConnection
    private var files: [File] = []
    private var added = 0

    init(_ laboratory: ServerLaboratory, seed: UInt64, _ connection: HTTPConnection) {
        self.laboratory = laboratory
        self.seed = seed
        self.connection = connection
        random = SeededRandom(seed: seed)
    }

    mutating func step() throws {
        guard !files.isEmpty else { return try add() }
        let index = random.number(0..<files.count)
        switch random.number(0..<100) {
        case 0..<3: if files.count < 12 { try add() }
        case 3..<6: try toggle(index)
        case 6..<8: try remove(index)
        case 8..<11: try leaveEarly(files[index])
        case 11..<20: try readCAR(files[index])
        case 20..<40: try readRange(files[index])
        default: try read(files[index])
        }
    }

    /// Reads everything once more, and takes it away.
    mutating func finish() throws {
        for file in files { try read(file) }
        while !files.isEmpty { try remove(0) }
    }

    private mutating func add() throws {
        added += 1
        var content = SeededRandom(seed: seed << 32 + UInt64(added))
        let bytes = content.bytes(random.pick([1, 1000, 1000, 70_000, 300_000, 1_500_000, 4_000_000]))
        let lease = try laboratory.node.beginLease()
        defer { lease.end() }
        let root = try laboratory.add(bytes)
        let pin = try #require(
            try laboratory.node.catalog.pins.list(PinFilter(root: root)).pins.first, "it was just pinned")
        files.append(File(root: root, bytes: bytes, pin: pin, isPublic: true))
    }

    private mutating func toggle(_ index: Int) throws {
        files[index].isPublic.toggle()
        _ = try laboratory.node.setVisibility(
            files[index].isPublic ? .public : .private, of: files[index].pin)
        try read(files[index])
    }

    private mutating func remove(_ index: Int) throws {
        let file = files.remove(at: index)
        try laboratory.node.catalog.pins.remove(file.pin.id)
    }

    private mutating func leaveEarly(_ file: File) throws {
        connection.send(HTTPConnection.request("/ipfs/\(file.root)\(random.oneIn(2) ? "?format=car" : "")"))
        connection = try HTTPConnection(port: laboratory.port, receiveBuffer: random.oneIn(2) ? 4096 : 0)
    }

    private func read(_ file: File) throws {
        let answer = try connection.get("/ipfs/\(file.root)")
        guard file.isPublic else {
            try #require(answer.status == 404, "what is not public is not there: seed \(seed)")
            return
        }
        try #require(answer.status == 200 && answer.isWhole && answer.body == file.bytes, "seed \(seed)")
    }

    private mutating func readRange(_ file: File) throws {
        let lower = random.number(0..<file.bytes.count)
        let upper = random.number(lower..<file.bytes.count)
        let answer = try connection.get("/ipfs/\(file.root)", "Range: bytes=\(lower)-\(upper)\r\n")
        guard file.isPublic else { return try #require(answer.status == 404) }
        try #require(answer.status == 206 && answer.body == Array(file.bytes[lower...upper]), "seed \(seed)")
    }

    private func readCAR(_ file: File) throws {
        let answer = try connection.get("/ipfs/\(file.root)?format=car")
        guard file.isPublic else { return try #require(answer.status == 404) }
        try #require(answer.status == 200 && answer.isWhole && answer.body.count > file.bytes.count)
    }
}

/// Looks at memory and descriptors of this process from time to time.
private final class ResourceWatch: Sendable {
    private struct Sample {
        let bytes: Int
        let descriptors: Int
    }

    private let end: ContinuousClock.Instant
    private let interval: Duration
    private let samples = Mutex<[Sample]>([])

    init(duration: Duration) {
        end = .now + duration
        interval = duration / 60
    }

    var goesOn: Bool { .now < end }

    func pause(_ duration: Duration) {
        usleep(useconds_t(min(duration, .seconds(1)) / .microseconds(1)))
    }

    func sample() {
        while goesOn {
            if let sample = Self.now() { samples.withLock { $0.append(sample) } }
            pause(interval)
        }
    }

    /// The first third is for warming up; the last one is to be no higher than the middle.
    func expectFlat() {
        let samples = samples.withLock { $0 }
        guard samples.count >= 30 else { return }
        let third = samples.count / 3
        func highest(_ part: ArraySlice<Sample>, _ figure: (Sample) -> Int) -> Int {
            part.map(figure).max() ?? 0
        }
        let (middle, last) = (samples[third..<2 * third], samples[(2 * third)...])
        let (before, after) = (highest(middle, \.bytes), highest(last, \.bytes))
        #expect(after <= before + before / 4 + 32 * 1024 * 1024, "\(before) bytes, then \(after)")
        let descriptors = (highest(middle, \.descriptors), highest(last, \.descriptors))
        #expect(descriptors.1 <= descriptors.0 + 32, "\(descriptors.0) descriptors, then \(descriptors.1)")
    }

    private static func now() -> Sample? {
        guard let status = try? String(contentsOfFile: "/proc/self/status", encoding: .utf8),
            let line = status.split(separator: "\n").first(where: { $0.hasPrefix("RssAnon:") }),
            let kibibytes = line.split(whereSeparator: { !$0.isNumber }).first.flatMap({ Int($0) }),
            let descriptors = try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd")
        else { return nil }
        return Sample(bytes: kibibytes * 1024, descriptors: descriptors.count)
    }
}
