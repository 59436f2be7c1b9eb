/// A node as the journal has it after an entry.
public struct RemoteEntry: Hashable, Sendable {
    public var node: SyncNode
    public var isDeleted: Bool
    /// Whether a directory came back: what is below it is live again, and is asked for by
    /// ``SyncServer/snapshot(of:page:)``.
    public var isRestored: Bool
    /// The content itself, of small files.
    public var inline: [UInt8]?
    /// How the leaves of a larger file became what they are, and those that are new.
    public var edit: FileEdit?
    /// The device that made the change, by its id.
    public var device: String
    /// What people call it, if they gave it a name.
    public var deviceName: String?

    public init(
        node: SyncNode, isDeleted: Bool = false, isRestored: Bool = false, inline: [UInt8]? = nil,
        edit: FileEdit? = nil, device: String = "", deviceName: String? = nil
    ) {
        self.node = node
        self.isDeleted = isDeleted
        self.isRestored = isRestored
        self.inline = inline
        self.edit = edit
        self.device = device
        self.deviceName = deviceName
    }
}

/// A change of a file that comes as a whole: which leaves are others, and their bytes.
public struct FileEdit: Hashable, Sendable {
    public var edit: LeafEdit
    /// The bytes of the leaves that it brings in, in their order; 16 KiB in all at most.
    public var blocks: [[UInt8]]

    public init(_ edit: LeafEdit, blocks: [[UInt8]]) {
        self.edit = edit
        self.blocks = blocks
    }
}
