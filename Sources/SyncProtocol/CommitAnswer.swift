public import Multiformats
public import TreeValues

/// What `commit` answers.
public struct CommitAnswer: Hashable, Sendable {
    public var head: JID
    public var results: [CommitResult]
    /// The cursor behind what was done, if nobody else changed anything since the cursor of the request.
    public var cursor: SyncCursor?

    public init(head: JID, results: [CommitResult], cursor: SyncCursor? = nil) {
        self.head = head
        self.results = results
        self.cursor = cursor
    }
}

/// What became of one operation.
public enum CommitResult: Hashable, Sendable {
    /// Done, now or the first time; the node as the server has it.
    case done(SyncNode)
    /// These blocks are to be stored first; then the operation is sent again.
    case need([CID])
    /// It was based on something else than what is there.
    case conflict(reason: String, current: SyncNode?)
    /// Not done at all.
    case refused(code: SyncCode, message: String)
    /// Held back: so many files and directories would go that a person has to agree. The operation goes
    /// through with the token, from the same device, within an hour.
    case confirmationNeeded(removals: Int64, token: String)
}
