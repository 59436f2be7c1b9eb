import CSHA256
import CSHA256Emulated

/// One way to compute SHA-256 that this machine can run.
enum SHA256Kernel: String, CaseIterable, Sendable {
    case automatic, portable, avx2, shani, avx512
    /// The SHA-NI kernel on instructions written in C.
    case emulatedSHANI

    /// Those that run here, the emulated one included.
    static var available: [SHA256Kernel] {
        allCases.filter { kernel in
            guard let code = kernel.code else { return nacre_sha256_emulated_available() == 1 }
            return nacre_sha256_supported(code) == 1
        }
    }

    private var code: nacre_sha256_kernel? {
        switch self {
        case .automatic: NACRE_SHA256_AUTOMATIC
        case .portable: NACRE_SHA256_PORTABLE
        case .avx2: NACRE_SHA256_AVX2
        case .shani: NACRE_SHA256_SHANI
        case .avx512: NACRE_SHA256_AVX512
        case .emulatedSHANI: nil
        }
    }

    /// The digests of messages that lie in memory as given.
    func digests(of messages: [UnsafeRawBufferPointer]) -> [[UInt8]] {
        let starts = messages.map { $0.baseAddress?.assumingMemoryBound(to: UInt8.self) }
        let lengths = messages.map(\.count)
        var digests = [UInt8](repeating: 0, count: 32 * messages.count)
        if let code {
            nacre_sha256_many_with(code, starts, lengths, messages.count, &digests)
        } else {
            nacre_sha256_emulated_many(starts, lengths, messages.count, &digests)
        }
        return split(digests)
    }

    func digests(of messages: [[UInt8]]) -> [[UInt8]] {
        let room = UnsafeMutableRawBufferPointer.allocate(
            byteCount: messages.reduce(0) { $0 + $1.count }, alignment: 1)
        defer { room.deallocate() }
        var offset = 0
        return digests(
            of: messages.map { message in
                let part = UnsafeMutableRawBufferPointer(rebasing: room[offset..<(offset + message.count)])
                part.copyBytes(from: message)
                offset += message.count
                return UnsafeRawBufferPointer(part)
            })
    }

    func digest(of message: [UInt8]) -> [UInt8] { digests(of: [message])[0] }

    /// The parents of nodes of 64 bytes, written behind them or over them.
    func parents(of nodes: [UInt8], inPlace: Bool) -> [[UInt8]] {
        let pairs = nodes.count / 64
        var memory = nodes + [UInt8](repeating: 0, count: 32 * pairs)
        let start = inPlace ? 0 : nodes.count
        memory.withUnsafeMutableBufferPointer { memory in
            guard let base = memory.baseAddress else { return }
            if let code {
                nacre_sha256_pairs_with(code, base, pairs, base + start)
            } else {
                nacre_sha256_emulated_pairs(base, pairs, base + start)
            }
        }
        return split(Array(memory[start..<(start + 32 * pairs)]))
    }

    private func split(_ digests: [UInt8]) -> [[UInt8]] {
        stride(from: 0, to: digests.count, by: 32).map { Array(digests[$0..<($0 + 32)]) }
    }
}
