import Access
import Catalog
import IPLD
import NodeCore
import NodeServer
import NodeService
import SyncProtocol
import TestKit
import Testing
import TreeValues

/// Machines that make themselves known, over sockets.
@Suite struct SyncDeviceTests {
    private static let request = DeviceRequest(
        id: "laptop-1", name: "laptop", platform: "linux", decomposesNames: true, features: ["cbor"])

    @Test(arguments: WireForm.allCases)
    func aDeviceMakesItselfKnownIsNamedAndShutOut(form: WireForm) async throws {
        try await ServerLaboratory.serve { laboratory in
            let info = try laboratory.owner.create(NamespaceRequest(name: "recipes"))
            let key = try laboratory.key() + "Accept: \(form.rawValue)\r\n"
            let own = key + "X-Device-Id: laptop-1\r\n"
            try await laboratory.connect { connection in
                func devices() throws -> [DeviceInfo] {
                    try DeviceList(connection.get("/sync/v1/devices", key).message()).devices
                }
                #expect(try devices().isEmpty)
                // Who never said what it is is told so when it asks for news.
                let list = ListRequest(cursor: nil, limit: 10).value(form)
                func news(_ key: String) throws -> ListAnswer {
                    try ListAnswer(connection.post("/ns/recipes/list", list, key, form: form).message())
                }
                #expect(try news(own).isDeviceUnknown && !news(key).isDeviceUnknown)
                for _ in 0..<2 {
                    let made = try connection.post("/devices", Self.request.value(form), own, form: form)
                    #expect(made.status == 201)
                    let device = try DeviceInfo(made.message())
                    #expect(device.id == "laptop-1" && device.name == "laptop" && device.decomposesNames)
                }
                connection.sendCall(
                    "PATCH", "/devices/laptop-1",
                    try form.encode(DeviceRequest(id: nil, name: "Küche").value(form)), type: form.rawValue,
                    key)
                #expect(try DeviceInfo(connection.answer().message()).name == "Küche")
                // Told again at its next start, it keeps the name that a person gave it.
                _ = try connection.post("/devices", Self.request.value(form), own, form: form)
                #expect(try devices().map(\.name) == ["Küche"])

                // Entries say who made them.
                let commit = CommitRequest(
                    epoch: info.epoch,
                    operations: [
                        SyncOperation(
                            id: NodeID(bits: 1),
                            .makeDirectory(
                                SyncNode(id: NodeID(bits: 2), parent: info.root, name: "d", kind: .directory))
                        )
                    ])
                _ = try connection.post("/ns/recipes/commit", commit.value(form), own, form: form)
                #expect(try !news(own).isDeviceUnknown)
                let entry = try news(own).entries.first
                #expect(entry?.device == "laptop-1" && entry?.deviceName == "Küche")

                let gone = try connection.get("/sync/v1/devices/laptop-1", key, method: "DELETE")
                #expect(try gone.status == 200 && DeviceInfo(gone.message()).isRevoked)
                let refused = try connection.post("/ns/recipes/list", list, own, form: form)
                #expect(refused.status == 401)
                #expect(try SyncProblem(refused.message()).code.rawValue == "device_removed")
            }
            try await laboratory.connect { connection in
                let again = try connection.post("/devices", Self.request.value(form), key, form: form)
                #expect(again.status == 401 && again.problem?.code.rawValue == "device_removed")
                #expect(try connection.get("/sync/v1/ns", key).status == 200)
                let absent = try connection.get("/sync/v1/devices/nosuch", key)
                #expect(absent.status == 404 && absent.problem?.code.rawValue == "unknown_device")
            }
        }
    }

    @Test func whatCameBackToTheNodeIsWhatADeviceHas() async throws {
        try await ServerLaboratory.serve { laboratory in
            let info = try laboratory.owner.create(NamespaceRequest(name: "recipes"))
            for name in ["a", "b", "c"] { try laboratory.put(name, name, in: info) }
            let key = try laboratory.key()
            let own = key + "X-Device-Id: laptop-1\r\n"
            try await laboratory.connect { connection in
                func progress() throws -> [DeviceProgress] {
                    let answer = try connection.get(
                        "/sync/v1/status", key + "Accept: application/cbor\r\n")
                    return try SyncReport(answer.message()).namespaces.first?.devices ?? []
                }
                _ = try connection.post("/devices", Self.request.value(.cbor), own)
                func list(_ cursor: String?, _ fields: String) throws -> ListAnswer {
                    try ListAnswer(
                        connection.post(
                            "/ns/recipes/list", ListRequest(cursor: cursor, limit: 2).value(.cbor), fields
                        ).message())
                }
                let first = try list(nil, own)
                // It was sent, and may have been lost on the way.
                #expect(try progress().isEmpty)
                let second = try list(first.cursor.text, own)
                #expect(try progress().map { [$0.jid, $0.behind] } == [[2, 1]])
                let waited = try #require(try progress().first?.behindMilliseconds)
                #expect((0..<600_000).contains(waited))
                // A client that never made itself known is nobody's device.
                _ = try list(second.cursor.text, key + "X-Device-Id: other\r\n")
                let wait = try connection.post("/wait", SyncCalls.wait(info, at: 3, seconds: 0), own)
                #expect(wait.status == 204)
                let done = try progress()
                #expect(done.map(\.device) == ["laptop-1"] && done.map(\.behind) == [0])
                #expect(done.map(\.behindMilliseconds) == [nil])
                // A position that is not of this journal says nothing.
                for (jid, epoch) in [(99, info.epoch), (1, info.epoch &+ 1)] {
                    let position = WaitRequest.Position(
                        namespace: "recipes", epoch: epoch, jid: JID(jid))
                    _ = try connection.post(
                        "/wait", WaitRequest(positions: [position], seconds: 0).value(.cbor), own)
                }
                #expect(try progress().map(\.jid) == [3])
            }
        }
    }

    @Test func aKeySeesItsOwnDevicesAndAnAdministratorAll() async throws {
        try await ServerLaboratory.serve { laboratory in
            let (first, second) = (
                try laboratory.key([.read, .write]), try laboratory.key([.read, .write])
            )
            let administrator = try laboratory.key()
            let stranger = try laboratory.key(in: try laboratory.node.catalog.projects.add(name: "x").id)
            try await laboratory.connect { connection in
                func ids(_ key: String) throws -> [String] {
                    let answer = try connection.get("/sync/v1/devices", key + "Accept: application/cbor\r\n")
                    return try DeviceList(answer.message()).devices.map(\.id)
                }
                func register(_ id: String?, _ key: String) throws -> HTTPConnection.Answer {
                    try connection.post("/devices", DeviceRequest(id: id, name: nil).value(.cbor), key)
                }
                #expect(try register("a", first).status == 201)
                #expect(try register("b", second).status == 201)
                #expect(try register("c", stranger).status == 201)
                #expect(try ids(first) == ["a"] && ids(second) == ["b"] && ids(stranger) == ["c"])
                #expect(try ids(administrator) == ["a", "b"])
                // Nobody becomes the device of another key, or learns of one.
                let taken = try register("b", first)
                #expect(taken.status == 409 && taken.problem?.code.rawValue == "name_taken")
                for key in [first, stranger] {
                    #expect(try connection.get("/sync/v1/devices/b", key).status == 404)
                    #expect(try connection.get("/sync/v1/devices/b", key, method: "DELETE").status == 404)
                }
                // In another project the same id is another device.
                #expect(try register("a", stranger).status == 201)
                let made = try DeviceInfo(register(nil, first).message())
                #expect(made.id.hasPrefix("device-") && made.name == made.id)
                for bad in ["", "two words", "ü", String(repeating: "x", count: 65)] {
                    #expect(try register(bad, first).status == 400, "\(bad)")
                }
            }
        }
    }
}
