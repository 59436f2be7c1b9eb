import CSHA256
public import Multiformats

extension Multihash {
    /// Hashes bytes.
    ///
    /// - Throws: `unknownFunction` if no implementation exists here, `identityTooLong`.
    public init(hashing bytes: UnsafeRawBufferPointer, with code: MultihashCode) throws(MultihashError) {
        switch code {
        case .sha2_256:
            self = Self.sha256(of: [bytes])[0]
        case .identity:
            try self.init(identity: [UInt8](bytes))
        default:
            guard let digest = FixedDigest.digest(code, bytes) else {
                throw .unknownFunction(code: code.rawValue)
            }
            try self.init(code: code, digest: digest.span.bytes)
        }
    }

    /// Hashes bytes: see ``init(hashing:with:)-(UnsafeRawBufferPointer,_)``.
    public init(hashing bytes: [UInt8], with code: MultihashCode) throws(MultihashError) {
        self = try bytes.span.bytes.withUnsafeBytes { (bytes) throws(MultihashError) in
            try Multihash(hashing: bytes, with: code)
        }
    }

    /// Hashes many messages together, in the lanes of the processor: the fastest where their lengths are alike.
    ///
    /// - Returns: a sha2-256 multihash for each, in order.
    public static func sha256(of messages: [UnsafeRawBufferPointer]) -> [Multihash] {
        guard !messages.isEmpty else { return [] }
        var pointers: [UnsafePointer<UInt8>?] = []
        var lengths: [Int] = []
        pointers.reserveCapacity(messages.count)
        lengths.reserveCapacity(messages.count)
        for message in messages {
            pointers.append(message.baseAddress?.assumingMemoryBound(to: UInt8.self))
            lengths.append(message.count)
        }
        return withUnsafeTemporaryAllocation(byteCount: 32 * messages.count, alignment: 64) { digests in
            let start = digests.baseAddress.unsafelyUnwrapped
            nacre_sha256_many(&pointers, &lengths, messages.count, start.assumingMemoryBound(to: UInt8.self))
            return messages.indices.map { Multihash(sha256: start + 32 * $0) }
        }
    }

    /// Whether the bytes hash to this; `false` as well if no implementation can tell.
    public func matches(_ bytes: UnsafeRawBufferPointer) -> Bool {
        switch code {
        case .identity:
            return withDigest { $0.elementsEqual(bytes) }
        default:
            guard let actual = try? Multihash(hashing: bytes, with: code) else { return false }
            return actual == self
        }
    }
}

/// Digests of fixed length by functions other than sha2-256.
enum FixedDigest {
    static func digest(_ code: MultihashCode, _ bytes: UnsafeRawBufferPointer) -> [UInt8]? {
        switch code {
        case .sha2_224: SHA2.sha224(bytes)
        case .dblSHA2_256: SHA2.doubleSHA256(bytes)
        case .keccak_256: Keccak.digest(bytes, digestBytes: 32)
        case .keccak_512: Keccak.digest(bytes, digestBytes: 64)
        default: GcryptDigest.digest(code, bytes)
        }
    }
}

/// The less common members of the SHA-2 family that our kernels compute.
enum SHA2 {
    static func sha224(_ bytes: UnsafeRawBufferPointer) -> [UInt8] {
        var context = nacre_sha256_context()
        nacre_sha224_init(&context)
        nacre_sha256_update(&context, bytes.baseAddress?.assumingMemoryBound(to: UInt8.self), bytes.count)
        var digest = [UInt8](repeating: 0, count: 32)
        nacre_sha256_final(&context, &digest)
        return Array(digest.prefix(28))
    }

    /// SHA-256 of the SHA-256, as Bitcoin has it.
    static func doubleSHA256(_ bytes: UnsafeRawBufferPointer) -> [UInt8] {
        let inner = Multihash.sha256(of: [bytes])[0].digest
        return inner.withUnsafeBytes { Multihash.sha256(of: [$0])[0].digest }
    }
}
