public import TreeValues

/// Up to where the journal of a namespace was read. A cursor comes from an answer to `list`, never from an
/// own commit: another device may have committed in between.
public struct SyncCursor: Hashable, Sendable {
    public var epoch: Int64
    public var jid: JID
    /// The server's own text, sent back as it came.
    public var text: String

    public init(epoch: Int64, jid: JID, text: String) {
        self.epoch = epoch
        self.jid = jid
        self.text = text
    }
}

/// What `list` answers.
public struct ListAnswer: Hashable, Sendable {
    public var entries: [RemoteEntry]
    public var cursor: SyncCursor
    /// Whether there is more at once.
    public var hasMore: Bool
    /// Whether the namespace has texts merged that both sides changed.
    public var mergesText: Bool
    /// Whether the device that asks never made itself known.
    public var isDeviceUnknown: Bool
    /// Files that other devices are sending, where they were asked for.
    public var inflight: [InflightFile]

    public init(
        entries: [RemoteEntry], cursor: SyncCursor, hasMore: Bool, mergesText: Bool = false,
        isDeviceUnknown: Bool = false, inflight: [InflightFile] = []
    ) {
        self.inflight = inflight
        self.entries = entries
        self.cursor = cursor
        self.hasMore = hasMore
        self.mergesText = mergesText
        self.isDeviceUnknown = isDeviceUnknown
    }
}

/// A page of a snapshot. The cursor is of the moment at which the first page was made.
public struct SnapshotPage: Hashable, Sendable {
    public var entries: [RemoteEntry]
    public var cursor: SyncCursor
    /// Give it to get what follows; `nil` at the end.
    public var next: String?

    public init(entries: [RemoteEntry], cursor: SyncCursor, next: String?) {
        self.entries = entries
        self.cursor = cursor
        self.next = next
    }
}
