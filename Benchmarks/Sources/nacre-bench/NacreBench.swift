import Foundation
import Harness

@main
struct NacreBench {
    static func main() throws {
        let arguments = Array(CommandLine.arguments.dropFirst())
        if arguments.first == IndexBenchmark.reader {
            return try IndexBenchmark.readAtRandom(Array(arguments.dropFirst()))
        }
        if arguments.first == IndexBenchmark.dyingWriter {
            try IndexBenchmark.writeAndDie(Array(arguments.dropFirst()))
        }
        let settings: Settings
        do {
            settings = try Settings(arguments)
        } catch BenchmarkError.unusable(let text) {
            note(text)
            exit(2)
        }
        var report = Report(settings: [
            "runs": String(settings.runs), "blocks": String(settings.blocks), "directory": settings.directory,
            "quick": String(settings.isQuick),
        ])
        for benchmark in settings.benchmarks {
            switch benchmark {
            case "hashing": try HashingBenchmark.run(settings, &report)
            case "chunkers": try ChunkerBenchmark.run(settings, &report)
            case "codecs": try CodecBenchmark.run(settings, &report)
            case "namespaces": try NamespaceBenchmark.run(settings, &report)
            default: try IndexBenchmark.run(settings, &report)
            }
        }
        let json = try report.json()
        if let path = settings.jsonPath {
            try json.write(to: URL(fileURLWithPath: path))
        } else {
            FileHandle.standardOutput.write(json + Data("\n".utf8))
        }
        if report.rows.contains(where: { $0.isReached == false }) { exit(1) }
    }
}

/// Bytes that no compression or deduplication finds anything in; the same every time.
func randomBytes(_ count: Int, seed: UInt64) -> UnsafeMutableRawBufferPointer {
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: count, alignment: 4096)
    var state = seed &* 0x9E37_79B9_7F4A_7C15 | 1
    for offset in stride(from: 0, to: count - 7, by: 8) {
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        buffer.storeBytes(of: state, toByteOffset: offset, as: UInt64.self)
    }
    return buffer
}
