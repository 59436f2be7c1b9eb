import Access
import HTTPSupport
import HTTPTypes
import NodeMessages
import NodeService

extension NodeAPI {
    static let accountRoutes: [APIRoute] = userRoutes + projectRoutes + authorityRoutes

    private static let userRoutes: [APIRoute] = [
        APIRoute(
            .get, "/users", id: "listUsers", "List users, oldest first", .admin, on: .node,
            parameters: [.cursor, .limit], answer: .json("UserPage")
        ) { request in
            try .json(
                try request.node.users(cursor: request.query["cursor"], limit: try request.limit()))
        },
        APIRoute(
            .post, "/users", id: "addUser", "Add a user, without a project", .admin, on: .node,
            body: .json("UserRequest"), isPatient: true, status: .created, answer: .json("User")
        ) { request in
            try .json(try request.node.addUser(try request.json(UserRequest.self)), .created)
        },
        APIRoute(
            .get, "/users/{user}", id: "getUser", "A user by name or id, with the projects", .admin,
            on: .node, answer: .json("User")
        ) { try .json(try $0.node.user(matching: $0.value("user"))) },
        APIRoute(
            .put, "/users/{user}/password", id: "setPassword",
            "Set another password; every session of the user ends", .admin, on: .node,
            body: .json("PasswordRequest"), isPatient: true, answer: .json("User")
        ) { request in
            let password = try request.json(PasswordRequest.self).password
            return try .json(try request.node.setPassword(password, ofUser: request.value("user")))
        },
        APIRoute(
            .post, "/users/{user}/disable", id: "disableUser",
            "Take everything from a user at once: sessions end, grants of the user count no more", .admin,
            on: .node, answer: .json("User")
        ) { try .json(try $0.node.setUser($0.value("user"), isEnabled: false)) },
        APIRoute(
            .post, "/users/{user}/enable", id: "enableUser", "Let a disabled user log in again", .admin,
            on: .node, answer: .json("User")
        ) { try .json(try $0.node.setUser($0.value("user"), isEnabled: true)) },
    ]

    private static let projectRoutes: [APIRoute] = [
        APIRoute(
            .get, "/projects", id: "listProjects",
            "List projects, by id: all for an administrator of the node, else one's own", .admin,
            parameters: [.cursor, .limit], answer: .json("ProjectPage")
        ) { request in
            try .json(
                try request.node.projects(cursor: request.query["cursor"], limit: try request.limit()))
        },
        APIRoute(
            .post, "/projects", id: "addProject", "Make a project", .admin, on: .node,
            body: .json("ProjectRequest"), status: .created, answer: .json("Project")
        ) { request in
            try .json(try request.node.addProject(try request.json(ProjectRequest.self)), .created)
        },
        APIRoute(
            .get, "/projects/{project}", id: "getProject", "A project by id or name, with its members",
            .admin, answer: .json("Project")
        ) { try .json(try $0.node.project(matching: $0.value("project"))) },
        APIRoute(
            .patch, "/projects/{project}", id: "renameProject", "Give a project another name; its id stays",
            .admin, body: .json("ProjectChange"), answer: .json("Project")
        ) { request in
            let name = try request.json(ProjectChange.self).name
            return try .json(try request.node.renameProject(request.value("project"), to: name))
        },
        APIRoute(
            .delete, "/projects/{project}", id: "removeProject",
            "Remove a project without pins, names, grants, namespaces and jobs; its memberships end", .admin,
            on: .node, answer: .json("Project")
        ) { try .json(try $0.node.removeProject($0.value("project"))) },
        APIRoute(
            .put, "/projects/{project}/members/{user}", id: "setMember",
            "Make a user a member of a project, or change the role", .admin, body: .json("RoleRequest"),
            answer: .json("Member")
        ) { request in
            let role = try request.json(RoleRequest.self).role
            return try .json(
                try request.node.setRole(
                    role, ofUser: request.value("user"), inProject: request.value("project")))
        },
        APIRoute(
            .delete, "/projects/{project}/members/{user}", id: "removeMember",
            "End a membership, and with it what the user's grants allow in the project", .admin,
            answer: .json("Member")
        ) { request in
            try .json(
                try request.node.removeMember(
                    request.value("user"), fromProject: request.value("project")))
        },
    ]

    private static let authorityRoutes: [APIRoute] = [
        APIRoute(
            .get, "/audit", id: "listAudit",
            "What was allowed and refused, newest first: of the node for its administrator, else of one's project",
            .admin,
            parameters: [
                APIParameter("since", ["type": "string", "format": "date-time"], "Of this time and later"),
                APIParameter("until", ["type": "string", "format": "date-time"], "Before this time"),
                APIParameter(
                    "principal",
                    "The id of a grant or a user, or anonymous, local, grant, signed-url, session"),
                APIParameter(
                    "operation",
                    "Such as write, login, authenticate, or a change of who may do what: user-add, key-revoke"
                ),
                APIParameter(
                    "outcome", ["type": "string", "enum": ["allowed", "refused"]], "Only these"),
                .cursor, .limit,
            ], answer: .json("AuditPage")
        ) { request in
            var query = AuditQuery()
            query.since = request.query["since"]
            query.until = request.query["until"]
            query.principal = request.query["principal"]
            query.operation = request.query["operation"]
            query.outcome = request.query["outcome"]
            return try .json(
                try request.node.audit(
                    query, cursor: request.query["cursor"], limit: try request.limit()))
        },
        APIRoute(
            .post, "/master-key/confirm", id: "confirmMasterKey",
            "Make sure that the file of the master key is there and right; one that was lost is put back",
            .admin, on: .node, status: .noContent
        ) { request in
            try request.node.confirmMasterKey()
            return DoorResponse(.noContent)
        },
    ]
}
