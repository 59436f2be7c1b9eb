import Foundation
import Multiformats
import TestKit

/// The codec fixtures: one value in several codecs, and what must be refused.
struct CodecVectors {
    struct Form: Decodable {
        let cid: String
        let hex: String
        var bytes: [UInt8] { CodecVectors.bytes(hex) }
    }
    struct Negative: Decodable {
        let name: String
        let hex: String
        var bytes: [UInt8] { CodecVectors.bytes(hex) }
    }
    private struct Group: Decodable {
        let decode: [Negative]
    }

    /// By name, then by codec.
    static func positive() throws -> [String: [String: Form]] {
        try Vectors.json("codecs/positive.json", as: [String: [String: Form]].self)
    }

    static func refused(by codec: String) throws -> [Negative] {
        try Vectors.json("codecs/negative.json", as: [String: Group].self)[codec]?.decode ?? []
    }

    static func bytes(_ hex: String) -> [UInt8] {
        var digits = hex.utf8.makeIterator()
        var bytes: [UInt8] = []
        while let high = digits.next(), let low = digits.next() {
            bytes.append(UInt8(String(decoding: [high, low], as: UTF8.self), radix: 16) ?? 0)
        }
        return bytes
    }
}

extension CodecVectors {
    /// A parsed JSON value as text again, keys sorted.
    static func json(_ value: Any) throws -> [UInt8] {
        [UInt8](
            try JSONSerialization.data(
                withJSONObject: value, options: [.fragmentsAllowed, .sortedKeys, .withoutEscapingSlashes]))
    }
}
