import BlockStorage
import HTTPSupport
import IPLD
import Multiformats
import UnixFS

/// The content of a file: leaves as places in packs where they are large, and as bytes where not.
///
/// Some leaves are located, and verified where that was not done yet, together: few at first, so that the
/// beginning comes soon. What comes before a leaf that is missing or damaged is still delivered.
final class FileBody: BodyStream, @unchecked Sendable {
    // Proof of Sendable: as for `PulledBody`, one call at a time.
    private var cursor: UnixFSFileCursor
    private let source: ScopedBlockSource
    /// What is made and not taken yet, the next piece last.
    private var ready: [BodyPiece] = []
    private var failure: (any Error)?
    private var isAtEnd = false
    private var leavesAtOnce = 1

    init(_ cursor: UnixFSFileCursor, source: ScopedBlockSource) {
        self.cursor = cursor
        self.source = source
    }

    /// Makes the first piece, so that its errors come as a status.
    func begin() throws {
        try fill()
        if ready.isEmpty, let failure { throw failure }
    }

    var isReady: Bool { !ready.isEmpty || isAtEnd }

    func next() throws -> BodyPiece? {
        if ready.isEmpty { try fill() }
        if let piece = ready.popLast() { return piece }
        if let failure { throw failure }
        return nil
    }

    private func fill() throws {
        while ready.isEmpty, failure == nil, !isAtEnd {
            var leaves: [UnixFSFileCursor.Leaf] = []
            var content: ArraySlice<UInt8>?
            do {
                while content == nil, leaves.count < leavesAtOnce {
                    switch try cursor.nextPart() {
                    case .content(let bytes): content = bytes
                    case .leaf(let leaf):
                        leaves.append(leaf)
                        continue
                    case nil: isAtEnd = true
                    }
                    break
                }
            } catch {
                failure = error
            }
            leavesAtOnce = min(16, leavesAtOnce * 4)
            var pieces = locate(leaves)
            // Behind a leaf that failed nothing may be delivered.
            if let content, pieces.count == leaves.count { pieces.append(.bytes(content)) }
            ready = pieces.reversed()
        }
    }

    /// - Returns: pieces of the first leaves; fewer than there are if one failed, which is noted.
    private func locate(_ leaves: [UnixFSFileCursor.Leaf]) -> [BodyPiece] {
        guard !leaves.isEmpty else { return [] }
        if let places = try? source.places(of: leaves.map(\.cid), .payload),
            let pieces = try? zip(leaves, places).map(piece)
        {
            return pieces
        }
        // Some of them cannot be had: those before the first of these can.
        var pieces: [BodyPiece] = []
        do {
            for leaf in leaves { pieces.append(try piece(leaf, source.places(of: [leaf.cid], .payload)[0])) }
        } catch {
            failure = error
        }
        return pieces
    }

    private func piece(_ leaf: UnixFSFileCursor.Leaf, _ place: HeldBlock?) throws -> BodyPiece {
        guard let place else { throw UnixFSFileError.missingBlock(leaf.cid, offset: leaf.offset) }
        try leaf.check(place)
        // The range lies within the size, which is the count of something in memory or on the disk.
        let (lower, upper) = (Int(leaf.range.lowerBound), Int(leaf.range.upperBound))
        switch place {
        case .extent(let extent):
            return .file(
                FileSlice(
                    owner: extent.file, descriptor: extent.descriptor,
                    offset: extent.offset + Int64(lower), count: upper - lower))
        case .bytes(let block): return .bytes(block.bytes[lower..<upper])
        }
    }
}

extension UnixFSFileCursor.Leaf {
    /// - Throws: `wrongSize` if the block has another size than the node above it claims.
    func check(_ place: HeldBlock) throws {
        guard UInt64(place.payloadBytes) == size else {
            throw UnixFSFileError.wrongSize(
                cid, offset: offset, claimed: size, actual: UInt64(place.payloadBytes))
        }
    }
}
