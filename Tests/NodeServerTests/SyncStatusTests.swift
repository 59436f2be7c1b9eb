import Access
import Catalog
import Foundation
import IPLD
import NodeCore
import NodeServer
import NodeService
import SyncProtocol
import TestKit
import Testing
import TreeValues

/// What the sync protocol tells of itself: metrics and status, over sockets.
@Suite struct SyncStatusTests {
    /// The values of a metric, by what stands between the braces.
    static func series(_ name: String, _ page: String) -> [String: Int] {
        var found: [String: Int] = [:]
        for line in page.split(separator: "\n") where line.hasPrefix(name + "{") || line.hasPrefix(name + " ")
        {
            let parts = line.split(separator: " ")
            let labels = parts[0].dropFirst(name.count).trimmingPrefix("{")
            found[String(labels.hasSuffix("}") ? labels.dropLast() : labels)] = Int(parts[1])
        }
        return found
    }

    private static func put(_ name: String, _ bytes: [UInt8], in info: NamespaceInfo) -> SyncOperation {
        SyncOperation(
            id: NodeID(bits: .random(in: 0 ... .max)),
            .put(
                SyncNode(
                    id: NodeID(bits: .random(in: 0 ... .max)), parent: info.root, name: name, kind: .file),
                base: nil, .inline(bytes)))
    }

    @Test func everythingThatIsDoneIsCounted() async throws {
        try await ServerLaboratory.serve { laboratory in
            let info = try laboratory.owner.create(NamespaceRequest(name: "recipes"))
            let key = try laboratory.key()
            let page = try await laboratory.connect { connection in
                func post(_ path: String, _ message: IPLDValue) throws {
                    let answer = try connection.post("/ns/recipes/" + path, message, key)
                    try #require(answer.status == 200, "\(path): \(answer.text)")
                }
                let start = try connection.get("/metrics").text
                #expect(Self.series("nacre_sync_commits_total", start) == ["": 0])
                #expect(Self.series("nacre_sync_operations_total", start).count == 28)
                let first = Self.put("a", [1, 2, 3], in: info)
                let clash = Self.put("a", [4], in: info)
                let twin = Self.put("b", [1, 2, 3], in: info)
                try post(
                    "commit",
                    CommitRequest(epoch: info.epoch, operations: [first, clash, twin]).value(.cbor))
                let (here, bad) = (SyncCalls.block("here"), Block(cid: SyncCalls.block("x").cid, bytes: [9]))
                _ = try connection.store("recipes", [here, bad], key)
                _ = try connection.store("recipes", [here], key)
                try post("blocks/retrieve", BlockList([here.cid, bad.cid, here.cid]).value(.cbor))
                try post("list", ListRequest(cursor: nil, limit: 10).value(.cbor))
                try post("snapshot", SnapshotRequest(directory: nil, page: nil).value(.cbor))
                let wait = try connection.post("/wait", SyncCalls.wait(info, at: 0, seconds: 0), key)
                #expect(wait.status == 200)
                return try connection.get("/metrics").text
            }
            #expect(Self.series("nacre_sync_commits_total", page) == ["": 1])
            #expect(Self.series("nacre_sync_journal_entries_total", page) == ["": 2])
            let operations = Self.series("nacre_sync_operations_total", page)
            #expect(operations["kind=\"put\",outcome=\"ok\""] == 2)
            #expect(operations["kind=\"put\",outcome=\"conflict\""] == 1)
            #expect(Self.series("nacre_sync_conflicts_total", page)["reason=\"name_taken\""] == 1)
            let blocks = Self.series("nacre_sync_blocks_total", page)
            // Two contents of files of which one came twice; a block that came twice; one that was none.
            #expect(blocks["what=\"stored\""] == 3 && blocks["what=\"duplicate\""] == 2)
            #expect(blocks["what=\"refused\""] == 1 && blocks["what=\"retrieved\""] == 2)
            #expect(Self.series("nacre_sync_block_bytes_total", page)["what=\"retrieved\""] == 8)
            #expect(Self.series("nacre_sync_absent_blocks_total", page) == ["": 1])
            #expect(
                Self.series("nacre_sync_entries_total", page)
                    == ["call=\"list\"": 2, "call=\"snapshot\"": 2])
            #expect(Self.series("nacre_sync_wakeups_total", page) == ["": 1])
            #expect(Self.series("nacre_sync_waits", page) == ["": 0])
            let capacity = Self.series("nacre_block_cache_capacity_blocks", page)[""] ?? 0
            #expect(capacity > 0 && (Self.series("nacre_block_cache_blocks", page)[""] ?? -1) <= capacity)
            #expect(Self.series("nacre_http_request_seconds_count", page)["route=\"/sync/v1/wait\""] == 1)
        }
    }

    @Test func whenADeviceCalledLastIsAMetric() async throws {
        try await ServerLaboratory.serve { laboratory in
            let key = try laboratory.key()
            let (before, page) = try await laboratory.connect { connection in
                let before = try connection.get("/metrics").text
                let device = DeviceRequest(id: "laptop", name: "Laptop").value(.cbor)
                #expect(try connection.post("/devices", device, key).status == 201)
                return (before, try connection.get("/metrics").text)
            }
            #expect(Self.series("nacre_sync_device_last_seen_seconds", before).isEmpty)
            let seen = Self.series("nacre_sync_device_last_seen_seconds", page)
            #expect(Array(seen.keys) == ["device=\"laptop\""])
            let now = Int(Date().timeIntervalSince1970)
            #expect((now - 600...now).contains(seen.values.first ?? 0), "\(seen)")
        }
    }

    @Test func howFarADeviceIsBehindAndWhatNobodyDecidedAreMetrics() async throws {
        try await ServerLaboratory.serve { laboratory in
            let info = try laboratory.owner.create(
                NamespaceRequest(name: "recipes", policy: #"{"merge":"lines"}"#))
            let other = try laboratory.owner.create(NamespaceRequest(name: "other"))
            for name in ["a", "b", "c"] { try laboratory.put(name, name, in: info) }
            try laboratory.put("d", "d", in: other)
            let key = try laboratory.key()
            let own = key + "X-Device-Id: laptop\r\n"
            let everything = try laboratory.key(scope: .node)
            try await laboratory.connect { connection in
                func behind() throws -> [String: Int] {
                    Self.series("nacre_sync_device_behind_entries", try connection.get("/metrics").text)
                }
                _ = try connection.post(
                    "/devices", DeviceRequest(id: "laptop", name: "Laptop").value(.cbor), own)
                #expect(try behind().isEmpty, "it asked for no journal")
                for (name, limit) in [("recipes", 2), ("other", 1)] {
                    var cursor: String?
                    for _ in 0..<2 {
                        let list = ListRequest(cursor: cursor, limit: limit).value(.cbor)
                        let answer = try connection.post("/ns/\(name)/list", list, own)
                        cursor = try ListAnswer(answer.message()).cursor.text
                    }
                }
                #expect(try behind() == ["device=\"laptop\"": 1], "one of three, and none of one")
                let clash = CommitRequest(epoch: info.epoch, operations: [Self.put("a", [9], in: info)])
                let answer = try connection.post("/ns/recipes/commit", clash.value(.cbor), own)
                #expect(answer.status == 200, "\(answer.text)")
                let page = try connection.get("/metrics").text
                let status = try connection.get("/sync/v1/status", everything)
                let report = try SyncReport(
                    connection.get("/sync/v1/status", everything + "Accept: application/cbor\r\n").message())
                let open = report.namespaces.reduce(0) { $0 + $1.conflicts }
                #expect(open == 1 && Self.series("nacre_sync_conflicts_open", page) == ["": 1])
                #expect(report.node?.conflictCopies == 0)
                #expect(status.text.contains(#""conflict_copies":"0""#), "\(status.text)")
                #expect(status.text.contains(#""policy":{"#) && status.text.contains(#""merge":"lines""#))
            }
        }
    }

    @Test func aPolicyIsReadAsAMapAndAsItsText() throws {
        var info = NamespaceInfo(
            id: "X", name: "x", role: "owner", root: NodeID(bits: 1), epoch: 1, head: 0, nodes: 0, bytes: 0,
            visibility: "private", policy: #"{"merge":"lines"}"#)
        guard case .map(var entries) = info.value(.json) else {
            Issue.record("no map")
            return
        }
        #expect(try NamespaceInfo(.map(entries)) == info)
        entries.removeAll { $0.key == "policy" }
        entries.append(IPLDEntry(key: "policy", value: .string(info.policy)))
        #expect(try NamespaceInfo(.map(entries)) == info, "as nodes sent it before")
        info.policy = "none of JSON"
        #expect(try NamespaceInfo(info.value(.cbor)) == info)
    }

    @Test func whoWaitsIsCountedWhileItWaits() async throws {
        try await ServerLaboratory.serve { laboratory in
            let info = try laboratory.owner.create(NamespaceRequest(name: "recipes"))
            let key = try laboratory.key()
            try await laboratory.connect { connection in
                connection.sendCall(
                    "POST", "/wait", try WireForm.cbor.encode(SyncCalls.wait(info, at: 0, seconds: 100)),
                    type: "application/cbor", key)
                let other = try HTTPConnection(port: laboratory.port)
                var waits: Int?
                while waits != 1 {
                    waits = Self.series("nacre_sync_waits", try other.get("/metrics").text)[""]
                }
                try laboratory.put("a", "1", in: info)
                #expect(try connection.answer().status == 200)
            }
        }
    }

    @Test(arguments: WireForm.allCases)
    func theStatusHasWhatMayBeSeen(form: WireForm) async throws {
        try await ServerLaboratory.serve { laboratory in
            let info = try laboratory.owner.create(NamespaceRequest(name: "recipes"))
            _ = try laboratory.owner.create(NamespaceRequest(name: "other"))
            try laboratory.put("a", "12345", in: info)
            let everything = try laboratory.key(scope: .node)
            let project = try laboratory.key()
            let reader = try laboratory.key([.read], scope: .namespace(.default, name: "recipes"))
            let writer = try laboratory.key([.write])
            let stranger = try laboratory.key(in: try laboratory.node.catalog.projects.add(name: "x").id)
            try await laboratory.connect { connection in
                func report(_ key: String) throws -> SyncReport {
                    let answer = try connection.get(
                        "/sync/v1/status", key + "Accept: \(form.rawValue)\r\n")
                    #expect(answer.status == 200 && answer.fields["content-type"] == form.rawValue)
                    return try SyncReport(answer.message())
                }
                let all = try report(everything)
                #expect(all.namespaces.map(\.info.name) == ["recipes", "other"] && all.node != nil)
                let recipes = try #require(all.namespaces.first?.info)
                #expect(recipes.head == 1 && recipes.bytes == 5 && recipes.nodes == 1)
                // What the whole node holds is nobody's business but who may read its metrics.
                #expect(try report(project).node == nil && report(project).namespaces.count == 2)
                #expect(try report(reader).namespaces.map(\.info.name) == ["recipes"])
                #expect(try report(writer).namespaces.isEmpty)
                #expect(try report(stranger) == SyncReport(namespaces: [], node: nil))
                #expect(try connection.get("/sync/v1/status").status == 401)
            }
        }
    }

    @Test func whatIsMissingAmongBlocksIsToldAndTheRestComes() async throws {
        try await ServerLaboratory.serve { laboratory in
            _ = try laboratory.owner.create(NamespaceRequest(name: "recipes"))
            let key = try laboratory.key()
            let (here, there) = (SyncCalls.block("here"), SyncCalls.block("there"))
            try await laboratory.connect { connection in
                _ = try connection.store("recipes", [here], key, count: 1)
                let answer = try connection.post(
                    "/ns/recipes/blocks/retrieve",
                    BlockList([there.cid, here.cid, there.cid]).value(.cbor), key)
                #expect(answer.status == 200)
                #expect(try SyncCalls.blocks(ofCAR: answer.body) == [here])
                #expect(answer.fields["x-block-count"] == "1" && answer.fields["x-answered-count"] == "3")
            }
        }
    }

    @Test func theTokenOfALargeRemovalIsAMemberOfItsResult() throws {
        let answer = CommitAnswer(head: 7, results: [.confirmationNeeded(removals: 151, token: "T")])
        let text = String(decoding: try WireForm.json.encode(answer.value(.json)), as: UTF8.self)
        #expect(text.contains("\"code\":\"mass_delete_blocked\"") && text.contains("\"token\":\"T\""))
        for form in WireForm.allCases {
            let bytes = try form.encode(answer.value(form))
            #expect(try CommitAnswer(form.decode(bytes, maximumBytes: bytes.count)) == answer)
        }
    }
}
