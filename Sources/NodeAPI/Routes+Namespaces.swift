import Access
import HTTPSupport
import HTTPTypes
import NodeCore
import NodeMessages
import NodeService

extension NodeAPI {
    static let namespaceRoutes: [APIRoute] =
        namespaceRecordRoutes + namespaceHistoryRoutes + namespaceTrashRoutes

    private static let namespaceRecordRoutes: [APIRoute] = [
        APIRoute(
            .get, "/namespaces", id: "listNamespaces", "List namespaces, oldest first", .read, on: .own,
            parameters: [
                APIParameter(
                    "deleted", ["type": "boolean"],
                    "Those that were deleted and can be had back instead, the one deleted last first"),
                .cursor, .limit,
            ], answer: .json("NamespacePage")
        ) { request in
            if request.query["deleted"] == "true" {
                return try .json(PageMessage(items: try request.node.deletedNamespaces(), next: nil))
            }
            return try .json(
                try request.node.namespaces(cursor: request.query["cursor"], limit: try request.limit()))
        },
        APIRoute(
            .post, "/namespaces", id: "addNamespace", "Make an empty namespace", .write,
            body: .json("NamespaceDraft"), status: .created, answer: .json("Namespace")
        ) { request in
            try .json(
                try request.node.addNamespace(try request.json(NamespaceDraftMessage.self)), .created)
        },
        APIRoute(
            .get, "/namespaces/{namespace}", id: "getNamespace", "A namespace by name or id", .read,
            on: .own, answer: .json("Namespace")
        ) { try .json(try $0.node.namespace(matching: $0.value("namespace"))) },
        APIRoute(
            .patch, "/namespaces/{namespace}", id: "changeNamespace", "Change name or policy", .admin,
            on: .own, body: .json("NamespaceChange"), answer: .json("Namespace")
        ) { request in
            let change = try request.json(NamespaceChangeMessage.self)
            return try .json(try request.node.changeNamespace(request.value("namespace"), change))
        },
        APIRoute(
            .delete, "/namespaces/{namespace}", id: "removeNamespace",
            "Put a namespace away: nobody finds it any more; for 30 days it can be had back", .delete,
            on: .own,
            answer: .json("Namespace")
        ) { try .json(try $0.node.removeNamespace($0.value("namespace"))) },
        APIRoute(
            .put, "/namespaces/{namespace}/visibility", id: "setNamespaceVisibility",
            "Let anybody read a namespace with its history, or no longer: a job, and its result if that is soon",
            .publish, on: .own, body: .json("Visibility"), isPatient: true, answer: .json("Namespace")
        ) { request in
            let visibility = try request.json(VisibilityMessage.self).visibility
            return try request.answer(
                try request.jobs.setVisibility(
                    visibility, ofNamespace: request.value("namespace"), for: request.node), patience: 2)
        },
        APIRoute(
            .post, "/namespaces/{namespace}/verify", id: "verifyNamespace",
            "Read and check everything that the newest state and the kept history need: a job",
            .admin, on: .own, isPatient: true, answer: .json("NamespaceVerification")
        ) { request in
            try request.answer(
                try request.jobs.verify(namespace: request.value("namespace"), for: request.node),
                patience: 2)
        },
        APIRoute(
            .post, "/namespaces/{namespace}/rebuild", id: "rebuildNamespace",
            "Begin a new epoch: every client that syncs compares anew, and nothing else changes",
            .admin, on: .own, answer: .json("Namespace")
        ) { try .json(try $0.node.rebuildNamespace($0.value("namespace"))) },
    ]

    private static let namespaceHistoryRoutes: [APIRoute] = [
        APIRoute(
            .get, "/namespaces/{namespace}/versions", id: "listNamespaceVersions",
            "List the versions that are kept, newest first: the newest, snapshots, the last of each day, and those held",
            .read, on: .own,
            parameters: [.cursor, .limit], answer: .json("NamespaceVersionPage")
        ) { request in
            try .json(
                try request.node.namespaceVersions(
                    request.value("namespace"), before: try request.number("cursor", 0 ... .max),
                    limit: try request.limit()))
        },
        APIRoute(
            .get, "/namespaces/{namespace}/snapshot", id: "getNamespaceSnapshot",
            "The directory of a version: it is made if it is not there", .read, on: .own,
            parameters: [
                APIParameter(
                    "version", "A number, a time (RFC 3339) or a root; the newest state if left out")
            ], isPatient: true, answer: .json("NamespaceVersion")
        ) { request in
            try .json(
                try request.node.namespaceVersion(request.value("namespace"), request.query["version"]))
        },
        APIRoute(
            .get, "/namespaces/{namespace}/log", id: "listNamespaceLog", "List changes, newest first",
            .read, on: .own,
            parameters: [
                APIParameter("path", "Only those of what is at this path"), .cursor, .limit,
            ], answer: .json("NamespaceEntryPage")
        ) { request in
            try .json(
                try request.node.namespaceEntries(
                    request.value("namespace"), path: request.query["path"],
                    before: try request.number("cursor", 0 ... .max), limit: try request.limit()))
        },
        APIRoute(
            .get, "/namespaces/{namespace}/diff", id: "diffNamespace",
            "List the paths in which two versions differ", .read, on: .own,
            parameters: [
                APIParameter("from", required: true, "A version, as of a snapshot"),
                APIParameter("to", "A version; the newest state if left out"),
                APIParameter(
                    "recursive",
                    "`false`: a directory that came or went stands for all that is in it; else `true`"),
                .cursor, .limit,
            ], isPatient: true, answer: .json("NamespaceDifferencePage")
        ) { request in
            guard let from = request.query["from"] else { throw APIRequest.invalid("from is missing") }
            let question = NamespaceDifferenceQuestion(
                from: from, to: request.query["to"], isRecursive: try request.flag("recursive") ?? true)
            return try .json(
                try request.node.namespaceDifferences(
                    request.value("namespace"), question,
                    skipping: Int(try request.number("cursor", 0...Int64(Int32.max)) ?? 0),
                    limit: try request.limit()))
        },
        APIRoute(
            .post, "/namespaces/{namespace}/restore", id: "restoreNamespace",
            "Bring everything, or what is at a path, back to an earlier version, by new changes", .write,
            on: .own, body: .json("NamespaceRestore"), isPatient: true, answer: .json("NamespaceRestored")
        ) { request in
            let restore = try request.json(NamespaceRestoreMessage.self)
            return try .json(try request.node.restoreNamespace(request.value("namespace"), restore))
        },
    ]
}
