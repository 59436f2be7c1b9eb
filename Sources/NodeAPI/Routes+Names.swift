import Access
import Foundation
import HTTPSupport
import HTTPTypes
import IPNS
import NodeMessages
import NodeService

extension NodeAPI {
    static let nameRoutes: [APIRoute] = [
        APIRoute(
            .get, "/names", id: "listNames", "List names, by label", .read,
            parameters: [.cursor, .limit], answer: .json("NamePage")
        ) { request in
            try .json(
                try request.node.names(cursor: request.query["cursor"], limit: try request.limit()))
        },
        APIRoute(
            .post, "/names", id: "makeName", "Make a name with a new key, or take one over with its key",
            .names, body: .json("NameRequest"), status: .created, answer: .json("Name")
        ) { request in
            try .json(try request.node.makeName(try request.json(NameRequest.self)), .created)
        },
        APIRoute(
            .get, "/names/{name}", id: "getName", "A name by its label or key", .read,
            parameters: [
                APIParameter(
                    "history", ["type": "integer", "minimum": 0, "maximum": 1000],
                    "So many of its old targets")
            ], answer: .json("Name")
        ) { request in
            let history = Int(try request.number("history", 0...1000) ?? 0)
            return try .json(try request.node.name(request.value("name"), history: history))
        },
        APIRoute(
            .delete, "/names/{name}", id: "removeName", "Remove a name with its key and its history", .names,
            answer: .json("Name")
        ) { try .json(try $0.node.removeName($0.value("name"))) },
        APIRoute(
            .post, "/names/{name}/publish", id: "publishName",
            "Let a name point to content, or from now on to the newest state of a namespace", .names,
            body: .json("PublishRequest"), answer: .json("Name")
        ) { request in
            try .json(
                try request.node.publishName(
                    request.value("name"), try request.json(PublishRequest.self)))
        },
        APIRoute(
            .delete, "/names/{name}/follow", id: "unfollowName",
            "End the following of a namespace; the name stays where it points", .names, answer: .json("Name")
        ) { try .json(try $0.node.unfollowName($0.value("name"))) },
        APIRoute(
            .get, "/names/{name}/record", id: "getRecord", "The newest signed record of a name", .read,
            answer: .bytes("application/vnd.ipfs.ipns-record")
        ) { request in
            DoorResponse(
                .ok, fields: [.contentType: "application/vnd.ipfs.ipns-record", .cacheControl: "no-store"],
                body: .bytes(try request.node.record(ofName: request.value("name"))))
        },
        APIRoute(
            .put, "/names/{name}/record", id: "putRecord",
            "Keep a record that somebody else signed, if it is valid and newer", .names,
            body: .stream(["application/vnd.ipfs.ipns-record"]), answer: .json("Record")
        ) { request in
            var reader = RequestBodyReader(request.body, limit: Int64(IPNSRecord.maximumBytes))
            return try .json(
                try request.node.putRecord(try reader.readAll(), forName: request.value("name")))
        },
        APIRoute(
            .get, "/names/{name}/key", id: "exportName",
            "The private key of a name: whoever has it can publish the name", .admin, answer: .json("Bytes")
        ) { request in
            let key = try request.node.exportName(request.value("name"))
            return try .json(BytesMessage(base64: Data(key).base64EncodedString()))
        },
        APIRoute(
            .get, "/resolve", id: "resolveName",
            "Where a label, a key, a domain, or a path below one of them leads in the end", .read,
            parameters: [
                APIParameter("name", required: true, "Such as blog, blog/2026 or /ipns/example.org")
            ],
            isPatient: true, answer: .json("Resolution")
        ) { request in
            guard let name = request.query["name"] else { throw APIRequest.invalid("name is missing") }
            return try .json(try request.node.resolveName(name))
        },
    ]
}
