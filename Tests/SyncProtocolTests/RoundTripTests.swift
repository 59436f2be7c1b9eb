import IPLD
import SyncProtocol
import TestKit
import Testing

/// What is written is read again, in both forms.
@Suite struct RoundTripTests {
    private func check<M: WireMessage>(_ message: M, _ form: WireForm) throws {
        let bytes = try form.encode(message.value(form))
        let read = try M(form.decode(bytes, maximumBytes: bytes.count))
        #expect(read == message, "\(form)")
        // Texts that are equal by Unicode's rules may differ in their bytes, and must not.
        #expect(try form.encode(read.value(form)) == bytes, "\(form) \(message)")
    }

    @Test(arguments: SeededRandom.seeds(150)) func everyMessageIsReadAsItWasWritten(seed: UInt64) throws {
        var maker = MessageMaker(seed: seed)
        for message in maker.messages() {
            for form in WireForm.allCases { try check(message, form) }
        }
    }

    /// A node that is as it was asked for is not sent back, and comes out whole.
    @Test(arguments: SeededRandom.seeds(50)) func answersAreReadByWhatWasAsked(seed: UInt64) throws {
        var maker = MessageMaker(seed: seed)
        for form in WireForm.allCases {
            let operations = (0..<8).map { _ in maker.operation() }
            let results = operations.enumerated().map { index, operation -> CommitResult in
                guard index % 4 != 3 else { return maker.result() }
                switch operation.change {
                case .put(var node, _, _), .makeDirectory(var node):
                    (node.revision, node.contentRevision) = (9 + Int64(index), 9)
                    // Somebody else's node of the same name.
                    if index % 4 == 2 { node.id = maker.id() }
                    return .done(node)
                default: return maker.result()
                }
            }
            let answer = CommitAnswer(head: 17, results: results)
            let short = try form.encode(answer.value(form, to: operations))
            let value = try form.decode(short, maximumBytes: short.count)
            #expect(try CommitAnswer(value, to: operations) == answer)
            // What was asked is needed only where it was left out.
            if try short != form.encode(answer.value(form)) {
                #expect(throws: SyncMessageError.self) { try CommitAnswer(value) }
            }
        }
    }

    /// Sync defect 12: JIDs had 32 bits.
    @Test func numbersBeyondWhatJavaScriptCanHoldAreTextInJSON() throws {
        let cursor = SyncCursor(epoch: .min, jid: .max, text: "c")
        let answer = ListAnswer(entries: [], cursor: cursor, hasMore: false)
        let text = String(decoding: try WireForm.json.encode(answer.value(.json)), as: UTF8.self)
        #expect(text.contains("\"9223372036854775807\"") && text.contains("\"-9223372036854775808\""))
    }

    @Test func aFormIsKnownByItsMediaTypeAndNothingElse() {
        #expect(WireForm(mediaType: "application/cbor") == .cbor)
        #expect(WireForm(mediaType: " Application/JSON ; charset=utf-8") == .json)
        for type in ["", "*/*", "text/plain", "application/cbor-seq", "application/jsonl"] {
            #expect(WireForm(mediaType: type) == nil, "\(type)")
        }
    }

    @Test func membersThatAreNotKnownAreNoObstacle() throws {
        let text = #"{"cids":[],"later":{"a":[1,2.5,null]}}"#
        let value = try WireForm.json.decode(Array(text.utf8), maximumBytes: 1000)
        #expect(try BlockList(value) == BlockList([]))
    }
}
