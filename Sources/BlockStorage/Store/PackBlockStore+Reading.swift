import Digests
public import IPLD
public import Multiformats
import Synchronization

extension PackBlockStore {
    /// Where a block lies now: put but not flushed, or in the index.
    func location(of multihash: Multihash) throws -> BlockLocation? {
        let waiting = state.withLock { $0.pending[multihash] ?? $0.flushing[multihash] }
        if let waiting { return waiting }
        guard let value = try index.value(of: IndexKey.block(multihash)) else {
            // It may have been flushed between the two looks.
            return state.withLock { $0.pending[multihash] ?? $0.flushing[multihash] }
        }
        return try location(decoding: value)
    }

    /// A location as the index has it. A block that its pack does not reach to counts as damaged: it is not
    /// served, and a put stores it again.
    func location(decoding value: [UInt8]) throws(BlockStoreError) -> BlockLocation {
        var location = try BlockLocation(decoding: value)
        if let end = readableEnds[location.pack], location.offset + location.sectionBytes > end {
            location.flags.insert(.quarantined)
        }
        return location
    }

    /// Where blocks lie now, in order: one look at the index for all of them.
    func locations(of multihashes: [Multihash]) throws -> [BlockLocation?] {
        var locations = waiting(multihashes)
        let unknown = locations.indices.filter { locations[$0] == nil }
        guard !unknown.isEmpty else { return locations }
        let values = try index.values(of: unknown.map { IndexKey.block(multihashes[$0]) })
        var absent: [Int] = []
        for (position, value) in zip(unknown, values) {
            if let value {
                locations[position] = try location(decoding: value)
            } else {
                absent.append(position)
            }
        }
        // They may have been flushed between the two looks.
        for (position, location) in zip(absent, waiting(absent.map { multihashes[$0] })) {
            locations[position] = location
        }
        return locations
    }

    private func waiting(_ multihashes: [Multihash]) -> [BlockLocation?] {
        state.withLock { state in multihashes.map { state.pending[$0] ?? state.flushing[$0] } }
    }

    public func size(of cid: CID) throws -> Int? {
        try checkOpen()
        if cid.isIdentity { return cid.multihash.digestByteCount }
        guard let location = try location(of: cid.multihash), !location.isQuarantined else { return nil }
        return Int(location.payloadBytes)
    }

    public func block(_ cid: CID) throws -> Block? {
        try blocks([cid])[0]
    }

    public func blocks(_ cids: [CID]) throws -> [Block?] { try blocks(cids, in: nil) }

    /// Reads a block and checks it, also if it was verified since the store was opened; one that is damaged
    /// is quarantined.
    public func checkedBlock(_ cid: CID) throws -> Block? { try blocks([cid], in: nil, trust: .nothing)[0] }

    /// What of a block that was verified before is believed.
    enum Trust {
        case verifiedBefore
        case nothing
    }

    /// - Parameter scope: blocks without any of these marks count as not held; `nil` asks for no mark.
    func blocks(
        _ cids: [CID], in scope: ScopeMarks?, trust: Trust = .verifiedBefore
    ) throws -> [Block?] {
        try checkOpen()
        var results: [Block?] = Array(repeating: nil, count: cids.count)
        var unverified: [(index: Int, location: BlockLocation)] = []
        for (position, cid) in cids.enumerated() {
            if cid.isIdentity {
                results[position] = Block(cid: cid, bytes: cid.multihash.digest)
                continue
            }
            guard let (location, bytes) = try read(cid, in: scope) else { continue }
            results[position] = Block(cid: cid, bytes: bytes)
            if trust == .nothing || !verified.contains(location) { unverified.append((position, location)) }
        }
        try verify(unverified, in: results)
        return results
    }

    /// Reads the bytes at the block's place, following it if it moves meanwhile.
    private func read(_ cid: CID, in scope: ScopeMarks?) throws -> (BlockLocation, [UInt8])? {
        var lastError: (any Error)?
        for _ in 0..<3 {
            guard let location = try location(of: cid.multihash), location.isVisible(in: scope) else {
                return nil
            }
            if location.isQuarantined { throw damage(cid, location) }
            do {
                let file = try reader.file(location.pack)
                let count = Int(location.payloadBytes)
                var read = 0
                let bytes = try [UInt8](unsafeUninitializedCapacity: count) { buffer, initialised in
                    read = try file.read(
                        into: UnsafeMutableRawBufferPointer(buffer), at: location.payloadOffset)
                    initialised = read
                }
                guard read == count else { throw try quarantine(cid, location) }
                return (location, bytes)
            } catch let error as BlockStoreError where error.isMissingFile {
                // Compaction may have moved the block and removed the pack; look again.
                reader.forget(location.pack)
                lastError = error
                if let now = try self.location(of: cid.multihash), now.isSamePlace(as: location) {
                    throw try quarantine(cid, location)
                }
            }
        }
        throw lastError ?? BlockStoreError.index("block \(cid) cannot be located")
    }

    private func verify(_ unverified: [(index: Int, location: BlockLocation)], in results: [Block?]) throws {
        guard !unverified.isEmpty else { return }
        var lanes: [(index: Int, location: BlockLocation)] = []
        for entry in unverified {
            guard let block = results[entry.index] else { continue }
            if block.cid.multihash.code == .sha2_256 {
                lanes.append(entry)
            } else if block.bytes.withUnsafeBytes({ block.cid.multihash.matches($0) }) {
                verified.insert(entry.location)
            } else {
                throw try quarantine(block.cid, entry.location)
            }
        }
        let blocks = lanes.map { results[$0.index] }
        let digests = Self.withPointers(to: blocks.map { $0?.bytes ?? [] }) { Multihash.sha256(of: $0) }
        for (entry, (block, digest)) in zip(lanes, zip(blocks, digests)) {
            guard let block else { continue }
            guard block.cid.multihash == digest else { throw try quarantine(block.cid, entry.location) }
            verified.insert(entry.location)
        }
    }

    /// Gives pointers to all arrays at once. Arrays that the caller holds do not move meanwhile.
    static func withPointers<R>(to arrays: [[UInt8]], _ body: ([UnsafeRawBufferPointer]) throws -> R) rethrows
        -> R
    {
        if arrays.count == 1 { return try arrays[0].withUnsafeBytes { try body([$0]) } }
        func descend(_ position: Int, _ pointers: inout [UnsafeRawBufferPointer]) throws -> R {
            if position == arrays.count { return try body(pointers) }
            return try arrays[position].withUnsafeBytes { bytes in
                pointers.append(bytes)
                return try descend(position + 1, &pointers)
            }
        }
        if arrays.count <= 64 {
            var pointers: [UnsafeRawBufferPointer] = []
            return try descend(0, &pointers)
        }
        // Too many to nest: lay them one behind the other.
        let total = arrays.reduce(0) { $0 + $1.count }
        let arena = UnsafeMutableRawBufferPointer.allocate(byteCount: max(1, total), alignment: 64)
        defer { arena.deallocate() }
        var pointers: [UnsafeRawBufferPointer] = []
        var offset = 0
        for array in arrays {
            let target = UnsafeMutableRawBufferPointer(rebasing: arena[offset..<(offset + array.count)])
            target.copyBytes(from: array)
            pointers.append(UnsafeRawBufferPointer(target))
            offset += array.count
        }
        return try body(pointers)
    }

    func damage(_ cid: CID, _ location: BlockLocation) -> BlockStoreError {
        .damaged(cid, pack: PackFormat.fileName(location.pack), offset: location.offset)
    }

    /// Marks a block's bytes as damaged, so that they are never served and a good copy takes their place.
    func quarantine(_ cid: CID, _ location: BlockLocation) throws -> BlockStoreError {
        let error = damage(cid, location)
        var marked = location
        marked.flags.insert(.quarantined)
        let isWritable = state.withLock { state -> Bool in
            if state.pending[cid.multihash]?.isSamePlace(as: location) == true {
                state.pending[cid.multihash] = marked
            }
            return state.failure == nil && !state.isClosed
        }
        if isWritable, let value = try index.value(of: IndexKey.block(cid.multihash)),
            try BlockLocation(decoding: value).isSamePlace(as: location)
        {
            var batch = IndexBatch()
            batch.put(IndexKey.block(cid.multihash), marked.encoded)
            try index.write(batch, sync: false)
        }
        noteWithdrawal()
        return error
    }
}

extension BlockStoreError {
    /// Whether a file is not there.
    var isMissingFile: Bool {
        if case .file(_, _, let code) = self { code == 2 } else { false }
    }
}
