import COpenSSL
import CSHA256
import Digests
import Harness
import Multiformats

/// How fast is SHA-256 of leaves, of Merkle pairs and of one long stream, on one core, compared with OpenSSL?
enum HashingBenchmark {
    static func run(_ settings: Settings, _ report: inout Report) throws {
        let leafBytes = 1024 * 1024
        let leaves = settings.isQuick ? 64 : 256
        let memory = randomBytes(leaves * leafBytes, seed: 1)
        defer { memory.deallocate() }
        let amount = Double(memory.count) / 1e6
        let expected = openSSL(UnsafeRawBufferPointer(rebasing: memory[0..<leafBytes]))
        note("SHA-256 kernel for many messages: \(String(cString: nacre_sha256_kernel_name()))")

        let evp = try Measurement.of(runs: settings.runs) {
            var last: [UInt8] = []
            for start in stride(from: 0, to: memory.count, by: 16_384) {
                last = openSSL(UnsafeRawBufferPointer(rebasing: memory[start..<(start + 16_384)]))
            }
            return last.count == 32
        }
        let evpRate = report.addRate(
            "hashing", "OpenSSL EVP, 16 KiB buffers", amount: amount, unit: "MB/s", evp)

        let messages = stride(from: 0, to: memory.count, by: leafBytes).map {
            UnsafeRawBufferPointer(rebasing: memory[$0..<($0 + leafBytes)])
        }
        let lanes = try Measurement.of(runs: settings.runs) {
            var first: Multihash?
            for start in stride(from: 0, to: leaves, by: 16) {
                let hashes = Multihash.sha256(of: Array(messages[start..<(start + 16)]))
                if first == nil { first = hashes[0] }
            }
            return first?.digest == expected
        }
        let rate = report.addRate(
            "hashing", "leaves of 1 MiB, 16 together", amount: amount, unit: "MB/s", lanes)
        report.compareLast(with: "OpenSSL EVP", ratio: rate / evpRate, atLeast: 1.8)

        try pairs(memory, evpRate: evpRate, settings, &report)

        let stream = try Measurement.of(runs: settings.runs) {
            var hasher = try MultihashHasher(.sha2_256)
            for start in stride(from: 0, to: memory.count, by: 65_536) {
                hasher.update(UnsafeRawBufferPointer(rebasing: memory[start..<(start + 65_536)]))
            }
            return try hasher.finish().digest == openSSL(UnsafeRawBufferPointer(memory))
        }
        // The check hashes everything once more by OpenSSL, so its time is taken off.
        let own = Measurement(
            seconds: stream.seconds.map { $0 - evp.medianSeconds }, peakMemoryBytes: stream.peakMemoryBytes)
        report.addRate("hashing", "one stream in 64 KiB", amount: amount, unit: "MB/s", own)
    }

    /// A pair carries 63.5 bytes of payload in 64 after padding to field elements, and a tree has as many pairs
    /// as leaves of 32 bytes: 31.75 bytes of payload a pair.
    private static func pairs(
        _ memory: UnsafeMutableRawBufferPointer, evpRate: Double, _ settings: Settings, _ report: inout Report
    ) throws {
        let count = 65_536
        let nodes = memory.baseAddress.unsafelyUnwrapped.assumingMemoryBound(to: UInt8.self)
        let parents = UnsafeMutablePointer<UInt8>.allocate(capacity: 32 * count)
        defer { parents.deallocate() }
        let repeats = settings.isQuick ? 5 : 20
        let expected = openSSL(UnsafeRawBufferPointer(start: nodes + 64 * (count - 1), count: 64))
        let measured = try Measurement.of(runs: settings.runs) {
            for _ in 0..<repeats { nacre_sha256_pairs(nodes, count, parents) }
            return Array(UnsafeBufferPointer(start: parents + 32 * (count - 1), count: 32)) == expected
        }
        let rate = report.addRate(
            "hashing", "Merkle pairs, in payload", amount: Double(repeats * count) * 31.75 / 1e6,
            unit: "MB/s",
            measured)
        report.compareLast(with: "OpenSSL EVP", ratio: rate / evpRate, atLeast: 0.65)
    }

    private static func openSSL(_ bytes: UnsafeRawBufferPointer) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: 32) { digest, count in
            var length: UInt32 = 0
            EVP_Digest(bytes.baseAddress, bytes.count, digest.baseAddress, &length, EVP_sha256(), nil)
            count = Int(length)
        }
    }
}
