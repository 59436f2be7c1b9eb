import SyncProtocol
import TreeValues

/// What the planner has to know besides the trees.
public struct SyncPolicy: Sendable {
    /// Which way changes go.
    public enum Mode: String, CaseIterable, Hashable, Sendable {
        case twoWay = "two-way"
        /// Changes of the server come here; those made here stay, and are listed.
        case pullOnly = "pull-only"
        /// Changes made here go to the server; those of others are listed.
        case pushOnly = "push-only"
    }

    public var mode: Mode
    /// Whether the folder's file system takes `a` and `A` for one name.
    public var ignoresCaseLocally: Bool
    /// Whether the namespace does.
    public var ignoresCaseRemotely: Bool
    /// What stands in the names of conflict copies, such as `2026-11-21 1925 laptop`.
    public var conflictTag: String
    /// Whether a path is ignored, or not among those that are selected; with whether it is a directory.
    ///
    /// Asked for directories as well: what is below one that is excluded is so too, without being asked
    /// for.
    public var isExcluded: (@Sendable (_ path: String, _ isDirectory: Bool) -> Bool)?
    /// Whether texts that were changed on both sides are merged where their changes do not touch.
    public var mergesText = false
    /// Whether the node takes changes from here. Where it does not, the folder receives all the same.
    public var mayWrite = true
    /// Contents that cannot be merged: found out by trying.
    public var unmergeable: Set<MergePair> = []

    public init(
        mode: Mode = .twoWay, ignoresCaseLocally: Bool = false, ignoresCaseRemotely: Bool = true,
        conflictTag: String, isExcluded: (@Sendable (_ path: String, _ isDirectory: Bool) -> Bool)? = nil
    ) {
        self.mode = mode
        self.ignoresCaseLocally = ignoresCaseLocally
        self.ignoresCaseRemotely = ignoresCaseRemotely
        self.conflictTag = conflictTag
        self.isExcluded = isExcluded
    }

    /// Whether a merge is to be tried.
    func mayMerge(_ local: SyncNode, _ remote: SyncNode, _ synced: SyncNode) -> Bool {
        guard mergesText, canPush, canPull, synced.kind == .file, synced.content != nil,
            let pair = MergePair(local, remote), !unmergeable.contains(pair)
        else { return false }
        return max(local.size, remote.size, synced.size) <= Int64(LineMerge.maximumBytes)
    }

    var canPush: Bool { mode != .pullOnly && mayWrite }
    var canPull: Bool { mode != .pushOnly }
}
