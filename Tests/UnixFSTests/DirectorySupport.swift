import Digests
import IPLD
import Multiformats
import TestKit
import UnixFS

/// Random entries and ways to build directories of them.
enum DirectorySamples {
    /// Parameters under which a handful of entries is sharded already.
    static func parameters(
        estimate: DirectoryParameters.HAMTEstimate = .blockBytes, threshold: Int? = 600, fanout: Int = 8
    ) -> ImportParameters {
        var parameters = ImportParameters.unixfsV1_2025
        parameters.directory = DirectoryParameters(
            hamtThreshold: threshold, hamtEstimate: estimate, fanout: fanout)
        return parameters
    }

    static func entry(named name: String, _ random: inout SeededRandom) throws -> DirectoryEntry {
        let cid = try CID(hashing: random.bytes(8), codec: .raw)
        return DirectoryEntry(
            name: Array(name.utf8), cid: cid, dagBytes: UInt64(random.number(0...1_000_000)))
    }

    static func entries(_ count: Int, _ random: inout SeededRandom) throws -> [DirectoryEntry] {
        try (0..<count).map { try entry(named: "entry \($0)", &random) }
    }

    @discardableResult
    static func build(
        _ entries: some Sequence<DirectoryEntry>, _ parameters: ImportParameters,
        metadata: UnixFSMetadata? = nil, into source: DictionaryBlockSource = DictionaryBlockSource()
    ) throws -> DirectoryRoot {
        var builder = DirectoryBuilder(parameters: parameters, metadata: metadata)
        for entry in entries {
            try builder.add(name: entry.name, cid: entry.cid, dagBytes: entry.dagBytes)
        }
        return try builder.finish { source.insert($0) }
    }
}

/// Nodes put together by hand, as a stranger could.
enum ForgedNode {
    static func directory(_ links: [DAGPBLink]) throws -> Block {
        try block(links, UnixFSData(kind: .directory).encoded())
    }

    static func shard(
        _ links: [DAGPBLink], bitField: [UInt8], fanout: UInt64? = 256, hashFunction: UInt64? = 0x22
    ) throws -> Block {
        let data = UnixFSData(
            kind: .hamtShard, content: bitField, hashFunction: hashFunction, fanout: fanout)
        return try block(links, data.encoded())
    }

    static func block(_ links: [DAGPBLink], _ data: [UInt8]?) throws -> Block {
        let bytes = DAGPBNode(links: links, data: data).encoded()
        return Block(cid: try CID(hashing: bytes, codec: .dagPB), bytes: bytes)
    }

    static func link(_ name: String, _ cid: CID, tsize: UInt64? = 1) -> DAGPBLink {
        DAGPBLink(cid: cid, name: Array(name.utf8), tsize: tsize)
    }
}
