/// A digest that says by which function it was made: code varint, length varint, digest bytes.
///
/// A value of this type is well formed: the length is right for a known function, an identity multihash
/// carries at most ``maximumIdentityBytes``. Whether bytes really hash to it is for `Digests` to say.
/// Digests of 32 bytes live inline; others in an array.
///
/// Spec: multiformats/multihash.
public struct Multihash: Hashable, Sendable {
    /// The hash function.
    public let code: MultihashCode
    @usableFromInline let storage: Storage

    /// The most bytes that an identity multihash may carry (as go-ipfs and boxo cap it).
    public static let maximumIdentityBytes = 128
    /// The most digest bytes of any function.
    public static let maximumDigestBytes = 128

    @usableFromInline
    enum Storage: Hashable, Sendable {
        case words(UInt64, UInt64, UInt64, UInt64)
        case bytes([UInt8])
    }

    /// Takes a digest that was made by `code`.
    ///
    /// - Throws: `unknownFunction`, `wrongDigestLength` (truncated digests included), `identityTooLong`.
    public init(code: MultihashCode, digest: RawSpan) throws(MultihashError) {
        let count = digest.byteCount
        if code == .identity {
            guard count <= Self.maximumIdentityBytes else {
                throw .identityTooLong(bytes: count, maximum: Self.maximumIdentityBytes)
            }
        } else {
            guard let expected = code.digestBytes else { throw .unknownFunction(code: code.rawValue) }
            guard count == expected else {
                throw .wrongDigestLength(code: code.rawValue, expected: expected, actual: count)
            }
        }
        self.init(uncheckedCode: code, digest: digest)
    }

    @inlinable
    init(uncheckedCode code: MultihashCode, digest: RawSpan) {
        self.code = code
        if digest.byteCount == 32 {
            storage = .words(
                digest.unsafeLoadUnaligned(fromByteOffset: 0, as: UInt64.self),
                digest.unsafeLoadUnaligned(fromByteOffset: 8, as: UInt64.self),
                digest.unsafeLoadUnaligned(fromByteOffset: 16, as: UInt64.self),
                digest.unsafeLoadUnaligned(fromByteOffset: 24, as: UInt64.self))
        } else {
            storage = .bytes(digest.withUnsafeBytes { [UInt8]($0) })
        }
    }

    /// A sha2-256 multihash of a digest of 32 bytes at `digest`.
    @inlinable
    public init(sha256 digest: UnsafeRawPointer) {
        code = .sha2_256
        storage = .words(
            digest.loadUnaligned(fromByteOffset: 0, as: UInt64.self),
            digest.loadUnaligned(fromByteOffset: 8, as: UInt64.self),
            digest.loadUnaligned(fromByteOffset: 16, as: UInt64.self),
            digest.loadUnaligned(fromByteOffset: 24, as: UInt64.self))
    }

    /// An identity multihash: the bytes themselves.
    ///
    /// - Throws: `identityTooLong` above ``maximumIdentityBytes``.
    public init(identity bytes: [UInt8]) throws(MultihashError) {
        try self.init(code: .identity, digest: bytes.span.bytes)
    }

    /// Decodes a multihash at `offset` and moves `offset` behind it.
    ///
    /// - Throws: what ``init(code:digest:)`` throws, and `varint` or `truncated` if bytes are missing.
    public static func decode(_ bytes: RawSpan, at offset: inout Int) throws(MultihashError) -> Multihash {
        var index = offset
        let code: UInt64
        let length: UInt64
        do {
            code = try Varint.decode(bytes, at: &index)
            length = try Varint.decode(bytes, at: &index)
        } catch {
            throw .varint(error)
        }
        let known = MultihashCode(rawValue: code)
        if known == .identity && length > UInt64(maximumIdentityBytes) {
            throw .identityTooLong(bytes: Int(clamping: length), maximum: maximumIdentityBytes)
        }
        guard known == .identity || known.digestBytes != nil else { throw .unknownFunction(code: code) }
        guard length <= UInt64(maximumDigestBytes) else {
            throw .wrongDigestLength(
                code: code, expected: known.digestBytes ?? 0, actual: Int(clamping: length))
        }
        guard bytes.byteCount - index >= Int(length) else {
            throw .truncated(expected: Int(length), actual: bytes.byteCount - index)
        }
        let result = try Multihash(code: known, digest: bytes.extracting(index..<(index + Int(length))))
        offset = index + Int(length)
        return result
    }

    /// How many digest bytes there are.
    @inlinable
    public var digestByteCount: Int {
        switch storage {
        case .words: 32
        case .bytes(let bytes): bytes.count
        }
    }

    /// Gives the bare digest bytes to `body`, without an allocation.
    @inlinable
    public func withDigest<R, E: Error>(_ body: (UnsafeRawBufferPointer) throws(E) -> R) throws(E) -> R {
        switch storage {
        case .words(let a, let b, let c, let d):
            let words: InlineArray<4, UInt64> = [a, b, c, d]
            return try words.span.bytes.withUnsafeBytes(body)
        case .bytes(let bytes):
            return try bytes.span.bytes.withUnsafeBytes(body)
        }
    }

    /// The bare digest bytes.
    public var digest: [UInt8] { withDigest { [UInt8]($0) } }

    /// The size of the binary form.
    @inlinable
    public var byteCount: Int {
        Varint.size(of: code.rawValue) + Varint.size(of: UInt64(digestByteCount)) + digestByteCount
    }

    /// The binary form.
    public var bytes: [UInt8] {
        var result: [UInt8] = []
        result.reserveCapacity(byteCount)
        append(to: &result)
        return result
    }

    /// Appends the binary form.
    @inlinable
    public func append(to bytes: inout [UInt8]) {
        Varint.append(code.rawValue, to: &bytes)
        Varint.append(UInt64(digestByteCount), to: &bytes)
        withDigest { bytes.append(contentsOf: $0) }
    }

    @inlinable
    public static func == (a: Multihash, b: Multihash) -> Bool {
        guard a.code == b.code else { return false }
        switch (a.storage, b.storage) {
        case (.words(let a0, let a1, let a2, let a3), .words(let b0, let b1, let b2, let b3)):
            return a0 == b0 && a1 == b1 && a2 == b2 && a3 == b3
        case (.bytes(let left), .bytes(let right)):
            return left == right
        default:
            return false
        }
    }

    /// A digest is uniform already, so one word of it is hash enough; identity bytes are not.
    @inlinable
    public func hash(into hasher: inout Hasher) {
        switch storage {
        case .words(let a, let b, _, _):
            hasher.combine(a)
            if code == .identity { hasher.combine(b) }
        case .bytes(let bytes):
            hasher.combine(bytes)
        }
    }
}

/// Why bytes are not a multihash that Nacre can check.
public enum MultihashError: Error, Equatable, Sendable {
    case varint(VarintError)
    /// No verifying implementation exists here for this code of the multicodec table.
    case unknownFunction(code: UInt64)
    case wrongDigestLength(code: UInt64, expected: Int, actual: Int)
    case identityTooLong(bytes: Int, maximum: Int)
    case truncated(expected: Int, actual: Int)
    case trailingBytes(count: Int)
}

extension MultihashError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .varint(let error):
            return "the multihash is damaged: \(error)"
        case .unknownFunction(let code):
            let name = MulticodecTable.name(of: code).map { " (\($0))" } ?? ""
            return
                "hash function 0x\(String(code, radix: 16))\(name) cannot be verified here, so its blocks are refused"
        case .wrongDigestLength(let code, let expected, let actual):
            let name = MulticodecTable.name(of: code) ?? "0x" + String(code, radix: 16)
            return "a \(name) digest has \(expected) bytes, this one has \(actual)"
        case .identityTooLong(let bytes, let maximum):
            return
                "an identity multihash may carry \(maximum) bytes, this one carries \(bytes); store the bytes as a block"
        case .truncated(let expected, let actual):
            return "the multihash promises \(expected) digest bytes, only \(actual) follow"
        case .trailingBytes(let count):
            return "\(count) bytes follow the multihash"
        }
    }
}
