import Access
import HTTPSupport
import HTTPTypes
import NodeCore
import NodeMessages
import NodeService

extension NodeAPI {
    static let namespaceTrashRoutes: [APIRoute] = [
        APIRoute(
            .put, "/namespaces/{namespace}/versions/{version}/hold", id: "holdNamespaceVersion",
            "Keep a version, whatever the policy says", .write, on: .own, body: .json("VersionHold"),
            answer: .json("NamespaceVersion")
        ) { request in
            let hold = try request.json(VersionHoldMessage.self)
            return try .json(
                try request.node.holdNamespaceVersion(
                    request.value("namespace"), request.value("version"), hold))
        },
        APIRoute(
            .delete, "/namespaces/{namespace}/versions/{version}/hold", id: "releaseNamespaceVersion",
            "Let the policy decide about a version again", .delete, on: .own,
            answer: .json("VersionRelease")
        ) { request in
            try .json([
                "released": try request.node.releaseNamespaceVersion(
                    request.value("namespace"), request.value("version"))
            ])
        },
        APIRoute(
            .get, "/namespaces/{namespace}/trash", id: "listNamespaceTrash",
            "List what was deleted and can be had back, the newest first", .read, on: .own,
            parameters: [.cursor, .limit], answer: .json("TrashItemPage")
        ) { request in
            try .json(
                try request.node.trashItems(
                    ofNamespace: request.value("namespace"), before: try request.number("cursor", 0 ... .max),
                    limit: try request.limit()))
        },
        APIRoute(
            .post, "/namespaces/{namespace}/trash/restore", id: "restoreFromTrash",
            "Take a file or folder out of the trash", .write, on: .own, body: .json("TrashRestore"),
            answer: .json("NamespaceRestored")
        ) { request in
            let restore = try request.json(TrashRestoreMessage.self)
            return try .json(
                try request.node.restoreFromTrash(ofNamespace: request.value("namespace"), restore))
        },
        APIRoute(
            .post, "/namespaces/{namespace}/trash/empty", id: "emptyTrash",
            "Remove content in the trash from every version, for good", .delete, on: .own,
            body: .json("TrashEmpty"), isPatient: true, answer: .json("TrashEmptied")
        ) { request in
            let empty = try request.json(TrashEmptyMessage.self)
            return try .json(try request.node.emptyTrash(ofNamespace: request.value("namespace"), empty))
        },
        APIRoute(
            .post, "/namespaces/{namespace}/undelete", id: "undeleteNamespace",
            "Bring a deleted namespace back", .write, on: .own, body: .json("NamespaceReturn"),
            answer: .json("Namespace")
        ) { request in
            let back = try request.json(NamespaceReturnMessage.self)
            return try .json(try request.node.returnNamespace(request.value("namespace"), back))
        },
    ]
}
