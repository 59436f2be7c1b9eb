import Foundation
import IPNS
import Multiformats
import TestKit

/// Known answers: records that Kubo made, keys of the libp2p specification.
enum IPNSVectors {
    struct Known: Decodable {
        struct Said: Decodable {
            let value: String
            let validity: String
            let sequence: UInt64
            let ttl: UInt64?
            let v1: Bool?
        }
        let name: String
        let record: Said?
        let error: String?
    }

    struct Key: Decodable {
        let what: String
        let `private`: String
        let `public`: String
        let peerID: String
        let name: String
        let pem: String
    }

    static func records() throws -> [String: Known] { try Vectors.json("ipns/expected.json") }
    static func keys() throws -> [Key] { try Vectors.json("ipns/keys.json") }

    static func bytes(_ file: String) throws -> [UInt8] { try Vectors.bytes("ipns/" + file) }

    /// A moment at which every record of the vectors is valid.
    static let now = IPNSTime(seconds: 1_800_000_000)

    static func hex(_ text: String) -> [UInt8] {
        let characters = Array(text)
        return stride(from: 0, to: characters.count - 1, by: 2).compactMap {
            UInt8(String(characters[$0...($0 + 1)]), radix: 16)
        }
    }
}
