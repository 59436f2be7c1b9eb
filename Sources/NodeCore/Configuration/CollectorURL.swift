/// Where traces go: `http://HOST:PORT` of an OTLP collector, with a path in front of `/v1/traces` if there
/// is one.
public struct CollectorURL: Hashable, Sendable, CustomStringConvertible {
    public let host: String
    public let port: Int
    /// Of the request, `/v1/traces` included.
    public let path: String

    /// - Returns: `nil` for what is no such URL.
    public init?(_ text: String) {
        guard text.hasPrefix("http://"), text.utf8.allSatisfy({ (0x21...0x7E).contains($0) }),
            !text.contains("@"), !text.contains("?"), !text.contains("#")
        else { return nil }
        let rest = text.dropFirst(7)
        let authority = rest.prefix { $0 != "/" }
        var path = String(rest.dropFirst(authority.count))
        while path.hasSuffix("/") { path.removeLast() }
        let isBracketed = authority.hasPrefix("[")
        let name = isBracketed ? authority.prefix { $0 != "]" } + "]" : authority.prefix { $0 != ":" }
        let tail = authority.dropFirst(name.count)
        guard !name.isEmpty, !isBracketed || authority.contains("]"), tail.isEmpty || tail.hasPrefix(":"),
            let port = tail.isEmpty ? 4318 : Int(tail.dropFirst()), (1...65535).contains(port)
        else { return nil }
        host = isBracketed ? String(name.dropFirst().dropLast()) : String(name)
        self.port = port
        self.path = path.hasSuffix("/v1/traces") ? path : path + "/v1/traces"
    }

    public var description: String { "http://\(host.contains(":") ? "[\(host)]" : host):\(port)\(path)" }
}
