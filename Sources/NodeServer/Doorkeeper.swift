import Access
import HTTPSupport
import HTTPTypes
import NodeAPI
import NodeMessages
import NodeService

/// The one place where the server asks whether a request may do what its route is for.
///
/// Synchronous: the authority reads the catalog, so that this runs in the thread pool.
struct Doorkeeper: Sendable {
    let authority: Authority
    let metricsArePublic: Bool

    /// - Returns: the refusal, or `nil` if the request may go on.
    func refusal(of request: DoorRequest, _ requirement: RouteRequirement) -> DoorResponse? {
        guard case .operation(let operation) = requirement else { return nil }
        if operation == .metrics && metricsArePublic { return nil }
        let facts = RequestFacts(
            source: IPAddress(request.remoteAddress), referrer: request.fields[.referer],
            contentType: request.fields[.contentType])
        do {
            let principal = try authority.authorizer.principal(for: credentials(of: request), facts)
            _ = try authority.authorizer.authorize(principal, operation, on: .node, facts: facts)
            return nil
        } catch let error as AccessError {
            return Self.answer(error)
        } catch {
            return Self.undecided
        }
    }

    static let undecided = ProblemDocument(
        .serviceUnavailable, code: "authority-unavailable",
        detail: "whether this is allowed cannot be decided now; try again"
    ).response

    /// What a request shows in its URL or in `Authorization`. Cookies are for the API alone.
    func credentials(of request: DoorRequest) -> Credentials {
        if let query = request.target.query, SignedURL.isSigned(query: query) {
            return .signedURL(
                SignedRequest(method: request.method.rawValue, path: request.target.path, query: query))
        }
        guard let header = request.fields[.authorization] else { return .none }
        let parts = header.split(separator: " ", maxSplits: 1)
        guard parts.count == 2, parts[0].lowercased() == "bearer" else { return .bearer("") }
        return .bearer(String(parts[1]))
    }

    /// What a client is to show. Spec: RFC 6750 section 3.
    static let challenge = "Bearer realm=\"nacre\""

    /// A status for every kind of refusal; the code says which.
    static func answer(_ error: AccessError) -> DoorResponse {
        var response = NodeAPI.problem(NodeFailure(of: error))
        if response.status == .unauthorized { response.fields[.wwwAuthenticate] = challenge }
        return response
    }
}
