public import Multiformats

extension CID {
    /// The version 1 CID of a block.
    ///
    /// - Throws: `unknownFunction` if there is no implementation of `code` here; `identityTooLong`.
    public init(
        hashing bytes: UnsafeRawBufferPointer, codec: Codec, with code: MultihashCode = .sha2_256
    ) throws(MultihashError) {
        self.init(codec: codec, multihash: try Multihash(hashing: bytes, with: code))
    }

    /// The version 1 CID of a block.
    ///
    /// - Throws: `unknownFunction` if there is no implementation of `code` here; `identityTooLong`.
    public init(
        hashing bytes: [UInt8], codec: Codec, with code: MultihashCode = .sha2_256
    ) throws(MultihashError) {
        self.init(codec: codec, multihash: try Multihash(hashing: bytes, with: code))
    }

    /// The version 1 CID of a block.
    ///
    /// - Throws: `unknownFunction` if there is no implementation of `code` here; `identityTooLong`.
    public init(
        hashing bytes: RawSpan, codec: Codec, with code: MultihashCode = .sha2_256
    ) throws(MultihashError) {
        self.init(codec: codec, multihash: try Multihash(hashing: bytes, with: code))
    }

    /// Checks that `bytes` are the block that this CID names.
    public func verify(_ bytes: UnsafeRawBufferPointer) throws(DigestMismatch) {
        let actual = try? Multihash(hashing: bytes, with: multihash.code)
        guard actual == multihash else { throw DigestMismatch(cid: self, actual: actual) }
    }

    /// Checks that `bytes` are the block that this CID names.
    public func verify(_ bytes: [UInt8]) throws(DigestMismatch) {
        try verify(bytes.span.bytes)
    }

    /// Checks that `bytes` are the block that this CID names.
    public func verify(_ bytes: RawSpan) throws(DigestMismatch) {
        try bytes.withUnsafeBytes { (bytes) throws(DigestMismatch) in try verify(bytes) }
    }
}

/// Bytes are not the block that a CID names.
public struct DigestMismatch: Error, Equatable, Sendable {
    /// The CID that was asked for.
    public let cid: CID
    /// What the bytes hash to by the CID's function; `nil` if there is no such hash: the bytes are too many
    /// for identity, or the machine's library refuses the function.
    public let actual: Multihash?

    public init(cid: CID, actual: Multihash?) {
        self.cid = cid
        self.actual = actual
    }
}

extension DigestMismatch: CustomStringConvertible {
    public var description: String {
        let found =
            if let actual {
                "its bytes hash to \(hexadecimal(actual.digest))"
            } else {
                "its bytes have no digest by the function of the CID"
            }
        return "block \(cid) is damaged: \(found); take it from another copy"
    }

    private func hexadecimal(_ bytes: [UInt8]) -> String {
        bytes.map { byte in (byte < 16 ? "0" : "") + String(byte, radix: 16) }.joined()
    }
}
