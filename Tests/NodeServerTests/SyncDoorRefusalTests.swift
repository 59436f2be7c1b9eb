import Access
import Catalog
import Foundation
import IPLD
import NodeMessages
import NodeService
import SyncProtocol
import TestKit
import Testing
import TreeValues

/// How the sync protocol says no, over sockets: one shape, in the form that was asked for, and nothing that
/// was mistyped is passed over where somebody would rely on it.
@Suite struct SyncDoorRefusalTests {
    private static func send(
        _ method: String, _ path: String, _ json: String, _ fields: String, to laboratory: ServerLaboratory
    ) async throws -> HTTPConnection.Answer {
        try await laboratory.connect { connection in
            connection.sendCall(method, path, Array(json.utf8), type: "application/json", fields)
            return try connection.answer()
        }
    }

    private static func key(
        _ laboratory: ServerLaboratory, _ change: (inout GrantLimits) throws -> Void
    ) throws -> String {
        var draft = GrantDraft(
            name: "key", operations: OperationSet([.read]), scope: .project(.default))
        try change(&draft.limits)
        let issued = try laboratory.authority.grants.create(draft, by: .localAdministrator)
        return "Authorization: Bearer \(issued.token.text)\r\n"
    }

    @Test func whoIsNotLetInIsToldAsOfAnyOtherCall() async throws {
        try await ServerLaboratory.serve { laboratory in
            _ = try laboratory.owner.create(NamespaceRequest(name: "recipes"))
            let from = try Self.key(laboratory) { $0.sources = [try AddressRange(text: "192.0.2.1")] }
            let referrer = try Self.key(laboratory) {
                $0.referrers = [try ReferrerPattern(text: "https://example.org")]
            }
            let early = try Self.key(laboratory) { $0.notBefore = .max }
            let late = try Self.key(laboratory) { $0.expires = 1 }
            let reader = try laboratory.key([.read])
            let cases = [
                ("GET", "/ns", "", 401, "unauthenticated"),
                ("GET", "/ns", "Authorization: Bearer nacre_nonsense\r\n", 401, "unauthenticated"),
                ("GET", "/ns", late, 401, "token_expired"),
                ("GET", "/ns", early, 403, "not_yet_valid"),
                ("GET", "/ns", from, 403, "source_not_allowed"),
                ("GET", "/ns", referrer, 403, "referrer_not_allowed"),
                ("GET", "/ns/recipes/members", reader, 403, "forbidden"),
                ("GET", "/ns/recipes/links", reader, 403, "forbidden"),
                ("GET", "/nothing", reader, 404, "no_such_call"),
                ("PUT", "/ns", reader, 405, "method_not_allowed"),
            ]
            for (method, path, fields, status, code) in cases {
                for form in WireForm.allCases {
                    let answer = try await laboratory.connect { connection in
                        connection.send(
                            HTTPConnection.request(
                                "/sync/v1" + path, fields + "Accept: \(form.rawValue)\r\n", method: method))
                        return try connection.answer()
                    }
                    #expect(answer.status == status, "\(path) \(code): \(answer.text)")
                    #expect(answer.fields["content-type"] == form.rawValue, "\(path) \(code)")
                    #expect(answer.problem?.code.rawValue == code, "\(path): \(answer.text)")
                    #expect((answer.fields["www-authenticate"] != nil) == (status == 401))
                }
            }
            let owner = try laboratory.key()
            for (method, path, json, code) in [
                ("POST", "/ns/recipes/members", #"{"user":"nobody","role":"viewer"}"#, "unknown_user"),
                ("DELETE", "/ns/recipes/members/nobody", "", "unknown_user"),
                ("DELETE", "/ns/recipes/links/nonsense", "", "unknown_link"),
            ] {
                let answer = try await Self.send(method, path, json, owner, to: laboratory)
                #expect(
                    answer.status == 404 && answer.problem?.code.rawValue == code, "\(path) \(answer.text)")
            }
        }
    }

    /// A link without the limits that were asked for would be an open one.
    @Test func aLinkKeepsEveryLimitThatWasAskedForOrIsNotMade() async throws {
        try await ServerLaboratory.serve { laboratory in
            let info = try laboratory.owner.create(NamespaceRequest(name: "recipes"))
            let file = try laboratory.put("a.txt", "soup", in: info)
            let key = try laboratory.key()
            let restricted = try await Self.send(
                "POST", "/ns/recipes/links",
                #"{"nid":"\#(file.id.text)","role":"viewer","max_uses":1,"ips":["192.0.2.1"],"#
                    + #""referrers":["https://example.org"],"expires":4102444800000,"max_bytes":7}"#,
                key, to: laboratory)
            #expect(restricted.status == 201, "\(restricted.text)")
            let made = try laboratory.administrator.links(
                inNamespace: "recipes", cursor: nil, limit: 10
            ).items
            #expect(made.count == 1)
            let link = try #require(made.first)
            #expect(link.node == file.id.text && link.path == "a.txt" && link.maxUses == 1)
            #expect(link.from == ["192.0.2.1"] && link.referrers == ["https://example.org"])
            #expect(link.maxBytes == 7 && link.expires != nil)

            for body in [
                #"{"nid":"\#(file.id.text)","max_use":1}"#, #"{"maxUses":1,"max_uses":2}"#,
                #"{"ips":["192.0.2.1"],"from":["192.0.2.2"]}"#, #"{"Role":"viewer"}"#,
            ] {
                let answer = try await Self.send("POST", "/ns/recipes/links", body, key, to: laboratory)
                #expect(answer.status == 400 && answer.problem?.code.rawValue == "bad_request", "\(body)")
            }
            let member = try await Self.send(
                "POST", "/ns/recipes/members", #"{"user":"ada","role":"viewer","expires":1}"#, key,
                to: laboratory)
            #expect(member.status == 400 && member.problem?.message.contains("expires") == true)
            #expect(
                try laboratory.administrator.links(inNamespace: "recipes", cursor: nil, limit: 10).items.count
                    == 1)
        }
    }

    @Test func aPolicyIsTakenAsItIsMeantOrRefused() async throws {
        try await ServerLaboratory.serve { laboratory in
            _ = try laboratory.owner.create(NamespaceRequest(name: "recipes"))
            let key = try laboratory.key()
            func change(_ policy: String) async throws -> HTTPConnection.Answer {
                try await Self.send("PATCH", "/ns/recipes", #"{"policy":\#(policy)}"#, key, to: laboratory)
            }
            func quota() throws -> Int64? {
                let json = try laboratory.owner.info("recipes").policy
                let object = try JSONSerialization.jsonObject(with: Data(json.utf8)) as? [String: Any]
                return (object?["maximumBytes"] as? NSNumber)?.int64Value
            }
            for policy in [#"{"maximumBytes":5000}"#, #""{\"maximumBytes\":5000}""#] {
                let answer = try await change(policy)
                #expect(answer.status == 200, "\(answer.text)")
                #expect(try quota() == 5000)
            }
            for (policy, word) in [
                (#"{"maximumByte":5}"#, "maximumByte"), (#""{\"maximumByte\":5}""#, "maximumByte"),
                (#"{"history":{"daily":-1}}"#, "history"), (#"{"history":{"al":1}}"#, "history.al"),
                (#"{"maximumBytes":"many"}"#, "maximumBytes"), (#"{"maximumBytes":-1}"#, "below 0"),
                (#"[]"#, "policy"), (#""{""#, "JSON"), (#"{"merge":"always"}"#, "merge"),
            ] {
                let answer = try await change(policy)
                #expect(answer.status == 400 && answer.problem?.code.rawValue == "bad_request", "\(policy)")
                let message = answer.problem?.message ?? ""
                #expect(message.contains(word), "\(policy): \(message)")
                #expect(!message.contains("Error") && !message.contains("Swift"), "\(message)")
                #expect(try quota() == 5000)
            }
        }
    }

    /// Ids that were cut or cleaned would be those of other devices.
    @Test func aDeviceThatIsNoIdIsRefused() async throws {
        try await ServerLaboratory.serve { laboratory in
            _ = try laboratory.owner.create(NamespaceRequest(name: "recipes"))
            let key = try laboratory.key()
            for (device, status) in [
                (String(repeating: "d", count: 64), 200), (String(repeating: "d", count: 65), 400),
                ("a b", 400), ("Küche", 400), ("", 200), ("laptop", 200),
            ] {
                let answer = try await laboratory.connect { connection in
                    try connection.get("/sync/v1/ns", key + "X-Device-Id: \(device)\r\n")
                }
                #expect(answer.status == status, "\(device): \(answer.text)")
                if status == 400 {
                    #expect(answer.problem?.code.rawValue == "bad_request")
                    #expect(answer.problem?.message.contains("X-Device-Id") == true)
                }
            }
            for (name, status) in [(255, 201), (256, 400), (5000, 400)] {
                let answer = try await Self.send(
                    "POST", "/devices",
                    #"{"device_id":"d\#(name)","name":"\#(String(repeating: "n", count: name))"}"#, key,
                    to: laboratory)
                #expect(answer.status == status, "\(name): \(answer.text)")
            }
            // The same id by another key: whose it is is not told, but that it is a device's.
            let other = try laboratory.key([.read])
            let taken = try await Self.send(
                "POST", "/devices", #"{"device_id":"d255"}"#, other, to: laboratory)
            #expect(taken.status == 409 && taken.problem?.message.contains("device") == true, "\(taken.text)")
            #expect(taken.problem?.message.contains("namespace") == false)
        }
    }

    @Test func whatIsReadByGETIsAskedForByHEADToo() async throws {
        try await ServerLaboratory.serve { laboratory in
            let info = try laboratory.owner.create(NamespaceRequest(name: "recipes"))
            let file = try laboratory.put("a.txt", "soup", in: info)
            let key = try laboratory.key()
            for (path, length) in [
                ("/ns/recipes/nodes/\(file.id.text)/content?crev=\(file.contentRevision)", "4"),
                ("/ns", nil), ("/hello", nil),
            ] {
                try await laboratory.connect { connection in
                    // Nothing but a head comes: else the next answer would begin with the content.
                    for _ in 0..<2 {
                        connection.send(
                            HTTPConnection.request("/sync/v1" + path, key, method: "HEAD"))
                        let head = try connection.answer(toHead: true)
                        #expect(head.status == 200, "\(path) \(head.status)")
                        if let length { #expect(head.fields["content-length"] == length) }
                    }
                    connection.send(HTTPConnection.request("/sync/v1/ns/absent", key, method: "HEAD"))
                    #expect(try connection.answer(toHead: true).status == 404)
                }
            }
        }
    }
}
