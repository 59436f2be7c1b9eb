import Digests
import Harness
import Multiformats
import UnixFS

/// Does finding the cuts of a file keep up with hashing its chunks, on one core?
enum ChunkerBenchmark {
    static func run(_ settings: Settings, _ report: inout Report) throws {
        let memory = randomBytes((settings.isQuick ? 64 : 256) * 1024 * 1024, seed: 2)
        defer { memory.deallocate() }
        let content = UnsafeRawBufferPointer(memory)
        let amount = Double(content.count) / 1e6
        let hashing = try Measurement.of(runs: settings.runs) {
            let chunks = cut(content, .fixed(bytes: 256 * 1024))
            return stride(from: 0, to: chunks.count, by: 16).reduce(0) { sum, start in
                sum + Multihash.sha256(of: Array(chunks[start..<min(start + 16, chunks.count)])).count
            } == chunks.count
        }
        let hashRate = report.addRate(
            "chunkers", "hashing, 16 of 256 KiB", amount: amount, unit: "MB/s", hashing)
        for name in ["size-1048576", "fastcdc", "buzhash", "rabin", "lines"] {
            let kind = try ChunkerKind(text: name)
            let measured = try Measurement.of(runs: settings.runs) {
                cut(content, kind).reduce(0) { $0 + $1.count } == content.count
            }
            let rate = report.addRate("chunkers", name, amount: amount, unit: "MB/s", measured)
            if name == "fastcdc" { report.compareLast(with: "hashing", ratio: rate / hashRate, atLeast: 1) }
        }
    }

    private static func cut(_ content: UnsafeRawBufferPointer, _ kind: ChunkerKind)
        -> [UnsafeRawBufferPointer]
    {
        var chunker = Chunker(kind)
        var chunks: [UnsafeRawBufferPointer] = []
        var rest = content
        while let length = chunker.nextChunk(in: rest, isLast: true) {
            chunks.append(UnsafeRawBufferPointer(rebasing: rest[..<length]))
            rest = UnsafeRawBufferPointer(rebasing: rest[length...])
        }
        return chunks
    }
}
