import CSHA256
public import Multiformats

extension Multihash {
    /// Hashes bytes.
    ///
    /// - Throws: `unknownFunction` if there is no implementation of `code` here; `identityTooLong`.
    public init(hashing bytes: UnsafeRawBufferPointer, with code: MultihashCode) throws(MultihashError) {
        if code == .sha2_256 {
            self = Multihash.sha256(of: bytes)
            return
        }
        var hasher = try MultihashHasher(code)
        hasher.update(bytes)
        self = try hasher.finish()
    }

    /// Hashes bytes.
    ///
    /// - Throws: `unknownFunction` if there is no implementation of `code` here; `identityTooLong`.
    public init(hashing bytes: [UInt8], with code: MultihashCode) throws(MultihashError) {
        try self.init(hashing: bytes.span.bytes, with: code)
    }

    /// Hashes bytes.
    ///
    /// - Throws: `unknownFunction` if there is no implementation of `code` here; `identityTooLong`.
    public init(hashing bytes: RawSpan, with code: MultihashCode) throws(MultihashError) {
        self = try bytes.withUnsafeBytes { (bytes) throws(MultihashError) in
            try Multihash(hashing: bytes, with: code)
        }
    }

    /// Whether `bytes` hash to this multihash. A function without an implementation here matches nothing.
    public func matches(_ bytes: UnsafeRawBufferPointer) -> Bool {
        guard let actual = try? Multihash(hashing: bytes, with: code) else { return false }
        return actual == self
    }

    /// Whether `bytes` hash to this multihash. A function without an implementation here matches nothing.
    public func matches(_ bytes: [UInt8]) -> Bool {
        bytes.withUnsafeBytes { matches($0) }
    }

    /// The sha2-256 multihash of one message.
    public static func sha256(of message: UnsafeRawBufferPointer) -> Multihash {
        var start: UnsafePointer<UInt8>? = message.baseAddress?.assumingMemoryBound(to: UInt8.self)
        var count = message.count
        return withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 32) { digest in
            nacre_sha256_many(&start, &count, 1, digest.baseAddress)
            return Multihash(sha256: UnsafeRawPointer(digest.baseAddress.unsafelyUnwrapped))
        }
    }

    /// The sha2-256 multihashes of many messages, in their order.
    ///
    /// The messages are hashed side by side in the lanes of one register where the machine can do that, so
    /// many at once are faster than one after another: a multiple of 16, of similar length, fills all lanes.
    public static func sha256(of messages: [UnsafeRawBufferPointer]) -> [Multihash] {
        let count = messages.count
        guard count > 0 else { return [] }
        return withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 32 * count) { digests in
            withUnsafeTemporaryAllocation(of: UnsafePointer<UInt8>?.self, capacity: count) { starts in
                withUnsafeTemporaryAllocation(of: Int.self, capacity: count) { lengths in
                    for index in 0..<count {
                        let start = messages[index].baseAddress?.assumingMemoryBound(to: UInt8.self)
                        starts.initializeElement(at: index, to: start)
                        lengths.initializeElement(at: index, to: messages[index].count)
                    }
                    nacre_sha256_many(starts.baseAddress, lengths.baseAddress, count, digests.baseAddress)
                }
            }
            let start = UnsafeRawPointer(digests.baseAddress.unsafelyUnwrapped)
            return (0..<count).map { Multihash(sha256: start + 32 * $0) }
        }
    }
}
