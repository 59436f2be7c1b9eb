public import Multiformats

/// Hashes one message with any function that Nacre verifies, as the bytes stream past.
///
/// Feed bytes in order, in spans of any length, then call `finish()` once. Memory: one state.
///
/// Spec: the functions are those of the multicodec table with the tag "multihash".
public struct MultihashHasher: ~Copyable, @unchecked Sendable {
    // Sendable: the digest may own a handle of libgcrypt, which any one thread at a time may use. It is made
    // here, reachable only through this value, and a value that cannot be copied has one owner at a time.
    /// The function.
    public let code: MultihashCode
    private var digest: any IncrementalDigest

    /// - Throws: `unknownFunction` if there is no implementation of `code` here.
    public init(_ code: MultihashCode) throws(MultihashError) {
        self.code = code
        digest =
            switch code {
            case .identity: IdentityDigest()
            case .sha2_256: SHA256()
            case .sha2_224: SHA256(.sha224)
            case .dblSHA2_256: SHA256(.double)
            case .keccak_256: Keccak(digestBytes: 32)
            case .keccak_512: Keccak(digestBytes: 64)
            default: try GcryptDigest(code)
            }
    }

    /// Takes the next bytes of the message.
    public mutating func update(_ bytes: UnsafeRawBufferPointer) {
        digest.update(bytes)
    }

    /// Takes the next bytes of the message.
    public mutating func update(_ bytes: [UInt8]) {
        bytes.withUnsafeBytes { digest.update($0) }
    }

    /// The multihash of everything that was fed.
    ///
    /// - Throws: `identityTooLong` if more bytes were fed to identity than it may carry.
    public consuming func finish() throws(MultihashError) -> Multihash {
        let bytes = digest.finish()
        return try Multihash(code: code, digest: bytes.span.bytes)
    }
}

/// The function that changes nothing. It stops collecting one byte above the limit, so that a long message
/// costs no memory and is still recognised as too long.
private struct IdentityDigest: IncrementalDigest {
    private var bytes: [UInt8] = []

    mutating func update(_ more: UnsafeRawBufferPointer) {
        let room = Multihash.maximumIdentityBytes + 1 - bytes.count
        bytes.append(contentsOf: more.prefix(room))
    }

    mutating func finish() -> [UInt8] { bytes }
}
