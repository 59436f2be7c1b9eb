/// Work in the background.
public struct JobMessage<Result: Codable & Sendable>: Codable, Sendable {
    public var id: String
    public var kind: String
    /// `queued`, `running`, `done`, `failed` or `cancelled`.
    public var state: String
    /// Where to ask for it: a path.
    public var url: String
    public var progress: JobProgressMessage
    /// Once it is done.
    public var result: Result?
    /// If it failed.
    public var error: JobErrorMessage?
    public var created: String
    public var started: String?
    public var finished: String?

    public init(
        id: String, kind: String, state: String, url: String, progress: JobProgressMessage, created: String
    ) {
        self.id = id
        self.kind = kind
        self.state = state
        self.url = url
        self.progress = progress
        self.created = created
    }

    /// Whether nothing will change any more.
    public var isFinal: Bool { state != "queued" && state != "running" }
}

/// How far a job has come.
public struct JobProgressMessage: Codable, Hashable, Sendable {
    public var items: Int64
    public var totalItems: Int64?
    public var bytes: Int64
    public var totalBytes: Int64?
    /// From 0 to 100, where the whole is known.
    public var percent: Double?
    /// Seconds until the end, going on as until now.
    public var remainingSeconds: Double?

    public init(items: Int64, totalItems: Int64?, bytes: Int64, totalBytes: Int64?) {
        self.items = items
        self.totalItems = totalItems
        self.bytes = bytes
        self.totalBytes = totalBytes
    }
}

/// Why a job failed.
public struct JobErrorMessage: Codable, Hashable, Sendable {
    public var code: String
    public var detail: String

    public init(code: String, detail: String) {
        self.code = code
        self.detail = detail
    }
}

/// An error of the API. Spec: RFC 9457.
public struct ProblemMessage: Codable, Sendable {
    public var status: Int
    public var code: String
    public var detail: String

    public init(status: Int, code: String, detail: String) {
        self.status = status
        self.code = code
        self.detail = detail
    }
}
