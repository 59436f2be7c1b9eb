import Foundation
import Digests
import Multiformats
import TestKit
import Testing
import UnixFS

/// Chunk lengths and root CIDs of `unixfs/chunkers.json`.
@Suite struct ChunkerVectorTests {
    @Test(arguments: ["rabin", "rabin-16384", "rabin-36-512-1024"])
    func rabinCutsWhereKuboDoes(text: String) throws {
        let vector = try #require(try ChunkerVectors.load().rabin.computed[text])
        let input = try ContentStream.chaCha20(seed: "chunker-vector", size: vector.input_size)
            .bytes(vector.input_size)
        let kind = try ChunkerKind(text: text)
        #expect(kind == .rabin(ChunkSizes(minimum: vector.min, average: vector.avg, maximum: vector.max)))
        let lengths = chunkLengths(of: input, kind)
        #expect(lengths.count == vector.chunks)
        #expect(Array(lengths.prefix(10)) == vector.first_lengths)
        if let all = vector.lengths { #expect(lengths == all) }
        #expect(try rootCIDv0(input, kind) == vector.root_cid_v0)
    }

    @Test func buzhashCutsWhereKuboDoes() throws {
        let vector = try ChunkerVectors.load().buzhash.computed
        let input = try ContentStream.chaCha20(seed: "chunker-vector", size: 4 * 1024 * 1024).bytes(
            4 * 1024 * 1024)
        #expect(chunkLengths(of: input, .buzhash) == vector.lengths)
        #expect(try rootCIDv0(input, .buzhash) == vector.root_cid_v0)
        let zeros = [UInt8](repeating: 0, count: 2 * 1024 * 1024)
        #expect(chunkLengths(of: zeros, .buzhash) == vector.zeros_2MiB_lengths)
    }

    @Test(arguments: try GearVector.all())
    func gearChunkersCutWhereTheFormatSays(vector: GearVector) throws {
        let bytes = try ContentStream.chaCha20(seed: "chunker-vector", size: vector.size).bytes(vector.size)
        let input = vector.content == "bytes" ? bytes : bytes.map { $0 < 8 ? 0x0A : 0x61 + $0 % 16 }
        let lengths = chunkLengths(of: input, try ChunkerKind(text: vector.chunker))
        #expect(lengths.count == vector.chunks)
        #expect(Array(lengths.prefix(vector.lengths.count)) == vector.lengths)
    }

    private func rootCIDv0(_ input: [UInt8], _ kind: ChunkerKind) throws -> String {
        var parameters = ImportParameters.unixfsV0_2015
        parameters.chunker = kind
        return try importFile(ContentStream(input), parameters).cid.description
    }
}

private struct ChunkerVectors: Decodable {
    let rabin: Rabin
    let buzhash: Buzhash

    struct Rabin: Decodable { let computed: [String: Entry] }

    struct Entry: Decodable {
        let min: Int
        let avg: Int
        let max: Int
        let input_size: Int
        let chunks: Int
        let lengths: [UInt64]?
        let first_lengths: [UInt64]
        let root_cid_v0: String
    }

    struct Buzhash: Decodable { let computed: BuzhashComputed }

    struct BuzhashComputed: Decodable {
        let lengths: [UInt64]
        let root_cid_v0: String
        let zeros_2MiB_lengths: [UInt64]
    }

    static func load() throws -> ChunkerVectors { try Vectors.json("unixfs/chunkers.json") }
}

struct GearVector: Decodable, CustomTestStringConvertible {
    let chunker: String
    let content: String
    let size: Int
    let chunks: Int
    let lengths: [UInt64]

    var testDescription: String { chunker }

    static func all() throws -> [GearVector] {
        struct File: Decodable { let vectors: [GearVector] }
        return try Vectors.json("unixfs/fastcdc.json", as: File.self).vectors
    }
}
