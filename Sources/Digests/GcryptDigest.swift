import CGcrypt
import Multiformats

/// The hash functions that libgcrypt computes.
enum GcryptDigest {
    /// The library must be set up once before its first use, from one thread.
    private static let isReady: Bool = {
        guard gcry_check_version(nil) != nil else { return false }
        // No secrets are hashed here: locked memory would only fail where little may be locked.
        _ = nacre_gcrypt_finish_setup()
        return true
    }()

    /// The library's number for a function; `nil` if it does not have it.
    static func algorithm(_ code: MultihashCode) -> Int32? {
        let algorithm: gcry_md_algos
        switch code {
        case .md5: algorithm = GCRY_MD_MD5
        case .sha1: algorithm = GCRY_MD_SHA1
        case .sha2_384: algorithm = GCRY_MD_SHA384
        case .sha2_512: algorithm = GCRY_MD_SHA512
        case .sha3_224: algorithm = GCRY_MD_SHA3_224
        case .sha3_256: algorithm = GCRY_MD_SHA3_256
        case .sha3_384: algorithm = GCRY_MD_SHA3_384
        case .sha3_512: algorithm = GCRY_MD_SHA3_512
        case .blake2b_256: algorithm = GCRY_MD_BLAKE2B_256
        case .blake2b_512: algorithm = GCRY_MD_BLAKE2B_512
        case .blake2s_256: algorithm = GCRY_MD_BLAKE2S_256
        default: return nil
        }
        return isReady ? Int32(algorithm.rawValue) : nil
    }

    /// The digest of one message, or `nil` if the library does not have the function.
    static func digest(_ code: MultihashCode, _ bytes: UnsafeRawBufferPointer) -> [UInt8]? {
        guard let algorithm = algorithm(code), let count = code.digestBytes else { return nil }
        return [UInt8](unsafeUninitializedCapacity: count) { digest, initialised in
            gcry_md_hash_buffer(
                algorithm, digest.baseAddress, bytes.baseAddress ?? UnsafeRawPointer(digest.baseAddress!),
                bytes.count)
            initialised = count
        }
    }
}
