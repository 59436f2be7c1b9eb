public import Access
import Catalog
public import NodeMessages

extension LocalNode {
    /// What the browser of a person who logged in is told.
    ///
    /// - Throws: `session-not-found` for who did not come by a session.
    public func session(_ secret: SessionSecret) throws -> SessionMessage {
        guard let authority, principal.source == .session,
            let user = try authority.accounts.user(of: principal)
        else {
            throw NodeFailure(
                .notFound, code: "session-not-found",
                detail: "you did not log in: `POST /api/v1/sessions` with name and password begins a session")
        }
        var message = UserMessage(user)
        message.projects = try authority.accounts.memberships(of: user.id, by: principal).map {
            MemberMessage($0, name: nil)
        }
        return SessionMessage(
            user: message, csrfToken: authority.sessions.csrfToken(for: secret),
            expires: TimeText.utc(milliseconds: try authority.sessions.expiry(of: secret)),
            idleSeconds: authority.sessions.idle / 1000)
    }

    /// Who asks, and what is allowed.
    public func whoAsks() throws -> PrincipalMessage {
        var message = PrincipalMessage(
            source: principal.source.rawValue, operations: principal.operations.operations.map(\.rawValue),
            scope: principal.scope?.description, project: principal.project?.rawValue)
        message.user = principal.user?.text
        message.grant = principal.grant?.text
        if let grant = try authority?.authorizer.grant(of: principal) {
            message.name = grant.name
            message.expires = grant.limits.expires.map { TimeText.utc(milliseconds: $0) }
        }
        return message
    }
}
