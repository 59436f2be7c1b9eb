import IPLD
import SyncProtocol
import TestKit
import Testing
import TreeValues

/// Bytes that are no message: an error that says what is wrong, whatever they are.
@Suite struct HostileMessageTests {
    private func json(_ text: String) throws -> IPLDValue {
        try WireForm.json.decode(Array(text.utf8), maximumBytes: 1 << 20)
    }

    @Test(arguments: SeededRandom.seeds(100)) func mutatedMessagesAreReadOrRefused(seed: UInt64) throws {
        var maker = MessageMaker(seed: seed)
        var (read, refused) = (0, 0)
        // With 100 seeds, 20,000 messages and more.
        for _ in 0..<8 {
            for message in maker.messages() {
                for form in WireForm.allCases {
                    let bytes = mutated(try form.encode(message.value(form)), &maker.random)
                    guard let value = try? form.decode(bytes, maximumBytes: 1 << 20) else {
                        refused += 1
                        continue
                    }
                    for type in messageTypes {
                        if try survives(type, value, form) { read += 1 } else { refused += 1 }
                    }
                }
            }
        }
        #expect(read > 0 && refused > 0)
    }

    /// Whether the value is a message of the type; one that is, is read again as it is written.
    private func survives<M: WireMessage>(_ type: M.Type, _ value: IPLDValue, _ form: WireForm) throws -> Bool
    {
        let message: M
        do { message = try M(value) } catch {
            #expect(!error.description.isEmpty)
            return false
        }
        if let edit = message as? LeafEdit { _ = try? edit.apply(to: []) }
        let bytes = try form.encode(message.value(form))
        #expect(try M(form.decode(bytes, maximumBytes: bytes.count)) == message)
        return true
    }

    private func mutated(_ bytes: [UInt8], _ random: inout SeededRandom) -> [UInt8] {
        var bytes = bytes
        for _ in 0...random.number(0...3) where !bytes.isEmpty {
            let place = random.number(0..<bytes.count)
            switch random.number(0..<6) {
            case 0: bytes[place] = UInt8.random(in: 0...255, using: &random)
            case 1: bytes[place] ^= 1 << random.number(0..<8)
            case 2: bytes.removeSubrange(place...)
            case 3: bytes.remove(at: place)
            // Heads of huge strings, lists and maps, endless ones, floats and signs of JSON.
            case 4:
                bytes[place] = random.pick([
                    0x5B, 0x7B, 0x9B, 0xBB, 0x9F, 0xBF, 0xFF, 0xFB, 0x22, 0x2D, 0x5C, 0x7D, 0x80,
                ])
            default:
                let end = min(bytes.count, place + random.number(1...20))
                bytes.insert(contentsOf: bytes[place..<end], at: place)
            }
        }
        return bytes
    }

    @Test(arguments: WireForm.allCases) func everyTruncationIsAnError(form: WireForm) throws {
        var maker = MessageMaker(seed: 5)
        for message in maker.messages() {
            let bytes = try form.encode(message.value(form))
            for count in 0..<bytes.count {
                #expect(throws: IPLDCodecError.self) {
                    try form.decode(Array(bytes.prefix(count)), maximumBytes: bytes.count)
                }
            }
        }
    }

    @Test func aWrongTypeIsToldWithItsPlace() throws {
        let id = "00000000000000000000000001"
        let cases: [(String, SyncMessageError)] = [
            ("[]", .notAMap("commit")), ("{}", .missingMember("commit.base_epoch")),
            (
                #"{"base_epoch":"x","ops":[]}"#,
                .badMember("commit.base_epoch", expected: "a number from \(Int64.min) to \(Int64.max)")
            ),
            (
                #"{"base_epoch":"9223372036854775808","ops":[]}"#,
                .badMember("commit.base_epoch", expected: "a number from \(Int64.min) to \(Int64.max)")
            ),
            (
                #"{"base_epoch":1.5,"ops":[]}"#,
                .badMember("commit.base_epoch", expected: "a number from \(Int64.min) to \(Int64.max)")
            ),
            (#"{"base_epoch":1}"#, .missingMember("commit.ops")),
            (#"{"base_epoch":1,"ops":{}}"#, .badMember("commit.ops", expected: "a list")),
            (
                #"{"base_epoch":1,"ops":[],"atomic":"yes"}"#,
                .badMember("commit.atomic", expected: "true or false")
            ),
            (#"{"base_epoch":1,"ops":[7]}"#, .notAMap("ops[0] operation")),
            (
                #"{"base_epoch":1,"ops":[{"op_id":"x","op":"put"}]}"#,
                .badMember("ops[0] operation.op_id", expected: "an id of 128 bits")
            ),
            (
                #"{"base_epoch":1,"ops":[{"op_id":"\#(id)","op":"fly"}]}"#,
                .unknownWord("ops[0] operation.op", given: "fly")
            ),
            (
                #"{"base_epoch":1,"ops":[{"op_id":"\#(id)","op":"move","nid":"\#(id)"}]}"#,
                .missingMember("ops[0] operation.parent")
            ),
        ]
        for (text, expected) in cases {
            let value = try json(text)
            #expect(throws: expected, "\(text)") { try CommitRequest(value) }
        }
    }

    @Test func whatIsTooMuchIsRefusedWithTheLimit() throws {
        let cid = MessageMaker.someCID
        let list = [String](repeating: "\"\(cid)\"", count: SyncLimits.maximumBlocks + 1)
        let value = try json("{\"cids\":[\(list.joined(separator: ","))]}")
        #expect(
            throws: SyncMessageError.tooMany(
                "blocks.cids", count: SyncLimits.maximumBlocks + 1, maximum: SyncLimits.maximumBlocks)
        ) { try BlockList(value) }
        for limit in ["0", "-1", "5001", "1e3", "\"many\""] {
            let value = try json("{\"limit\":\(limit)}")
            #expect(throws: SyncMessageError.self, "\(limit)") { try ListRequest(value) }
        }
        let long = try json(#"{"cursors":[],"timeout_s":121}"#)
        #expect(throws: SyncMessageError.self) { try WaitRequest(long) }
        let bytes = Array("{\"cids\":[]}".utf8)
        #expect(throws: IPLDCodecError.blockTooLarge(bytes: bytes.count, maximum: bytes.count - 1)) {
            try WireForm.json.decode(bytes, maximumBytes: bytes.count - 1)
        }
    }

    @Test func anInlineContentBeyondTheLimitIsRefused() throws {
        var maker = MessageMaker(seed: 6)
        for (count, fits) in [
            (SyncLimits.maximumInlineBytes, true), (SyncLimits.maximumInlineBytes + 1, false),
        ] {
            var node = maker.node()
            (node.kind, node.target, node.size) = (.file, nil, Int64(count))
            let operation = SyncOperation(
                id: maker.id(), .put(node, base: nil, .inline(maker.random.bytes(count))))
            let request = CommitRequest(epoch: 1, operations: [operation])
            for form in WireForm.allCases {
                let value = try form.decode(form.encode(request.value(form)), maximumBytes: 1 << 20)
                if fits {
                    #expect(try CommitRequest(value).operations.count == 1)
                } else {
                    #expect(throws: SyncMessageError.self) { try CommitRequest(value) }
                }
            }
        }
    }

    @Test func hugeCountsAreNotBelieved() {
        for head: [UInt8] in [
            [0x9B, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF],
            [0xBB, 0x7F, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF],
            [0x5B, 0x7F, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF],
            [0x7A, 0xFF, 0xFF, 0xFF, 0xFF], [0x9A, 0x7F, 0xFF, 0xFF, 0xFF],
        ] {
            #expect(throws: IPLDCodecError.self) {
                try WireForm.cbor.decode(head + [0, 0, 0], maximumBytes: 1 << 20)
            }
        }
    }

    @Test func repeatedKeysAreRefused() {
        for text in [#"{"limit":1,"limit":2}"#, #"{"a":{"x":1,"\u0078":2}}"#] {
            #expect(throws: IPLDCodecError.self, "\(text)") { try json(text) }
        }
        // {"a": 1, "a": 2}
        #expect(throws: IPLDCodecError.self) {
            try WireForm.cbor.decode([0xA2, 0x61, 0x61, 0x01, 0x61, 0x61, 0x02], maximumBytes: 100)
        }
    }

    @Test func halvesOfSurrogatesAndBytesThatAreNoTextAreRefused() {
        for text in [#"{"name":"\ud800"}"#, #"{"name":"\udc00\ud800"}"#, #"{"name":"\ud800x"}"#] {
            #expect(throws: IPLDCodecError.self, "\(text)") { try json(text) }
        }
        for bytes: [UInt8] in [[0xFF], [0xED, 0xA0, 0x80], [0xC0, 0xAF], [0xF4, 0x90, 0x80, 0x80]] {
            let text = Array("{\"name\":\"".utf8) + bytes + Array("\"}".utf8)
            #expect(throws: IPLDCodecError.self) { try WireForm.json.decode(text, maximumBytes: 100) }
            let cbor = [0xA1, 0x61, 0x61, 0x60 | UInt8(bytes.count)] + bytes
            #expect(throws: IPLDCodecError.self) { try WireForm.cbor.decode(cbor, maximumBytes: 100) }
        }
    }

    @Test func deepNestingIsRefusedAndNotFollowed() {
        let depth = 200_000
        let text = [UInt8](repeating: UInt8(ascii: "["), count: depth)
        #expect(throws: IPLDCodecError.tooDeep(maximum: 16)) {
            try WireForm.json.decode(text, maximumBytes: depth)
        }
        #expect(throws: IPLDCodecError.tooDeep(maximum: 16)) {
            try WireForm.cbor.decode([UInt8](repeating: 0x81, count: depth), maximumBytes: depth)
        }
    }

    @Test func aLeafLongerThanABlockIsRefused() throws {
        let cid = MessageMaker.someCID
        for bytes in ["-1", "2097153", "9223372036854775807", "18446744073709551615", "1.0"] {
            let value = try json(#"{"splices":[[0,0,[["\#(cid)",\#(bytes)]]]]}"#)
            #expect(throws: SyncMessageError.self, "\(bytes)") { try LeafEdit(value) }
        }
        for splice in [
            "[-1,0,[]]", "[0,-1,[]]", "[9223372036854775807,9223372036854775807,[]]", "[0,0]", "7",
        ] {
            let value = try json("{\"splices\":[\(splice)]}")
            #expect(throws: SyncMessageError.self, "\(splice)") { try LeafEdit(value) }
        }
    }
}

extension MessageMaker {
    static let someCID = "bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy"
}
