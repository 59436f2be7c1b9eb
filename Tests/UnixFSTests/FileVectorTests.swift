import Foundation
import Multiformats
import TestKit
import Testing
import UnixFS

/// Published CIDs of files.
@Suite struct FileVectorTests {
    @Test(arguments: try FileVector.all().filter { isFullTest || $0.slow != true })
    func filesGetThePublishedCID(vector: FileVector) throws {
        let root = try importFile(try vector.content(), try vector.params.parameters())
        #expect(root.cid == (try CID(text: vector.cid)))
        #expect(root.contentBytes == UInt64(try vector.input.byteCount()))
    }

    @Test(arguments: try MetadataVector.all().filter { $0.type == "file" })
    func emptyFilesWithModeAndTimeGetThePublishedCID(vector: MetadataVector) throws {
        let root = try importFile(ContentStream([]), .unixfsV0_2015, metadata: vector.metadata)
        #expect(root.cid == (try CID(text: vector.cid)))
    }

    @Test(arguments: try MetadataVector.all().filter { $0.type == "file" })
    func emptyFilesWithRawLeavesKeepModeAndTimeInOneNode(vector: MetadataVector) throws {
        var parameters = ImportParameters.unixfsV0_2015
        parameters.rawLeaves = true
        let root = try importFile(ContentStream([]), parameters, metadata: vector.metadata)
        #expect(root.cid == (try CID(text: vector.cid)))
    }
}

struct FileVector: Decodable, CustomTestStringConvertible {
    let id: String
    let input: Input
    let params: Parameters
    let cid: String
    let slow: Bool?

    var testDescription: String { id }

    struct Input: Decodable {
        let text: String?
        let file: String?
        let generator: String?
        let seed: String?
        let size: Int?

        func byteCount() throws -> Int {
            if let text { return text.utf8.count }
            return try #require(size)
        }
    }

    struct Parameters: Decodable {
        let cid_version: UInt8
        let raw_leaves: Bool
        let hash: String
        let layout: String
        let chunker: String
        let max_links: Links
        let profile: String?

        func parameters() throws -> ImportParameters {
            let links = if case .count(let count) = max_links { count } else { Int.max }
            let code = try #require(MulticodecTable.code(named: hash))
            let result = ImportParameters(
                cidVersion: cid_version, rawLeaves: raw_leaves, hash: MultihashCode(rawValue: code),
                chunker: try ChunkerKind(text: chunker), layout: layout == "trickle" ? .trickle : .balanced,
                maximumLinks: links, directory: ImportParameters.unixfsV1_2025.directory)
            guard let profile else { return result }
            var named = try ImportParameters.profile(named: profile)
            named.directory = result.directory
            #expect(named == result, "a vector of a profile has the parameters of the profile")
            return try ImportParameters.profile(named: profile)
        }
    }

    enum Links: Decodable {
        case count(Int)
        case unlimited

        init(from decoder: any Decoder) throws {
            let container = try decoder.singleValueContainer()
            self = (try? container.decode(Int.self)).map { .count($0) } ?? .unlimited
        }
    }

    static func all() throws -> [FileVector] {
        struct File: Decodable { let files: [FileVector] }
        return try Vectors.json("unixfs/vectors.json", as: File.self).files
    }

    func content() throws -> ContentStream {
        if let text = input.text { return ContentStream(Array(text.utf8)) }
        if let file = input.file { return ContentStream(try Vectors.bytes("unixfs/" + file)) }
        let size = try #require(input.size)
        return input.generator == "zeros"
            ? .zeros(size: size) : try .chaCha20(seed: try #require(input.seed), size: size)
    }
}

struct MetadataVector: Decodable, CustomTestStringConvertible {
    let type: String
    let mode_octal: String?
    let mtime_seconds: Int64?
    let mtime_nanoseconds: UInt32?
    let cid: String

    var testDescription: String { cid }

    var metadata: UnixFSMetadata {
        UnixFSMetadata(
            mode: mode_octal.flatMap { UInt32($0, radix: 8) },
            mtime: mtime_seconds.map { UnixFSTime(seconds: $0, nanoseconds: mtime_nanoseconds ?? 0) })
    }

    static func all() throws -> [MetadataVector] {
        struct File: Decodable { let mode_mtime: [MetadataVector] }
        return try Vectors.json("unixfs/vectors.json", as: File.self).mode_mtime
    }
}
