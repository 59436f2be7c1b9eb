import Access
import Foundation
import HTTPTypes
public import NodeMessages

/// The description of the API that programs read, made of the routes there are. Spec: OpenAPI 3.1.
public enum OpenAPIDocument {
    /// - Parameter version: of the node.
    public static func make(version: String) -> JSONValue {
        var paths: [String: [String: JSONValue]] = [:]
        for route in NodeAPI.routes {
            paths[route.path.isEmpty ? "/" : route.path, default: [:]][route.method.rawValue.lowercased()] =
                operation(route)
        }
        return [
            "openapi": "3.1.0",
            "info": [
                "title": "Nacre node API", "version": .string(version),
                "description": .string(introduction),
                "license": ["name": "Apache-2.0", "identifier": "Apache-2.0"],
            ],
            "servers": [["url": .string(NodeAPI.prefix)]],
            "security": [["grant": []], ["session": []]],
            "paths": .object(paths.mapValues { .object($0) }),
            "components": [
                "securitySchemes": [
                    "grant": [
                        "type": "http", "scheme": "bearer",
                        "description": "The token of a grant, as `nacre key create` prints it",
                    ],
                    "session": [
                        "type": "apiKey", "in": "cookie", "name": .string(SessionCookie.name),
                        "description": .string(
                            "The cookie of a login (`POST /sessions`); what changes something sends "
                                + "`X-CSRF-Token` too, and `X-Nacre-Project` names the project"),
                    ],
                ],
                "schemas": .object(OpenAPISchemas.all),
            ],
        ]
    }

    /// The document as it is sent.
    public static func bytes(version: String) throws -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return Array(try encoder.encode(make(version: version)))
    }

    private static let introduction = """
        Everything needs a grant (`Authorization: Bearer TOKEN`) that allows the operation that is named \
        with each route. Errors are problem documents (RFC 9457) with a stable `code`. Work that may take \
        long is a job: with `Prefer: wait=SECONDS` its result comes at once if it is done by then, else 202 \
        and the URL of the job. Lists are read page by page: `next` of a page is the `cursor` of the one \
        that follows.
        """

    private static func operation(_ route: APIRoute) -> JSONValue {
        var parameters: [JSONValue] = route.segments.filter { $0.hasPrefix("{") }.map { segment in
            [
                "name": .string(String(segment.dropFirst().dropLast())), "in": "path", "required": true,
                "schema": ["type": "string", "minLength": 1],
            ]
        }
        parameters += route.parameters.map { parameter in
            [
                "name": .string(parameter.name), "in": "query", "required": .boolean(parameter.isRequired),
                "description": .string(parameter.help), "schema": parameter.schema,
            ]
        }
        if route.mayBeJob {
            parameters.append([
                "name": "Prefer", "in": "header", "required": false, "schema": ["type": "string"],
                "description": "`wait=SECONDS`: how long to wait for the result, at most 30 (RFC 7240)",
            ])
        }
        var operation: [String: JSONValue] = [
            "operationId": .string(route.id), "summary": .string(route.summary),
            "description": .string(route.need),
            "parameters": .array(parameters), "responses": responses(route),
        ]
        if route.requirement == .nothing { operation["security"] = [] }
        switch route.body {
        case .none: break
        case .json(let schema):
            operation["requestBody"] = [
                "required": true, "content": ["application/json": ["schema": reference(schema)]],
            ]
        case .stream(let types):
            let content = types.map { ($0, JSONValue.object([:])) }
            operation["requestBody"] = [
                "required": true, "content": .object(Dictionary(content) { $1 }),
            ]
        }
        return .object(operation)
    }

    private static func responses(_ route: APIRoute) -> JSONValue {
        var done: [String: JSONValue] = ["description": .string(route.status.reasonPhrase)]
        switch route.answer {
        case .none: break
        case .json(let schema):
            done["content"] = ["application/json": ["schema": reference(schema)]]
        case .bytes(let type): done["content"] = .object([type: .object([:])])
        case .file: done["content"] = ["*/*": [:]]
        }
        var responses: [String: JSONValue] = [
            String(route.status.code): .object(done),
            "default": [
                "description": "What is wrong, as a problem document",
                "content": ["application/problem+json": ["schema": reference("Problem")]],
            ],
        ]
        if route.mayBeJob {
            responses["202"] = [
                "description": "It goes on as a job",
                "content": ["application/json": ["schema": reference("Job")]],
            ]
        }
        if case .file = route.answer {
            responses["206"] = [
                "description": "The ranges that `Range` names (RFC 9110 section 14)", "content": ["*/*": [:]],
            ]
            responses["304"] = ["description": "What `If-None-Match` or `If-Modified-Since` names"]
            responses["412"] = ["description": "Not what `If-Match` or `If-Unmodified-Since` names"]
        }
        if route.parameters.contains(where: { $0.name == "damaged" }) {
            responses["204"] = ["description": "It is gone"]
        }
        return .object(responses)
    }

    private static func reference(_ schema: String) -> JSONValue {
        ["$ref": .string("#/components/schemas/" + schema)]
    }
}

extension APIRoute {
    /// What it needs, for people.
    fileprivate var need: String {
        switch requirement {
        case .nothing: "Needs nothing."
        case .credentials: "Needs a grant or a session, whatever it allows."
        case .operation(let operation, .node):
            "Needs a grant or a session that allows `\(operation.rawValue)` on the node."
        case .operation(let operation, _):
            "Needs a grant or a session that allows `\(operation.rawValue)`."
        }
    }

    /// Whether it may answer 202 with a job.
    var mayBeJob: Bool { Self.schemasOfJobs.contains(answerSchema) && isPatient }

    private static let schemasOfJobs = [
        "Pin", "Walk", "Collection", "Verification", "Namespace", "NamespaceVerification",
    ]

    private var answerSchema: String {
        if case .json(let schema) = answer { return schema }
        return ""
    }
}
