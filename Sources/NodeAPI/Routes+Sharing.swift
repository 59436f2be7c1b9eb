import Access
import HTTPSupport
import HTTPTypes
import NodeMessages
import NodeService

extension NodeAPI {
    static let sharingRoutes: [APIRoute] = [
        APIRoute(
            .get, "/namespaces/{namespace}/links", id: "listLinks", "List links, oldest first", .keys,
            on: .own, parameters: [.cursor, .limit], answer: .json("LinkPage")
        ) { request in
            try .json(
                try request.node.links(
                    inNamespace: request.value("namespace"), cursor: request.query["cursor"],
                    limit: try request.limit()))
        },
        APIRoute(
            .post, "/namespaces/{namespace}/links", id: "makeLink",
            "Make a link to a file or folder, or into one; where it is is told this once", .keys, on: .own,
            body: .json("LinkRequest"), status: .created, answer: .json("Link")
        ) { request in
            let draft = try request.json(LinkRequest.self)
            return try .json(
                try request.node.makeLink(draft, inNamespace: request.value("namespace")), .created)
        },
        APIRoute(
            .delete, "/namespaces/{namespace}/links/{link}", id: "removeNamespaceLink",
            "End a link of a namespace at once", .keys, on: .own, answer: .json("Link")
        ) { request in
            try .json(
                try request.node.removeLink(
                    request.value("link"), ofNamespace: request.value("namespace")))
        },
        APIRoute(
            .delete, "/links/{link}", id: "removeLink", "End a link at once", .keys, on: .own,
            answer: .json("Link")
        ) { try .json(try $0.node.removeLink($0.value("link"))) },
        APIRoute(
            .get, "/namespaces/{namespace}/members", id: "listNamespaceMembers",
            "List the users who may use a namespace besides its project", .admin, on: .own,
            answer: .json("NamespaceMemberPage")
        ) { try .json(try $0.node.members(ofNamespace: $0.value("namespace"))) },
        APIRoute(
            .put, "/namespaces/{namespace}/members/{user}", id: "setNamespaceMember",
            "Make a user, by name or id, a member of a namespace, or change the role", .admin, on: .own,
            body: .json("NamespaceMemberRequest"), answer: .json("NamespaceMember")
        ) { request in
            let role = try request.json(NamespaceMemberRequest.self).role
            return try .json(
                try request.node.setMember(
                    request.value("user"), role: role, ofNamespace: request.value("namespace")))
        },
        APIRoute(
            .delete, "/namespaces/{namespace}/members/{user}", id: "removeNamespaceMember",
            "End a membership, and with it what the user's grants allow in the namespace; members may leave",
            requiring: .credentials, answer: .json("NamespaceMember")
        ) { request in
            try .json(
                try request.node.removeMember(
                    request.value("user"), ofNamespace: request.value("namespace")))
        },
    ]
}
