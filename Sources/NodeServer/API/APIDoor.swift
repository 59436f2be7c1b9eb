import Access
import Catalog
import HTTPSupport
import HTTPTypes
import Logging
import NIOCore
import NIOHTTPTypes
import NIOPosix
import NodeAPI
import NodeCore
import NodeMessages
import NodeService

/// Answers `/api/v1`: finds the operation, asks the authority, brings the body, and lets it be done where
/// threads may wait.
struct APIDoor: Sendable {
    private let node: StorageNode
    private let authority: Authority
    private let api: NodeAPI
    private let imports: ImportSessions
    /// For what is done soon.
    private let pool: NIOThreadPool
    /// For uploads and for waiting: slow clients hold one of these threads each.
    private let patientPool: NIOThreadPool
    private let logger: Logger

    init(
        node: StorageNode, authority: Authority, jobs: NodeJobs, pool: NIOThreadPool,
        patientPool: NIOThreadPool, logger: Logger
    ) {
        self.node = node
        self.authority = authority
        self.pool = pool
        self.patientPool = patientPool
        self.logger = logger
        imports = ImportSessions()
        api = NodeAPI(jobs: jobs, imports: imports)
    }

    /// The answer to a request. It ends the connection where a body that nobody read is in the way.
    func respond(
        to request: DoorRequest, body: RequestBody, on channel: any Channel
    ) async -> DoorResponse {
        let route: APIRoute
        let values: [String: String]
        do throws(APIRoutingError) {
            (route, values) = try NodeAPI.route(request.method, request.target.path)
        } catch {
            return error.response.closing(request.hasBody)
        }
        let length = request.fields[.contentLength].flatMap { Int64($0) }
        let keeper = Doorkeeper(authority: authority, metricsArePublic: false)
        let admitted = try? await pool.runIfActive { [node, authority] in
            Result { () throws(RefusedRequest) in
                try keeper.admit(request, route, bodyBytes: length, to: node, authority)
            }
        }
        guard let admitted else { return Self.stopping.closing(true) }
        switch admitted {
        case .failure(let refusal): return refusal.response.closing(request.hasBody)
        case .success(let guest):
            // Who was let in may send: RFC 9110 section 10.1.1. If this cannot be written, neither can the
            // answer.
            if request.fields[.expect]?.lowercased() == "100-continue" {
                let head = HTTPResponsePart.head(HTTPResponse(status: .continue))
                try? await channel.writeAndFlush(head)
            }
            return await respond(to: request, route, values, guest, body, length)
        }
    }

    private func respond(
        to request: DoorRequest, _ route: APIRoute, _ values: [String: String], _ guest: Doorkeeper.Guest,
        _ body: RequestBody, _ length: Int64?
    ) async -> DoorResponse {
        let (api, logger) = (api, logger)
        let pipe = BodyPipe()
        let work = { @Sendable in
            let response = api.respond(
                to: request, route, values: values, node: guest.node, admission: guest.admission, body: pipe
            ) { [node] error in
                node.damage.note(error)
                logger.error(
                    "request failed", metadata: ["request": "\(request.id)", "error": "\(error)"])
            }
            return response.closing(!pipe.close() && request.hasBody)
        }
        async let feeding: Void = pipe.feed(body, length: length)
        let isSlow = route.isPatient || request.hasBody
        let answer = try? await (isSlow ? patientPool : pool).runIfActive(work)
        if answer == nil { pipe.close() }
        await feeding
        return answer ?? Self.stopping.closing(true)
    }

    /// Ends imports that nothing is sent to. To be called now and then.
    func endIdleImports() throws { try imports.endIdle() }

    private static let stopping = NodeAPI.problem(
        NodeFailure(.busy, code: "stopping", detail: "the node is stopping"))
}

extension DoorResponse {
    /// The same, as the last of its connection where that must be.
    func closing(_ mustClose: Bool) -> DoorResponse {
        var response = self
        if mustClose { response.fields[.connection] = "close" }
        return response
    }
}

extension DoorRequest {
    /// Whether the head announces a body.
    var hasBody: Bool {
        fields[.transferEncoding] != nil || (fields[.contentLength].flatMap { Int64($0) } ?? 0) > 0
    }
}

/// Why a request may not go on, as an answer.
struct RefusedRequest: Error {
    let response: DoorResponse
}

extension Doorkeeper {
    /// Whoever was let in: the node as they may use it, and what was reserved for them.
    struct Guest: Sendable {
        let node: LocalNode
        let admission: Access.Admission
    }

    /// Lets a request to the API in, or says why not.
    func admit(
        _ request: DoorRequest, _ route: APIRoute, bodyBytes: Int64?, to node: StorageNode,
        _ authority: Authority
    ) throws(RefusedRequest) -> Guest {
        var facts = RequestFacts(
            source: IPAddress(request.remoteAddress), referrer: request.fields[.referer],
            contentType: request.fields[.contentType])
        let type = (request.fields[.contentType] ?? "").prefix { $0 != ";" }
        facts.isForm = type.lowercased().filter { $0 != " " } == "multipart/form-data"
        // An import is a CAR in parts, whatever the request is that is about it.
        if route.path.hasPrefix("/imports") {
            (facts.contentType, facts.isForm) = ("application/vnd.ipld.car", false)
        }
        if case .stream = route.body { facts.bytes = bodyBytes }
        do {
            let authorizer = authority.authorizer
            let principal =
                route.requirement == .nothing
                ? .anonymous : try self.principal(of: request, authorizer, facts)
            let admission: Access.Admission
            switch route.requirement {
            case .nothing: admission = authorizer.authorizeAnybody()
            case .credentials: admission = try authorizer.authorizeKnown(principal, facts: facts)
            case .operation(let operation, let subject):
                let resource = Self.resource(subject, operation, principal)
                admission =
                    route.isCounted
                    ? try authorizer.authorize(principal, operation, on: resource, facts: facts)
                    : try authorizer.authorizeFurther(principal, operation, on: resource, facts: facts)
            }
            return Guest(
                node: try LocalNode(node, authority: authority, as: principal), admission: admission)
        } catch let error as AccessError {
            throw RefusedRequest(response: Self.answer(error))
        } catch {
            throw RefusedRequest(response: Self.undecided)
        }
    }

    private static func resource(
        _ subject: APIRoute.Subject, _ operation: Access.Operation, _ principal: Principal
    ) -> Resource {
        switch subject {
        case .node: .node
        case .project: .project(principal.project ?? .default)
        case .own: principal.reach(of: operation)
        }
    }

    /// Who asks: by a token or a signed URL, else by the cookie of a session.
    ///
    /// By a cookie a browser may act without its owner's will. So pages of other origins are refused, on
    /// the same site too, and what may change something must prove that the node's own page sent it.
    func principal(
        of request: DoorRequest, _ authorizer: Authorizer, _ facts: RequestFacts
    ) throws -> Principal {
        let shown = credentials(of: request)
        guard case .none = shown else { return try authorizer.principal(for: shown, facts) }
        let secret: SessionSecret
        switch SessionCookie.presence(in: request.fields) {
        case .none: return .anonymous
        case .broken: throw AccessError.credentialsInvalid
        case .secret(let given): secret = given
        }
        let project = try request.fields[.nacreProject].map { text throws(AccessError) in
            guard let id = ProjectID(checked: text) else { throw .projectAbsent(String(text.prefix(64))) }
            return id
        }
        let principal = try authorizer.principal(for: .session(secret, project: project), facts)
        if let site = request.fields[.fetchSite], site != "same-origin", site != "none" {
            authorizer.refuse(.foreignPage, principal, facts)
            throw AccessError.foreignPage
        }
        if request.method != .get, request.method != .head {
            try authorizer.check(
                csrfToken: request.fields[.csrfToken], of: secret, principal, facts)
        }
        return principal
    }
}
