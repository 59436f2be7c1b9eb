public import Access
import HTTPSupport
public import HTTPTypes
import NodeMessages

/// One operation of the API: where it is, what it needs, what goes in and comes out.
///
/// The list of them is what is dispatched, what the server asks the authority by, and what the OpenAPI
/// document is made of.
public struct APIRoute: Sendable {
    /// What the right must be about.
    public enum Subject: Hashable, Sendable {
        /// The whole node.
        case node
        /// What belongs to the project of whoever asks.
        case project
        /// Whatever the grant is about: the route looks itself.
        case own
    }

    /// What somebody must show to use an operation.
    public enum Requirement: Hashable, Sendable {
        /// Nothing: it is how somebody becomes known.
        case nothing
        /// Credentials that are accepted, whatever they allow; it is no use of a grant.
        case credentials
        /// What allows the operation, on what the route is about.
        case operation(Operation, on: Subject)
    }

    /// What the body of a request may be.
    public enum Body: Sendable {
        case none
        /// JSON of this schema, held in memory.
        case json(String)
        /// Read as it comes; the content types that are known.
        case stream([String])
    }

    /// What comes back.
    enum Answer: Sendable {
        case none
        /// JSON of this schema.
        case json(String)
        case bytes(String)
        /// Bytes of any type, whole or the ranges that were asked for, or the news that nothing changed.
        case file
    }

    public let method: HTTPRequest.Method
    /// Below `/api/v1`, such as `/pins/{id}`.
    public let path: String
    /// Unique, for OpenAPI and for the metrics.
    public let id: String
    let summary: String
    public let requirement: Requirement
    let parameters: [APIParameter]
    public let body: Body
    /// Whether the request may name a content that is large enough to wait for: it is done where threads
    /// may wait.
    public let isPatient: Bool
    /// Whether it is a use of the grant; what belongs to an import was counted when that was opened.
    public let isCounted: Bool
    /// Whether the handler says what became of what was reserved.
    let settlesItself: Bool
    let status: HTTPResponse.Status
    let answer: Answer
    let handler: @Sendable (APIRequest) throws -> DoorResponse

    init(
        _ method: HTTPRequest.Method, _ path: String, id: String, _ summary: String,
        requiring requirement: Requirement,
        parameters: [APIParameter] = [], isCounted: Bool = true,
        body: Body = .none, isPatient: Bool = false, settlesItself: Bool = false,
        status: HTTPResponse.Status = .ok, answer: Answer = .none,
        handler: @escaping @Sendable (APIRequest) throws -> DoorResponse
    ) {
        self.method = method
        self.path = path
        self.id = id
        self.summary = summary
        self.requirement = requirement
        self.parameters = parameters
        self.isCounted = isCounted
        self.body = body
        self.isPatient = isPatient
        self.settlesItself = settlesItself
        self.status = status
        self.answer = answer
        self.handler = handler
    }

    /// A route for whom the operation is allowed.
    init(
        _ method: HTTPRequest.Method, _ path: String, id: String, _ summary: String, _ operation: Operation,
        on subject: Subject = .project, parameters: [APIParameter] = [], isCounted: Bool = true,
        body: Body = .none, isPatient: Bool = false, settlesItself: Bool = false,
        status: HTTPResponse.Status = .ok, answer: Answer = .none,
        handler: @escaping @Sendable (APIRequest) throws -> DoorResponse
    ) {
        self.init(
            method, path, id: id, summary, requiring: .operation(operation, on: subject),
            parameters: parameters, isCounted: isCounted, body: body, isPatient: isPatient,
            settlesItself: settlesItself, status: status, answer: answer, handler: handler)
    }

    /// Whether what comes is stored as it comes.
    var isStream: Bool { if case .stream = body { true } else { false } }

    /// As it stands in metrics and logs.
    public var pattern: String { NodeAPI.prefix + path }

    var segments: [Substring] { path.split(separator: "/") }

    /// How many placeholders the path has.
    var values: Int { segments.count { $0.hasPrefix("{") } }

    /// The values of the placeholders if `path` is this route's.
    func match(_ given: [String]) -> [String: String]? {
        let pattern = segments
        guard pattern.count == given.count else { return nil }
        var values: [String: String] = [:]
        for (segment, value) in zip(pattern, given) {
            if segment.hasPrefix("{") {
                values[String(segment.dropFirst().dropLast())] = value
            } else if segment != value {
                return nil
            }
        }
        return values
    }
}

/// A parameter in the query.
struct APIParameter: Sendable {
    let name: String
    let schema: JSONValue
    let help: String
    let isRequired: Bool

    init(_ name: String, _ schema: JSONValue, required: Bool = false, _ help: String) {
        self.name = name
        self.schema = schema
        self.help = help
        isRequired = required
    }

    init(_ name: String, required: Bool = false, _ help: String) {
        self.init(name, ["type": "string"], required: required, help)
    }

    static let path = APIParameter("path", "What lies below the root, such as photos/2026/a.jpg")
    static let cursor = APIParameter("cursor", "`next` of the page before")
    static let limit = APIParameter(
        "limit", ["type": "integer", "minimum": 1, "maximum": 1000], "The most entries; 100 if left out")
}
