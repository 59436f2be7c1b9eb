import Access
import Catalog
import HTTPSupport
import HTTPTypes
import IPLD
import NodeCore
import NodeService
import SyncAPI
import SyncProtocol
import TestKit
import Testing
import TreeValues

@testable import NodeServer

/// Server-sent events, read by a client over a socket.
@Suite struct SyncEventTests {
    /// What stands between two empty lines, and is no heartbeat.
    private struct Event: Equatable {
        var name = ""
        var data = ""
        var id: String?
    }

    /// Reads an answer that does not end, line by line.
    private final class Reader {
        private let connection: HTTPConnection
        private var rest = ""
        private(set) var comments = 0
        let status: Int
        let fields: [String: String]

        init(_ connection: HTTPConnection, _ path: String, _ fields: String) throws {
            self.connection = connection
            connection.send(HTTPConnection.request("/sync/v1/events" + path, fields))
            (status, self.fields) = try connection.head()
        }

        /// The next event; `nil` at the end of the answer.
        func next() throws -> Event? {
            var event = Event()
            while true {
                while let end = rest.firstIndex(of: "\n") {
                    let line = rest[..<end]
                    rest = String(rest[rest.index(after: end)...])
                    if line.hasPrefix("event: ") { event.name = String(line.dropFirst(7)) }
                    if line.hasPrefix("data: ") { event.data = String(line.dropFirst(6)) }
                    if line.hasPrefix("id: ") { event.id = String(line.dropFirst(4)) }
                    if line.hasPrefix(":") { comments += 1 }
                    if line.isEmpty, !event.name.isEmpty { return event }
                }
                guard let more = try connection.chunk(), !more.isEmpty else { return nil }
                rest += String(decoding: more, as: UTF8.self)
            }
        }
    }

    private static func head(_ info: NamespaceInfo, _ jid: Int) -> String {
        "{\"epoch\":\"\(info.epoch)\",\"head\":\"\(jid)\",\"ns\":\"\(info.id)\"}"
    }

    @Test func aListenerIsToldOfEveryHeadThatMayBeRead() async throws {
        try await ServerLaboratory.serve { laboratory in
            let recipes = try laboratory.owner.create(NamespaceRequest(name: "recipes"))
            let notes = try laboratory.owner.create(NamespaceRequest(name: "notes"))
            let key = try laboratory.key()
            try await laboratory.connect { connection in
                let reader = try Reader(connection, "?ns=recipes,\(notes.id)", key)
                #expect(reader.status == 200 && reader.fields["content-type"] == "text/event-stream")
                let first = try [reader.next(), reader.next()]
                #expect(first.map { $0?.name } == ["head", "head"])
                #expect(first.map { $0?.data } == [Self.head(recipes, 0), Self.head(notes, 0)])
                // Only the last of what came together says that all before it came.
                #expect(first[0]?.id == nil && first[1]?.id != nil)
                for number in 1...20 {
                    try laboratory.put("\(number)", "x", in: number.isMultiple(of: 2) ? recipes : notes)
                    let event = try reader.next()
                    let expected =
                        number.isMultiple(of: 2)
                        ? Self.head(recipes, number / 2)
                        : Self.head(notes, (number + 1) / 2)
                    #expect(event?.data == expected && event?.id != nil)
                }
            }
        }
    }

    @Test func whoComesAgainIsToldOfWhatChangedSince() async throws {
        try await ServerLaboratory.serve { laboratory in
            let recipes = try laboratory.owner.create(NamespaceRequest(name: "recipes"))
            let notes = try laboratory.owner.create(NamespaceRequest(name: "notes"))
            let key = try laboratory.key()
            let last = try await laboratory.connect { connection in
                let reader = try Reader(connection, "", key)
                _ = try reader.next()
                return try reader.next()?.id
            }
            let id = try #require(last)
            try laboratory.put("a", "1", in: notes)
            try await laboratory.connect { connection in
                let reader = try Reader(connection, "", key + "Last-Event-ID: \(id)\r\n")
                #expect(try reader.next()?.data == Self.head(notes, 1))
                try laboratory.put("a", "1", in: recipes)
                #expect(try reader.next()?.data == Self.head(recipes, 1))
            }
            // An id of another process, or none at all, says nothing: everything is told.
            for id in ["x-1", "", "-", String(repeating: "9", count: 500), id + "9"] {
                try await laboratory.connect { connection in
                    let reader = try Reader(connection, "", key + "Last-Event-ID: \(id)\r\n")
                    #expect(try reader.next()?.data == Self.head(recipes, 1))
                    #expect(try reader.next()?.data == Self.head(notes, 1))
                }
            }
        }
    }

    @Test func nobodyHearsOfWhatMustNotBeSeen() async throws {
        try await ServerLaboratory.serve { laboratory in
            let recipes = try laboratory.owner.create(NamespaceRequest(name: "recipes"))
            let notes = try laboratory.owner.create(NamespaceRequest(name: "notes"))
            let reader = try laboratory.key([.read], scope: .namespace(.default, name: "notes"))
            let stranger = try laboratory.key(in: try laboratory.node.catalog.projects.add(name: "x").id)
            try await laboratory.connect { connection in
                let events = try Reader(connection, "", reader)
                #expect(try events.next()?.data == Self.head(notes, 0))
                try laboratory.put("a", "1", in: recipes)
                try laboratory.put("a", "1", in: notes)
                #expect(try events.next()?.data == Self.head(notes, 1))
            }
            try await laboratory.connect { connection in
                for (path, fields, status) in [
                    ("?ns=recipes", stranger, 404), ("?ns=nosuch", stranger, 404),
                    ("?ns=recipes", reader, 404), ("?other=1", reader, 400), ("", "", 401),
                ] {
                    let answer = try connection.get("/sync/v1/events" + path, fields)
                    #expect(answer.status == status, "\(path)")
                }
            }
        }
    }

    @Test func aKeyThatIsRevokedHearsNothingMore() async throws {
        try await ServerLaboratory.serve { laboratory in
            let recipes = try laboratory.owner.create(NamespaceRequest(name: "recipes"))
            var draft = GrantDraft(name: "key", operations: OperationSet([.read]), project: .default)
            draft.scope = .project(.default)
            let issued = try laboratory.authority.grants.create(draft, by: .localAdministrator)
            try await laboratory.connect { connection in
                let events = try Reader(
                    connection, "", "Authorization: Bearer \(issued.token.text)\r\n")
                #expect(try events.next()?.data == Self.head(recipes, 0))
                _ = try laboratory.authority.grants.revoke(issued.grant.id, by: .localAdministrator)
                try laboratory.put("a", "1", in: recipes)
                #expect(try events.next() == Event(name: "end", data: "{}", id: nil))
                #expect(try events.next() == nil)
            }
        }
    }

    @Test func listenersAreCountedAndGoWhenTheyAreGone() async throws {
        try await ServerLaboratory.serve { laboratory in
            let info = try laboratory.owner.create(NamespaceRequest(name: "recipes"))
            let key = try laboratory.key()
            let port = laboratory.port
            try await laboratory.onThread {
                func listeners() throws -> Int? {
                    let page = try HTTPConnection(port: port).get("/metrics").text
                    return SyncStatusTests.series("nacre_sync_listeners", page)[""]
                }
                do {
                    let connections = try (0..<5).map { _ in try HTTPConnection(port: port) }
                    for connection in connections { _ = try Reader(connection, "", key).next() }
                    let count = try listeners()
                    withExtendedLifetime(connections) {}
                    #expect(count == 5)
                }
                // Who went is noticed by what is said next.
                var number = 0
                while try listeners() != 0 {
                    try laboratory.put("\(number)", "x", in: info)
                    number += 1
                }
            }
        }
    }

    @Test func aStreamBeatsAndEndsWithItsServer() async throws {
        let directory = try TemporaryDirectory(in: TemporaryDirectory.fastParent)
        let node = try StorageNode.open(directory.path("data"))
        let waits = SyncWaits(listening: SyncPlaces(maximum: 1, ofOne: 1))
        let service = SyncService(node, as: .localAdministrator)
        let info = try service.create(NamespaceRequest(name: "recipes"))
        do {
            let place = try waits.listening.take(by: "key").get()
            #expect(throws: SyncPlaces.Refusal.all) { _ = try waits.listening.take(by: "other").get() }
            let request = DoorRequest(method: .get, target: try RequestTarget("/sync/v1/events"))
            let stream = EventStream(
                try EventRequest(request), waits: waits, place: place, beat: .milliseconds(1)
            ) { .success($0(service)) }
            let first = String(decoding: try #require(await stream.next()), as: UTF8.self)
            #expect(first.hasPrefix("retry: 2000\n\nevent: head\n") && first.contains(info.id))
            #expect(try await stream.next() == Array(":\n\n".utf8))
            // What is made later is noticed with a beat.
            let later = try service.create(NamespaceRequest(name: "later"))
            var said = ""
            while !said.contains(later.id) {
                said += String(decoding: try #require(await stream.next()), as: UTF8.self)
            }
            waits.stop()
            #expect(try await stream.next() == nil)
        }
        #expect(waits.listening.count == 0 && waits.count == 0)
        try node.close()
    }

    @Test func whoAsksForItIsToldOfFilesThatAreBeingSent() async throws {
        try await ServerLaboratory.serve { laboratory in
            let info = try laboratory.owner.create(NamespaceRequest(name: "recipes"))
            let key = try laboratory.key()
            let port = laboratory.port
            try await laboratory.onThread {
                let (one, two) = (try HTTPConnection(port: port), try HTTPConnection(port: port))
                let reader = try Reader(one, "?ns=recipes&inflight=true", key)
                #expect(try reader.next()?.name == "head")
                let leaf = Leaf(cid: SyncCalls.block("not here").cid, bytes: 2 << 20)
                let node = SyncNode(
                    id: NodeID(bits: 9), parent: info.root, name: "f", kind: .file, content: leaf.cid,
                    size: 4 << 20)
                let operation = SyncOperation(
                    id: NodeID(bits: 10),
                    .put(node, base: nil, .leaves(LeafEdit(from: [], root: nil, to: [leaf, leaf]))))
                let request = CommitRequest(epoch: info.epoch, operations: [operation])
                #expect(try two.post("/ns/recipes/commit", request.value(.cbor), key).status == 200)
                let event = try #require(try reader.next())
                #expect(event.name == "inflight" && event.data.contains("\"ns\":\"\(info.id)\""))
                #expect(try two.get("/sync/v1/events?inflight=1", key).status == 400)
            }
        }
    }
}
