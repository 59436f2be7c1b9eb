import Digests
import Multiformats

/// Bytes that came and were not yet taken, and where in the file they stand.
struct CARInputBuffer: Sendable {
    private var bytes: [UInt8] = []
    /// Where the bytes not yet taken begin. Nothing moves while sections are taken, only when bytes are
    /// added.
    private(set) var start = 0
    /// The offset in the file of the first byte not yet taken.
    private(set) var position: UInt64 = 0
    /// How many bytes there must be before it makes sense to look again.
    private var wanted: UInt64 = 0
    /// No bytes will be added.
    var isFinished = false

    var count: Int { bytes.count - start }
    var isEmpty: Bool { start == bytes.count }

    mutating func append(_ more: UnsafeRawBufferPointer) {
        if isEmpty {
            bytes.removeAll(keepingCapacity: true)
            start = 0
        } else if start > bytes.count / 2 {
            bytes.removeSubrange(..<start)
            start = 0
        }
        bytes.append(contentsOf: more)
    }

    /// Gives all bytes since the last ``append(_:)``, those taken included.
    func withUnsafeBytes<R>(_ body: (UnsafeRawBufferPointer) -> R) -> R { bytes.withUnsafeBytes(body) }

    /// Takes what `body` reads, of the bytes that stand before the offset `limit` of the file.
    ///
    /// - Parameter body: reads from the start of a span that stands at an offset of the file; returns a
    ///   value and how many bytes it took, or throws `truncated`.
    /// - Returns: `nil` if bytes are missing that may still come.
    mutating func parse<T>(
        upTo limit: UInt64, _ body: (RawSpan, UInt64) throws(CARError) -> (value: T, end: Int)
    ) throws(CARError) -> T? {
        let left = limit - min(limit, position)
        let available = Int(min(UInt64(count), left))
        let canGrow = !isFinished && UInt64(available) < left
        if canGrow && UInt64(available) < wanted { return nil }
        wanted = 0
        do {
            let result = try body(
                bytes.span.bytes.extracting(start..<(start + available)), position)
            start += result.end
            position += UInt64(result.end)
            return result.value
        } catch .truncated(_, _, let needed, _) where canGrow {
            wanted = needed
            return nil
        } catch {
            throw error
        }
    }

    /// Drops bytes up to an offset of the file; `false` if bytes are missing that may still come.
    mutating func skip(to target: UInt64, part: CARPart, from first: UInt64) throws(CARError) -> Bool {
        let dropped = Int(min(UInt64(count), target - min(target, position)))
        start += dropped
        position += UInt64(dropped)
        if position >= target { return true }
        guard !isFinished else {
            throw .truncated(part, at: first, needed: target - first, available: position - first)
        }
        return false
    }

    /// Drops all bytes; the next ones to be added stand at an offset of the file.
    mutating func jump(to offset: UInt64) {
        bytes.removeAll(keepingCapacity: true)
        start = 0
        position = offset
    }

    /// What the section here takes by its own claim, its length included.
    func sectionBytes(limits: CARLimits) -> UInt64 {
        let here = bytes.span.bytes.extracting(start..<bytes.count)
        guard let claim = try? CARv1.sectionLength(here, at: 0, limits: limits, base: position) else {
            return 0
        }
        return UInt64(claim.start + claim.length)
    }
}

/// A section within the input buffer.
struct FoundSection {
    let cid: CID
    /// In the file.
    let offset: UInt64
    /// The bytes of the block, in the buffer.
    let range: Range<Int>

    /// The indices of the blocks that are not what their CIDs name. Those by sha2-256 are hashed together.
    static func damaged(
        among found: [Result<FoundSection, CARError>], in input: UnsafeRawBufferPointer
    ) -> Set<Int> {
        var damaged: Set<Int> = []
        var together: [(index: Int, multihash: Multihash)] = []
        var messages: [UnsafeRawBufferPointer] = []
        for (index, result) in found.enumerated() {
            guard case .success(let section) = result else { continue }
            let multihash = section.cid.multihash
            let bytes = UnsafeRawBufferPointer(rebasing: input[section.range])
            if multihash.code == .sha2_256 {
                together.append((index, multihash))
                messages.append(bytes)
            } else if !multihash.matches(bytes) {
                damaged.insert(index)
            }
        }
        for ((index, expected), actual) in zip(together, Multihash.sha256(of: messages))
        where expected != actual {
            damaged.insert(index)
        }
        return damaged
    }
}
