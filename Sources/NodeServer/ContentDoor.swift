import Access
import Catalog
import GatewayAPI
import HTTPSupport
import HTTPTypes
import NodeCore

/// The gateway for whoever asks: who shows nothing reads what is public, who shows a grant or a signed URL
/// reads what that allows.
///
/// A browser adds neither by itself, so that no page can use what its visitor may do. Cookies are not
/// looked at. Credentials that do not hold are refused, and never taken for none: somebody would take what
/// is missing for gone. Synchronous: the authority reads the catalog.
struct ContentDoor: Sendable {
    let node: StorageNode

    /// - Parameter report: is told of what is not the client's doing.
    func respond(
        to request: DoorRequest, _ settings: ServerSettings, report: (any Error) -> Void
    ) -> DoorResponse {
        // What a browser asks before it asks carries no credentials.
        let credentials = request.method == .options ? .none : settings.doorkeeper.credentials(of: request)
        if case .none = credentials { return settings.gateway.respond(to: request, report: report) }
        do {
            let (reader, admission) = try admit(credentials, request, settings)
            let response = Gateway(settings.gateway, for: reader).respond(to: request, report: report)
            switch response.status.kind {
            case .successful, .redirection: try admission.settle()
            default: try admission.giveBack()
            }
            return response
        } catch {
            return Self.refusal(error, isHead: request.method == .head)
        }
    }

    private func admit(
        _ credentials: Credentials, _ request: DoorRequest, _ settings: ServerSettings
    ) throws -> (Gateway.Reader, Access.Admission) {
        let authority = settings.doorkeeper.authority
        let facts = RequestFacts(
            source: IPAddress(request.remoteAddress), referrer: request.fields[.referer])
        let principal = try authority.authorizer.principal(for: credentials, facts)
        guard principal.scope != .node else {
            return (
                .administrator, try authority.authorizer.authorize(principal, .read, on: .node, facts: facts)
            )
        }
        if let found = shared(request, principal, settings) {
            let admission = try authority.authorizer.authorize(
                principal, .read, on: found.resource, facts: facts)
            return (.namespace(try audience(of: found.project), found.id), admission)
        }
        let project = principal.project ?? .default
        // A block does not say below which paths it is: a grant for a part of a project opens none by its
        // CID.
        let admission = try authority.authorizer.authorize(
            principal, .read, on: .project(project), facts: facts)
        return (.project(try audience(of: project), project), admission)
    }

    /// The namespace that a request is about, where whoever asks may read that and not all of its project.
    private func shared(
        _ request: DoorRequest, _ principal: Principal, _ settings: ServerSettings
    ) -> Namespace? {
        let found = settings.gateway.namespace(of: request) { principal.mayPerform(.read, on: $0.resource) }
        guard let found, !principal.mayPerform(.read, on: .project(found.project)) else { return nil }
        return found
    }

    private func audience(of project: ProjectID) throws -> BlockAudience {
        BlockAudience(scope: project == .default ? nil : try node.catalog.projects.scope(of: project))
    }

    private static func refusal(_ error: any Error, isHead: Bool) -> DoorResponse {
        var response: DoorResponse
        switch error {
        case let error as AccessError where error.hasEnded:
            // Another token is what helps, as with one that never was.
            response = ProblemDocument(.unauthorized, code: error.code, detail: error.description).response
            response.fields[.wwwAuthenticate] = Doorkeeper.challenge
        case let error as AccessError: response = Doorkeeper.answer(error)
        default: response = Doorkeeper.undecided
        }
        response.fields[.cacheControl] = "no-store"
        response.fields[.vary] = "Authorization"
        response.fields[.accessControlAllowOrigin] = "*"
        if isHead { response.body = response.body.withoutContent }
        return response
    }
}

extension AccessError {
    /// Whether what was shown counted once and does no longer.
    fileprivate var hasEnded: Bool {
        switch self {
        case .expired, .revoked, .roleEnded: true
        default: false
        }
    }
}
