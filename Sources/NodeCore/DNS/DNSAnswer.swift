/// The TXT records of an answer, out of the packet of a DNS server.
///
/// Everything in the packet is a claim: counts, lengths and pointers are checked, and no pointer is
/// followed, since names do not matter here. The resolver has matched the question already.
///
/// Spec: RFC 1035, 4.1; RFC 6891 for the size.
struct DNSAnswer: Equatable, Sendable {
    /// Each record's texts, joined.
    let texts: [[UInt8]]
    /// The shortest time to live on the way, aliases included, in seconds; `nil` if there is no record at all.
    let ttlSeconds: UInt32?

    /// The most bytes of a packet.
    static let maximumBytes = 65535
    /// The most records that are looked at.
    static let maximumRecords = 512

    private static let txt = 16
    private static let alias = 5
    private static let internet = 1

    /// - Throws: `malformed`, `truncated` for a packet that a server cut off.
    init(packet: [UInt8]) throws(DNSPacketError) {
        var reader = PacketReader(packet)
        _ = try reader.number(2)
        let flags = try reader.number(2)
        guard flags & 0x8000 != 0 else { throw .malformed(offset: 2) }
        guard flags & 0x0200 == 0 else { throw .truncated }
        let questions = try reader.number(2)
        let answers = try reader.number(2)
        try reader.skip(4)
        guard questions <= 1, answers <= Self.maximumRecords else { throw .malformed(offset: 4) }
        for _ in 0..<questions {
            try reader.skipName()
            try reader.skip(4)
        }
        var texts: [[UInt8]] = []
        var shortest: UInt32?
        for _ in 0..<answers {
            try reader.skipName()
            let type = try reader.number(2)
            let recordClass = try reader.number(2)
            let ttl = try reader.number(4)
            let length = try reader.number(2)
            let end = try reader.end(after: length)
            if recordClass == Self.internet, type == Self.txt || type == Self.alias {
                // A time of 2^31 or more means zero (RFC 2181, 8).
                let seconds = ttl < 1 << 31 ? UInt32(ttl) : 0
                shortest = min(shortest ?? seconds, seconds)
                if type == Self.txt { texts.append(try reader.strings(upTo: end)) }
            }
            reader.offset = end
        }
        self.texts = texts
        ttlSeconds = shortest
    }
}

/// Why a packet is no answer.
enum DNSPacketError: Error, Equatable, Sendable {
    case malformed(offset: Int)
    case truncated
}

private struct PacketReader {
    private let bytes: [UInt8]
    var offset = 0

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    mutating func number(_ count: Int) throws(DNSPacketError) -> Int {
        guard bytes.count - offset >= count else { throw .malformed(offset: offset) }
        defer { offset += count }
        return bytes[offset..<(offset + count)].reduce(0) { $0 << 8 | Int($1) }
    }

    mutating func skip(_ count: Int) throws(DNSPacketError) {
        guard bytes.count - offset >= count else { throw .malformed(offset: offset) }
        offset += count
    }

    /// Labels up to an empty one or a pointer, which ends a name.
    mutating func skipName() throws(DNSPacketError) {
        while true {
            let length = try number(1)
            switch length & 0xC0 {
            case 0:
                if length == 0 { return }
                try skip(length)
            case 0xC0: return try skip(1)
            default: throw .malformed(offset: offset - 1)
            }
        }
    }

    func end(after length: Int) throws(DNSPacketError) -> Int {
        guard bytes.count - offset >= length else { throw .malformed(offset: offset) }
        return offset + length
    }

    /// The strings of a TXT record, joined.
    mutating func strings(upTo end: Int) throws(DNSPacketError) -> [UInt8] {
        var text: [UInt8] = []
        while offset < end {
            let length = try number(1)
            guard end - offset >= length else { throw .malformed(offset: offset) }
            text += bytes[offset..<(offset + length)]
            offset += length
        }
        return text
    }
}
