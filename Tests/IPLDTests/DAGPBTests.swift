import Digests
import IPLD
import Multiformats
import TestKit
import Testing

@Suite struct DAGPBTests {
    @Test func everyFixtureDecodesAndEncodesToItself() throws {
        var count = 0
        for (name, forms) in try CodecVectors.positive() {
            guard let form = forms["dag-pb"] else { continue }
            let node = try DAGPBNode(decoding: form.bytes)
            #expect(node.encoded() == form.bytes, "\(name)")
            #expect(node.encodedSize == form.bytes.count)
            #expect(try DAGPBNode.links(of: form.bytes) == node.links.map(\.cid))
            #expect(try CID(hashing: form.bytes, codec: .dagPB) == CID(text: form.cid))
            count += 1
        }
        #expect(count > 10)
    }

    @Test func everyNegativeFixtureIsRefused() throws {
        let refused = try CodecVectors.refused(by: "dag-pb")
        #expect(refused.count == 9)
        for vector in refused {
            #expect(throws: DAGPBError.self, "\(vector.name)") { try DAGPBNode(decoding: vector.bytes) }
        }
    }

    @Test func badInput8WhatTheSpecForbidsIsRefused() throws {
        let cid = try CID(hashing: [1], codec: .raw).bytes
        let link = [0x12, UInt8(cid.count + 2), 0x0A, UInt8(cid.count)] + cid
        let data: [UInt8] = [0x0A, 0x01, 0x07]
        #expect(throws: DAGPBError.wrongOrder(offset: link.count + 3)) {
            try DAGPBNode(decoding: link + data + link)
        }
        #expect(throws: DAGPBError.wrongOrder(offset: 3)) { try DAGPBNode(decoding: data + data) }
        #expect(try DAGPBNode(decoding: data + link + link).links.count == 2)
        // A group, a field of 64 bits and a field that PBNode does not have.
        #expect(throws: DAGPBError.unexpectedField(number: 1, wireType: 3, offset: 0)) {
            try DAGPBNode(decoding: [0x0B, 0x0C])
        }
        #expect(throws: DAGPBError.unexpectedField(number: 1, wireType: 1, offset: 0)) {
            try DAGPBNode(decoding: [0x09, 0, 0, 0, 0, 0, 0, 0, 0])
        }
        #expect(throws: DAGPBError.unexpectedField(number: 3, wireType: 2, offset: 0)) {
            try DAGPBNode(decoding: [0x1A, 0x00])
        }
        // Hash twice, Name before Hash, Tsize twice.
        let hash = [0x0A, UInt8(cid.count)] + cid
        for fields in [hash + hash, [0x12, 0x01, 0x61] + hash, hash + [0x18, 1, 0x18, 1]] {
            #expect(
                throws: DAGPBError.wrongOrder(
                    offset: fields.starts(with: [0x12])
                        ? 5 : fields.count == hash.count + 4 ? hash.count + 4 : hash.count + 2)
            ) {
                try DAGPBNode(decoding: [0x12, UInt8(fields.count)] + fields)
            }
        }
        #expect(throws: DAGPBError.truncated(offset: 0)) { try DAGPBNode(decoding: [0x12, 0x7F, 0x0A]) }
        #expect(throws: DAGPBError.self) {
            try DAGPBNode(decoding: [0x12] + [UInt8](repeating: 0xFF, count: 9) + [0x01])
        }
    }

    @Test func badInput8ManyLinksStopAtTheLimit() throws {
        let cid = try CID(hashing: [1], codec: .raw)
        let node = DAGPBNode(links: Array(repeating: DAGPBLink(cid: cid, name: nil, tsize: nil), count: 101))
        var limits = DAGPBLimits()
        limits.links = 100
        #expect(throws: DAGPBError.tooManyLinks(maximum: 100)) {
            try DAGPBNode(decoding: node.encoded(), limits: limits)
        }
    }

    @Test(arguments: SeededRandom.seeds(12))
    func randomNodesRoundTripAndDamagedOnesNeverTrap(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        for _ in 0..<60 {
            var node = DAGPBNode(data: random.oneIn(3) ? nil : random.bytes(random.number(0...200)))
            for _ in 0..<random.number(0...6) {
                node.links.append(
                    DAGPBLink(
                        cid: try CID(hashing: random.bytes(8), codec: random.oneIn(2) ? .raw : .dagPB),
                        name: random.oneIn(3) ? nil : random.bytes(random.number(0...20)),
                        tsize: random.oneIn(3) ? nil : random.next() >> UInt64(random.number(0...63))))
            }
            let bytes = node.encoded()
            let decoded = try DAGPBNode(decoding: bytes)
            #expect(decoded == node)
            var damaged = bytes
            guard !damaged.isEmpty else { continue }
            damaged[random.number(0..<damaged.count)] ^= UInt8(1 << random.number(0...7))
            _ = try? DAGPBNode(decoding: damaged)
            _ = try? DAGPBNode.links(of: Array(damaged.prefix(random.number(0...damaged.count))))
        }
    }

    @Test func linksSortByTheBytesOfTheirNames() throws {
        let cid = try CID(hashing: [1], codec: .raw)
        var node = DAGPBNode(
            links: ["b", "a", "Z", "é", "aa"].map { DAGPBLink(cid: cid, name: Array($0.utf8), tsize: 1) })
        node.sortLinks()
        #expect(
            node.links.map { String(decoding: $0.name ?? [], as: UTF8.self) } == ["Z", "a", "aa", "b", "é"])
    }
}
