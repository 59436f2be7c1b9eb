public import Multiformats

extension CID {
    /// The version 1 CID of bytes.
    public init(
        hashing bytes: UnsafeRawBufferPointer, codec: Codec, with code: MultihashCode = .sha2_256
    ) throws(MultihashError) {
        self.init(codec: codec, multihash: try Multihash(hashing: bytes, with: code))
    }

    /// The version 1 CID of bytes.
    public init(
        hashing bytes: [UInt8], codec: Codec, with code: MultihashCode = .sha2_256
    ) throws(MultihashError) {
        self.init(codec: codec, multihash: try Multihash(hashing: bytes, with: code))
    }

    /// Checks that bytes are what this CID names.
    ///
    /// - Throws: `DigestMismatch`.
    public func verify(_ bytes: UnsafeRawBufferPointer) throws(DigestMismatch) {
        guard multihash.matches(bytes) else {
            throw DigestMismatch(cid: self, actual: try? Multihash(hashing: bytes, with: multihash.code))
        }
    }

    /// Checks that bytes are what this CID names.
    public func verify(_ bytes: [UInt8]) throws(DigestMismatch) {
        try bytes.span.bytes.withUnsafeBytes { (bytes) throws(DigestMismatch) in try verify(bytes) }
    }
}

/// Bytes do not hash to the CID that they came under.
public struct DigestMismatch: Error, Equatable, Sendable {
    public let cid: CID
    /// What they hash to; `nil` if no implementation can tell.
    public let actual: Multihash?

    public init(cid: CID, actual: Multihash?) {
        self.cid = cid
        self.actual = actual
    }
}

extension DigestMismatch: CustomStringConvertible {
    public var description: String {
        "the bytes do not hash to \(cid): they are damaged or are those of another block"
    }
}
