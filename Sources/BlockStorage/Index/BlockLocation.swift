import Multiformats

/// Where a block lies, and what else the index knows of it.
struct BlockLocation: Equatable, Sendable {
    var pack: UInt64
    /// Where the section begins.
    var offset: UInt64
    /// Bytes of the section before the payload: the length varint and the CID.
    var headerBytes: UInt8
    var payloadBytes: UInt32
    /// The number of the section in its pack.
    var ordinal: UInt32
    /// When the block was put last, in milliseconds since 2020.
    var birth: UInt64
    var flags: Flags

    struct Flags: OptionSet, Equatable, Sendable {
        let rawValue: UInt8
        static let quarantined = Flags(rawValue: 0x80)
        static let scopes = Flags(rawValue: 0x03)

        init(rawValue: UInt8) { self.rawValue = rawValue }
        init(_ scope: ScopeMarks) { rawValue = scope.rawValue & Self.scopes.rawValue }
    }

    var sectionBytes: UInt64 { UInt64(headerBytes) + UInt64(payloadBytes) }
    var payloadOffset: Int64 { Int64(offset) + Int64(headerBytes) }
    var isQuarantined: Bool { flags.contains(.quarantined) }

    func isSamePlace(as other: BlockLocation) -> Bool { pack == other.pack && offset == other.offset }
}

extension BlockLocation {
    var encoded: [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(24)
        Varint.append(pack, to: &bytes)
        Varint.append(offset, to: &bytes)
        bytes.append(headerBytes)
        Varint.append(UInt64(payloadBytes), to: &bytes)
        Varint.append(UInt64(ordinal), to: &bytes)
        Varint.append(birth, to: &bytes)
        bytes.append(flags.rawValue)
        return bytes
    }

    /// - Throws: `index` if the value is damaged.
    init(decoding bytes: RawSpan) throws(BlockStoreError) {
        var offset = 0
        do {
            pack = try Varint.decode(bytes, at: &offset)
            self.offset = try Varint.decode(bytes, at: &offset)
            headerBytes = try Self.byte(bytes, at: &offset)
            payloadBytes = try Self.word(Varint.decode(bytes, at: &offset))
            ordinal = try Self.word(Varint.decode(bytes, at: &offset))
            birth = try Varint.decode(bytes, at: &offset)
            flags = Flags(rawValue: try Self.byte(bytes, at: &offset))
        } catch {
            throw .index("a location is damaged")
        }
        guard offset == bytes.byteCount, self.offset < 1 << 48 else { throw .index("a location is damaged") }
    }

    init(decoding bytes: [UInt8]) throws(BlockStoreError) { try self.init(decoding: bytes.span.bytes) }

    init(decoding bytes: UnsafeRawBufferPointer) throws(BlockStoreError) {
        try self.init(decoding: RawSpan(_unsafeBytes: bytes))
    }

    private static func byte(_ bytes: RawSpan, at offset: inout Int) throws(VarintError) -> UInt8 {
        guard offset < bytes.byteCount else { throw .truncated }
        offset += 1
        return bytes.unsafeLoad(fromByteOffset: offset - 1, as: UInt8.self)
    }

    private static func word(_ value: UInt64) throws(VarintError) -> UInt32 {
        guard let word = UInt32(exactly: value) else { throw .overflow }
        return word
    }
}

/// What the index knows of a pack.
struct PackState: Equatable, Sendable {
    /// Up to where the index is complete.
    var mark: UInt64
    /// Sections before the mark.
    var sections: UInt32 = 0
    /// Sections that the index points at, and their bytes.
    var liveSections: UInt32 = 0
    var liveBytes: UInt64 = 0
    var isSealed = false

    init(mark: UInt64) { self.mark = mark }

    /// Counts a section as dead.
    mutating func forget(_ location: BlockLocation) {
        liveSections -= min(1, liveSections)
        liveBytes -= min(location.sectionBytes, liveBytes)
    }

    var deadBytes: UInt64 {
        let payload = mark - min(mark, UInt64(PackFormat.header.count))
        return payload - min(payload, liveBytes)
    }

    var encoded: [UInt8] {
        var bytes: [UInt8] = []
        Varint.append(mark, to: &bytes)
        Varint.append(UInt64(sections), to: &bytes)
        Varint.append(UInt64(liveSections), to: &bytes)
        Varint.append(liveBytes, to: &bytes)
        bytes.append(isSealed ? 1 : 0)
        return bytes
    }

    init(decoding bytes: [UInt8]) throws(BlockStoreError) {
        let span = bytes.span.bytes
        var offset = 0
        do {
            mark = try Varint.decode(span, at: &offset)
            sections = UInt32(truncatingIfNeeded: try Varint.decode(span, at: &offset))
            liveSections = UInt32(truncatingIfNeeded: try Varint.decode(span, at: &offset))
            liveBytes = try Varint.decode(span, at: &offset)
        } catch {
            throw .index("the state of a pack is damaged")
        }
        guard offset == bytes.count - 1 else { throw .index("the state of a pack is damaged") }
        isSealed = bytes[offset] & 1 == 1
    }
}
