/// Names of the multicodec table, for the codes that Nacre and the people who use it meet.
///
/// Source: multiformats/multicodec, `table.csv`.
public enum MulticodecTable {
    /// The name of a code, or `nil` if it is not known here.
    public static func name(of code: UInt64) -> String? { names[code] }

    /// The code of a name, or `nil` if it is not known here.
    public static func code(named name: String) -> UInt64? { codes[name] }

    /// Codes of hash functions, in order.
    public static let hashFunctions: [(name: String, code: UInt64)] = [
        ("identity", 0x00), ("sha1", 0x11), ("sha2-256", 0x12), ("sha2-512", 0x13), ("sha3-512", 0x14),
        ("sha3-384", 0x15), ("sha3-256", 0x16), ("sha3-224", 0x17), ("shake-128", 0x18), ("shake-256", 0x19),
        ("keccak-224", 0x1A), ("keccak-256", 0x1B), ("keccak-384", 0x1C), ("keccak-512", 0x1D),
        ("blake3", 0x1E),
        ("sha2-384", 0x20), ("murmur3-x64-64", 0x22), ("murmur3-32", 0x23), ("dbl-sha2-256", 0x56),
        ("md4", 0xD4),
        ("md5", 0xD5), ("sha2-256-trunc254-padded", 0x1012), ("sha2-224", 0x1013), ("sha2-512-224", 0x1014),
        ("sha2-512-256", 0x1015), ("ripemd-160", 0x1053), ("fr32-sha256-trunc254-padbintree", 0x1011),
        ("blake2b-256", 0xB220), ("blake2b-512", 0xB240), ("blake2s-256", 0xB260),
        ("poseidon-bls12_381-a2-fc1", 0xB401),
    ]

    /// Codes of content, in order.
    public static let codecs: [(name: String, code: UInt64)] = [
        ("cbor", 0x51), ("raw", 0x55), ("dag-pb", 0x70), ("dag-cbor", 0x71), ("libp2p-key", 0x72),
        ("git-raw", 0x78),
        ("torrent-info", 0x7B), ("torrent-file", 0x7C), ("eth-block", 0x90), ("bitcoin-block", 0xB0),
        ("bitcoin-tx", 0xB1), ("zcash-block", 0xC0), ("dag-jose", 0x85), ("dag-cose", 0x86),
        ("dag-json", 0x0129),
        ("json", 0x0200), ("car", 0x0202), ("ipns-record", 0x0300), ("car-index-sorted", 0x0400),
        ("car-multihash-index-sorted", 0x0401), ("fil-commitment-unsealed", 0xF101),
        ("fil-commitment-sealed", 0xF102),
    ]

    /// Name spaces, which stand in paths and not in CIDs of blocks.
    private static let namespaces: [(name: String, code: UInt64)] = [
        ("ipfs", 0xE3), ("ipns", 0xE5), ("swarm", 0xE4),
    ]

    private static let names = Dictionary(
        uniqueKeysWithValues: (hashFunctions + codecs + namespaces).map { ($0.code, $0.name) })
    private static let codes = Dictionary(
        uniqueKeysWithValues: (hashFunctions + codecs + namespaces).map { ($0.name, $0.code) })
}
