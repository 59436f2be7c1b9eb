import TestKit

/// The known answers of Tests/Vectors that concern hash functions.
enum DigestVectors {
    struct KnownAnswers: Decodable {
        struct Function: Decodable, Sendable {
            let function: String
            let code: UInt64
            let texts: [String]
            let patterns: [String]
        }
        let texts: [String]
        let pattern_lengths: [Int]
        let functions: [Function]

        /// Every message of the file in order: the texts, then the patterns.
        var messages: [[UInt8]] {
            texts.map { Array($0.utf8) }
                + pattern_lengths.map { length in (0..<length).map { UInt8($0 % 251) } }
        }
    }

    struct Multihashes: Decodable {
        struct Row: Decodable {
            let algorithm: String
            let bits: Int
            let input_text: String
            let multihash_hex: String
        }
        let valid: [Row]
        let invalid_multihash_hex: [String]
    }

    static func knownAnswers() throws -> KnownAnswers { try Vectors.json("digests/known-answers.json") }
    static func multihashes() throws -> Multihashes { try Vectors.json("multiformats/multihash.json") }
}

/// Bytes from hexadecimal digits.
func bytes(fromHex text: String) -> [UInt8] {
    let digits = Array(text.utf8).map { UInt8(Character(UnicodeScalar($0)).hexDigitValue ?? 0) }
    return stride(from: 0, to: digits.count - 1, by: 2).map { digits[$0] << 4 | digits[$0 + 1] }
}
