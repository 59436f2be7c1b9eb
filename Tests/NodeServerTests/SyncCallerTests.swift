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

/// That nobody spends, ends or passes what is another's by naming its device, over sockets.
@Suite struct SyncCallerTests {
    private static func device(_ id: String) -> String { "X-Device-Id: \(id)\r\n" }

    private static func keys(
        _ laboratory: ServerLaboratory, ofUser name: String, count: Int
    ) throws -> [String] {
        let accounts = laboratory.authority.accounts
        let user = try accounts.add(name: name, password: "correct horse", by: .localAdministrator)
        try accounts.setRole(.editor, of: user.id, in: .default, by: .localAdministrator)
        return try (0..<count).map { _ in
            var draft = GrantDraft(
                name: "key", operations: OperationSet([.read, .write, .delete]), project: .default)
            (draft.scope, draft.user) = (.project(.default), user.id)
            let issued = try laboratory.authority.grants.create(draft, by: .localAdministrator)
            return "Authorization: Bearer \(issued.token.text)\r\n"
        }
    }

    private static func delete(
        _ connection: HTTPConnection, _ node: SyncNode, _ info: NamespaceInfo, _ fields: String
    ) throws -> CommitResult? {
        let operation = SyncOperation(
            id: NodeID(bits: .random(in: 0 ... .max)),
            .delete(node.id, base: node.revision, newestBelow: 0))
        let answer = try connection.post(
            "/ns/\(info.id)/commit",
            CommitRequest(epoch: info.epoch, operations: [operation]).value(.cbor), fields)
        return try CommitAnswer(answer.message(), to: [operation]).results.first
    }

    private static func lease(
        _ connection: HTTPConnection, _ method: String, _ node: SyncNode, _ fields: String
    ) throws -> HTTPConnection.Answer {
        let request = LeaseRequest(
            node: method == "POST" ? node.id : nil, seconds: 600, mode: "exclusive")
        connection.sendCall(
            method, "/ns/recipes/leases" + (method == "POST" ? "" : "/\(node.id)"),
            method == "DELETE" ? [] : try WireForm.cbor.encode(request.value(.cbor)),
            type: "application/cbor", fields)
        return try connection.answer()
    }

    @Test func requestsInTheNameOfAnothersDeviceAreNotCountedAsIts() async throws {
        try await ServerLaboratory.serve({ options in
            options.syncRates.streams = 1
            options.syncRates.requestsPerSecond = 0
        }) { laboratory in
            _ = try laboratory.owner.create(NamespaceRequest(name: "recipes"))
            let victim = try laboratory.key([.read, .write, .delete])
            let other = try laboratory.key([.read, .write, .delete])
            try await laboratory.connect { connection in
                let made = try connection.post(
                    "/devices", DeviceRequest(id: "a", name: nil).value(.cbor), victim)
                #expect(made.status == 201)
                let car = SyncCalls.car([SyncCalls.block("a")])
                let slow = try HTTPConnection(port: laboratory.port)
                slow.sendCall(
                    "POST", "/ns/recipes/blocks/store", Array(car.dropLast()),
                    type: "application/vnd.ipld.car",
                    other + Self.device("a") + "Expect: 100-continue\r\n", length: car.count)
                #expect(try slow.answer().status == 100)
                #expect(try connection.get("/sync/v1/ns", victim + Self.device("a")).status == 200)
                #expect(try connection.get("/sync/v1/ns", other + Self.device("a")).status == 429)
                slow.send([car.last ?? 0])
                #expect(try slow.answer().status == 200)
            }
        }
    }

    @Test func aLeaseIsOfADeviceAndOfWhoMadeItKnown() async throws {
        try await ServerLaboratory.serve { laboratory in
            let info = try laboratory.owner.create(NamespaceRequest(name: "recipes"))
            let node = try laboratory.put("a", "1", in: info)
            let own = try Self.keys(laboratory, ofUser: "bob", count: 2).map { $0 + Self.device("laptop") }
            let other = try laboratory.key([.read, .write, .delete]) + Self.device("laptop")
            let contributor = try laboratory.key([.read, .write]) + Self.device("phone")
            try await laboratory.connect { connection in
                let made = try connection.post(
                    "/devices", DeviceRequest(id: "laptop", name: "laptop").value(.cbor), own[0])
                #expect(made.status == 201)
                // Who may not change a file does not keep others from it.
                #expect(try Self.lease(connection, "POST", node, contributor).status == 403)
                #expect(try Self.lease(connection, "POST", node, own[0]).status == 201)
                // Another key of the same user, on the same machine, is the same device.
                let renewed = try Self.lease(connection, "PUT", node, own[1])
                #expect(try renewed.status == 200 && LeaseInfo(renewed.message()).isOwn)
                #expect(try Self.lease(connection, "DELETE", node, other).status == 404)
                #expect(try Self.lease(connection, "PUT", node, other).status == 404)
                #expect(try Self.lease(connection, "POST", node, other).status == 409)
                let passed = try Self.delete(connection, node, info, other)
                guard case .refused(code: .locked, _)? = passed else {
                    Issue.record("\(String(describing: passed))")
                    return
                }
                #expect(try Self.lease(connection, "DELETE", node, own[1]).status == 204)
                // Two keys without a user on one machine, one for each namespace: both take leases.
                let taken = try Self.lease(connection, "POST", node, other)
                #expect(try taken.status == 201 && LeaseInfo(taken.message()).isOwn)
                #expect(try LeaseInfo(taken.message()).device == "laptop")
                let first = try Self.delete(connection, node, info, own[0])
                guard case .refused(code: .locked, _)? = first else {
                    Issue.record("\(String(describing: first))")
                    return
                }
                guard case .done? = try Self.delete(connection, node, info, other) else {
                    Issue.record("the lease is in the way of who has it")
                    return
                }
            }
        }
    }

    @Test func strangersAreCountedByTheirAddress() async throws {
        try await ServerLaboratory.serve({ options in
            options.trustedProxies = ["127.0.0.1"]
            (options.syncRates.requestsPerSecond, options.syncRates.burst) = (1, 5)
        }) { laboratory in
            try await laboratory.connect { connection in
                func status(_ address: String) throws -> Int {
                    try connection.get("/sync/v1/hello", "X-Forwarded-For: \(address)\r\n").status
                }
                var last = 200
                for _ in 0..<1000 where last == 200 { last = try status("198.51.100.7") }
                #expect(last == 429)
                #expect(try status("198.51.100.8") == 200)
                #expect(try status("2001:db8::1") == 200)
            }
        }
    }

    @Test func aKeyHasAPartOfThePlacesOfThoseWhoListen() async throws {
        try await ServerLaboratory.serve { laboratory in
            _ = try laboratory.owner.create(NamespaceRequest(name: "recipes"))
            let key = try laboratory.key([.read])
            let other = try laboratory.key([.read])
            let port = laboratory.port
            try await laboratory.onThread {
                var connections: [HTTPConnection] = []
                func listen(_ fields: String) throws -> Int {
                    let connection = try HTTPConnection(port: port)
                    connections.append(connection)
                    connection.send(HTTPConnection.request("/sync/v1/events", fields))
                    return try connection.head().status
                }
                var statuses: [Int] = []
                for _ in 0..<200 where statuses.last ?? 200 == 200 { statuses.append(try listen(key)) }
                #expect(statuses.last == 429 && statuses.count == 129)
                #expect(try listen(other) == 200)
                connections.removeAll()
            }
        }
    }
}
