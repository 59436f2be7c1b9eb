import Access
import HTTPSupport
import HTTPTypes
import NodeMessages
import NodeService

extension NodeAPI {
    static let sessionRoutes: [APIRoute] = [
        APIRoute(
            .post, "/sessions", id: "logIn",
            "Log in by name and password: a cookie, and the token that goes with it. 429 after wrong ones",
            requiring: .nothing, body: .json("LogInRequest"), isPatient: true, status: .created,
            answer: .json("Session")
        ) { request in
            let draft = try request.json(LogInRequest.self)
            let authority = try request.authority()
            let secret = try authority.accounts.logIn(
                name: draft.name, password: draft.password, request.facts)
            let principal = try authority.authorizer.principal(for: .session(secret), request.facts)
            let node = try LocalNode(request.node.node, authority: authority, as: principal)
            return try request.session(secret, try node.session(secret), .created)
        },
        APIRoute(
            .get, "/sessions/current", id: "getSession", "Who is logged in, and the token for changes",
            requiring: .credentials, answer: .json("Session")
        ) { request in
            let secret = try request.sessionSecret()
            return try .json(try request.node.session(secret))
        },
        APIRoute(
            .delete, "/sessions/current", id: "logOut", "End the session", requiring: .credentials,
            status: .noContent
        ) { request in
            try request.authority().sessions.end(try request.sessionSecret())
            return request.withoutSession()
        },
        APIRoute(
            .put, "/sessions/current/password", id: "changePassword",
            "Change one's own password; every session of one's own ends", requiring: .credentials,
            body: .json("PasswordChange"), isPatient: true, status: .noContent
        ) { request in
            _ = try request.sessionSecret()
            let change = try request.json(PasswordChange.self)
            try request.authority().accounts.changePassword(
                from: change.current, to: change.new, by: request.node.principal, request.facts)
            return request.withoutSession()
        },
        APIRoute(
            .get, "/principal", id: "getPrincipal", "Who asks, as the node sees it, and what is allowed",
            requiring: .credentials, answer: .json("Principal")
        ) { try .json(try $0.node.whoAsks()) },
    ]
}

extension APIRequest {
    fileprivate var facts: RequestFacts {
        RequestFacts(source: IPAddress(request.remoteAddress), referrer: request.fields[.referer])
    }

    fileprivate func authority() throws -> Authority {
        guard let authority = node.authority else {
            throw NodeFailure(.unsupported, code: "no-authority", detail: "nobody can log in here")
        }
        return authority
    }

    /// The session by which the request came.
    fileprivate func sessionSecret() throws -> SessionSecret {
        guard node.principal.source == .session,
            case .secret(let secret) = SessionCookie.presence(in: request.fields)
        else {
            throw NodeFailure(
                .notFound, code: "session-not-found",
                detail: "you did not log in: `POST /api/v1/sessions` with name and password begins a session")
        }
        return secret
    }

    fileprivate func session(
        _ secret: SessionSecret, _ message: SessionMessage, _ status: HTTPResponse.Status
    ) throws -> DoorResponse {
        var response = try DoorResponse.json(message, status)
        let ends = TimeText.milliseconds(utc: message.expires) ?? 0
        response.fields[.setCookie] = SessionCookie.field(
            secret, seconds: (ends - TimeText.now()) / 1000, scheme: request.scheme)
        return response
    }

    fileprivate func withoutSession() -> DoorResponse {
        var response = DoorResponse(.noContent, fields: [.cacheControl: "no-store"])
        response.fields[.setCookie] = SessionCookie.field(nil, seconds: 0, scheme: request.scheme)
        return response
    }
}
