/// How the gateway serves.
public struct GatewayOptions: Sendable {
    /// Whose content is served to everybody.
    public var serve = Serve.published
    /// Entries of a directory on one page.
    public var pageEntries = 1000
    /// The most blocks of a CAR whose blocks may repeat.
    public var maximumRepeatedBlocks = 1_000_000
    /// The most files and directories of a TAR archive.
    public var maximumArchiveEntries = 10_000_000

    public init() {}

    /// What everybody may read.
    public enum Serve: String, Sendable, CaseIterable {
        /// What was published.
        case published = "public"
        /// Everything: for a node that holds nothing private.
        case all
    }
}
