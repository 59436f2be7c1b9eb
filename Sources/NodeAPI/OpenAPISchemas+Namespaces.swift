import NodeMessages

extension OpenAPISchemas {
    static let namespaces: [String: JSONValue] = [
        "Namespace": object(
            [
                "id": text, "name": text, "project": text, "visibility": visibility, "head": integer,
                "nodes": integer, "bytes": integer, "created": text, "updated": text,
                "policy": ["$ref": "#/components/schemas/NamespacePolicy"], "deleted": text,
                "keptUntil": text,
            ],
            required: [
                "id", "name", "project", "visibility", "head", "nodes", "bytes", "created", "updated",
                "policy",
            ]),
        "NamespacePage": page("Namespace"),
        "NamespacePolicy": object(
            [
                "names": ["type": "string", "enum": ["files", "objects"]],
                "case": ["type": "string", "enum": ["sensitive", "insensitive"]],
                "merge": ["type": "string", "enum": ["none", "lines"]],
                "keepAllSeconds": natural, "keepDailySeconds": natural, "maximumBytes": natural,
                "maximumNodes": natural,
            ], required: []),
        "NamespaceDraft": object(
            [
                "name": ["type": "string", "minLength": 1], "visibility": visibility,
                "policy": ["$ref": "#/components/schemas/NamespacePolicy"],
            ], required: ["name"]),
        "NamespaceChange": object(
            [
                "name": ["type": "string", "minLength": 1],
                "policy": ["$ref": "#/components/schemas/NamespacePolicy"],
            ], required: []),
        "NamespaceVerification": object(
            [
                "nodes": natural, "changes": natural, "snapshots": natural, "contents": natural,
                "blocks": natural, "bytes": natural, "missing": natural, "damaged": natural,
                "findings": [
                    "type": "array",
                    "items": object(
                        [
                            "kind": [
                                "type": "string",
                                "enum": ["missing", "damaged", "unreadable", "row", "counters"],
                            ], "detail": text, "block": text, "path": text, "version": integer,
                        ], required: ["kind", "detail"]),
                ], "moreFindings": natural,
            ],
            required: [
                "nodes", "changes", "snapshots", "contents", "blocks", "bytes", "missing", "damaged",
                "findings", "moreFindings",
            ]),
        "NamespaceVersion": object(
            ["version": integer, "root": text, "time": text, "keptUntil": text, "held": text],
            required: ["version", "time"]),
        "NamespaceVersionPage": page("NamespaceVersion"),
        "NamespaceEntry": object(
            [
                "version": integer,
                "operation": [
                    "type": "string",
                    "enum": ["create", "content", "move", "delete", "restore", "metadata"],
                ],
                "node": text, "kind": ["type": "string", "enum": ["dir", "file", "symlink"]], "name": text,
                "path": text, "size": integer, "content": text, "below": integer, "device": text,
                "deviceName": text, "user": text, "time": text,
            ],
            required: ["version", "operation", "node", "kind", "name", "size", "below", "time"]),
        "NamespaceEntryPage": page("NamespaceEntry"),
        "NamespaceDifference": object(
            [
                "path": text,
                "change": ["type": "string", "enum": ["added", "removed", "changed", "renamed"]],
                "kind": ["type": "string", "enum": ["dir", "file", "symlink"]], "from": text,
                "old": text, "new": text, "below": integer,
            ], required: ["path", "change"]),
        "NamespaceDifferencePage": page("NamespaceDifference"),
        "NamespaceRestore": object(
            [
                "version": text, "path": text, "mayEmpty": ["type": "boolean"],
                "rules": ["type": "boolean"],
            ], required: ["version"]),
        "NamespaceRestored": object(
            ["head": integer, "changes": integer, "kept": lines], required: ["head", "changes"]),
        "VersionHold": object(["note": text], required: []),
        "VersionRelease": object(["released": ["type": "boolean"]], required: ["released"]),
        "TrashItem": object(
            [
                "id": text, "version": integer, "path": text,
                "kind": ["type": "string", "enum": ["dir", "file", "symlink"]], "nodes": integer,
                "bytes": integer, "deleted": text, "keptUntil": text, "user": text, "device": text,
            ],
            required: ["id", "version", "path", "kind", "nodes", "bytes", "deleted", "keptUntil"]),
        "TrashItemPage": page("TrashItem"),
        "TrashRestore": object(["item": text, "to": text], required: ["item"]),
        "TrashEmpty": object(["item": text, "olderThanSeconds": natural], required: []),
        "TrashEmptied": object(["items": integer, "nodes": integer], required: ["items", "nodes"]),
        "NamespaceReturn": object(["name": text], required: []),
        "Link": object(
            [
                "id": text, "url": text, "location": text, "namespace": text, "node": text, "path": text,
                "role": ["type": "string", "enum": ["viewer", "writer_only"]],
                "status": [
                    "type": "string",
                    "enum": ["active", "not-yet-valid", "expired", "revoked", "exhausted", "deleted"],
                ],
                "password": ["type": "boolean"], "maxUses": integer, "maxFileBytes": integer,
                "maxBytes": integer, "contentTypes": lines, "from": lines, "referrers": lines,
                "expires": text, "created": text, "lastUsed": text, "requests": integer, "uses": integer,
                "bytes": integer,
            ],
            required: [
                "id", "namespace", "node", "role", "status", "password", "contentTypes", "from",
                "referrers", "created", "requests", "uses", "bytes",
            ]),
        "LinkPage": page("Link"),
        "LinkRequest": object(
            [
                "path": text, "node": text, "role": ["type": "string", "enum": ["viewer", "writer_only"]],
                "password": text, "maxUses": natural, "maxFileBytes": natural, "maxBytes": natural,
                "contentTypes": lines, "from": lines, "referrers": lines, "expires": integer,
            ], required: []),
        "NamespaceMember": object(
            ["user": text, "name": text, "role": memberRole, "since": text],
            required: ["user", "role", "since"]),
        "NamespaceMemberPage": page("NamespaceMember"),
        "NamespaceMemberRequest": object(["user": text, "role": memberRole], required: ["role"]),
    ]

    private static let lines: JSONValue = ["type": "array", "items": text]
    private static let memberRole: JSONValue = [
        "type": "string", "enum": ["owner", "editor", "writer_only", "viewer"],
    ]
}
