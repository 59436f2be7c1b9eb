/// What a node takes at once; `/sync/v1/hello` tells them. A client keeps to the limits that it was told.
public enum SyncLimits {
    /// Operations of one commit.
    public static let maximumOperations = 1000
    /// Bytes of one message that is no stream of blocks.
    public static let maximumMessageBytes = 8 * 1024 * 1024
    /// Bytes of content that travel within a message.
    public static let maximumInlineBytes = 4096
    /// Bytes of leaves that come along with an edit.
    public static let maximumEditBytes = 16 * 1024
    /// Bytes of a leaf: of any block.
    public static let maximumLeafBytes = 2 * 1024 * 1024
    /// Leaves of one file: 16 TiB in leaves of 256 KiB.
    public static let maximumLeaves = 1 << 26
    /// Splices of one edit.
    public static let maximumSplices = 100_000
    /// CIDs of one question for blocks.
    public static let maximumBlocks = 4096
    /// Bytes of blocks in one answer.
    public static let maximumBlockBytes = 32 * 1024 * 1024
    /// Bytes of blocks, with what a CAR has around them, that are sent at once.
    public static let maximumStoreBytes = 2 * maximumBlockBytes
    /// Blocks that are sent at once.
    public static let maximumStoreBlocks = 4096
    /// Entries of one page of a list or a snapshot.
    public static let maximumEntries = 5000
    /// Files of one namespace that are shown while they are sent.
    public static let maximumInflight = 64
    /// Leaves of such files, of one namespace: 64 GiB in leaves of 512 KiB, 128 MiB of text.
    public static let maximumInflightLeaves = 1 << 17
    /// Bytes that a file must lack to be shown: what is sent in a moment is not read ahead.
    public static let minimumInflightBytes = 4 * 1024 * 1024
    /// Seconds for which such a file is shown after the last of it came.
    public static let maximumInflightSeconds = 600
    /// Namespaces that are asked about at once.
    public static let maximumCursors = 256
    /// Seconds that an answer to `wait` takes at most.
    public static let maximumWaitSeconds = 120
}
