public import Multiformats
import SyncProtocol
import TreeValues

/// Two contents of one file that both changed.
public struct MergePair: Hashable, Sendable {
    public var local: CID
    public var remote: CID

    public init(local: CID, remote: CID) {
        self.local = local
        self.remote = remote
    }

    /// `nil` if one of the two is no file whose content is known.
    init?(_ local: SyncNode, _ remote: SyncNode) {
        guard local.kind == .file, remote.kind == .file, let here = local.content, let there = remote.content
        else { return nil }
        self.init(local: here, remote: there)
    }
}
