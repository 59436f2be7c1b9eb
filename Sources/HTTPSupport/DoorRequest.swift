public import HTTPTypes

/// A request as a door sees it: parsed once, with what the connection knows of the other side.
public struct DoorRequest: Sendable {
    public let method: HTTPRequest.Method
    public let target: RequestTarget
    public let fields: HTTPFields
    /// Host and port that the client means, in lower case; from a trusted proxy's `X-Forwarded-Host` if
    /// there is one.
    public let authority: String
    /// `http` or `https`, as the client sees it.
    public let scheme: String
    /// The client's address without a port; from a trusted proxy's `X-Forwarded-For` if there is one.
    public let remoteAddress: String
    /// Names the request in the log and in `X-Request-Id`.
    public let id: String

    public init(
        method: HTTPRequest.Method, target: RequestTarget, fields: HTTPFields = [:],
        authority: String = "localhost",
        scheme: String = "http", remoteAddress: String = "127.0.0.1", id: String = ""
    ) {
        self.method = method
        self.target = target
        self.fields = fields
        self.authority = authority
        self.scheme = scheme
        self.remoteAddress = remoteAddress
        self.id = id
    }

    /// The host without its port.
    public var host: String {
        if authority.hasPrefix("["), let end = authority.firstIndex(of: "]") {
            return String(authority[...end])
        }
        return authority.lastIndex(of: ":").map { String(authority[..<$0]) } ?? authority
    }
}
