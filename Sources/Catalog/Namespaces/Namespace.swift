public import TreeValues

/// The id of a namespace.
public typealias NamespaceID = RecordID<Namespace>

/// A journaled tree of files that a project owns: a synced folder, a bucket, a site.
public struct Namespace: Hashable, Sendable, Identifiable {
    public let id: NamespaceID
    /// How the tables of trees name it: 1 and up, never used again.
    package let number: Int64
    public let project: ProjectID
    /// Unique in the catalog among those that are not deleted.
    public var name: String
    public var visibility: NamespaceVisibility
    /// JSON; the module `Namespaces` gives it a meaning.
    public var policy: String
    /// Its directory, which has no row of its own.
    public let root: NodeID
    /// Changes when the journal is not the one that clients know.
    public var epoch: Int64
    /// The newest JID; 0 for an empty journal.
    public var head: JID
    /// Live nodes without the root.
    public var nodes: Int64
    /// The sum of their sizes.
    public var bytes: Int64
    /// Unix milliseconds.
    public let created: Int64
    public var updated: Int64
    public var deleted: Int64?

    /// The most bytes of a name.
    public static let maximumNameBytes = 255
    /// How long a deleted namespace can be had back: 30 days.
    public static let trashMilliseconds: Int64 = 30 * 24 * 3600 * 1000
    /// The most bytes of a policy.
    public static let maximumPolicyBytes = 64 * 1024
}

/// Who may read a namespace without being asked who they are.
public enum NamespaceVisibility: String, CaseIterable, Hashable, Sendable {
    case `private`
    case `public`
}
