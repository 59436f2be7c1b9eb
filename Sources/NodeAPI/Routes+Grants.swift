import Access
import HTTPSupport
import HTTPTypes
import NodeMessages
import NodeService

extension NodeAPI {
    static let grantRoutes: [APIRoute] = [
        APIRoute(
            .get, "/grants", id: "listGrants", "List the grants that are to be seen, oldest first", .keys,
            on: .own,
            parameters: [APIParameter("project", "Only of this project"), .cursor, .limit],
            answer: .json("GrantPage")
        ) { request in
            try .json(
                try request.node.grants(
                    project: request.query["project"], cursor: request.query["cursor"],
                    limit: try request.limit()))
        },
        APIRoute(
            .post, "/grants", id: "makeGrant",
            "Make a grant, no wider than one's own; its token is told this once", .keys, on: .own,
            body: .json("GrantRequest"), status: .created, answer: .json("Grant")
        ) { request in
            try .json(try request.node.makeGrant(try request.json(GrantRequest.self)), .created)
        },
        APIRoute(
            .get, "/grants/{grant}", id: "getGrant", "A grant by its id or name", .keys, on: .own,
            answer: .json("Grant")
        ) { try .json(try $0.node.grant(matching: $0.value("grant"))) },
        APIRoute(
            .delete, "/grants/{grant}", id: "revokeGrant",
            "End a grant and all that were narrowed from it, at once", .keys, on: .own,
            parameters: [
                APIParameter("damaged", ["type": "boolean"], "Remove a row that can no longer be read")
            ], answer: .json("Grant")
        ) { request in
            let id = request.value("grant")
            if try request.flag("damaged") == true {
                try request.node.removeDamagedGrant(id)
                return DoorResponse(.noContent)
            }
            let grant = try request.node.grant(matching: id)
            return try .json(try request.node.revokeGrant(grant.id))
        },
        APIRoute(
            .post, "/signed-urls", id: "signURL",
            "Sign a URL that allows one upload, or reading, to whoever holds it", .keys, on: .own,
            body: .json("SignedURLRequest"), status: .created, answer: .json("SignedURL")
        ) { request in
            let draft = try request.json(SignedURLRequest.self)
            return try .json(SignedURLMessage(url: try request.node.signURL(draft)), .created)
        },
        APIRoute(
            .post, "/signed-urls/revoke", id: "revokeURL", "End a signed URL before its time", .keys,
            on: .own,
            body: .json("SignedURL"), status: .noContent
        ) { request in
            try request.node.revokeSignedURL(try request.json(SignedURLMessage.self).url)
            return DoorResponse(.noContent)
        },
    ]
}
