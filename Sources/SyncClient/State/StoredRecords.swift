public import TreeValues

/// An operation that was or is about to be sent, and has no answer yet.
public struct StoredOperation: Hashable, Sendable {
    public var id: OperationID
    /// The node that it changes.
    public var node: NodeID
    /// As it is sent.
    public var body: [UInt8]
    public var attempts: Int
    /// Unix milliseconds.
    public var nextTry: Int64
    /// Why the last attempt failed.
    public var error: String?

    public init(
        id: OperationID, node: NodeID, body: [UInt8], attempts: Int = 0, nextTry: Int64 = 0,
        error: String? = nil
    ) {
        self.id = id
        self.node = node
        self.body = body
        self.attempts = attempts
        self.nextTry = nextTry
        self.error = error
    }
}

/// A path that is not settled, and why.
public struct StoredItem: Hashable, Sendable {
    public var path: String
    /// For programs.
    public var code: String
    /// For people.
    public var message: String
    /// Unix milliseconds.
    public var since: Int64
    public var attempts: Int
    /// Unix milliseconds.
    public var nextTry: Int64

    public init(path: String, code: String, message: String, since: Int64, attempts: Int, nextTry: Int64) {
        self.path = path
        self.code = code
        self.message = message
        self.since = since
        self.attempts = attempts
        self.nextTry = nextTry
    }
}

/// Something that happened.
public struct StoredEvent: Hashable, Sendable {
    /// How much it matters.
    public enum Level: Int, CaseIterable, Hashable, Sendable { case note, warning, failure }

    /// Grows with each event, and is never given again.
    public var number: Int64
    /// Unix milliseconds.
    public var time: Int64
    public var level: Level
    public var path: String?
    /// For programs.
    public var code: String
    /// For people.
    public var message: String
}
