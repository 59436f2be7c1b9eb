import Foundation
import TestKit
import Testing

/// The real program, killed at random moments of a mixed load; afterwards everything it had printed is there,
/// and `verify` finds nothing wrong.
@Suite(.serialized) struct KillTests {
    @Test(arguments: SeededRandom.seeds(1))
    func whatWasPrintedSurvivesKills(seed: UInt64) throws {
        let wanted = scaled(5, full: 300)
        var load = try MixedLoad(seed: seed)
        var rounds = 0
        // Some processes are done before they are killed: those do not count.
        while load.kills < wanted, rounds < 10 * wanted {
            try load.killedRound()
            rounds += 1
            if rounds % 10 == 9 { try load.checkEverything() }
        }
        try load.checkEverything()
        #expect(load.kills == wanted, "only \(load.kills) of \(rounds) rounds were killed at work")
    }
}

/// Adds, removals and collections on one data directory, and what must be true after them.
private struct MixedLoad {
    private var random: SeededRandom
    private let directory: TemporaryDirectory
    private let nacre: NacreProcess
    /// Content of every file whose CID was printed and whose root may not have been removed.
    private var kept: [String: [UInt8]] = [:]
    private var pinned: [String: [String]] = [:]
    private var serial = 0
    /// How long a process may live, in microseconds: some more than an undisturbed one of its kind takes here.
    private var longestLife: UInt32 = 0
    private(set) var kills = 0

    init(seed: UInt64) throws {
        random = SeededRandom(seed: seed)
        directory = try TemporaryDirectory()
        nacre = NacreProcess(data: directory.path("data"))
        try Data(random.bytes(5_000_000)).write(to: URL(fileURLWithPath: directory.path("first")))
        let start = ContinuousClock.now
        #expect(try nacre.run("add", directory.path("first")).status == 0)
        let life = (ContinuousClock.now - start) / Duration.microseconds(1)
        longestLife = UInt32(min(max(life * 1.5, 20_000), 1_000_000))
    }

    mutating func killedRound() throws {
        switch random.number(0..<6) {
        case 0: try removeOne()
        case 1: _ = try runAndKill(["gc", "--grace", "0"])
        default: try addSome()
        }
    }

    private mutating func addSome() throws {
        serial += 1
        let folder = directory.path("in-\(serial)")
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        var contents: [String: [UInt8]] = [:]
        for index in 0..<random.number(1...120) {
            let size = random.oneIn(25) ? random.number(0...6_000_000) : random.number(0...4000)
            contents["f\(index)"] = random.bytes(size)
        }
        for (name, bytes) in contents { try Data(bytes).write(to: URL(fileURLWithPath: folder + "/" + name)) }
        let lines = try runAndKill(["add", folder])
        // A line is a promise: its CID is durable. The pin is one only if the root's line was printed.
        var names: [String] = []
        for line in lines {
            let parts = line.split(separator: " ", maxSplits: 1).map(String.init)
            guard parts.count == 2 else { continue }
            if let name = parts[1].split(separator: "/").dropFirst().first.map(String.init),
                let bytes = contents[name]
            {
                kept[parts[0]] = bytes
                names.append(parts[0])
            } else if parts[1] == "in-\(serial)" {
                pinned[parts[0]] = names
            }
        }
        if !pinned.values.contains(names) {
            // Not pinned: a later collection may take these away, so nothing is promised beyond the next one.
            for cid in names { kept[cid] = nil }
            try check(names.map { ($0, contents) })
        }
    }

    private mutating func removeOne() throws {
        guard pinned.count > 2, let root = pinned.keys.sorted().first else { return }
        for cid in pinned[root] ?? [] { kept[cid] = nil }
        pinned[root] = nil
        // Files that another root keeps too stay promised; random content makes that only the empty file.
        _ = try runAndKill(["pin", "rm", root])
    }

    /// Runs the program and kills it at a random moment; returns the whole lines that it printed.
    private mutating func runAndKill(_ arguments: [String]) throws -> [String] {
        let process = nacre.process(arguments)
        let output = Pipe()
        process.standardOutput = output
        process.standardError = FileHandle.nullDevice
        try process.run()
        let delay = UInt32(random.number(1000...Int(longestLife)))
        let pid = process.processIdentifier
        let killer = Thread {
            usleep(delay)
            kill(pid, SIGKILL)
        }
        killer.start()
        let data = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        if process.terminationReason == .uncaughtSignal { kills += 1 }
        let text = String(decoding: data, as: UTF8.self)
        let whole = text.lastIndex(of: "\n").map { text[...$0] } ?? ""
        return whole.split(separator: "\n").map(String.init)
    }

    private func check(_ files: [(cid: String, contents: [String: [UInt8]])]) throws {
        for (cid, contents) in files.prefix(3) {
            let read = try nacre.run("cat", cid)
            let isRight = contents.values.contains(read.output)
            #expect(read.status == 0 && isRight, "\(cid): \(read.errors)")
        }
    }

    mutating func checkEverything() throws {
        let verified = try nacre.run("verify")
        #expect(verified.status == 0, "\(verified.errors)\(verified.text)")
        for (cid, bytes) in kept.sorted(by: { $0.key < $1.key }).prefix(scaled(25, full: 100)) {
            let read = try nacre.run("cat", cid)
            let isRight = read.output == bytes
            #expect(read.status == 0 && isRight, "\(cid): \(read.errors)")
        }
    }
}
