import Digests
import IPLD
import Multiformats

/// Reads a pack section by section from some offset on, and says which sections are whole and right.
///
/// Reads 16 MiB at a time and verifies what lies in the buffer together, in lanes. Memory: the buffer.
struct PackScanner {
    struct Section {
        let cid: CID
        let offset: UInt64
        let headerBytes: Int
        let payload: UnsafeRawBufferPointer
        /// Whether the payload hashes to the CID.
        let isIntact: Bool
    }

    enum End: Equatable {
        /// The file ends, or zeros begin, right behind a section.
        case clean(UInt64)
        /// At this offset is no whole section.
        case broken(UInt64, String)

        var offset: UInt64 {
            switch self {
            case .clean(let offset), .broken(let offset, _): offset
            }
        }
    }

    let file: any FileHandle
    private static let bufferBytes = 16 * 1024 * 1024

    /// Whether the file begins as a pack does.
    func hasHeader() throws -> Bool {
        var bytes = [UInt8](repeating: 0, count: PackFormat.header.count)
        let count = try bytes.withUnsafeMutableBytes { try file.read(into: $0, at: 0) }
        return count == bytes.count && bytes == PackFormat.header
    }

    /// Gives the sections from `start` on, many at a time; the payloads are valid only during the call.
    ///
    /// - Parameter body: returns whether to go on.
    func scan(from start: UInt64, upTo limit: UInt64? = nil, _ body: ([Section]) throws -> Bool) throws -> End
    {
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: Self.bufferBytes, alignment: 4096)
        defer { buffer.deallocate() }
        var offset = start
        while true {
            if let limit, offset >= limit { return .clean(offset) }
            var window = buffer
            if let limit {
                window = UnsafeMutableRawBufferPointer(
                    rebasing: buffer[..<min(buffer.count, Int(limit - offset))])
            }
            let count = try file.read(into: window, at: Int64(offset))
            let filled = UnsafeRawBufferPointer(rebasing: buffer[..<count])
            let (sections, used, stop) = Self.parse(
                filled, at: offset,
                isWholeRest: count < window.count || limit != nil && offset + UInt64(count) == limit)
            if !sections.isEmpty, try !body(Self.verified(sections)) { return .clean(offset + UInt64(used)) }
            offset += UInt64(used)
            if let stop { return stop }
        }
    }

    /// The first section from `start` on whose payload hashes to its CID, found without any length in front: by the
    /// bytes that sha2-256 CIDs of the usual codecs begin with.
    ///
    /// Cost: one pass over the bytes, and a digest for each place that looks like a section.
    func nextIntactSection(from start: UInt64) throws -> UInt64? {
        // Large enough for the largest section behind any place in the first half.
        let buffer = UnsafeMutableRawBufferPointer.allocate(
            byteCount: 2 * (PackFormat.maximumHeaderBytes + Block.hardMaximumBytes), alignment: 4096)
        defer { buffer.deallocate() }
        var offset = start
        while true {
            let count = try file.read(into: buffer, at: Int64(offset))
            let isLast = count < buffer.count
            let places = isLast ? count : buffer.count / 2
            for place in 0..<places {
                let rest = UnsafeRawBufferPointer(rebasing: buffer[place..<count])
                guard PackFormat.looksLikeSection(rest), case .section(let head) = PackFormat.parse(rest),
                    head.bytes <= rest.count
                else { continue }
                let payload = UnsafeRawBufferPointer(rebasing: rest[head.headerBytes..<head.bytes])
                if head.cid.multihash.matches(payload) { return offset + UInt64(place) }
            }
            if isLast { return nil }
            offset += UInt64(places)
        }
    }

    private typealias Raw = (head: PackFormat.Section, offset: UInt64, payload: UnsafeRawBufferPointer)

    /// The whole sections in a buffer, the bytes they take, and the end if it was met.
    private static func parse(
        _ bytes: UnsafeRawBufferPointer, at start: UInt64, isWholeRest: Bool
    ) -> (sections: [Raw], used: Int, end: End?) {
        var sections: [Raw] = []
        var used = 0
        while true {
            let rest = UnsafeRawBufferPointer(rebasing: bytes[used...])
            let here = start + UInt64(used)
            switch PackFormat.parse(rest) {
            case .section(let head) where head.bytes <= rest.count:
                sections.append(
                    (head, here, UnsafeRawBufferPointer(rebasing: rest[head.headerBytes..<head.bytes])))
                used += head.bytes
            case .section, .incomplete:
                guard isWholeRest else { return (sections, used, nil) }
                return (
                    sections, used, rest.isEmpty ? .clean(here) : .broken(here, "the section is cut short")
                )
            case .end:
                return (sections, used, .clean(here))
            case .invalid(let reason):
                return (sections, used, .broken(here, reason))
            }
        }
    }

    private static func verified(_ sections: [Raw]) -> [Section] {
        let lanes = sections.indices.filter { sections[$0].head.cid.multihash.code == .sha2_256 }
        let digests = Multihash.sha256(of: lanes.map { sections[$0].payload })
        var isIntact = sections.map {
            $0.head.cid.multihash.code != .sha2_256 && $0.head.cid.multihash.matches($0.payload)
        }
        for (index, digest) in zip(lanes, digests) {
            isIntact[index] = digest == sections[index].head.cid.multihash
        }
        return zip(sections, isIntact).map { section, isIntact in
            Section(
                cid: section.head.cid, offset: section.offset, headerBytes: section.head.headerBytes,
                payload: section.payload, isIntact: isIntact)
        }
    }
}
