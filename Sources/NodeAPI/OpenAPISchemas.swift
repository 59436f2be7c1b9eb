import NodeMessages

/// The schemas of the messages, as they are encoded. A test compares them with the messages themselves.
enum OpenAPISchemas {
    static let all: [String: JSONValue] = content.merging(accounts) { first, _ in first }
        .merging(namespaces) { first, _ in first }

    private static let content: [String: JSONValue] = [
        "Problem": object(
            ["type": text, "title": text, "status": integer, "code": text, "detail": text],
            required: ["status", "code", "detail"]),
        "Node": object(
            ["version": text, "profile": text, "visibility": visibility],
            required: ["version", "profile", "visibility"]),
        "Stats": object(
            [
                "directory": text, "blocks": integer, "liveBytes": integer, "deadBytes": integer,
                "packs": integer, "packBytes": integer, "pins": integer, "unreadablePacks": integer,
            ],
            required: [
                "directory", "blocks", "liveBytes", "deadBytes", "packs", "packBytes", "pins",
                "unreadablePacks",
            ]),
        "Pin": pin,
        "PinPage": page("Pin"),
        "PinRequest": object(
            [
                "cid": text, "name": text, "visibility": visibility, "parameters": text, "bytes": natural,
                "allowMissing": boolean, "import": text, "meta": texts,
            ], required: ["cid"]),
        "PinChange": object(
            ["name": text, "visibility": visibility, "meta": texts], required: []),
        "Visibility": object(["visibility": visibility], required: ["visibility"]),
        "Upload": object(
            [
                "cid": text, "name": text, "bytes": integer, "entries": integer,
                "pin": ["$ref": "#/components/schemas/Pin"], "roots": ["type": "array", "items": text],
                "path": text,
            ], required: ["cid", "name", "bytes", "entries", "path"]),
        "DirectoryPage": object(
            [
                "items": [
                    "type": "array",
                    "items": object(
                        ["name": text, "cid": text, "dagBytes": integer], required: ["name", "cid"]),
                ], "next": text,
            ], required: ["items"]),
        "Block": object(["cid": text, "bytes": integer], required: ["cid", "bytes"]),
        "CIDs": object(
            ["cids": ["type": "array", "items": text, "maxItems": 4096]], required: ["cids"]),
        "Sizes": object(
            ["sizes": ["type": "array", "items": ["type": ["integer", "null"]]]], required: ["sizes"]),
        "Stored": object(
            ["newBlocks": integer, "newBytes": integer, "knownBlocks": integer, "knownBytes": integer],
            required: ["newBlocks", "newBytes", "knownBlocks", "knownBytes"]),
        "Import": object(["id": text, "idleSeconds": integer], required: ["id", "idleSeconds"]),
        "Walk": object(
            ["blocks": integer, "bytes": integer, "missing": integer, "firstMissing": text],
            required: ["blocks", "bytes", "missing"]),
        "CollectionRequest": object(
            [
                "dryRun": boolean, "graceSeconds": ["type": "number", "minimum": 0],
                "maximumUnusedShare": ["type": "number", "minimum": 0, "maximum": 1], "list": boolean,
            ], required: []),
        "Collection": collection,
        "VerificationRequest": object(
            ["bytesPerSecond": ["type": "integer", "minimum": 1], "repair": boolean], required: []),
        "Verification": object(
            [
                "blocks": integer, "bytes": integer, "pins": integer, "namespaces": integer,
                "findings": ["type": "array", "items": text], "moreFindings": integer,
            ], required: ["blocks", "bytes", "pins", "findings"]),
        "Job": job,
        "JobPage": page("Job"),
        "Name": name,
        "NamePage": page("Name"),
        "NameRequest": object(["label": text, "key": text], required: ["label"]),
        "PublishRequest": object(
            [
                "target": text, "lifetimeSeconds": ["type": "number", "minimum": 1],
                "ttlSeconds": ["type": "number", "minimum": 0], "expectedSequence": natural,
                "onlyV2": boolean,
            ], required: ["target"]),
        "Resolution": object(
            [
                "cid": text, "path": text, "remainingTTLSeconds": integer,
                "steps": ["type": "array", "items": text],
            ], required: ["cid", "path", "steps"]),
        "Record": object(
            ["name": text, "target": text, "sequence": integer, "validUntil": text],
            required: ["name", "target", "sequence", "validUntil"]),
        "Bytes": object(["base64": text], required: ["base64"]),
        "Grant": grant,
        "GrantPage": page("Grant"),
        "GrantRequest": grantRequest,
        "SignedURLRequest": object(
            [
                "method": ["type": "string", "enum": ["GET", "PUT", "POST"]], "path": text, "query": text,
                "expires": integer, "maxUses": positive, "maxBytes": natural, "contentType": text,
                "root": text,
                "grant": text,
            ], required: ["method", "path", "expires"]),
        "SignedURL": object(["url": text], required: ["url"]),
    ]

    private static let accounts: [String: JSONValue] = [
        "User": object(
            [
                "id": text, "name": text, "status": ["type": "string", "enum": ["active", "disabled"]],
                "administrator": boolean, "created": text, "disabled": text,
                "projects": ["type": "array", "items": ["$ref": "#/components/schemas/Member"]],
            ], required: ["id", "name", "status", "administrator", "created"]),
        "UserPage": page("User"),
        "UserRequest": object(
            ["name": text, "password": password, "administrator": boolean],
            required: ["name", "password"]),
        "PasswordRequest": object(["password": password], required: ["password"]),
        "Project": object(
            [
                "id": text, "name": text, "created": text,
                "members": ["type": "array", "items": ["$ref": "#/components/schemas/Member"]],
            ], required: ["id", "name", "created"]),
        "ProjectPage": page("Project"),
        "ProjectRequest": object(
            ["name": ["type": "string", "minLength": 1], "owner": text], required: ["name"]),
        "ProjectChange": object(["name": ["type": "string", "minLength": 1]], required: ["name"]),
        "Member": object(
            ["project": text, "user": text, "name": text, "role": role, "since": text],
            required: ["project", "user", "role", "since"]),
        "RoleRequest": object(["role": role], required: ["role"]),
        "AuditEntry": object(
            [
                "id": text, "time": text, "count": integer,
                "outcome": ["type": "string", "enum": ["allowed", "refused"]], "code": text,
                "operation": text, "resource": text, "source": text, "project": text, "user": text,
                "grant": text, "address": text,
            ], required: ["id", "time", "count", "outcome", "operation", "resource", "source"]),
        "AuditPage": page("AuditEntry"),
        "LogInRequest": object(["name": text, "password": password], required: ["name", "password"]),
        "PasswordChange": object(["current": password, "new": password], required: ["current", "new"]),
        "Session": object(
            [
                "user": ["$ref": "#/components/schemas/User"], "csrfToken": text, "expires": text,
                "idleSeconds": integer,
            ], required: ["user", "csrfToken", "expires", "idleSeconds"]),
        "Principal": object(
            [
                "source": text, "operations": ["type": "array", "items": text], "scope": text,
                "project": text, "user": text, "grant": text, "name": text, "expires": text,
            ], required: ["source", "operations"]),
    ]

    /// The members that the JSON of a route's body may have; `nil` if it is not JSON.
    static func members(of route: APIRoute) -> Set<String>? {
        guard case .json(let name) = route.body, case .object(let schema)? = all[name],
            case .object(let properties)? = schema["properties"]
        else { return nil }
        return Set(properties.keys)
    }

    private static let pin = object(
        [
            "id": text, "cid": text, "name": text,
            "status": ["type": "string", "enum": ["queued", "pinning", "pinned", "failed"]],
            "visibility": visibility, "owner": text, "created": text, "bytes": integer,
            "parameters": text, "meta": texts,
        ],
        required: ["id", "cid", "name", "status", "visibility", "owner", "created", "parameters", "meta"])

    private static let collection = object(
        [
            "dryRun": boolean, "blocks": integer, "bytes": integer, "keptBlocks": integer,
            "youngBlocks": integer, "youngBytes": integer, "freedBytes": integer, "removedPacks": integer,
            "rewrittenPacks": integer, "skippedPacks": integer, "missingLeaves": integer,
            "unreadableBlocks": ["type": "array", "items": text], "historyWaitsUntil": text,
            "trees": [
                "type": "array",
                "items": object(
                    ["root": text, "treeBlocks": integer, "treeBytes": integer],
                    required: ["root", "treeBlocks", "treeBytes"]),
            ],
            "moreTrees": integer,
        ], required: ["dryRun", "blocks", "bytes", "keptBlocks"])

    private static let job = object(
        [
            "id": text, "kind": text,
            "state": ["type": "string", "enum": ["queued", "running", "done", "failed", "cancelled"]],
            "url": text,
            "progress": object(
                [
                    "items": integer, "totalItems": integer, "bytes": integer, "totalBytes": integer,
                    "percent": ["type": "number"], "remainingSeconds": ["type": "number"],
                ], required: ["items", "bytes"]),
            "result": [:],
            "error": object(["code": text, "detail": text], required: ["code", "detail"]),
            "created": text, "started": text, "finished": text,
        ], required: ["id", "kind", "state", "url", "progress", "created"])

    private static let name = object(
        [
            "name": text, "peerID": text, "label": text, "owner": text, "created": text,
            "lifetimeSeconds": integer, "ttlNanoseconds": integer, "target": text, "sequence": integer,
            "validUntil": text,
            "follows": object(
                [
                    "namespace": text, "id": text, "path": text, "since": text, "version": integer,
                    "head": integer,
                    "state": [
                        "type": "string", "enum": ["current", "waiting", "failed", "stopped"],
                    ], "failure": text,
                ], required: ["namespace", "id", "path", "since", "state"]),
            "history": [
                "type": "array",
                "items": object(
                    ["number": integer, "target": text, "sequence": integer, "published": text],
                    required: ["number", "target", "sequence", "published"]),
            ],
        ],
        required: ["name", "peerID", "label", "owner", "created", "lifetimeSeconds", "ttlNanoseconds"])

    private static let limits: [String: JSONValue] = [
        "maxUses": positive, "maxFileBytes": natural, "maxBytes": natural,
        "contentTypes": ["type": "array", "items": text], "from": ["type": "array", "items": text],
        "referrers": ["type": "array", "items": text],
    ]

    private static let grant = object(
        limits.merging([
            "id": text, "token": text, "name": text, "status": text,
            "operations": ["type": "array", "items": text], "scope": text, "project": text, "parent": text,
            "user": text,
            "notBefore": text, "expires": text, "created": text, "revoked": text, "lastUsed": text,
            "uses": integer, "bytes": integer, "namesakes": ["type": "array", "items": text],
        ]) { $1 },
        required: [
            "id", "name", "status", "operations", "scope", "project", "contentTypes", "from", "referrers",
            "created", "uses", "bytes",
        ])

    private static let grantRequest = object(
        limits.merging([
            "name": ["type": "string", "minLength": 1],
            "operations": ["type": "array", "items": text, "minItems": 1], "scope": text, "project": text,
            "parent": text, "user": text, "notBefore": integer, "expires": integer,
        ]) { $1 }, required: ["name", "operations"])

    // MARK: Pieces

    static let text: JSONValue = ["type": "string"]
    static let integer: JSONValue = ["type": "integer"]
    static let natural: JSONValue = ["type": "integer", "minimum": 0]
    static let positive: JSONValue = ["type": "integer", "minimum": 1]
    static let boolean: JSONValue = ["type": "boolean"]
    static let visibility: JSONValue = ["type": "string", "enum": ["public", "private"]]
    static let role: JSONValue = ["type": "string", "enum": ["owner", "editor", "reader"]]
    static let password: JSONValue = ["type": "string", "format": "password"]
    static let texts: JSONValue = ["type": "object", "additionalProperties": ["type": "string"]]

    static func object(
        _ properties: [String: JSONValue], required: [String]
    ) -> JSONValue {
        [
            "type": "object", "properties": .object(properties),
            "required": .array(required.map { .string($0) }), "additionalProperties": false,
        ]
    }

    static func page(_ schema: String) -> JSONValue {
        object(
            [
                "items": ["type": "array", "items": ["$ref": .string("#/components/schemas/" + schema)]],
                "next": text,
            ], required: ["items"])
    }
}
