import CGcrypt
import CSHA256
public import Multiformats

/// Hashes a stream of bytes by one function, as they pass.
public struct MultihashHasher: ~Copyable {
    private let code: MultihashCode
    private var context = nacre_sha256_context()
    /// Set for functions that libgcrypt computes; the context above is unused then.
    private let handle: gcry_md_hd_t?

    /// - Throws: `unknownFunction` for identity, keccak and functions that nobody computes here.
    public init(_ code: MultihashCode) throws(MultihashError) {
        self.code = code
        switch code {
        case .sha2_256, .dblSHA2_256:
            handle = nil
            nacre_sha256_init(&context)
        case .sha2_224:
            handle = nil
            nacre_sha224_init(&context)
        default:
            var handle: gcry_md_hd_t?
            guard let algorithm = GcryptDigest.algorithm(code), gcry_md_open(&handle, algorithm, 0) == 0,
                handle != nil
            else { throw .unknownFunction(code: code.rawValue) }
            self.handle = handle
        }
    }

    deinit {
        if let handle { gcry_md_close(handle) }
    }

    public mutating func update(_ bytes: UnsafeRawBufferPointer) {
        if let handle {
            gcry_md_write(handle, bytes.baseAddress, bytes.count)
        } else if !bytes.isEmpty {
            nacre_sha256_update(&context, bytes.baseAddress?.assumingMemoryBound(to: UInt8.self), bytes.count)
        }
    }

    /// The digest of everything so far. Call once.
    public mutating func finish() throws(MultihashError) -> Multihash {
        var digest = [UInt8](repeating: 0, count: max(32, code.digestBytes ?? 0))
        if let handle {
            guard let bytes = gcry_md_read(handle, 0) else { throw .unknownFunction(code: code.rawValue) }
            for index in 0..<(code.digestBytes ?? 0) { digest[index] = bytes[index] }
        } else {
            nacre_sha256_final(&context, &digest)
            if code == .dblSHA2_256 {
                digest = digest.withUnsafeBytes {
                    Multihash.sha256(of: [UnsafeRawBufferPointer(rebasing: $0[..<32])])[0].digest
                }
            }
        }
        return try Multihash(code: code, digest: digest.span.bytes.extracting(0..<(code.digestBytes ?? 32)))
    }
}
