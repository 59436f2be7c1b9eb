import Digests
import Foundation
import IPLD
import Multiformats
import SyncProtocol
import TestKit
import Testing
import TreeValues

/// Messages as an encoder of its own writes them: Tests/Vectors/sync/SOURCE.md.
@Suite struct KnownAnswerTests {
    private struct Answer: Decodable {
        let cbor: String
        let json: String
    }

    private static func id(_ bits: UInt128) -> NodeID { NodeID(bits: bits) }

    /// The CID of one letter.
    private static func cid(_ text: String, _ codec: Codec = .raw) -> CID {
        CID(codec: codec, multihash: Array(text.utf8).withUnsafeBytes { Multihash.sha256(of: $0) })
    }

    private static let file = SyncNode(
        id: id(1), parent: id(2), name: "Käse \"1\".md", kind: .file, content: cid("c", .dagPB), size: 5,
        modified: -1, mode: 0o644, revision: .max, contentRevision: 3)
    private static let folder = SyncNode(
        id: id(2), parent: id(.max), name: "d", kind: .directory, revision: 1, contentRevision: 1)
    private static let link = SyncNode(
        id: id(3), parent: id(2), name: "l", kind: .symlink, target: "..", size: 2, modified: .min,
        revision: 4, contentRevision: 4)
    private static let edit = LeafEdit(
        base: cid("c", .dagPB),
        splices: [
            .init(
                start: 1, remove: 2,
                insert: [Leaf(cid: cid("a"), bytes: 1), Leaf(cid: cid("b"), bytes: 2_097_152)]),
            .init(start: 70, remove: 0, insert: []),
        ])

    private static let operations: [SyncOperation] = [
        SyncOperation(
            id: id(10),
            .put(
                SyncNode(id: id(1), parent: id(2), name: "f", kind: .file, size: 2, modified: 1), base: nil,
                .inline(Array("hi".utf8)))),
        SyncOperation(
            id: id(11),
            .put(
                SyncNode(
                    id: id(1), parent: id(2), name: "f", kind: .file, content: cid("c", .dagPB), size: 9,
                    modified: 1, mode: 0o755), base: 5, .leaves(edit))),
        SyncOperation(
            id: id(12),
            .put(
                SyncNode(id: id(3), parent: id(2), name: "l", kind: .symlink, target: "../x"), base: nil,
                .none)),
        SyncOperation(
            id: id(13), .makeDirectory(SyncNode(id: id(4), parent: id(2), name: "d", kind: .directory))),
        SyncOperation(id: id(14), .move(id(4), parent: id(5), name: "e", base: 6)),
        SyncOperation(id: id(15), .delete(id(4), base: 6, newestBelow: 8), confirmation: "T"),
        SyncOperation(id: id(16), .setAttributes(id(4), modified: -5, mode: 0)),
        SyncOperation(id: id(17), .restore(id(4), parent: id(2), name: "d")),
    ]

    private static let messages: [(String, any WireMessage)] = [
        ("commit-request", CommitRequest(epoch: 7, cursor: "1.7.8", isAtomic: true, operations: operations)),
        (
            "commit-answer",
            CommitAnswer(
                head: 9,
                results: [
                    .done(file), .need([cid("a"), cid("b")]), .conflict(reason: "stale", current: folder),
                    .conflict(reason: "parent_missing", current: nil),
                    .refused(code: .badPath, message: "no"),
                    .confirmationNeeded(removals: 151, token: "T"),
                ], cursor: SyncCursor(epoch: 7, jid: 9, text: "1.7.9"))
        ),
        ("list-request", ListRequest(cursor: "1.7.9", limit: 1000, wantsInflight: true)),
        (
            "list-answer",
            ListAnswer(
                entries: [
                    RemoteEntry(node: file, inline: Array("hello".utf8), device: "laptop"),
                    RemoteEntry(node: folder, isRestored: true), RemoteEntry(node: link, isDeleted: true),
                    RemoteEntry(
                        node: file, edit: FileEdit(edit, blocks: [Array("a".utf8), Array("b".utf8)])),
                ], cursor: SyncCursor(epoch: 7, jid: 9, text: "1.7.9"), hasMore: true, mergesText: true,
                isDeviceUnknown: true,
                inflight: [
                    InflightFile(
                        node: id(1), parent: id(2), name: "disk.img", device: "laptop-1", deviceName: "Küche",
                        size: 1 << 33, root: cid("c", .dagPB), leaves: 10, arrived: [0x81, 2], seconds: 600),
                    InflightFile(
                        node: id(3), parent: id(2), name: "f", device: "", size: 5, root: cid("c", .dagPB),
                        leaves: 0, arrived: [], seconds: 0),
                ])
        ),
        ("snapshot-request", SnapshotRequest(directory: id(2), page: "p", wantsInline: false)),
        (
            "snapshot-page",
            SnapshotPage(
                entries: [RemoteEntry(node: folder)], cursor: SyncCursor(epoch: -7, jid: 0, text: "c"),
                next: "n")
        ),
        ("block-list", BlockList([cid("a"), cid("c", .dagPB)])),
        ("leaves-request", LeavesRequest(root: cid("c", .dagPB), base: cid("a"))),
        ("leaf-edit", edit),
        (
            "wait-request",
            WaitRequest(
                positions: [
                    .init(namespace: "recipes", epoch: 7, jid: 9, inflightMark: 1 << 56),
                    .init(namespace: "notes", epoch: 7, jid: 0),
                ], seconds: 30)
        ),
        (
            "wait-answer",
            WaitAnswer(
                changed: ["recipes"], inflight: [.init(namespace: "recipes", mark: (1 << 56) + 1)])
        ),
        ("namespace-info", info),
        ("namespace-request", NamespaceRequest(name: "recipes", visibility: "public")),
        ("problem", SyncProblem(code: .unavailable, message: "later", retryAfterSeconds: 2)),
    ]

    private static let info = NamespaceInfo(
        id: "X", name: "recipes", role: "owner", root: id(1), epoch: 7, head: 9, nodes: 3, bytes: 5,
        visibility: "public", policy: #"{"merge":"lines"}"#)
    private static let device = DeviceInfo(
        id: "laptop-1", name: "Küche", platform: "linux", decomposesNames: true, features: ["cbor", "gzip"],
        lastSeen: (1 << 53) + 1, isRevoked: true)
    private static let lease = LeaseInfo(
        node: id(1), device: "laptop-1", deviceName: "Küche", mode: "exclusive", expires: 8, isOwn: true)
    private static let figures = {
        var figures = NodeFigures()
        (figures.commits, figures.storedBytes, figures.cacheCapacity) = (4, 1 << 40, 65_536)
        return figures
    }()

    /// Of devices and of what was.
    private static let laterMessages: [(String, any WireMessage)] = [
        ("device-info", device),
        (
            "device-request",
            DeviceRequest(id: "laptop-1", name: "Küche", platform: "linux", ignoresCase: true)
        ),
        ("device-list", DeviceList([device])),
        (
            "sync-report",
            SyncReport(
                namespaces: [
                    NamespaceReport(
                        info: info, unsettledMilliseconds: 250,
                        devices: [
                            DeviceProgress(
                                device: "laptop-1", name: "Küche", jid: 7, behind: 2, lastSeen: 5)
                        ], leases: [lease], conflicts: 2)
                ], node: figures)
        ),
        (
            "revision-page",
            RevisionPage(
                revisions: [
                    Revision(
                        operation: "content",
                        entry: RemoteEntry(node: file, device: "laptop-1", deviceName: "Küche"), time: 6)
                ], next: 3)
        ),
        ("restore-file", RestoreRequest(.file(id(1), contentRevision: 3))),
        ("restore-tree", RestoreRequest(.tree(asOf: "41", path: "soups"))),
        ("restore-answer", RestoreAnswer(head: 9, entries: 2)),
        (
            "conflict-list",
            ConflictList([
                ConflictInfo(
                    id: id(20), node: id(1), reason: "stale", name: "f", base: 3, current: 4,
                    content: cid("a"), size: 1, device: "laptop-1", deviceName: nil, time: 6,
                    resolution: "both")
            ])
        ),
        ("conflict-resolution", ConflictResolution(keep: .theirs)),
        ("lease-request", LeaseRequest(node: id(1), seconds: 600, mode: "exclusive")),
        ("lease-list", LeaseList([lease])),
    ]

    private func check<M: WireMessage>(_ message: M, _ answer: Answer, _ name: String) throws {
        let cbor = try WireForm.cbor.encode(message.value(.cbor))
        #expect(cbor.map { String(format: "%02x", $0) }.joined() == answer.cbor, "\(name)")
        let json = String(decoding: try WireForm.json.encode(message.value(.json)), as: UTF8.self)
        #expect(json == answer.json, "\(name)")
        let read = try WireForm.json.decode(Array(answer.json.utf8), maximumBytes: 100_000)
        #expect(try M(read) == message, "\(name)")
    }

    @Test func everyKindOfMessageIsWrittenAsTheProtocolSays() throws {
        let answers: [String: Answer] = try Vectors.json("sync/messages.json")
        let messages = Self.messages + Self.laterMessages
        // One kind has two forms.
        #expect(answers.count == messages.count && messageTypes.count + 1 == messages.count)
        for (name, message) in messages { try check(message, try #require(answers[name]), name) }
    }

    @Test func idsAreSixteenBytesOrTwentySixLetters() throws {
        let id = NodeID(bits: 0x0123_4567_89AB_CDEF_FEDC_BA98_7654_3210)
        #expect(
            id.bytes == [
                0x01, 0x23, 0x45, 0x67, 0x89, 0xAB, 0xCD, 0xEF, 0xFE, 0xDC, 0xBA, 0x98, 0x76, 0x54, 0x32,
                0x10,
            ])
        #expect(try NodeID(text: id.text) == id && NodeID(bytes: id.bytes) == id)
        #expect(try NodeID(text: id.text.lowercased()) == id)
        #expect(NodeID(bits: .max).text == "7ZZZZZZZZZZZZZZZZZZZZZZZZZ")
        for text in [
            "8ZZZZZZZZZZZZZZZZZZZZZZZZZ", "", String(repeating: "0", count: 27), "0000000000000000000000000U",
        ] {
            #expect(throws: NodeIDError.self, "\(text)") { try NodeID(text: text) }
        }
        #expect(NodeID(bytes: [1, 2, 3]) == nil)
    }
}
