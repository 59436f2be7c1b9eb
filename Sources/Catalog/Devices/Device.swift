/// A machine that syncs folders, as it made itself known.
public struct Device: Hashable, Sendable {
    /// Whose keys it came with first.
    public let project: ProjectID
    /// As it calls itself in `X-Device-Id`: ASCII, 64 at most; unique within the project.
    public let id: String
    /// The user in whose name it came, if there was one.
    public let user: UserID?
    /// The grant that it came with, if it was one.
    public let grant: GrantID?
    /// For people.
    public var name: String
    /// Such as `linux`.
    public var platform: String
    /// Whether its file system takes names for one that differ by case.
    public var ignoresCase: Bool
    /// Whether its file system takes names apart (NFD).
    public var decomposesNames: Bool
    /// Words without spaces.
    public var features: [String]
    /// Unix milliseconds.
    public let created: Int64
    /// Unix milliseconds of the last call that was noted.
    public var lastSeen: Int64
    /// Unix milliseconds at which it was shut out; `nil` while it counts.
    public var revoked: Int64?

    /// The most bytes of an id, and of a name.
    public static let maximumIDBytes = 64
    public static let maximumNameBytes = 255
    /// The most devices of one project, revoked ones included.
    public static let maximumPerProject = 1000

    public init(
        project: ProjectID, id: String, user: UserID?, grant: GrantID?, name: String, created: Int64
    ) {
        self.project = project
        self.id = id
        self.user = user
        self.grant = grant
        self.name = name
        self.created = created
        platform = ""
        ignoresCase = false
        decomposesNames = false
        features = []
        lastSeen = created
    }

    /// Whether a text can be the id of a device.
    public static func isID(_ text: String) -> Bool {
        (1...maximumIDBytes).contains(text.utf8.count)
            && text.utf8.allSatisfy { (0x21...0x7E).contains($0) }
    }
}

/// How far a device has read a journal: everything up to there is on its side.
public struct DeviceAck: Hashable, Sendable {
    /// `Namespace.number`.
    public let namespace: Int64
    public let project: ProjectID
    public let device: String
    /// Of the journal that it has read.
    public var epoch: Int64
    public var jid: Int64
    /// Unix milliseconds.
    public var seen: Int64

    public init(
        namespace: Int64, project: ProjectID, device: String, epoch: Int64, jid: Int64, seen: Int64
    ) {
        self.namespace = namespace
        self.project = project
        self.device = device
        self.epoch = epoch
        self.jid = jid
        self.seen = seen
    }
}

/// How far the journals of namespaces go, and how far devices have read them.
public struct JournalPositions: Sendable {
    /// Epoch and head, by `Namespace.number`.
    public var heads: [Int64: (epoch: Int64, head: Int64)] = [:]
    public var acks: [DeviceAck] = []

    public init() {}

    /// How many entries a device has not read; all of them where it has read another journal, `nil` for a
    /// namespace that is not there.
    public func behind(_ ack: DeviceAck) -> Int64? {
        guard let (epoch, head) = heads[ack.namespace] else { return nil }
        return max(0, head - (ack.epoch == epoch ? ack.jid : 0))
    }
}
