import Catalog
import Multiformats
import TestKit

/// A CID of 32 bytes that differ by `number`.
func cid(_ number: UInt64, codec: Codec = .raw) throws -> CID {
    var random = SeededRandom(seed: number)
    return CID(codec: codec, multihash: try Multihash(code: .sha2_256, digest: random.bytes(32).span.bytes))
}

/// A clock that is moved by hand.
func environment(at milliseconds: Int64) -> CatalogDatabase.Environment {
    var environment = CatalogDatabase.Environment()
    environment.now = { milliseconds }
    return environment
}

/// A catalog in a directory that lives as long as it does.
struct CatalogOnDisk {
    let directory: TemporaryDirectory
    var path: String { directory.path(CatalogDatabase.fileName) }

    init() throws { directory = try TemporaryDirectory() }

    func open(at milliseconds: Int64 = 1_700_000_000_000) throws -> CatalogDatabase {
        try CatalogDatabase(path: path, environment: environment(at: milliseconds))
    }
}
