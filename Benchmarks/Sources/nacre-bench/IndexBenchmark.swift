import BlockStorage
import Digests
import Foundation
import Harness
import IPLD
import Multiformats

/// What does a store of many small blocks cost: adding, opening, reading at random, memory?
enum IndexBenchmark {
    static let dyingWriter = "write-and-die"
    static let reader = "read-at-random"
    private static let blockBytes = 100
    private static let batch = 1024

    static func run(_ settings: Settings, _ report: inout Report) throws {
        let directory = settings.directory + "/index"
        try? FileManager.default.removeItem(atPath: directory)
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: directory) }
        ProcessMemory.resetPeak()
        try insert(settings.blocks, into: directory, &report)
        report.addValue(
            "index", "peak memory while adding", Double(ProcessMemory.peakBytes) / 1_048_576, unit: "MiB",
            reach: "under 256", isReached: ProcessMemory.peakBytes < 256 << 20)

        dropCaches(of: directory)
        var opened = try open(directory, "open after a clean stop, caches cold", under: 1, &report)
        try opened.close()
        opened = try open(directory, "open after a clean stop, caches warm", under: 1, &report)
        try opened.close()

        dropCaches(of: directory)
        try readInAnotherProcess(settings, directory, &report)

        try killWriter(settings, directory)
        opened = try open(directory, "open after a kill", under: 10, &report)
        guard try opened.has(content(0, cid: true).cid) else { throw BenchmarkError.wrongResult }
        try opened.close()
    }

    /// Adds blocks in batches, a commit every 64 batches, and compares the last tenth with the first.
    private static func insert(_ count: Int, into directory: String, _ report: inout Report) throws {
        let store = try PackBlockStore(directory: directory)
        let clock = ContinuousClock()
        var tenths: [Double] = []
        var number = 0
        for tenth in 1...10 {
            let start = clock.now
            let first = number
            while number < count / 10 * tenth {
                let end = min(number + batch, count / 10 * tenth)
                try put(number..<end, into: store)
                if end / batch % 64 == 0 { try store.commit() }
                number = end
            }
            try store.commit()
            tenths.append(Double(number - first) / (clock.now - start).inSeconds)
            note("    \(number) blocks: \(format(tenths[tenths.count - 1])) blocks/s")
        }
        try store.close()
        let rates = tenths.sorted()
        report.addValue("index", "add blocks of 100 bytes, median of tenths", rates[5], unit: "blocks/s")
        let fall = 100 * (1 - tenths[9] / tenths[0])
        report.addValue(
            "index", "fall of the rate from the first tenth to the last", fall, unit: "%",
            reach: "at most 15",
            isReached: fall <= 15)
    }

    private static func put(_ numbers: Range<Int>, into store: PackBlockStore) throws {
        let memory = UnsafeMutableRawBufferPointer.allocate(
            byteCount: blockBytes * numbers.count, alignment: 8)
        defer { memory.deallocate() }
        let parts = numbers.enumerated().map { index, number in
            let range = (blockBytes * index)..<(blockBytes * (index + 1))
            let part = UnsafeMutableRawBufferPointer(rebasing: memory[range])
            part.copyBytes(from: content(number))
            return UnsafeRawBufferPointer(part)
        }
        let views = zip(Multihash.sha256(of: parts), parts).map { hash, part in
            BlockView(cid: CID(codec: .raw, multihash: hash), bytes: part)
        }
        try store.put(views)
    }

    private static func content(_ number: Int) -> [UInt8] {
        var bytes = [UInt8](repeating: 0x6E, count: blockBytes)
        withUnsafeBytes(of: number.littleEndian) { bytes.replaceSubrange(0..<8, with: $0) }
        return bytes
    }

    private static func content(_ number: Int, cid: Bool) throws -> (cid: CID, bytes: [UInt8]) {
        let bytes = content(number)
        return (try CID(hashing: bytes, codec: .raw), bytes)
    }

    private static func open(
        _ directory: String, _ measure: String, under limit: Double, _ report: inout Report
    ) throws -> PackBlockStore {
        let start = ContinuousClock().now
        let store = try PackBlockStore(directory: directory)
        let seconds = (ContinuousClock().now - start).inSeconds
        report.addValue(
            "index", measure, seconds, unit: "s", reach: "under \(limit)", isReached: seconds < limit)
        return store
    }

    /// What the other process found.
    private struct Reading: Codable {
        var readsPerSecond: Double
        var readCalls: Double
        var diskBytes: Double
        /// Of the open store after the reads, above what the process had before.
        var residentBytes: Int
    }

    /// In a process of its own, whose memory nothing else has touched.
    private static func readInAnotherProcess(
        _ settings: Settings, _ directory: String, _ report: inout Report
    ) throws {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
        process.arguments = [
            reader, directory, String(settings.blocks), String(settings.isQuick ? 500 : 2000),
        ]
        let output = Pipe()
        process.standardOutput = output
        try process.run()
        let bytes = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        let reading = try JSONDecoder().decode(Reading.self, from: bytes)
        report.addValue(
            "index", "random reads, caches cold at first", reading.readsPerSecond, unit: "reads/s")
        report.addValue(
            "index", "read calls for each", reading.readCalls, unit: "calls", reach: "at most 2",
            isReached: reading.readCalls < 2.005)
        report.addValue("index", "bytes from the disk for each", reading.diskBytes / 1024, unit: "KiB")
        report.addValue(
            "index", "memory of an open store after the reads, above that of the empty process",
            Double(reading.residentBytes) / 1_048_576, unit: "MiB", reach: "under 64",
            isReached: reading.residentBytes < 64 << 20)
    }

    /// The other process: reads blocks far apart and counts what that costs.
    static func readAtRandom(_ arguments: [String]) throws {
        guard arguments.count == 3, let blocks = Int(arguments[1]), let reads = Int(arguments[2]) else {
            throw BenchmarkError.unusable("\(reader) DIRECTORY COUNT READS")
        }
        let baseline = ProcessMemory.residentBytes
        let store = try PackBlockStore(directory: arguments[0])
        var state: UInt64 = 88_172_645_463_325_252
        let (bytes, calls) = (ProcessMemory.diskReadBytes, ProcessMemory.readCalls)
        let start = ContinuousClock().now
        for _ in 0..<reads {
            state ^= state << 13
            state ^= state >> 7
            state ^= state << 17
            let wanted = try content(Int(state % UInt64(blocks)), cid: true)
            guard try store.block(wanted.cid)?.bytes == wanted.bytes else { throw BenchmarkError.wrongResult }
        }
        let seconds = (ContinuousClock().now - start).inSeconds
        let reading = Reading(
            readsPerSecond: Double(reads) / seconds,
            readCalls: Double(ProcessMemory.readCalls - calls) / Double(reads),
            diskBytes: Double(ProcessMemory.diskReadBytes - bytes) / Double(reads),
            residentBytes: ProcessMemory.residentBytes - baseline)
        FileHandle.standardOutput.write(try JSONEncoder().encode(reading))
        try store.close()
    }

    /// Writes what is cached to the disk and forgets it: of the whole machine if allowed, else of these files.
    private static func dropCaches(of directory: String) {
        sync()
        if (try? Data("3".utf8).write(to: URL(fileURLWithPath: "/proc/sys/vm/drop_caches"))) != nil { return }
        guard let names = FileManager.default.enumerator(atPath: directory) else { return }
        for case let name as String in names {
            let file = Foundation.open(directory + "/" + name, O_RDONLY)
            guard file >= 0 else { continue }
            posix_fadvise(file, 0, 0, POSIX_FADV_DONTNEED)
            close(file)
        }
    }

    private static func killWriter(_ settings: Settings, _ directory: String) throws {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
        process.arguments = [dyingWriter, directory, String(settings.blocks)]
        try process.run()
        process.waitUntilExit()
        guard process.terminationReason == .uncaughtSignal else {
            throw BenchmarkError.unusable("the writer that should have been killed ended by itself")
        }
    }

    /// The other process: adds a million blocks behind the last (a tenth for small stores), commits half of
    /// them, and is killed.
    static func writeAndDie(_ arguments: [String]) throws -> Never {
        guard arguments.count == 2, let first = Int(arguments[1]) else {
            throw BenchmarkError.unusable("\(dyingWriter) DIRECTORY COUNT")
        }
        let store = try PackBlockStore(directory: arguments[0])
        let end = first + min(first / 10, 1_000_000)
        for start in stride(from: first, to: end, by: batch) {
            try put(start..<min(start + batch, end), into: store)
            if start < (first + end) / 2 && start / batch % 16 == 0 { try store.commit() }
        }
        kill(getpid(), SIGKILL)
        exit(1)
    }
}
