import Digests
import IPLD
import Multiformats
import TestKit
import Testing
import UnixFS

/// Directories as a stranger could forge them.
@Suite struct HostileDirectoryTests {
    private func leaf() throws -> CID { try CID(hashing: [1], codec: .raw) }

    private func refusal(_ block: Block) -> DamagedDirectoryNode? {
        do {
            _ = try DirectoryReader(source: DictionaryBlockSource([block]), root: block)
        } catch {
            if case .damagedNode(block.cid, let reason) = error { return reason }
        }
        return nil
    }

    @Test(arguments: [nil, 0, 1, 4, 100, 255, 2048, 1 << 31, 1 << 63, UInt64.max])
    func badInput12FanoutThatCannotBeIsRefused(fanout: UInt64?) throws {
        #expect(refusal(try ForgedNode.shard([], bitField: [], fanout: fanout)) == .badFanout(fanout))
    }

    @Test(arguments: [nil, 0, 0x12, UInt64.max])
    func badInput12AnUnknownHashFunctionIsRefused(code: UInt64?) throws {
        let block = try ForgedNode.shard([], bitField: [], hashFunction: code)
        #expect(refusal(block) == .unknownHashFunction(code))
    }

    @Test func badInput12ABitFieldLongerThanTheFanoutIsRefused() throws {
        let block = try ForgedNode.shard([], bitField: [UInt8](repeating: 0, count: 33))
        #expect(refusal(block) == .bitFieldTooLong(bytes: 33, slots: 256))
    }

    @Test func badInput12ABitFieldThatDisagreesWithTheLinksIsRefused() throws {
        let link = ForgedNode.link("00a", try leaf())
        #expect(
            refusal(try ForgedNode.shard([link], bitField: [3])) == .linksAndSlotsDiffer(links: 1, slots: 2))
        #expect(
            refusal(try ForgedNode.shard([link], bitField: [2]))
                == .badPrefix(name: Array("00a".utf8), slot: 1))
    }

    @Test func badInput12AnEntryThatDoesNotHashToItsSlotIsRefused() throws {
        let block = try ForgedNode.shard([ForgedNode.link("00a", try leaf())], bitField: [1])
        let reader = try DirectoryReader(source: DictionaryBlockSource(), root: block)
        let error = UnixFSDirectoryError.damagedNode(block.cid, .wrongSlot(name: Array("a".utf8)))
        #expect(throws: error) { try reader.forEach { _ in } }
    }

    /// Shards that hold each other in every slot: without a rule, 8^21 visits.
    @Test func badInput11And12ShardsDeeperThanTheHashAreRefused() throws {
        let source = DictionaryBlockSource()
        var below = try ForgedNode.shard([], bitField: [], fanout: 8)
        source.insert(below)
        for _ in 0..<30 {
            let links = (0..<8).map { ForgedNode.link("\($0)", below.cid) }
            below = try ForgedNode.shard(links, bitField: [0xFF], fanout: 8)
            source.insert(below)
        }
        let reader = try DirectoryReader(source: source, root: below)
        #expect(throws: UnixFSDirectoryError.self) { try reader.forEach { _ in } }
        #expect(throws: UnixFSDirectoryError.self) { try reader.entry(named: [0x61]) }
        #expect(source.readCount <= 2 * 21)
    }

    @Test func badInput11ShardsThatStandInManySlotsAreRefused() throws {
        let source = DictionaryBlockSource()
        var below = try ForgedNode.shard([], bitField: [], fanout: 8)
        let empty = below.cid
        source.insert(below)
        for _ in 0..<15 {
            let links = (0..<8).map { ForgedNode.link("\($0)", below.cid) }
            below = try ForgedNode.shard(links, bitField: [0xFF], fanout: 8)
            source.insert(below)
        }
        let reader = try DirectoryReader(source: source, root: below)
        #expect(throws: UnixFSDirectoryError.damagedNode(empty, .emptyShard)) { try reader.forEach { _ in } }
        #expect(source.readCount <= 16)
    }

    @Test func badInput12AShardOfAnotherFanoutThanTheRootIsRefused() throws {
        let child = try ForgedNode.shard(
            [ForgedNode.link("0a", try leaf())], bitField: [1], fanout: 16)
        let root = try ForgedNode.shard([ForgedNode.link("0", child.cid)], bitField: [1], fanout: 8)
        let reader = try DirectoryReader(source: DictionaryBlockSource([child]), root: root)
        #expect(throws: UnixFSDirectoryError.damagedNode(child.cid, .badFanout(16))) {
            try reader.forEach { _ in }
        }
    }

    @Test(arguments: ["a\u{0}b", "../x", ""])
    func badInput8NamesThatCannotBeAreRefused(name: String) throws {
        let block = try ForgedNode.directory([ForgedNode.link(name, try leaf())])
        #expect(refusal(block) == .badName(Array(name.utf8)))
    }

    @Test func badInput8SizesThatLieAreOnlyClaims() throws {
        let links = [
            ForgedNode.link("a", try leaf(), tsize: .max), ForgedNode.link("b", try leaf(), tsize: .max),
        ]
        let block = try ForgedNode.directory(links)
        #expect(try UnixFSStat(block).dagBytes == .max)
        #expect(refusal(block) == nil)
    }

    @Test func whatIsNoDirectoryIsRefused() throws {
        #expect(refusal(try ForgedNode.block([], nil)) == .noData)
        #expect(refusal(try ForgedNode.block([], [])) == .data(.missingType))
        #expect(refusal(try ForgedNode.block([], [8, 2])) == .wrongKind(.file))
        #expect(refusal(Block(cid: try leaf(), bytes: [1])) == .wrongCodec(.raw))
    }
}

@Suite struct UnixFSDataTests {
    @Test(arguments: SeededRandom.seeds(64))
    func messagesRoundTrip(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        let data = UnixFSData(
            kind: random.pick(UnixFSData.Kind.allCases),
            content: random.oneIn(2) ? random.bytes(random.number(0...300)) : nil,
            fileSize: random.oneIn(2) ? random.next() : nil,
            blockSizes: (0..<random.number(0...5)).map { _ in random.next() },
            hashFunction: random.oneIn(2) ? 0x22 : nil, fanout: random.oneIn(2) ? 256 : nil,
            metadata: UnixFSMetadata(
                mode: random.oneIn(2) ? UInt32(random.number(0...0o7777)) : nil,
                mtime: random.oneIn(2)
                    ? UnixFSTime(
                        seconds: Int64(bitPattern: random.next()),
                        nanoseconds: UInt32(random.number(0...999_999_999))) : nil))
        let bytes = data.encoded()
        #expect(try UnixFSData(decoding: bytes) == data)
        // Whatever is cut off or changed, there is an answer.
        for end in bytes.indices { _ = try? UnixFSData(decoding: Array(bytes[..<end])) }
        var damaged = bytes
        damaged[random.number(0..<damaged.count)] ^= UInt8(1 << random.number(0...7))
        _ = try? UnixFSData(decoding: damaged)
    }

    @Test(
        arguments: [
            ([], UnixFSDataError.missingType),
            ([8, 6], .unknownType(6)),
            ([8, 1, 8, 1], .repeatedField(1, offset: 2)),
            ([8, 1, 0x12, 5], .truncated(offset: 4)),
            ([8, 1, 0x10, 5], .badWireType(field: 2, wireType: 0, offset: 2)),
            ([8, 1, 0x4B], .badWireType(field: 9, wireType: 3, offset: 2)),
            ([8, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 2], .badVarint(offset: 1)),
            ([8, 1, 0x42, 0], .missingSeconds),
            ([8, 1, 0x42, 7, 8, 0, 0x15, 0, 0xCA, 0x9A, 0x3B], .badNanoseconds(1_000_000_000)),
        ] as [([UInt8], UnixFSDataError)])
    func damagedMessagesAreRefused(bytes: [UInt8], error: UnixFSDataError) {
        #expect(throws: error) { try UnixFSData(decoding: bytes) }
    }
}
