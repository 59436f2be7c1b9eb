import CAR
import Digests
import Foundation
import IPLD
import Multiformats
import TestKit

/// What `expected.json` says about one file.
struct ExpectedCAR: Decodable {
    struct Payload: Decodable {
        let version: UInt64?
        let roots: [String]
        let blocks: Int
        let identity_blocks: Int
        let bad_hash: Int
        let first_cid: String?
        let last_cid: String?
        let cids_sha256: String
        let error: String?
    }
    struct Container: Decodable {
        let fully_indexed: Bool
        let data_offset: UInt64
        let data_size: UInt64
        let index_offset: UInt64
    }
    let container: Int?
    let v2_header: Container?
    let payload: Payload?
    let index_codec: String?
    let error: String?

    static func all() throws -> [String: ExpectedCAR] { try Vectors.json("car/expected.json") }

    /// The names of all files that are a CAR or were meant to be one.
    static let names: [String] = ((try? all()) ?? [:]).filter { $0.value.container != nil }.keys.sorted()
}

/// Everything that a reader says about a file.
struct ReadCAR {
    var roots: [CID]?
    var version2Header: CARv2Header?
    var sections: [CARSection] = []
    /// Errors that concern one section, and at last the one that ends the file.
    var errors: [CARError] = []
    var isAtEnd = false

    /// Reads `bytes`, fed in the given pieces.
    init(_ pieces: [ArraySlice<UInt8>], options: CARReadingOptions = CARReadingOptions()) {
        var reader = CARReader(options: options)
        var rest = pieces[...]
        while true {
            do {
                if let section = try reader.next() {
                    sections.append(section)
                    continue
                }
                if reader.isAtEnd { break }
            } catch {
                errors.append(error)
                guard error.concernsOneSection else { break }
                continue
            }
            if let piece = rest.popFirst() { reader.feed(Array(piece)) } else { reader.finish() }
        }
        roots = reader.header?.roots
        version2Header = reader.version2Header
        isAtEnd = reader.isAtEnd
    }

    init(_ bytes: [UInt8], options: CARReadingOptions = CARReadingOptions()) {
        self.init([bytes[...]], options: options)
    }

    /// As `cids_sha256` of `expected.json`.
    var digestOfCIDs: String {
        let text = sections.map { "\($0.cid)\n" }.joined()
        let digest = (try? Multihash(hashing: Array(text.utf8), with: .sha2_256))?.digest ?? []
        return digest.map { String(format: "%02x", $0) }.joined()
    }
}

/// Bytes in memory as a file that can be read anywhere.
func positionalRead(_ bytes: [UInt8]) -> CARPositionalRead {
    { offset, buffer in
        guard offset < UInt64(bytes.count) else { return 0 }
        let part = bytes[Int(offset)...].prefix(buffer.count)
        buffer.copyBytes(from: part)
        return part.count
    }
}

/// A sink that keeps what it gets.
final class MemorySink {
    private(set) var bytes: [UInt8] = []

    func write(_ more: UnsafeRawBufferPointer) { bytes.append(contentsOf: more) }

    func apply(_ patch: CARWritingResult.Patch?) {
        guard let patch else { return }
        bytes.replaceSubrange(Int(patch.offset)..<(Int(patch.offset) + patch.bytes.count), with: patch.bytes)
    }
}

/// A file of blocks, in memory.
func writtenCAR(
    roots: [CID] = [], _ blocks: [Block], format: CARWritingFormat = .version1
) throws -> [UInt8] {
    let sink = MemorySink()
    var writer = try CARWriter(roots: roots, format: format) { sink.write($0) }
    for block in blocks { try writer.append(block) }
    let result = try writer.finish()
    sink.apply(result.patch)
    precondition(result.fileBytes == UInt64(sink.bytes.count), "the writer miscounts")
    return sink.bytes
}

extension SeededRandom {
    /// Blocks of interesting sizes under CIDs of several kinds; now and then one of an identity CID, or one twice.
    mutating func blocks(_ count: Int, sizes: [Int] = interestingSmallSizes) throws -> [Block] {
        var blocks: [Block] = []
        for _ in 0..<count {
            if let last = blocks.last, oneIn(10) {
                blocks.append(last)
                continue
            }
            let bytes = bytes(pick(sizes))
            let function: MultihashCode =
                oneIn(8) && bytes.count <= Multihash.maximumIdentityBytes
                ? .identity : pick([.sha2_256, .sha2_256, .sha2_512, .blake2b_256, .sha1])
            blocks.append(
                Block(
                    cid: try CID(hashing: bytes, codec: pick([.raw, .dagPB]), with: function), bytes: bytes))
        }
        return blocks
    }
}
