import CGcrypt
import Multiformats

/// A hash function of libgcrypt.
final class GcryptDigest: IncrementalDigest {
    private let handle: gcry_md_hd_t
    private let digestBytes: Int

    /// - Throws: `unknownFunction` if libgcrypt does not offer the function, as in FIPS mode.
    init(_ code: MultihashCode) throws(MultihashError) {
        guard Self.started, let algorithm = Self.algorithm(of: code), let digestBytes = code.digestBytes
        else {
            throw .unknownFunction(code: code.rawValue)
        }
        var opened: gcry_md_hd_t?
        guard gcry_md_open(&opened, Int32(algorithm.rawValue), 0) == 0, let opened else {
            throw .unknownFunction(code: code.rawValue)
        }
        handle = opened
        self.digestBytes = digestBytes
    }

    deinit { gcry_md_close(handle) }

    func update(_ bytes: UnsafeRawBufferPointer) {
        gcry_md_write(handle, bytes.baseAddress, bytes.count)
    }

    func finish() -> [UInt8] {
        // The handle has one algorithm, so 0 stands for it and the digest is never missing.
        guard let digest = gcry_md_read(handle, 0) else { preconditionFailure("libgcrypt lost a digest") }
        return [UInt8](UnsafeBufferPointer(start: digest, count: digestBytes))
    }

    /// libgcrypt wants to be started once, before anything else and by one thread.
    private static let started = nacre_gcrypt_start() == 1

    private static func algorithm(of code: MultihashCode) -> gcry_md_algos? {
        switch code {
        case .md5: GCRY_MD_MD5
        case .sha1: GCRY_MD_SHA1
        case .sha2_384: GCRY_MD_SHA384
        case .sha2_512: GCRY_MD_SHA512
        case .sha3_224: GCRY_MD_SHA3_224
        case .sha3_256: GCRY_MD_SHA3_256
        case .sha3_384: GCRY_MD_SHA3_384
        case .sha3_512: GCRY_MD_SHA3_512
        case .blake2b_256: GCRY_MD_BLAKE2B_256
        case .blake2b_512: GCRY_MD_BLAKE2B_512
        case .blake2s_256: GCRY_MD_BLAKE2S_256
        default: nil
        }
    }
}
