public import Multiformats

/// Everything that decides which blocks, and so which CIDs, files and directories become.
///
/// The same input and parameters give the same CID, here and in Kubo. A profile is a named set; each
/// parameter can be changed by itself afterwards.
///
/// Spec: IPIP-499 (profiles).
public struct ImportParameters: Hashable, Sendable {
    /// The version of CIDs of DAG-PB nodes, 0 or 1. Raw leaves are always version 1, and so are
    /// nodes named by another function than sha2-256, which version 0 cannot carry.
    public var cidVersion: UInt8
    /// Whether leaves are the bare chunk (`raw`) or the chunk within a UnixFS node (DAG-PB).
    public var rawLeaves: Bool
    /// The hash function that names all blocks.
    public var hash: MultihashCode
    /// How content is cut into leaves.
    public var chunker: ChunkerKind
    /// How leaves are put below a root.
    public var layout: FileLayout
    /// The most children of a node above leaves, at least 2; `Int.max` for no limit. In a trickle layout, the
    /// most leaves directly below each node.
    public var maximumLinks: Int
    /// When and how a directory is sharded.
    public var directory: DirectoryParameters

    public init(
        cidVersion: UInt8, rawLeaves: Bool, hash: MultihashCode, chunker: ChunkerKind, layout: FileLayout,
        maximumLinks: Int, directory: DirectoryParameters
    ) {
        self.cidVersion = cidVersion
        self.rawLeaves = rawLeaves
        self.hash = hash
        self.chunker = chunker
        self.layout = layout
        self.maximumLinks = maximumLinks
        self.directory = directory
    }

    /// The default: CIDv1, raw leaves of 1 MiB, 1024 links a node, directories sharded by their block size.
    public static let unixfsV1_2025 = ImportParameters(
        cidVersion: 1, rawLeaves: true, hash: .sha2_256, chunker: .fixed(bytes: 1024 * 1024),
        layout: .balanced,
        maximumLinks: 1024,
        directory: DirectoryParameters(hamtThreshold: 256 * 1024, hamtEstimate: .blockBytes))

    /// What IPFS tools did for ten years: CIDv0, DAG-PB leaves of 256 KiB, 174 links a node.
    public static let unixfsV0_2015 = ImportParameters(
        cidVersion: 0, rawLeaves: false, hash: .sha2_256, chunker: .fixed(bytes: 256 * 1024),
        layout: .balanced,
        maximumLinks: 174,
        directory: DirectoryParameters(hamtThreshold: 256 * 1024, hamtEstimate: .linksBytes))

    /// The profiles by name.
    public static let profiles: [(name: String, parameters: ImportParameters)] = [
        ("unixfs-v1-2025", .unixfsV1_2025), ("unixfs-v0-2015", .unixfsV0_2015),
    ]

    /// The profile called `name`.
    ///
    /// - Throws: `unknownProfile`.
    public static func profile(named name: String) throws(ImportParametersError) -> ImportParameters {
        guard let found = profiles.first(where: { $0.name == name }) else { throw .unknownProfile(name) }
        return found.parameters
    }

    /// The name of the profile that these parameters are, if none was changed.
    public var profileName: String? { Self.profiles.first { $0.parameters == self }?.name }

    /// The version of CIDs of DAG-PB nodes that the hash function allows.
    public var nodeCIDVersion: UInt8 { hash == .sha2_256 ? min(cidVersion, 1) : 1 }

    /// Checks parameters that came from outside; those of a profile are valid.
    ///
    /// - Throws: `unknownCIDVersion`, `tooFewLinks`, `unusableHash`, `badFanout`, or why the chunker cannot
    ///   work.
    public func validate() throws(ImportParametersError) {
        guard cidVersion <= 1 else { throw .unknownCIDVersion(cidVersion) }
        guard maximumLinks >= 2 else { throw .tooFewLinks(maximumLinks) }
        guard hash.digestBytes != nil else { throw .unusableHash(hash) }
        let fanout = directory.fanout
        guard (8...DirectoryParameters.maximumFanout).contains(fanout), fanout & (fanout - 1) == 0 else {
            throw .badFanout(fanout)
        }
        do { try chunker.validate() } catch { throw .chunker(error) }
    }
}

/// How the leaves of a file are put below a root.
public enum FileLayout: String, Hashable, Sendable, CaseIterable {
    /// All leaves at the same depth; a file of one leaf is that leaf.
    case balanced
    /// The first leaves directly below the root, later ones deeper and deeper: made for reading from the
    /// start.
    case trickle
}

/// When and how a directory is sharded.
///
/// Spec: UnixFS, "HAMT sharded directory"; IPIP-499 for the ways to estimate.
public struct DirectoryParameters: Hashable, Sendable {
    /// A directory is sharded when its estimated size is above this; `nil`: never.
    public var hamtThreshold: Int?
    /// What is held against the threshold.
    public var hamtEstimate: HAMTEstimate
    /// Slots of one node of a HAMT: a power of two.
    public var fanout: Int

    public init(hamtThreshold: Int?, hamtEstimate: HAMTEstimate, fanout: Int = 256) {
        self.hamtThreshold = hamtThreshold
        self.hamtEstimate = hamtEstimate
        self.fanout = fanout
    }

    /// The most slots of a node, here and in other implementations.
    public static let maximumFanout = 1024

    /// How the size of a directory is estimated.
    public enum HAMTEstimate: String, Hashable, Sendable, CaseIterable {
        /// The number of entries.
        case links
        /// The sum over the entries of bytes of name and of binary CID.
        case linksBytes = "links-bytes"
        /// The size of the encoded directory block.
        case blockBytes = "block-bytes"
    }
}

/// Why import parameters cannot be used.
public enum ImportParametersError: Error, Equatable, Sendable {
    case unknownProfile(String)
    case unknownCIDVersion(UInt8)
    case tooFewLinks(Int)
    case unusableHash(MultihashCode)
    case badFanout(Int)
    case chunker(ChunkerError)
}

extension ImportParametersError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .unknownProfile(let name):
            let known = ImportParameters.profiles.map(\.name).joined(separator: ", ")
            return "there is no import profile `\(name)`; known are \(known)"
        case .unknownCIDVersion(let version):
            return "CID version \(version) does not exist; use 0 or 1"
        case .tooFewLinks(let links):
            return "a node needs at least 2 links to build a tree, not \(links)"
        case .unusableHash(let code):
            let name = MulticodecTable.name(of: code.rawValue) ?? "0x" + String(code.rawValue, radix: 16)
            return "blocks cannot be named by \(name); use a function that can be verified, such as sha2-256"
        case .badFanout(let fanout):
            let maximum = DirectoryParameters.maximumFanout
            return "a fanout of \(fanout) is not possible; use a power of two from 8 to \(maximum)"
        case .chunker(let error):
            return error.description
        }
    }
}
