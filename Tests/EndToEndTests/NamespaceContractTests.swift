import Foundation
import TestKit
import Testing

/// What scripts rely on of names and namespaces: the JSON of every verb, and answers that are what the
/// OpenAPI document says.
@Suite struct NamespaceContractTests {
    let directory: TemporaryDirectory
    let nacre: NacreProcess

    init() throws {
        directory = try TemporaryDirectory(in: TemporaryDirectory.fastParent)
        var nacre = NacreProcess(data: directory.path("data"))
        nacre.environment["NACRE_SYNC_HOME"] = directory.path("home")
        self.nacre = nacre
    }

    /// A namespace with a few versions, one thing in the trash, and a name.
    private func fill(_ server: ServerProcess) throws {
        try directory.write([1, 2, 3], to: "folder/a.txt")
        try directory.write([4], to: "folder/soups/b.txt")
        for change in 0..<2 {
            let done = try nacre.run("sync", directory.path("folder"), "recipes", "--once")
            try #require(done.status == 0, "\(done.errors)")
            if change == 0 { try FileManager.default.removeItem(atPath: directory.path("folder/a.txt")) }
        }
        #expect(try nacre.run("name", "create", "site").status == 0)
    }

    @Test func everyVerbOfNamespacesPrintsJSON() throws {
        let server = try ServerProcess(nacre)
        try fill(server)
        let namespace = ["id", "name", "visibility", "head", "nodes", "bytes", "policy"]
        let name = ["name", "peerID", "label", "created"]
        let commands: [([String], [String], ClosedRange<Int>)] = [
            (["ns", "create", "other"], namespace, 1...1), (["ns", "ls"], namespace, 2...2),
            (["ns", "show", "recipes"], namespace, 1...1),
            (["ns", "policy", "recipes", "--merge", "lines"], ["merge", "names"], 1...1),
            (["ns", "quota", "recipes"], namespace, 1...1),
            (["ns", "log", "recipes"], ["version", "operation", "node", "time"], 4...4),
            (["ns", "versions", "recipes"], ["version", "time"], 1...9),
            (["ns", "snapshot", "recipes"], ["version", "root", "time"], 1...1),
            (["ns", "diff", "recipes", "1", "4"], ["path", "change"], 1...9),
            (["ns", "trash", "recipes"], ["id", "path", "deleted", "keptUntil"], 1...1),
            (["ns", "keep", "recipes", "2"], ["version", "held"], 1...1),
            (["ns", "verify", "recipes"], ["nodes", "blocks", "missing", "findings"], 1...1),
            (["ns", "rebuild", "recipes"], namespace, 1...1),
            (["ns", "share", "recipes"], ["id", "url", "role"], 1...1),
            (["ns", "share", "ls", "recipes"], ["id", "status", "role"], 1...1),
            (["ns", "restore", "recipes", "3", "a.txt"], ["head", "changes"], 1...1),
            (["ns", "publish", "recipes"], namespace, 1...1),
            (["name", "publish", "site", "--namespace", "recipes"], name + ["follows", "target"], 1...1),
            (["name", "ls"], name + ["follows"], 1...1),
            (["name", "show", "site"], name + ["history"], 1...1),
            (["name", "unfollow", "site"], name + ["target"], 1...1),
            (["ns", "rename", "other", "another"], namespace, 1...1),
            (["ns", "rm", "another"], namespace + ["deleted", "keptUntil"], 1...1),
            (["ns", "ls", "--deleted"], namespace + ["deleted"], 1...1),
            (["ns", "undelete", "another"], namespace, 1...1),
        ]
        for (arguments, keys, count) in commands {
            let outcome = try nacre.run(arguments + ["--json"])
            #expect(outcome.status == 0, "\(arguments): \(outcome.errors)")
            let rows = try outcome.objects()
            #expect(count.contains(rows.count), "\(arguments): \(outcome.text)")
            for row in rows { #expect(keys.allSatisfy { row[$0] != nil }, "\(arguments): \(row)") }
        }
        try server.stop()
    }

    @Test func answersAreWhatTheDocumentSays() throws {
        let server = try ServerProcess(nacre)
        try fill(server)
        let token = try server.adminToken()
        let document = try Document(try server.curl([], "/api/v1/openapi.json").body)
        let calls: [(String, String, String, String)] = [
            ("get", "/namespaces", "/namespaces", ""),
            ("post", "/namespaces", "/namespaces", #"{"name":"other","policy":{"merge":"lines"}}"#),
            ("get", "/namespaces/{namespace}", "/namespaces/recipes", ""),
            ("patch", "/namespaces/{namespace}", "/namespaces/other", #"{"name":"another"}"#),
            ("post", "/namespaces/{namespace}/verify", "/namespaces/recipes/verify", ""),
            ("post", "/namespaces/{namespace}/rebuild", "/namespaces/recipes/rebuild", ""),
            (
                "put", "/namespaces/{namespace}/visibility", "/namespaces/recipes/visibility",
                #"{"visibility":"public"}"#
            ),
            ("get", "/namespaces/{namespace}/versions", "/namespaces/recipes/versions", ""),
            ("get", "/namespaces/{namespace}/snapshot", "/namespaces/recipes/snapshot", ""),
            ("get", "/namespaces/{namespace}/trash", "/namespaces/recipes/trash", ""),
            (
                "post", "/namespaces/{namespace}/restore", "/namespaces/recipes/restore",
                #"{"version":"3","path":"a.txt"}"#
            ),
            ("post", "/namespaces/{namespace}/links", "/namespaces/recipes/links", "{}"),
            ("get", "/namespaces/{namespace}/links", "/namespaces/recipes/links", ""),
            ("get", "/namespaces/{namespace}/members", "/namespaces/recipes/members", ""),
            ("post", "/names/{name}/publish", "/names/site/publish", #"{"target":"/n/recipes"}"#),
            ("get", "/names", "/names", ""), ("get", "/names/{name}", "/names/site?history=5", ""),
            ("delete", "/names/{name}/follow", "/names/site/follow", ""),
            ("delete", "/namespaces/{namespace}", "/namespaces/another", ""),
            ("post", "/namespaces/{namespace}/undelete", "/namespaces/another/undelete", "{}"),
            ("get", "/namespaces/{namespace}", "/namespaces/nosuch", ""),
        ]
        for (method, path, target, body) in calls {
            let given = body.isEmpty ? [] : ["-H", "Content-Type: application/json", "-d", body]
            let answer = try server.curl(
                ["-X", method.uppercased()] + given, "/api/v1" + target, token: token)
            let value = try JSONSerialization.jsonObject(with: Data(answer.body.utf8))
            let schema = try #require(
                document.schema(of: method, path, status: answer.status), "\(method) \(path) \(answer.status)"
            )
            #expect(document.faults(of: value, schema) == [], "\(method) \(target): \(answer.body)")
        }
        // A validator that finds nothing wrong with anything would be none.
        let namespace: [String: Any] = ["$ref": "#/components/schemas/Namespace"]
        #expect(document.faults(of: ["id": 7, "surplus": true] as [String: Any], namespace).count > 5)
        try server.stop()
    }
}

/// As much of OpenAPI as the node's document uses.
private struct Document {
    private let root: [String: Any]

    init(_ text: String) throws {
        root = try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
    }

    func schema(of method: String, _ path: String, status: Int) -> [String: Any]? {
        func member(_ value: Any?, _ keys: String...) -> Any? {
            keys.reduce(value) { ($0 as? [String: Any])?[$1] }
        }
        let responses = member(root, "paths", path, method, "responses") as? [String: Any]
        let kind = status < 400 ? "application/json" : "application/problem+json"
        return member(responses?[status < 400 ? "\(status)" : "default"], "content", kind, "schema")
            as? [String: Any]
    }

    /// What of a value is not as a schema says, by place.
    func faults(of value: Any, _ schema: [String: Any], at place: String = "") -> [String] {
        if let reference = schema["$ref"] as? String {
            let name = reference.split(separator: "/").last.map(String.init) ?? ""
            let schemas = (root["components"] as? [String: Any])?["schemas"] as? [String: Any]
            guard let found = schemas?[name] as? [String: Any] else { return ["\(place): no \(name)"] }
            return faults(of: value, found, at: place)
        }
        if let words = schema["enum"] as? [String], !words.contains("\(value)") {
            return ["\(place): \(value) is none of \(words)"]
        }
        switch schema["type"] as? String {
        case "object":
            guard let object = value as? [String: Any] else { return ["\(place): no object"] }
            let known = schema["properties"] as? [String: [String: Any]] ?? [:]
            let required = schema["required"] as? [String] ?? []
            var found = required.filter { object[$0] == nil }.map { "\(place).\($0) is missing" }
            for (key, member) in object {
                guard let inner = known[key] else {
                    if schema["additionalProperties"] as? Bool == false { found.append("\(place).\(key)?") }
                    continue
                }
                found += faults(of: member, inner, at: "\(place).\(key)")
            }
            return found
        case "array":
            guard let items = value as? [Any] else { return ["\(place): no array"] }
            guard let inner = schema["items"] as? [String: Any] else { return [] }
            return items.flatMap { faults(of: $0, inner, at: place + "[]") }
        case "string": return value is String ? [] : ["\(place): no text"]
        case "integer", "number": return value is NSNumber ? [] : ["\(place): no number"]
        case "boolean": return value is Bool ? [] : ["\(place): neither true nor false"]
        default: return []
        }
    }
}
