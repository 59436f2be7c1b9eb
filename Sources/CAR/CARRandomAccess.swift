import Digests
public import IPLD
public import Multiformats
import Synchronization

/// Reads bytes at an offset of a file into a buffer; returns how many, fewer only at the end of the file.
public typealias CARPositionalRead =
    @Sendable (_ offset: UInt64, UnsafeMutableRawBufferPointer) throws -> Int

/// Gets single blocks out of a CAR file, by its index.
///
/// The index of the file is used as a hint: what stands at an offset must be the block that was asked for.
/// If it is not, or if a block is not listed, the index is rebuilt from the payload, once, and asked again.
/// So a file with no index, or with a lying one, gives the same answers, later.
///
/// Safe to use from several threads at once.
public final class CARRandomAccess: BlockSource {
    public let header: CARHeader
    /// The header of the container, if the file is a CARv2.
    public let version2Header: CARv2Header?

    private let file: CARFileSections
    private let index: Mutex<IndexState>

    private struct IndexState {
        var index: CARIndex?
        /// The index was made from the payload, so what it does not list is not there.
        var isRebuilt: Bool
    }

    /// The most bytes of an index that are read from a file; a larger one is ignored.
    public static let maximumIndexBytes = 256 * 1024 * 1024

    /// Opens a file: reads its headers, and its index if it has one that can be read.
    ///
    /// - Parameters:
    ///   - size: of the file, in bytes.
    ///   - usesIndex: `false` ignores the index of the file from the start.
    /// - Throws: `CARError` if the headers are wrong or point beyond the file; what `read` throws.
    public init(
        size: UInt64, options: CARReadingOptions = CARReadingOptions(), usesIndex: Bool = true,
        read: @escaping CARPositionalRead
    ) throws {
        var reader = CARReader(options: options)
        var piece = [UInt8](repeating: 0, count: 4096)
        var offset: UInt64 = 0
        while reader.header == nil {
            let count = try piece.withUnsafeMutableBytes { try read(offset, $0) }
            if count > 0 { reader.feed(Array(piece.prefix(count))) } else { reader.finish() }
            offset += UInt64(count)
            try reader.readHeaders()
            if let container = reader.version2Header, reader.header == nil {
                guard container.dataEnd <= size else {
                    throw CARError.invalidVersion2Header(
                        at: 27, .dataOutOfBounds(offset: container.dataOffset, size: container.dataBytes))
                }
                // What lies between the headers need not be read.
                if let target = reader.skippedTo, target > offset {
                    reader.jump(to: target)
                    offset = target
                }
            }
        }
        guard let header = reader.header else { throw CARError.invalidHeader(at: 0, .empty) }
        self.header = header
        version2Header = reader.version2Header
        let start = reader.payloadOffset
        file = CARFileSections(
            options: options, read: read,
            payload: start..<max(start, min(size, version2Header?.dataEnd ?? size)),
            firstSection: reader.position)
        let hint = usesIndex ? Self.index(of: version2Header, size: size, read) : nil
        index = Mutex(IndexState(index: hint, isRebuilt: false))
    }

    /// The block that `cid` names; `nil` if the file does not hold it.
    ///
    /// - Throws: `digestMismatch` if it is there and every copy is damaged; if the index must be rebuilt,
    ///   whatever is wrong with the payload.
    public func block(_ cid: CID) throws -> Block? {
        if cid.isIdentity { return Block(cid: cid, bytes: cid.multihash.digest) }
        guard let section = try section(cid) else { return nil }
        if isWhole(section, as: cid) { return Block(cid: cid, bytes: section.bytes) }
        return try wholeBlock(cid, insteadOf: section)
    }

    /// Several blocks, verified together: see ``block(_:)``.
    public func blocks(_ cids: [CID]) throws -> [Block?] {
        var result: [Block?] = []
        var joined: [UInt8] = []
        var found: [Result<FoundSection, CARError>] = []
        var sections: [(place: Int, CARSection)] = []
        for cid in cids {
            if cid.isIdentity {
                result.append(Block(cid: cid, bytes: cid.multihash.digest))
                continue
            }
            let section = try section(cid)
            result.append(section.map { Block(cid: cid, bytes: $0.bytes) })
            guard let section, file.options.verification == .everyBlock else { continue }
            let range = joined.count..<(joined.count + section.bytes.count)
            joined += section.bytes
            found.append(.success(FoundSection(cid: cid, offset: section.offset, range: range)))
            sections.append((result.count - 1, section))
        }
        let damaged = joined.withUnsafeBytes { FoundSection.damaged(among: found, in: $0) }
        for index in damaged.sorted() {
            let (place, section) = sections[index]
            result[place] = try wholeBlock(cids[place], insteadOf: section)
        }
        return result
    }

    private func isWhole(_ section: CARSection, as cid: CID) -> Bool {
        file.options.verification == .none || section.bytes.withUnsafeBytes { cid.multihash.matches($0) }
    }

    /// Looks for a copy of a block that is not damaged: an index can point at what only looks like the block,
    /// and a file can hold it twice.
    private func wholeBlock(_ cid: CID, insteadOf damaged: CARSection) throws -> Block {
        // What is wrong with the payload elsewhere is not what was asked.
        let offsets = (try? rebuildIndex())?.offsets(of: cid.multihash) ?? []
        for offset in offsets {
            guard let section = try file.section(cid, at: offset), isWhole(section, as: cid) else { continue }
            return Block(cid: cid, bytes: section.bytes)
        }
        throw CARError.digestMismatch(cid, at: damaged.offset)
    }

    /// Makes the index from the payload, and uses it from now on.
    ///
    /// Cost: one small read for each block, or one for several small blocks.
    @discardableResult
    public func rebuildIndex() throws -> CARIndex {
        try index.withLock { state in
            if state.isRebuilt, let index = state.index { return index }
            var builder = CARIndexBuilder()
            try file.forEachHead { cid, offset in builder.add(cid.multihash, at: offset) }
            let built = builder.finish()
            state = IndexState(index: built, isRebuilt: true)
            return built
        }
    }

    /// The section of a block, unverified, by the index of the file or else by the one made from it.
    private func section(_ cid: CID) throws -> CARSection? {
        let (hint, isRebuilt) = index.withLock { ($0.index, $0.isRebuilt) }
        if let hint, let section = try section(cid, by: hint) { return section }
        if isRebuilt { return nil }
        return try section(cid, by: try rebuildIndex())
    }

    private func section(_ cid: CID, by index: CARIndex) throws -> CARSection? {
        for offset in index.offsets(of: cid.multihash) {
            if let section = try file.section(cid, at: offset) { return section }
        }
        return nil
    }

    /// The index of a file; `nil` if there is none or it cannot be used: it can be rebuilt.
    private static func index(
        of container: CARv2Header?, size: UInt64, _ read: CARPositionalRead
    ) -> CARIndex? {
        guard let start = container?.indexOffset, start < size,
            size - start <= UInt64(maximumIndexBytes)
        else { return nil }
        var bytes: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 256 * 1024)
        while UInt64(bytes.count) < size - start {
            let offset = start + UInt64(bytes.count)
            // An index that cannot be read is like none.
            guard let count = try? piece.withUnsafeMutableBytes({ try read(offset, $0) }), count > 0 else {
                return nil
            }
            bytes += piece.prefix(count)
        }
        return try? CARIndex(decoding: bytes.span.bytes, base: start)
    }
}
