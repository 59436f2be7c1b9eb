public import HTTPTypes

extension HTTPField.Name {
    /// Makes a name that is known to be one: letters and dashes only, and written in this file.
    private static func known(_ text: String) -> HTTPField.Name {
        guard let name = HTTPField.Name(text) else { preconditionFailure("\(text) is no field name") }
        return name
    }

    public static let ipfsPath = known("X-Ipfs-Path")
    public static let ipfsRoots = known("X-Ipfs-Roots")
    public static let prefer = known("Prefer")
    public static let requestID = known("X-Request-Id")
    public static let contentTypeOptions = known("X-Content-Type-Options")
    /// What is left of it behind the host of a request: further ones.
    public static let host = known("Host")
    public static let traceParent = known("traceparent")
    public static let forwardedFor = known("X-Forwarded-For")
    public static let forwardedProto = known("X-Forwarded-Proto")
    public static let forwardedHost = known("X-Forwarded-Host")
    public static let serviceWorker = known("Service-Worker")
    public static let streamError = known("X-Stream-Error")
    public static let frameOptions = known("X-Frame-Options")
    public static let referrerPolicy = known("Referrer-Policy")
}
