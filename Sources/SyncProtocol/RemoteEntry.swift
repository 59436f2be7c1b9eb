/// A node as the journal has it after an entry.
public struct RemoteEntry: Hashable, Sendable {
    public var node: SyncNode
    public var isDeleted: Bool
    /// Whether a directory came back: what is below it is live again, and is asked for by
    /// ``SyncServer/snapshot(of:page:)``.
    public var isRestored: Bool
    /// The content itself, of small files.
    public var inline: [UInt8]?
    /// The device that made the change.
    public var device: String

    public init(
        node: SyncNode, isDeleted: Bool = false, isRestored: Bool = false, inline: [UInt8]? = nil,
        device: String = ""
    ) {
        self.node = node
        self.isDeleted = isDeleted
        self.isRestored = isRestored
        self.inline = inline
        self.device = device
    }
}
