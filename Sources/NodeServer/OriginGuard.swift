import HTTPSupport
import HTTPTypes

/// Keeps web pages of others away from routes that need authority, or that act.
///
/// A browser sends what it holds for a host to that host, whoever asks it to, and a page can give its own
/// name the address of this node (DNS rebinding, bad input 31). So these routes are answered only under
/// names that are known to be this node's, and only to pages that came from it or that were named.
struct OriginGuard: Sendable {
    /// Names without port, in lower case.
    private let hosts: Set<String>
    /// `scheme://host[:port]`.
    private let origins: Set<String>

    init(_ options: ServerOptions, gatewayHosts: [String]) {
        hosts = Set(options.hosts + gatewayHosts + ["localhost", options.address.host.lowercased()])
        origins = Set(options.origins)
    }

    /// - Returns: why a request is not answered, or `nil`.
    func refusal(of request: DoorRequest) -> DoorResponse? {
        guard isOwn(host: request.host) else {
            return ProblemDocument(
                .misdirectedRequest, code: "host-not-allowed",
                detail:
                    "this node is not known as \(Self.shown(request.host)); if it is meant to be, add the "
                    + "name to server.hosts"
            ).response
        }
        guard let origin = request.fields[.origin], !isOwn(origin, request), !origins.contains(origin) else {
            return nil
        }
        return ProblemDocument(
            .forbidden, code: "origin-not-allowed",
            detail: "pages of \(Self.shown(origin)) may not use this node; if they are meant to, add that "
                + "origin to server.origins"
        ).response
    }

    /// The answer to a browser that asks what a page of another origin may do; `nil` if nobody asks.
    func preflight(_ request: DoorRequest, methods: [HTTPRequest.Method]) -> DoorResponse? {
        guard request.method == .options, request.fields[.accessControlRequestMethod] != nil,
            let origin = request.fields[.origin], origins.contains(origin)
        else { return nil }
        var response = DoorResponse(.noContent)
        response.fields[.accessControlAllowMethods] = methods.map(\.rawValue).joined(separator: ", ")
        response.fields[.accessControlAllowHeaders] =
            "Authorization, Content-Type, Range, If-Match, If-None-Match"
        response.fields[.accessControlMaxAge] = "600"
        return response
    }

    /// Lets pages of an origin that was named read an answer. Cookies are never meant by that.
    func share(_ response: inout DoorResponse, with request: DoorRequest) {
        guard !origins.isEmpty else { return }
        response.fields.append(HTTPField(name: .vary, value: "Origin"))
        guard let origin = request.fields[.origin], origins.contains(origin) else { return }
        response.fields[.accessControlAllowOrigin] = origin
        response.fields[.accessControlExposeHeaders] =
            "Content-Length, Content-Range, ETag, Location, Retry-After, X-Request-Id"
    }

    /// Addresses cannot be given to somebody else's name; without a host no browser asks.
    private func isOwn(host: String) -> Bool {
        host.isEmpty || host.hasPrefix("[") || hosts.contains(host)
            || host.utf8.allSatisfy { $0 == UInt8(ascii: ".") || (0x30...0x39).contains($0) }
    }

    private func isOwn(_ origin: String, _ request: DoorRequest) -> Bool {
        origin == "\(request.scheme)://\(request.authority)"
    }

    /// What a stranger sent is shown only in part.
    private static func shown(_ text: String) -> String { String(text.prefix(100)) }
}
