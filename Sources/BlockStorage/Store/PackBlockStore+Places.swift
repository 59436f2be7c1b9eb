import CAR
import Digests
import IPLD
import Multiformats

extension PackBlockStore {
    /// Where blocks lie, in order; `nil` for those that are not there or not visible.
    ///
    /// What was not verified since the store was opened is read and verified here, in memory that is shared by
    /// all calls. Blocks of a few kilobytes, and all that is in no real file, come as bytes.
    ///
    /// - Throws: `damaged`, and what the disk says.
    func places(of cids: [CID], _ form: PlaceForm, in scope: ScopeMarks?) throws -> [HeldBlock?] {
        try checkOpen()
        var places: [HeldBlock?] = Array(repeating: nil, count: cids.count)
        var unverified: [UnverifiedPlace] = []
        let locations = try self.locations(of: cids.map(\.multihash))
        for (index, (cid, location)) in zip(cids, locations).enumerated() {
            if let location, location.isVisible(in: scope), location.isQuarantined {
                throw damage(cid, location)
            }
            guard !cid.isIdentity, let location, location.isVisible(in: scope),
                Self.extentBytes.contains(Int(location.payloadBytes)),
                let extent = try extent(of: cid, at: location, form)
            else {
                places[index] = try blocks([cid], in: scope)[0].map(HeldBlock.bytes)
                continue
            }
            places[index] = .extent(extent)
            if !verified.contains(location) {
                unverified.append(UnverifiedPlace(cid: cid, location: location, file: extent.file))
            }
        }
        try verify(unverified)
        return places
    }

    /// Of less the bytes themselves are less work than where they lie; more is no block.
    private static let extentBytes = 16 * 1024...Block.hardMaximumBytes

    private struct UnverifiedPlace {
        let cid: CID
        let location: BlockLocation
        let file: any FileHandle
    }

    /// - Returns: `nil` if there is no real file, or none any more: the block may have moved.
    private func extent(of cid: CID, at location: BlockLocation, _ form: PlaceForm) throws -> BlockExtent? {
        let file: any FileHandle
        do {
            file = try reader.file(location.pack)
        } catch let error as BlockStoreError where error.isMissingFile {
            reader.forget(location.pack)
            return nil
        }
        guard let descriptor = file.systemDescriptor else { return nil }
        if form == .section, try begins(cid, location, file) {
            return BlockExtent(
                file: file, descriptor: descriptor, offset: Int64(location.offset),
                count: Int(location.sectionBytes), isSection: true,
                payloadBytes: Int(location.payloadBytes))
        }
        return BlockExtent(
            file: file, descriptor: descriptor, offset: location.payloadOffset,
            count: Int(location.payloadBytes), isSection: false, payloadBytes: Int(location.payloadBytes))
    }

    /// Whether the section begins with this CID: a block may have been put under another codec.
    private func begins(_ cid: CID, _ location: BlockLocation, _ file: any FileHandle) throws -> Bool {
        var expected: [UInt8] = []
        CARv1.appendSectionHead(cid, blockBytes: Int(location.payloadBytes), to: &expected)
        guard expected.count == Int(location.headerBytes) else { return false }
        var head = [UInt8](repeating: 0, count: expected.count)
        let count = try head.withUnsafeMutableBytes { try file.read(into: $0, at: Int64(location.offset)) }
        return count == expected.count && head == expected
    }

    private func verify(_ places: [UnverifiedPlace]) throws {
        var rest = places[...]
        while !rest.isEmpty {
            try scratch.borrow { memory in
                var used = 0
                var batch: [UnverifiedPlace] = []
                var messages: [UnsafeRawBufferPointer] = []
                while let place = rest.first {
                    let count = Int(place.location.payloadBytes)
                    guard used + count <= memory.count else { break }
                    rest.removeFirst()
                    let target = UnsafeMutableRawBufferPointer(rebasing: memory[used..<(used + count)])
                    guard try place.file.read(into: target, at: place.location.payloadOffset) == count else {
                        throw try quarantine(place.cid, place.location)
                    }
                    used += count
                    batch.append(place)
                    messages.append(UnsafeRawBufferPointer(target))
                }
                // The memory is larger than any block: see `extentBytes`.
                precondition(!batch.isEmpty, "a block fits into the scratch memory")
                try check(batch, messages)
            }
        }
    }

    private func check(_ batch: [UnverifiedPlace], _ messages: [UnsafeRawBufferPointer]) throws {
        let isPlain = batch.allSatisfy { $0.cid.multihash.code == .sha2_256 }
        let digests = isPlain ? Multihash.sha256(of: messages) : []
        for (index, place) in batch.enumerated() {
            let isRight =
                isPlain
                ? place.cid.multihash == digests[index] : place.cid.multihash.matches(messages[index])
            guard isRight else { throw try quarantine(place.cid, place.location) }
            verified.insert(place.location)
        }
    }
}
