public import Multiformats
import Digests
import Glibc
import Synchronization

/// Something that a scrub found.
public enum ScrubFinding: Equatable, Sendable {
    /// A block's bytes do not hash to its CID, or cannot be read.
    case damagedBlock(CID, pack: String, offset: UInt64)
    /// From this offset on the pack cannot be read as sections; blocks behind it are checked one by one.
    case brokenPack(pack: String, offset: UInt64, reason: String)
    case missingPack(pack: String)
    /// The index names a block at a place where it does not lie.
    case wrongEntry(Multihash, pack: String, offset: UInt64)
}

extension ScrubFinding: CustomStringConvertible {
    public var description: String {
        switch self {
        case .damagedBlock(let cid, let pack, let offset):
            "block \(cid) is damaged (pack \(pack), byte \(offset))"
        case .brokenPack(let pack, let offset, let reason):
            "pack \(pack) is broken at byte \(offset): \(reason)"
        case .missingPack(let pack): "pack \(pack) is missing"
        case .wrongEntry(let multihash, let pack, let offset):
            "the index names \(multihash) at byte \(offset) of pack \(pack), where it is not"
        }
    }
}

/// How a scrub went.
public struct ScrubReport: Equatable, Sendable {
    public var blocks = 0
    public var bytes: Int64 = 0
    public var findings: [ScrubFinding] = []
    /// Findings are listed up to this many; all are counted.
    public static let maximumFindings = 10_000
    public var findingCount = 0

    public init() {}

    mutating func add(_ finding: ScrubFinding) {
        findingCount += 1
        if findings.count < Self.maximumFindings { findings.append(finding) }
    }
}

extension PackBlockStore {
    /// Reads every block that the index names and checks it against its multihash.
    ///
    /// Damaged blocks are quarantined. Memory: one buffer, and the findings.
    ///
    /// - Parameters:
    ///   - bytesPerSecond: at most so many; `nil` as fast as the disk gives.
    ///   - progress: told of bytes as they are read; may throw to stop.
    public func scrub(bytesPerSecond: Int64? = nil, progress: (Int64) throws -> Void = { _ in }) throws
        -> ScrubReport
    {
        try maintenance.withLock { _ in
            try checkOpen()
            if state.withLock({ $0.failure == nil }) { try commit() }
            var report = ScrubReport()
            var pace = Pace(bytesPerSecond: bytesPerSecond)
            let packs = state.withLock { $0.packs.sorted { $0.key < $1.key } }
            for (number, pack) in packs {
                try scrub(number, pack, &report, &pace, progress)
            }
            return report
        }
    }

    private func scrub(
        _ number: UInt64, _ pack: PackState, _ report: inout ScrubReport, _ pace: inout Pace,
        _ progress: (Int64) throws -> Void
    ) throws {
        let name = PackFormat.fileName(number)
        let file: any FileHandle
        do {
            file = try reader.file(number)
        } catch let error as BlockStoreError where error.isMissingFile {
            report.add(.missingPack(pack: name))
            return
        }
        if try !PackScanner(file: file).hasHeader() {
            report.add(.brokenPack(pack: name, offset: 0, reason: "the header is damaged"))
        }
        var living: UInt32 = 0
        var misfit: UInt64?
        let end = try PackScanner(file: file).scan(from: UInt64(PackFormat.header.count), upTo: pack.mark) {
            sections in
            var bytes: Int64 = 0
            for section in sections {
                bytes += Int64(section.payload.count)
                guard let location = try location(of: section.cid.multihash), location.pack == number,
                    location.offset == section.offset
                else { continue }
                guard location.payloadBytes == UInt32(section.payload.count) else {
                    // Its length is damaged: where the next one begins is for the index to say.
                    misfit = section.offset
                    return false
                }
                living += 1
                report.blocks += 1
                report.bytes += Int64(section.payload.count)
                if section.isIntact {
                    if location.isQuarantined { try release(section.cid.multihash, location) }
                    verified.insert(location)
                } else {
                    report.add(.damagedBlock(section.cid, pack: name, offset: section.offset))
                    _ = try quarantine(section.cid, location)
                }
            }
            try pace.wait(after: bytes) { try progress(0) }
            try progress(bytes)
            return true
        }
        if let misfit {
            report.add(
                .brokenPack(
                    pack: name, offset: misfit, reason: "the length of the section is not what it was"))
        } else if case .broken(let offset, let reason) = end {
            report.add(.brokenPack(pack: name, offset: offset, reason: reason))
        }
        // Fewer than the index points at: the others are looked up one by one.
        if living < pack.liveSections || end.offset < pack.mark {
            try scrubEntries(of: number, behind: misfit ?? end.offset, file, &report)
        }
    }

    /// Checks the entries that point into a pack, without trusting its sections.
    ///
    /// - Parameter broken: up to here sections were read and counted.
    private func scrubEntries(
        of number: UInt64, behind broken: UInt64, _ file: any FileHandle, _ report: inout ScrubReport
    ) throws {
        try index.scan(prefix: IndexKey.blockPrefix, from: IndexKey.blockPrefix) { key, value in
            let location = try BlockLocation(decoding: value)
            guard location.pack == number, let multihash = IndexKey.multihash(of: key) else { return true }
            let total = Int(location.sectionBytes)
            var bytes = [UInt8](repeating: 0, count: total)
            let count = try bytes.withUnsafeMutableBytes {
                try file.read(into: $0, at: Int64(location.offset))
            }
            let payload = bytes.dropFirst(Int(location.headerBytes))
            let isRight = count == total && payload.withUnsafeBytes { multihash.matches($0) }
            if location.offset >= broken {
                report.blocks += 1
                report.bytes += Int64(location.payloadBytes)
            }
            if isRight {
                if location.isQuarantined { try release(multihash, location) }
                return true
            }
            let name = PackFormat.fileName(number)
            let known = report.findings.contains {
                if case .damagedBlock(let cid, name, _) = $0 { return cid.multihash == multihash }
                return false
            }
            if !known {
                report.add(
                    .damagedBlock(CID(codec: .raw, multihash: multihash), pack: name, offset: location.offset)
                )
                _ = try quarantine(CID(codec: .raw, multihash: multihash), location)
            }
            return true
        }
    }

    /// Takes a block out of quarantine whose bytes are right after all (put back from a backup, say).
    private func release(_ multihash: Multihash, _ location: BlockLocation) throws {
        var mended = location
        mended.flags.remove(.quarantined)
        var batch = IndexBatch()
        batch.put(IndexKey.block(multihash), mended.encoded)
        try index.write(batch, sync: false)
    }
}

/// Keeps work at a rate by sleeping between pieces of it.
private struct Pace {
    let bytesPerSecond: Int64?
    private let start = ContinuousClock.now
    private var done: Int64 = 0

    init(bytesPerSecond: Int64?) { self.bytesPerSecond = bytesPerSecond.map { max(1, $0) } }

    /// - Parameter body: is called again and again meanwhile; may throw to stop.
    mutating func wait(after bytes: Int64, _ body: () throws -> Void) rethrows {
        guard let bytesPerSecond else { return }
        done += bytes
        let due = Duration.seconds(Double(done) / Double(bytesPerSecond))
        while true {
            let ahead = due - (ContinuousClock.now - start)
            guard ahead > .zero else { return }
            let (_, attoseconds) = min(ahead, Self.slice).components
            var time = timespec(tv_sec: 0, tv_nsec: Int(attoseconds / 1_000_000_000))
            nanosleep(&time, nil)
            try body()
        }
    }

    /// Whoever wants it to stop waits no longer than this.
    private static let slice = Duration.milliseconds(100)
}
