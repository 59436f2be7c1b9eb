import Multiformats

/// The sections of a file that can be read at any offset.
struct CARFileSections: Sendable {
    let options: CARReadingOptions
    let read: CARPositionalRead
    /// Where in the file the payload is.
    let payload: Range<UInt64>
    /// Where in the file the first section begins.
    let firstSection: UInt64

    /// Length and CID of any section fit into this; so do several small sections.
    private static let windowBytes = 4096

    /// The section at an offset of the payload, unverified; `nil` if there is none with the multihash of
    /// `cid`, so that whoever said so was wrong.
    ///
    /// - Throws: what `read` throws.
    func section(_ cid: CID, at offset: UInt64) throws -> CARSection? {
        let (place, overflows) = payload.lowerBound.addingReportingOverflow(offset)
        guard !overflows, place >= firstSection, place < payload.upperBound else { return nil }
        let window = try bytes(at: place, count: Self.windowBytes)
        // Whatever is wrong with the section, it is not the one that was promised.
        guard
            let head = try? CARv1.sectionHead(window.span.bytes, at: 0, limits: options.limits, base: place),
            head.cid.multihash == cid.multihash, UInt64(head.end) <= payload.upperBound - place
        else { return nil }
        if head.end <= window.count {
            return CARSection(cid: head.cid, bytes: Array(window[head.block]), offset: place)
        }
        let block = try bytes(at: place + UInt64(head.headBytes), count: head.block.count)
        guard block.count == head.block.count else { return nil }
        return CARSection(cid: head.cid, bytes: block, offset: place)
    }

    /// Calls `body` with the CID of each section, and its offset in the payload. Blocks are not read.
    ///
    /// Sections whose CID cannot be used are left out: nobody can ask for them.
    func forEachHead(_ body: (CID, UInt64) throws -> Void) throws {
        var window: [UInt8] = []
        var windowStart = firstSection
        var place = firstSection
        while place < payload.upperBound {
            let index = Int(clamping: place - windowStart)
            if index >= window.count || window.count - index < CID.maximumBytes + Varint.maximumBytes {
                window = try bytes(at: place, count: Self.windowBytes)
                windowStart = place
            }
            let at = Int(place - windowStart)
            var next: UInt64
            do {
                let head = try CARv1.sectionHead(
                    window.span.bytes, at: at, limits: options.limits, base: windowStart)
                next = windowStart + UInt64(head.end)
                if next <= payload.upperBound { try body(head.cid, place - payload.lowerBound) }
            } catch CARError.zeroLengthSection where options.zeroLengthSection == .isEnd {
                return
            } catch let error as CARError where error.concernsOneSection {
                let (length, start) = try CARv1.sectionLength(
                    window.span.bytes, at: at, limits: options.limits, base: windowStart)
                next = windowStart + UInt64(start + length)
            }
            guard next <= payload.upperBound else {
                throw CARError.truncated(
                    .section, at: place, needed: next - place, available: payload.upperBound - place)
            }
            place = next
        }
    }

    /// The bytes at an offset of the file: `count` of them, fewer at the end of the payload.
    private func bytes(at offset: UInt64, count: Int) throws -> [UInt8] {
        let wanted = Int(min(UInt64(count), payload.upperBound - min(offset, payload.upperBound)))
        var result = [UInt8](repeating: 0, count: wanted)
        var filled = 0
        while filled < wanted {
            let got = try result.withUnsafeMutableBytes {
                try read(offset + UInt64(filled), UnsafeMutableRawBufferPointer(rebasing: $0[filled...]))
            }
            guard got > 0 else { break }
            filled += min(got, wanted - filled)
        }
        result.removeLast(wanted - filled)
        return result
    }
}
