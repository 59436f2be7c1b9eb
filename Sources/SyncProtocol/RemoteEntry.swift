/// A node as the journal has it after an entry.
public struct RemoteEntry: Hashable, Sendable {
    public var node: SyncNode
    public var isDeleted: Bool
    /// Whether a directory came back: what is below it is live again, and is asked for by
    /// ``SyncServer/snapshot(of:page:)``.
    public var isRestored: Bool
    /// The content itself, of small files.
    public var inline: [UInt8]?
    /// The device that made the change, by its id.
    public var device: String
    /// What people call it, if they gave it a name.
    public var deviceName: String?

    public init(
        node: SyncNode, isDeleted: Bool = false, isRestored: Bool = false, inline: [UInt8]? = nil,
        device: String = "", deviceName: String? = nil
    ) {
        self.node = node
        self.isDeleted = isDeleted
        self.isRestored = isRestored
        self.inline = inline
        self.device = device
        self.deviceName = deviceName
    }
}
