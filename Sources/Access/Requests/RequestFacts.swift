/// What is known of a request beyond what it asks for.
public struct RequestFacts: Hashable, Sendable {
    /// Where it came from: the peer, or what a trusted proxy says.
    public var source: IPAddress?
    /// The `Referer` header as it came.
    public var referrer: String?
    /// Whether the page it came from is one that the same link showed: what led there was looked at then.
    public var isFromOwnPage = false
    /// The type of the body.
    public var contentType: String?
    /// Whether the body is a form, of which each part has a type: see ``Admission/check(contentType:)``.
    public var isForm = false
    /// How long the body says it is; `nil` if it does not say.
    public var bytes: Int64?
    /// More bytes than these cannot come, where the body does not say how many it is; `nil` for any number.
    public var mostBytes: Int64?
    /// Unix milliseconds; `nil` for the clock of the authority.
    public var time: Int64?

    public init(
        source: IPAddress? = nil, referrer: String? = nil, contentType: String? = nil, bytes: Int64? = nil,
        time: Int64? = nil
    ) {
        self.source = source
        self.referrer = referrer
        self.contentType = contentType
        self.bytes = bytes
        self.time = time
    }
}
