import Access
import Catalog
import GatewayAPI
import HTTPSupport
import HTTPTypes
import Logging
import NIOCore
import NIOHTTPTypes
import NIOPosix
import NodeCore
import NodeService

/// Answers `/c/TOKEN/…`: opens the link, lets what it leads to be read, or takes files in.
///
/// The token in the path is what is shown; whatever else the link asks for, the authority looks at. Each
/// answer with content is a use, each file that is taken in too.
struct LinkDoor: Sendable {
    let node: StorageNode
    let authority: Authority
    /// For what is done soon.
    let pool: NIOThreadPool
    /// For what brings a body.
    let patientPool: NIOThreadPool
    let logger: Logger

    static let methods: [HTTPRequest.Method] = [.get, .head, .put, .post]
    /// The most bytes of a form with a password.
    private static let maximumPasswordForm = 8192

    /// The answer to a request. It ends the connection where a body that nobody read is in the way.
    func respond(
        to request: DoorRequest, body: RequestBody, _ settings: ServerSettings, on channel: any Channel
    ) async -> DoorResponse {
        switch request.method {
        case .get, .head:
            let answer = await PatientAnswer.get {
                (try? await pool.runIfActive { read(request, settings) }) ?? Self.stopping
            }
            return answer.closing(request.hasBody)
        case .post where request.isPasswordForm:
            return await takePassword(request, body)
        default:
            return await takeFiles(request, body, on: channel)
        }
    }

    // MARK: Reading

    private func read(_ request: DoorRequest, _ settings: ServerSettings) -> DoorResponse {
        do {
            let visit = try LinkVisit(request, password: request.basicPassword, node, authority)
            guard visit.link.role == .viewer else {
                return answer(request, visit, settings).response
            }
            let admission = try visit.admit(.read)
            let answer = answer(request, visit, settings)
            if answer.isUse, request.method == .get {
                try admission.settle()
            } else {
                try admission.giveBack()
            }
            return answer.response
        } catch {
            return LinkRefusal.response(to: request, error) { report($0, request) }
        }
    }

    private func answer(
        _ request: DoorRequest, _ visit: LinkVisit, _ settings: ServerSettings
    ) -> LinkResponse {
        let place = SharedPlace(
            token: request.linkToken, namespace: visit.namespace, node: visit.link.node,
            use: visit.link.role == .viewer ? .read : .upload)
        return Gateway.respond(
            to: request, sharing: place, of: settings.gateway, as: visit.audience
        ) { report($0, request) }
    }

    private func report(_ error: any Error, _ request: DoorRequest) {
        node.damage.note(error)
        logger.error("request failed", metadata: ["request": "\(request.id)", "error": "\(error)"])
    }

    // MARK: The password

    /// Takes a password from a form, and sends the browser back with a pass.
    private func takePassword(_ request: DoorRequest, _ body: RequestBody) async -> DoorResponse {
        let bytes: [UInt8]
        do {
            bytes = Array(try await body.collect(upTo: Self.maximumPasswordForm).readableBytesView)
        } catch {
            return LinkRefusal.protected(.text(.contentTooLarge, "a password is shorter")).closing(true)
        }
        let text = String(decoding: bytes, as: UTF8.self)
        let answer = try? await pool.runIfActive { () -> DoorResponse in
            do {
                let visit = try LinkVisit(
                    request, password: PasswordForm.password(in: text), node, authority)
                var fields: HTTPFields = [.location: request.target.path]
                if let pass = try authority.links.pass(for: visit.link) {
                    fields[.setCookie] = LinkCookie.field(
                        pass, token: request.linkToken, now: visit.now, scheme: request.scheme)
                }
                return LinkRefusal.protected(DoorResponse(.seeOther, fields: fields))
            } catch {
                return LinkRefusal.response(to: request, error) { report($0, request) }
            }
        }
        return answer ?? Self.stopping
    }

    // MARK: Bringing files in

    private func takeFiles(
        _ request: DoorRequest, _ body: RequestBody, on channel: any Channel
    ) async -> DoorResponse {
        // Before a byte is read: who may not send sends nothing in vain.
        let opened = try? await pool.runIfActive { () -> Result<LinkUpload, any Error> in
            Result {
                let visit = try LinkVisit(request, password: request.basicPassword, node, authority)
                return try LinkUpload(visit, request, node)
            }
        }
        let upload: LinkUpload
        switch opened {
        case .success(let ready): upload = ready
        case .failure(let error):
            return LinkRefusal.response(to: request, error) { report($0, request) }
                .closing(request.hasBody)
        case nil: return Self.stopping.closing(true)
        }
        // If this cannot be written, neither can the answer.
        if request.fields[.expect]?.lowercased() == "100-continue" {
            let head = HTTPResponsePart.head(HTTPResponse(status: .continue))
            try? await channel.writeAndFlush(head)
        }
        let pipe = BodyPipe()
        let work = { @Sendable in
            let response = upload.respond(body: pipe) { report($0, request) }
            return response.closing(!pipe.close() && request.hasBody)
        }
        async let feeding: Void = pipe.feed(body, length: upload.length)
        let answer = try? await patientPool.runIfActive(work)
        if answer == nil { pipe.close() }
        await feeding
        return answer ?? Self.stopping.closing(true)
    }

    private static let stopping: DoorResponse = {
        var response = DoorResponse.text(.serviceUnavailable, "the node is stopping")
        response.fields[.retryAfter] = "5"
        return response
    }()
}

extension DoorRequest {
    /// Whether the body is the form that asks for a password.
    fileprivate var isPasswordForm: Bool {
        let type = (fields[.contentType] ?? "").prefix { $0 != ";" }.lowercased()
        return type.filter { $0 != " " } == "application/x-www-form-urlencoded"
    }
}

/// The form in which a page asks for a password. Spec: URL Standard, "application/x-www-form-urlencoded".
enum PasswordForm {
    static func password(in text: String) -> String? {
        for part in text.split(separator: "&") {
            let pair = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard pair.count == 2, pair[0] == "password" else { continue }
            return PercentCoding.formText(pair[1])
        }
        return nil
    }
}

/// A link that was opened for one request.
struct LinkVisit: Sendable {
    let link: Link
    let namespace: Namespace
    let audience: BlockAudience
    private let principal: Principal
    private let authority: Authority
    private let facts: RequestFacts

    /// - Throws: why it is not opened.
    init(
        _ request: DoorRequest, password: String?, _ node: StorageNode, _ authority: Authority
    ) throws {
        var facts = RequestFacts(
            source: IPAddress(request.remoteAddress), referrer: request.fields[.referer])
        facts.isFromOwnPage = request.isFromOwnLink
        let shown = LinkCredentials(
            token: request.linkToken, password: password, pass: LinkCookie.value(in: request.fields))
        principal = try authority.authorizer.principal(for: .link(shown), facts)
        guard let link = try authority.links.link(of: principal),
            let namespace = try node.catalog.namespaces.namespace(link.namespace),
            namespace.deleted == nil
        else { throw AccessError.revoked }
        self.link = link
        self.namespace = namespace
        self.authority = authority
        self.facts = facts
        audience = BlockAudience(
            scope: namespace.project == .default
                ? nil : try node.catalog.projects.scope(of: namespace.project))
    }

    /// Asks the authority for one use.
    func admit(
        _ operation: Access.Operation, contentType: String? = nil, bytes: Int64? = nil, atMost: Int64? = nil
    ) throws -> Access.Admission {
        var facts = facts
        facts.contentType = contentType
        facts.bytes = bytes
        facts.mostBytes = atMost
        return try authority.authorizer.authorize(principal, operation, on: link.resource, facts: facts)
    }

    /// Asks whether anything may be sent, without counting.
    func check(_ operation: Access.Operation) throws {
        var facts = facts
        facts.isForm = true
        _ = try authority.authorizer.authorizeFurther(principal, operation, on: link.resource, facts: facts)
    }

    func dropBox(_ node: StorageNode) throws -> DropBox { try DropBox(node, link, by: principal) }

    /// Unix milliseconds.
    var now: Int64 { authority.links.now }
}
