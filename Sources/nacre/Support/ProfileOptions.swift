import ArgumentParser
import Multiformats
import NodeCore
import UnixFS

/// The import profile and each of its parameters by itself.
struct ProfileOptions: ParsableArguments {
    @Option(
        name: .long, help: "Import profile: unixfs-v1-2025 (default) or unixfs-v0-2015.",
        completion: .list(["unixfs-v1-2025", "unixfs-v0-2015"]))
    var profile: String?
    @Option(
        name: .long,
        help: ArgumentHelp(
            "size-N, buzhash, rabin[-AVG|-MIN-AVG-MAX], fastcdc[-MIN-AVG-MAX], lines[-N] or line.",
            valueName: "chunker"))
    var chunker: String?
    @Option(name: .long, help: ArgumentHelp("0 or 1.", valueName: "version"))
    var cidVersion: Int?
    @Option(
        name: .long, help: ArgumentHelp("Leaves without a wrapper: true or false.", valueName: "bool"),
        completion: .list(["true", "false"]))
    var rawLeaves: Bool?
    @Option(
        name: .long, help: ArgumentHelp("Hash function, such as sha2-256 or blake2b-256.", valueName: "name"))
    var hash: String?
    @Option(
        name: .long, help: ArgumentHelp("balanced or trickle.", valueName: "layout"),
        completion: .list(["balanced", "trickle"]))
    var layout: String?
    @Option(name: .long, help: ArgumentHelp("Links per node of a file.", valueName: "n"))
    var maxLinks: Int?
    @Option(
        name: .long,
        help: ArgumentHelp(
            "A directory is sharded above this size; the unit is the profile's or --hamt-estimate's; 0 never.",
            valueName: "n"))
    var hamtThreshold: Int?
    @Option(
        name: .long, help: ArgumentHelp("links, links-bytes or block-bytes.", valueName: "rule"),
        completion: .list(["links", "links-bytes", "block-bytes"]))
    var hamtEstimate: String?
    @Option(name: .long, help: ArgumentHelp("Slots of a shard: 8 to 1024, a power of two.", valueName: "n"))
    var hamtFanout: Int?

    /// - Throws: a usage error that names the option.
    func parameters(default profileName: String) throws -> ImportParameters {
        let name = profile ?? profileName
        var parameters = try ImportParameters.profile(named: name)
        if let chunker { parameters.chunker = try ChunkerKind(text: chunker) }
        if let cidVersion {
            guard cidVersion == 0 || cidVersion == 1 else { throw ValidationError("--cid-version is 0 or 1") }
            // As everywhere in IPFS, version 1 brings raw leaves along unless they are asked for otherwise.
            if cidVersion == 1 && parameters.cidVersion == 0 { parameters.rawLeaves = true }
            parameters.cidVersion = UInt8(cidVersion)
        }
        if let rawLeaves { parameters.rawLeaves = rawLeaves }
        if let hash {
            guard let code = MulticodecTable.code(named: hash).map(MultihashCode.init(rawValue:)),
                code.digestBytes != nil
            else { throw ValidationError("--hash \(hash) is not a hash function that can be verified here") }
            parameters.hash = code
            if code != .sha2_256 && cidVersion == nil { parameters.cidVersion = 1 }
        }
        if let layout {
            switch layout {
            case "balanced": parameters.layout = .balanced
            case "trickle": parameters.layout = .trickle
            default: throw ValidationError("--layout is balanced or trickle")
            }
        }
        if let maxLinks {
            guard (2...8192).contains(maxLinks) else {
                throw ValidationError("--max-links is from 2 to 8192")
            }
            parameters.maximumLinks = maxLinks
        }
        if let hamtThreshold {
            guard hamtThreshold >= 0 else { throw ValidationError("--hamt-threshold is 0 or more") }
            parameters.directory.hamtThreshold = hamtThreshold == 0 ? nil : hamtThreshold
        }
        if let hamtEstimate {
            switch hamtEstimate {
            case "links": parameters.directory.hamtEstimate = .links
            case "links-bytes": parameters.directory.hamtEstimate = .linksBytes
            case "block-bytes": parameters.directory.hamtEstimate = .blockBytes
            default: throw ValidationError("--hamt-estimate is links, links-bytes or block-bytes")
            }
        }
        if let hamtFanout {
            guard (8...1024).contains(hamtFanout), hamtFanout & (hamtFanout - 1) == 0 else {
                throw ValidationError("--hamt-fanout is a power of two from 8 to 1024")
            }
            parameters.directory.fanout = hamtFanout
        }
        if parameters.cidVersion == 0 && parameters.hash != .sha2_256 {
            throw ValidationError("CID version 0 means sha2-256; give --cid-version 1 for another hash")
        }
        return parameters
    }
}
