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
            ) { error in
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
    fileprivate func closing(_ mustClose: Bool) -> DoorResponse {
        var response = self
        if mustClose { response.fields[.connection] = "close" }
        return response
    }
}

extension DoorRequest {
    /// Whether the head announces a body.
    fileprivate var hasBody: Bool {
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
        // An import is a CAR in parts, whatever the request is that is about it.
        if route.path.hasPrefix("/imports") { facts.contentType = "application/vnd.ipld.car" }
        if case .stream = route.body { facts.bytes = bodyBytes }
        do {
            let authorizer = authority.authorizer
            let principal = try authorizer.principal(for: credentials(of: request), facts)
            let resource: Resource =
                switch route.subject {
                case .node: .node
                case .project: .project(principal.project ?? .default)
                case .own: principal.scope ?? .node
                }
            let admission =
                route.isCounted
                ? try authorizer.authorize(principal, route.operation, on: resource, facts: facts)
                : try authorizer.authorizeFurther(principal, route.operation, on: resource, facts: facts)
            return Guest(
                node: try LocalNode(node, authority: authority, as: principal), admission: admission)
        } catch let error as AccessError {
            throw RefusedRequest(response: Self.answer(error))
        } catch {
            throw RefusedRequest(response: Self.undecided)
        }
    }
}
