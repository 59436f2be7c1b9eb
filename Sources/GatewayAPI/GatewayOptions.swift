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

    /// Hosts under which every root has a web origin of its own, `CID.ipfs.HOST`, and which send
    /// `/ipfs/CID` there; in lower case, without port. Below `localhost` the origins are there in any case.
    public var subdomainHosts: [String] = []
    /// Where others reach the gateway, as multiaddrs.
    public var announcedAddresses: [String] = []
    /// Whether a host that has a DNSLink is served as the site it points to.
    public var servesSites = true

    public init() {}

    /// What everybody may read.
    public enum Serve: String, Sendable, CaseIterable {
        /// What was published.
        case published = "public"
        /// Everything: for a node that holds nothing private.
        case all
    }
}
