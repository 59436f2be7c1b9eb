import CSHA256

/// SHA-256, and the functions that are made of its compression function.
struct SHA256: IncrementalDigest {
    enum Variant { case sha256, sha224, double }

    private let variant: Variant
    private var context = nacre_sha256_context()

    init(_ variant: Variant = .sha256) {
        self.variant = variant
        switch variant {
        case .sha256, .double: nacre_sha256_init(&context)
        case .sha224: nacre_sha224_init(&context)
        }
    }

    mutating func update(_ bytes: UnsafeRawBufferPointer) {
        nacre_sha256_update(&context, bytes.baseAddress?.assumingMemoryBound(to: UInt8.self), bytes.count)
    }

    mutating func finish() -> [UInt8] {
        var digest = [UInt8](repeating: 0, count: 32)
        nacre_sha256_final(&context, &digest)
        switch variant {
        case .sha256: return digest
        case .sha224: return Array(digest.prefix(28))
        case .double:
            var outer = SHA256(.sha256)
            digest.withUnsafeBytes { outer.update($0) }
            return outer.finish()
        }
    }
}
