import Crypto
import Foundation

/// Comparisons whose time says nothing about where two secrets differ.
enum ConstantTime {
    /// Whether both are the same. Only the lengths, which are no secret, decide how long it takes.
    @inline(never)
    static func areEqual(_ a: [UInt8], _ b: [UInt8]) -> Bool {
        guard a.count == b.count else { return false }
        var difference: UInt8 = 0
        for index in a.indices { difference |= a[index] ^ b[index] }
        return difference == 0
    }
}

/// Bytes that nobody can guess.
enum SecureRandom {
    static func bytes(_ count: Int) -> [UInt8] {
        // The system's generator, which is one for secrets.
        var generator = SystemRandomNumberGenerator()
        return (0..<count).map { _ in UInt8.random(in: 0...255, using: &generator) }
    }
}

extension Sequence<UInt8> {
    /// SHA-256 of the bytes.
    var sha256: [UInt8] { Array(SHA256.hash(data: Array(self))) }
}
