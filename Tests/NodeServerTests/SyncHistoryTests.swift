import Access
import IPLD
import Multiformats
import NodeServer
import NodeService
import SyncProtocol
import TestKit
import Testing
import TreeValues

/// Revisions, restores, conflicts and leases, over sockets.
@Suite struct SyncHistoryTests {
    private static func random() -> NodeID { NodeID(bits: .random(in: 0 ... .max)) }

    private static func put(
        _ node: SyncNode, _ text: String, base: JID?
    ) -> SyncOperation {
        SyncOperation(id: random(), .put(node, base: base, .inline(Array(text.utf8))))
    }

    private static func commit(
        _ connection: HTTPConnection, _ info: NamespaceInfo, _ operation: SyncOperation, _ fields: String
    ) throws -> CommitResult? {
        let answer = try connection.post(
            "/ns/\(info.id)/commit",
            CommitRequest(epoch: info.epoch, operations: [operation]).value(.cbor), fields)
        return try CommitAnswer(answer.message(), to: [operation]).results.first
    }

    @Test func aSnapshotIsOfAnEarlierStateWhereThatIsAskedFor() async throws {
        try await ServerLaboratory.serve { laboratory in
            let info = try laboratory.owner.create(NamespaceRequest(name: "recipes"))
            let soup = try laboratory.put("soup.md", "beet", in: info)
            let folder = try laboratory.makeDirectory("cakes", in: info)
            try laboratory.put("soup.md", "leek", in: info, over: soup)
            try laboratory.change(.delete(folder.id, base: folder.revision, newestBelow: .max), in: info)
            let key = try laboratory.key()
            try await laboratory.connect { connection in
                func page(_ jid: JID?) throws -> HTTPConnection.Answer {
                    try connection.post(
                        "/ns/recipes/snapshot",
                        SnapshotRequest(directory: nil, jid: jid, page: nil).value(.cbor), key)
                }
                func texts(_ entries: [RemoteEntry]) -> [String] {
                    entries.map { "\($0.node.name) \(String(decoding: $0.inline ?? [], as: UTF8.self))" }
                }
                let earlier = try SnapshotPage(page(2).message())
                #expect(texts(earlier.entries).sorted() == ["cakes ", "soup.md beet"])
                #expect(earlier.cursor.jid == 2)
                let newest = try SnapshotPage(page(nil).message())
                #expect(texts(newest.entries) == ["soup.md leek"])
                #expect(try SnapshotPage(page(0).message()).entries.isEmpty)
                let since = try connection.post(
                    "/ns/recipes/list", ListRequest(cursor: earlier.cursor.text, limit: 10).value(.cbor), key)
                #expect(try ListAnswer(since.message()).entries.map(\.node.revision) == [3, 4])
                let ahead = try page(5)
                #expect(ahead.status == 400 && ahead.problem?.message.contains("jid 5") == true)
            }
        }
    }

    @Test(arguments: WireForm.allCases)
    func everyStateOfAFileIsListedReadAndBroughtBack(form: WireForm) async throws {
        try await ServerLaboratory.serve { laboratory in
            let info = try laboratory.owner.create(NamespaceRequest(name: "recipes"))
            var node = try laboratory.put("a.txt", "version 1", in: info)
            for number in 2...5 {
                node = try laboratory.put("a.txt", "version \(number)", in: info, over: node)
            }
            let key = try laboratory.key() + "Accept: \(form.rawValue)\r\n"
            let id = node.id
            try await laboratory.connect { connection in
                func get(_ path: String, _ fields: String = "") throws -> HTTPConnection.Answer {
                    try connection.get("/sync/v1/ns/recipes/" + path, key + fields)
                }
                let found = try RemoteEntry(get("nodes?path=a.txt").message())
                #expect(found.node.id == id && found.node.revision == 5)
                var before = ""
                var seen: [JID] = []
                while true {
                    let page = try RevisionPage(
                        get("nodes/\(id)/revisions?limit=2" + before).message())
                    seen += page.revisions.map(\.entry.node.contentRevision)
                    guard let next = page.next else { break }
                    before = "&before=\(next)"
                }
                #expect(seen == [5, 4, 3, 2, 1])
                let content = try get("nodes/\(id)/content?crev=2")
                #expect(content.status == 200 && content.text == "version 2")
                #expect(content.fields["content-disposition"]?.contains("a.txt") == true)
                let part = try get("nodes/\(id)/content?crev=3", "Range: bytes=8-\r\n")
                #expect(part.status == 206 && part.text == "3")
                #expect(part.fields["content-range"] == "bytes 8-8/9")
                let behind = try get("nodes/\(id)/content?crev=3", "Range: bytes=9-\r\n")
                #expect(behind.status == 416)
                let tag = try #require(content.fields["etag"])
                #expect(
                    try get("nodes/\(id)/content?crev=2", "If-None-Match: \(tag)\r\n").status == 304)
                for (path, status) in [
                    ("nodes/\(id)/content?crev=9", 404), ("nodes/\(id)/content", 400),
                    ("nodes/\(id)/content?crev=0", 400), ("nodes/x/revisions", 400),
                    ("nodes/\(Self.random())/revisions", 404), ("nodes?path=nosuch", 404),
                    ("nodes/\(id)/revisions?limmit=1", 400),
                ] { #expect(try get(path).status == status, "\(path)") }

                let restore = RestoreRequest(.file(id, contentRevision: 2))
                let answer = try connection.post(
                    "/ns/recipes/restore", restore.value(form), key, form: form)
                #expect(try RestoreAnswer(answer.message()) == RestoreAnswer(head: 6, entries: 1))
                #expect(try get("nodes/\(id)/content?crev=6").text == "version 2")
                // It is so already.
                let again = try connection.post(
                    "/ns/recipes/restore", restore.value(form), key, form: form)
                #expect(try RestoreAnswer(again.message()).entries == 0)
                let tree = RestoreRequest(.tree(asOf: "4", path: ""))
                let whole = try connection.post("/ns/recipes/restore", tree.value(form), key, form: form)
                #expect(try RestoreAnswer(whole.message()) == RestoreAnswer(head: 7, entries: 1))
                let absent = RestoreRequest(.tree(asOf: "99", path: ""))
                let refused = try connection.post(
                    "/ns/recipes/restore", absent.value(form), key, form: form)
                #expect(refused.status == 410 || refused.status == 400)
                // Before the first change there was nothing: that is said first.
                var nothing = RestoreRequest(.tree(asOf: "0", path: ""))
                let held = try connection.post(
                    "/ns/recipes/restore", nothing.value(form), key, form: form)
                #expect(held.status == 409)
                #expect(try SyncProblem(held.message()).code.rawValue == "mass_delete_blocked")
                nothing.mayEmpty = true
                let emptied = try connection.post(
                    "/ns/recipes/restore", nothing.value(form), key, form: form)
                #expect(try RestoreAnswer(emptied.message()).entries > 0)
                #expect(try get("nodes?path=a").status == 404)
            }
        }
    }

    @Test func aDeletedFileComesBackAndAReaderBringsNothingBack() async throws {
        try await ServerLaboratory.serve { laboratory in
            let info = try laboratory.owner.create(NamespaceRequest(name: "recipes"))
            let node = try laboratory.put("a", "1", in: info)
            try laboratory.change(.delete(node.id, base: node.revision, newestBelow: 0), in: info)
            let restore = RestoreRequest(.file(node.id, contentRevision: 1)).value(.cbor)
            let (reader, editor) = (
                try laboratory.key([.read]), try laboratory.key([.read, .write, .delete])
            )
            let creator = try laboratory.key([.read, .write])
            try await laboratory.connect { connection in
                for key in [reader, creator] {
                    let refused = try connection.post("/ns/recipes/restore", restore, key)
                    #expect(refused.status == 403 && refused.problem?.code.rawValue == "forbidden")
                }
                #expect(try connection.post("/ns/recipes/restore", restore, editor).status == 200)
                let entry = try connection.get("/sync/v1/ns/recipes/nodes?path=a", reader)
                #expect(entry.status == 200)
            }
        }
    }

    @Test func aChangeThatWasNotTakenIsInTheRegisterUntilSomebodyDecides() async throws {
        try await ServerLaboratory.serve { laboratory in
            let info = try laboratory.owner.create(NamespaceRequest(name: "recipes"))
            let node = try laboratory.put("a", "first", in: info)
            try laboratory.put("a", "theirs", in: info, over: node)
            let key = try laboratory.key() + "X-Device-Id: laptop\r\n"
            try await laboratory.connect { connection in
                func conflicts(_ query: String = "") throws -> [ConflictInfo] {
                    try ConflictList(
                        connection.get(
                            "/sync/v1/ns/recipes/conflicts" + query, key + "Accept: application/cbor\r\n"
                        ).message()
                    ).conflicts
                }
                #expect(try conflicts().isEmpty)
                // The same change sent again, also under another id, is one conflict.
                for _ in 0..<3 {
                    let result = try Self.commit(connection, info, Self.put(node, "mine", base: 1), key)
                    guard case .conflict(reason: "stale", _)? = result else {
                        Issue.record("\(String(describing: result))")
                        return
                    }
                }
                let found = try conflicts()
                let conflict = try #require(found.first)
                #expect(found.count == 1 && conflict.node == node.id && conflict.reason == "stale")
                #expect(conflict.base == 1 && conflict.current == 2 && conflict.device == "laptop")
                #expect(conflict.size == 4 && conflict.name == "a")
                func resolve(_ keep: ConflictResolution.Choice, _ id: NodeID) throws -> Int {
                    try connection.post(
                        "/ns/recipes/conflicts/\(id)/resolve", ConflictResolution(keep: keep).value(.cbor),
                        key
                    ).status
                }
                #expect(try resolve(.theirs, Self.random()) == 404)
                #expect(try resolve(.mine, conflict.id) == 200)
                #expect(try conflicts().isEmpty && conflicts("?all=true").first?.resolution == "mine")
                let content = try connection.get(
                    "/sync/v1/ns/recipes/nodes/\(node.id)/content?crev=3", key)
                #expect(content.text == "mine")
                // What was there before is in the history.
                let page = try connection.get(
                    "/sync/v1/ns/recipes/nodes/\(node.id)/content?crev=2", key)
                #expect(page.text == "theirs")
            }
        }
    }

    @Test func aConflictCopyClosesItsConflict() async throws {
        try await ServerLaboratory.serve { laboratory in
            let info = try laboratory.owner.create(NamespaceRequest(name: "recipes"))
            let node = try laboratory.put("a", "first", in: info)
            try laboratory.put("a", "theirs", in: info, over: node)
            let key = try laboratory.key()
            try await laboratory.connect { connection in
                func open() throws -> [String] {
                    try ConflictList(
                        connection.get(
                            "/sync/v1/ns/recipes/conflicts", key + "Accept: application/cbor\r\n"
                        ).message()
                    ).conflicts.map(\.reason).sorted()
                }
                let laptop = key + "X-Device-Id: laptop\r\n"
                for text in ["mine", "mine too"] {
                    _ = try Self.commit(connection, info, Self.put(node, text, base: 1), laptop)
                }
                #expect(try open() == ["stale", "stale"])
                func copy(_ name: String, _ text: String, _ fields: String) throws {
                    let copy = SyncNode(id: Self.random(), parent: info.root, name: name, kind: .file)
                    _ = try Self.commit(connection, info, Self.put(copy, text, base: nil), fields)
                }
                // The same content of another device says nothing.
                try copy("b", "mine", key + "X-Device-Id: phone\r\n")
                #expect(try open() == ["stale", "stale"])
                try copy("a (conflict 2026-01-01 0000 laptop)", "mine", laptop)
                #expect(try open() == ["copy", "stale"])
                try copy("a (conflict 2026-01-01 0001 laptop)", "mine too", laptop)
                #expect(try open() == ["copy", "copy"])
            }
        }
    }

    /// A copy is open until it is not there by its name any more, and is decided about on the node as in a
    /// folder.
    @Test(arguments: [ConflictResolution.Choice.mine, .theirs, .both, .merged])
    func aConflictCopyIsInTheRegisterUntilSomebodyDecides(_ keep: ConflictResolution.Choice) async throws {
        try await ServerLaboratory.serve { laboratory in
            let info = try laboratory.owner.create(NamespaceRequest(name: "recipes"))
            let fields = try laboratory.key() + "X-Device-Id: laptop\r\n"
            let directory = try laboratory.makeDirectory("soups", in: info)
            let original = try laboratory.put("soup.txt", "theirs", in: info)
            try await laboratory.connect { connection in
                func conflicts(_ query: String = "") throws -> [ConflictInfo] {
                    try ConflictList(
                        connection.get(
                            "/sync/v1/ns/recipes/conflicts" + query, fields + "Accept: application/cbor\r\n"
                        ).message()
                    ).conflicts
                }
                func content(_ path: String) throws -> String? {
                    let path = path.replacing(" ", with: "%20")
                    let answer = try connection.get(
                        "/sync/v1/ns/recipes/nodes?path=\(path)", fields + "Accept: application/cbor\r\n")
                    guard answer.status == 200 else { return nil }
                    let node = try RemoteEntry(answer.message()).node
                    return try connection.get(
                        "/sync/v1/ns/recipes/nodes/\(node.id)/content?crev=\(node.contentRevision)", fields
                    ).text
                }
                func resolve(_ id: NodeID) throws {
                    let answer = try connection.post(
                        "/ns/recipes/conflicts/\(id)/resolve", ConflictResolution(keep: keep).value(.cbor),
                        fields)
                    #expect(answer.status == 200, "\(answer.text)")
                }
                func copy(_ name: String, _ text: String, in parent: NodeID) throws -> SyncNode {
                    let copy = SyncNode(id: Self.random(), parent: parent, name: name, kind: .file)
                    let result = try Self.commit(
                        connection, info, Self.put(copy, text, base: nil), fields)
                    guard case .done? = result else {
                        throw SyncFailure.badRequest("\(String(describing: result))")
                    }
                    return copy
                }
                // What came with a folder, and what another machine made, is no news.
                for name in ["b (conflict 2026-01-01 0000 phone)", "c (conflict of interest)", "d (2)"] {
                    _ = try copy(name, name, in: info.root)
                }
                #expect(try conflicts().isEmpty)
                let lone = try copy("lone (conflict 2026-01-01 0000 laptop).md", "lone", in: directory.id)
                let made = try copy("soup (conflict 2026-01-01 0000 laptop).txt", "mine", in: info.root)
                let cased = try copy(
                    "SOUP (case conflict 2026-01-01 0000 laptop).txt", "cased", in: info.root)
                let found = try conflicts()
                #expect(found.count == 3 && Set(found.map(\.reason)) == ["copy", "case_copy"])
                let entry = try #require(found.first { $0.node == made.id })
                #expect(entry.path == made.name && entry.size == 4 && entry.device == "laptop")
                #expect(found.contains { $0.path == "soups/" + lone.name })
                try resolve(entry.id)
                let isMine = keep == .mine
                #expect(try content("soup.txt") == (isMine ? "mine" : "theirs"))
                #expect(try content(made.name) == (keep == .both ? "mine" : nil))
                // The file that it is a copy of is of the same node as before: others that have it get an edit.
                let put = try RemoteEntry(
                    connection.get(
                        "/sync/v1/ns/recipes/nodes?path=soup.txt", fields + "Accept: application/cbor\r\n"
                    ).message())
                #expect(put.node.id == original.id)
                #expect(try conflicts().count == 2)
                #expect(try conflicts("?all=true").first { $0.id == entry.id }?.resolution == keep.rawValue)
                // Where no file has the name the copy gets it; where one has it in other letters, that one counts.
                for copy in [lone, cased] {
                    let entry = try #require(try conflicts().first { $0.node == copy.id })
                    try resolve(entry.id)
                }
                #expect(try content("soups/lone.md") == (isMine ? "lone" : nil))
                #expect(try content("soup.txt") == (isMine ? "cased" : "theirs"))
                #expect(try conflicts().isEmpty)
            }
        }
    }

    /// Nobody need tell the node what was done with a copy in a folder.
    @Test func aConflictCopyThatIsRenamedOrRemovedIsGone() async throws {
        try await ServerLaboratory.serve { laboratory in
            let info = try laboratory.owner.create(NamespaceRequest(name: "recipes"))
            let fields = try laboratory.key() + "X-Device-Id: laptop\r\n"
            try await laboratory.connect { connection in
                func conflicts(_ query: String = "") throws -> [ConflictInfo] {
                    try ConflictList(
                        connection.get(
                            "/sync/v1/ns/recipes/conflicts" + query, fields + "Accept: application/cbor\r\n"
                        ).message()
                    ).conflicts
                }
                var made: [NodeID] = []
                for name in ["a", "b", "c"] {
                    let copy = SyncNode(
                        id: Self.random(), parent: info.root,
                        name: "\(name) (conflict 2026-01-01 0000 laptop)",
                        kind: .file)
                    _ = try Self.commit(connection, info, Self.put(copy, name, base: nil), fields)
                    made.append(copy.id)
                }
                let revision = try conflicts().map(\.current).sorted()
                try laboratory.change(.delete(made[0], base: revision[0], newestBelow: 0), in: info)
                try laboratory.change(
                    .move(made[1], parent: info.root, name: "kept", base: revision[1]), in: info)
                #expect(try conflicts().map(\.node) == [made[2]])
                let all = try conflicts("?all=true")
                #expect(
                    all.filter { $0.resolution == "gone" }.map(\.node).sorted() == made.prefix(2).sorted())
                #expect(all.first { $0.node == made[0] }?.path == nil)
                #expect(all.first { $0.node == made[1] }?.path == "kept")
                let report = try laboratory.owner.report()
                #expect(report.namespaces.map(\.conflicts) == [1])
            }
        }
    }

    @Test func aLeaseKeepsOthersFromChangingAFile() async throws {
        try await ServerLaboratory.serve { laboratory in
            let info = try laboratory.owner.create(NamespaceRequest(name: "recipes"))
            let node = try laboratory.put("a", "1", in: info)
            let key = try laboratory.key()
            let secondKey = try laboratory.key()
            @Sendable func fields(_ id: String) -> String { key + "X-Device-Id: \(id)\r\n" }
            try await laboratory.connect { connection in
                func call(_ method: String, _ path: String, _ message: LeaseRequest?, _ id: String) throws
                    -> HTTPConnection.Answer
                {
                    let body = try message.map { try WireForm.cbor.encode($0.value(.cbor)) } ?? []
                    connection.sendCall(
                        method, "/ns/recipes/leases" + path, body, type: "application/cbor", fields(id))
                    return try connection.answer()
                }
                for id in ["laptop", "phone"] {
                    _ = try connection.post("/devices", DeviceRequest(id: id, name: id).value(.cbor), key)
                }
                let exclusive = LeaseRequest(node: node.id, seconds: 600, mode: "exclusive")
                let made = try call("POST", "", exclusive, "laptop")
                #expect(made.status == 201)
                let lease = try LeaseInfo(made.message())
                #expect(lease.isOwn && lease.device == "laptop" && lease.mode == "exclusive")
                let taken = try call("POST", "", exclusive, "phone")
                #expect(taken.status == 409 && taken.problem?.code.rawValue == "locked")

                let edit = Self.put(node, "2", base: 1)
                for operation in [
                    edit, SyncOperation(id: Self.random(), .delete(node.id, base: 1, newestBelow: 0)),
                    SyncOperation(
                        id: Self.random(), .move(node.id, parent: info.root, name: "b", base: 1)),
                ] {
                    let result = try Self.commit(connection, info, operation, fields("phone"))
                    guard case .refused(code: .locked, let message)? = result else {
                        Issue.record("\(String(describing: result))")
                        continue
                    }
                    #expect(message.contains("laptop"))
                }
                let restore = try connection.post(
                    "/ns/recipes/restore", RestoreRequest(.file(node.id, contentRevision: 1)).value(.cbor),
                    fields("phone"))
                #expect(restore.status == 409 && restore.problem?.code.rawValue == "locked")
                // Another key of the same project, and who says no device, are others too.
                let again = SyncOperation(id: Self.random(), .delete(node.id, base: 1, newestBelow: 0))
                for stranger in [secondKey + "X-Device-Id: tablet\r\n", key] {
                    let result = try Self.commit(connection, info, again, stranger)
                    guard case .refused(code: .locked, _)? = result else {
                        Issue.record("\(stranger): \(String(describing: result))")
                        continue
                    }
                }
                // Who has it goes on, and others with everything else.
                guard case .done? = try Self.commit(connection, info, edit, fields("laptop")) else {
                    Issue.record("the lease is in the way of who has it")
                    return
                }
                let other = SyncNode(id: Self.random(), parent: info.root, name: "c", kind: .file)
                guard
                    case .done? = try Self.commit(
                        connection, info, Self.put(other, "x", base: nil), fields("phone"))
                else {
                    Issue.record("another file is locked")
                    return
                }
                let status = try connection.get(
                    "/sync/v1/status", key + "Accept: application/cbor\r\n")
                let told = try SyncReport(status.message()).namespaces.first?.leases
                #expect(told?.map(\.node) == [node.id] && told?.map(\.path) == ["a"])

                #expect(
                    try call("PUT", "/\(node.id)", LeaseRequest(node: nil, seconds: 60), "phone").status
                        == 404)
                let renewed = try call("PUT", "/\(node.id)", LeaseRequest(node: nil, seconds: 60), "laptop")
                #expect(try LeaseInfo(renewed.message()).mode == "exclusive")
                #expect(try LeaseInfo(renewed.message()).expires < lease.expires)
                let tooLong: IPLDValue = .map([
                    IPLDEntry(key: "ttl_s", value: .integer(3601)),
                    IPLDEntry(key: "nid", value: .bytes(node.id.bytes)),
                ])
                #expect(try connection.post("/ns/recipes/leases", tooLong, fields("laptop")).status == 400)
                #expect(try call("DELETE", "/\(node.id)", nil, "laptop").status == 204)
                #expect(try call("DELETE", "/\(node.id)", nil, "laptop").status == 404)
                let last = Self.put(node, "3", base: 2)
                guard case .done? = try Self.commit(connection, info, last, fields("phone")) else {
                    Issue.record("the lease was ended")
                    return
                }
                // It ends with its device.
                #expect(try call("POST", "", exclusive, "laptop").status == 201)
                _ = try connection.get("/sync/v1/devices/laptop", key, method: "DELETE")
                #expect(try call("POST", "", exclusive, "phone").status == 201)
            }
        }
    }
}
