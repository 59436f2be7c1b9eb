import IPLD
import NodeService
import SyncProtocol
import TestKit
import Testing

@testable import NodeServer
import TreeValues

/// Waiting for changes.
@Suite struct SyncWaitTests {
    private static func elapsed(_ body: () throws -> Void) rethrows -> Duration {
        try ContinuousClock().measure(body)
    }

    @Test func whoIsBehindIsAnsweredAtOnce() async throws {
        try await ServerLaboratory.serve { laboratory in
            let info = try laboratory.owner.create(NamespaceRequest(name: "recipes"))
            let other = try laboratory.owner.create(NamespaceRequest(name: "other"))
            try laboratory.put("a", "1", in: info)
            let key = try laboratory.key()
            try await laboratory.connect { connection in
                let positions = [
                    WaitRequest.Position(namespace: "other", epoch: other.epoch, jid: 0),
                    WaitRequest.Position(namespace: "recipes", epoch: info.epoch, jid: 0),
                ]
                let time = try Self.elapsed {
                    let answer = try connection.post(
                        "/wait", WaitRequest(positions: positions, seconds: 120).value(.cbor), key)
                    #expect(answer.status == 200)
                    #expect(try WaitAnswer(answer.message()).changed == ["recipes"])
                    // Another journal than the one the client knows is news too.
                    let reset = [WaitRequest.Position(namespace: other.id, epoch: other.epoch &+ 1, jid: 0)]
                    let changed = try connection.post(
                        "/wait", WaitRequest(positions: reset, seconds: 120).value(.json), key, form: .json)
                    #expect(changed.text == #"{"changed":["\#(other.id)"]}"#)
                }
                #expect(time < .seconds(110))
            }
        }
    }

    @Test func whoWaitsInVainIsToldSoWhenTheTimeIsUp() async throws {
        try await ServerLaboratory.serve { laboratory in
            let info = try laboratory.owner.create(NamespaceRequest(name: "recipes"))
            let key = try laboratory.key()
            try await laboratory.connect { connection in
                for seconds in [0, 1] {
                    let time = try Self.elapsed {
                        let answer = try connection.post(
                            "/wait", SyncCalls.wait(info, at: 0, seconds: seconds), key)
                        #expect(answer.status == 204)
                    }
                    #expect(time >= .seconds(seconds))
                }
                let bad = try connection.post("/wait", .map([]), key)
                #expect(bad.status == 400 && bad.problem?.code.rawValue == "bad_request")
            }
        }
    }

    /// Sync defect 11: what changed between the look and the wait was missed until the wait was over.
    @Test func noWakeUpIsLost() async throws {
        try await ServerLaboratory.serve { laboratory in
            let info = try laboratory.owner.create(NamespaceRequest(name: "recipes"))
            let key = try laboratory.key()
            try await laboratory.connect { connection in
                var random = SeededRandom(seed: 1)
                for round in 0..<200 {
                    let message = SyncCalls.wait(info, at: JID(round), seconds: 120)
                    let time = try Self.elapsed {
                        connection.sendCall(
                            "POST", "/wait", try WireForm.cbor.encode(message), type: "application/cbor", key)
                        // The commit meets the call anywhere on its way.
                        let moment = ContinuousClock.now + .microseconds(random.number(0...3000))
                        while ContinuousClock.now < moment {}
                        try laboratory.put("\(round)", "x", in: info)
                        let answer = try connection.answer()
                        #expect(answer.status == 200)
                        #expect(try WaitAnswer(answer.message()).changed == [info.id])
                    }
                    #expect(time < .seconds(110), "round \(round)")
                }
            }
        }
    }

    /// Sync defect 18: of two waits of one device, the one that ended first took the other's place along.
    @Test func defect18TwoWaitsOfOneDeviceAreBothAnswered() async throws {
        try await ServerLaboratory.serve { laboratory in
            let info = try laboratory.owner.create(NamespaceRequest(name: "recipes"))
            let key = try laboratory.key() + "X-Device-Id: laptop\r\n"
            let port = laboratory.port
            try await laboratory.onThread {
                let (short, long) = (try HTTPConnection(port: port), try HTTPConnection(port: port))
                for (connection, seconds) in [(short, 1), (long, 120)] {
                    let message = try WireForm.cbor.encode(SyncCalls.wait(info, at: 0, seconds: seconds))
                    connection.sendCall("POST", "/wait", message, type: "application/cbor", key)
                }
                #expect(try short.answer().status == 204)
                try laboratory.put("a", "1", in: info)
                let answer = try long.answer()
                #expect(answer.status == 200)
                #expect(try WaitAnswer(answer.message()).changed == [info.id])
            }
        }
    }

    @Test func waitsHoldNoThread() async throws {
        try await ServerLaboratory.serve({ $0.maximumRequestsPerAddress = 200 }) { laboratory in
            let info = try laboratory.owner.create(NamespaceRequest(name: "recipes"))
            let key = try laboratory.key()
            let port = laboratory.port
            try await laboratory.onThread {
                let waiting = try (0..<64).map { _ in try HTTPConnection(port: port) }
                let message = try WireForm.cbor.encode(SyncCalls.wait(info, at: 0, seconds: 120))
                for connection in waiting {
                    connection.sendCall("POST", "/wait", message, type: "application/cbor", key)
                }
                let time = try Self.elapsed {
                    let other = try HTTPConnection(port: port)
                    for _ in 0..<20 {
                        #expect(try other.get("/sync/v1/ns/recipes", key).status == 200)
                        let list = ListRequest(cursor: nil, limit: 10).value(.cbor)
                        #expect(try other.post("/ns/recipes/list", list, key).status == 200)
                        #expect(try other.get("/n/recipes/", key).status == 200)
                    }
                    try laboratory.put("a", "1", in: info)
                    for connection in waiting {
                        let answer = try connection.answer()
                        #expect(answer.status == 200)
                        #expect(try WaitAnswer(answer.message()).changed == [info.id])
                    }
                }
                #expect(time < .seconds(110))
            }
        }
    }

    /// No time is measured: beside a thousand other tests it says nothing. A bell that is not rung ends in
    /// an hour.
    @Test func aServerThatStopsLetsThoseWhoWaitGo() async {
        let waits = SyncWaits()
        let bells = [Bell(), Bell()]
        for bell in bells { waits.add(bell) }
        waits.stop()
        for bell in bells {
            await bell.wait(until: .now + .seconds(3600))
            waits.remove(bell)
        }
        #expect(waits.isStopping && waits.count == 0)
    }
}
