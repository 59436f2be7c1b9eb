public import Multiformats
public import TreeValues

/// Why a namespace did not do what it was asked. What is decided operation by operation is a
/// ``ChangeOutcome`` instead.
public enum NamespaceError: Error, Hashable, Sendable {
    case unknownNamespace(String)
    /// No deleted namespace has this name or id.
    case unknownDeletedNamespace(String)
    case policyInvalid(String)
    /// Two paths of which there may be only one under the policy that was wanted.
    case namesClash(String, String)
    /// Something is called as nothing may be under the policy that was wanted.
    case nameNotAllowed(String, NameProblem)
    /// The journal is not the one that the caller knows.
    case epochChanged(expected: Int64, actual: Int64)
    case tooManyOperations(Int, maximum: Int)
    /// One operation of several that were to be done all or none did not go through.
    case notAtomic(index: Int, ChangeOutcome)
    case unknownNode(NodeID)
    case pathAbsent(String)
    /// There is no such state: the JID is beyond the head.
    case versionAbsent(JID, head: JID)
    /// The version is a time that has not come, by the clock of the node: text, and RFC 3339.
    case versionInFuture(String, now: String)
    /// A text is no version: no number, no time, no root of a snapshot.
    case versionUnknown(String)
    /// The version is not kept any more. `next` is the first after it that is.
    case versionRemoved(JID, next: JID)
    /// Nothing is in the version, and to go back to it removes that many nodes: whoever means that says so.
    case versionEmpty(JID, nodes: Int64)
    /// Nothing was at the path in the version, and to go back to it removes what is there: whoever means that
    /// says so.
    case pathNotThen(String, JID)
    /// Nothing of that id or path was deleted, or not lately.
    case notInTrash(String)
    /// So many versions are held already.
    case tooManyHeld(maximum: Int)
    case noteTooLong(bytes: Int, maximum: Int)
    /// The snapshot that a reader wants is not there, and not to be made now.
    case snapshotBusy(seconds: Int)
    /// What was there is not kept any more.
    case historyRemoved(NodeID, JID)
    /// What is to come back is more than the namespace may hold.
    case quotaExceeded(NamespaceQuota, limit: Int64, wanted: Int64)
    /// What was to come back has no place: something else is called so, or, out of the trash, its directory
    /// is deleted.
    case placeTaken(String)
    case directoryDeleted(String)
    /// The store does not hold the root of a file's content.
    case contentAbsent(NodeID, CID)
}

extension NamespaceError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .unknownNamespace(let name):
            "there is no namespace “\(name)”; `nacre ns ls` lists those there are"
        case .unknownDeletedNamespace(let name):
            "no namespace “\(name)” was deleted lately; `nacre ns ls --deleted` lists those that were"
        case .policyInvalid(let reason):
            "this is no policy of a namespace: \(reason)"
        case .namesClash(let path, let other):
            "nothing was changed: “\(path)” and “\(other)” would have the same name under this policy; "
                + "rename or remove one of them, and empty the trash if it is in a deleted folder, then set "
                + "the policy again"
        case .nameNotAllowed(let path, let problem):
            "nothing was changed: “\(path)” may not be called so under this policy: \(problem); rename or "
                + "remove it, and empty the trash if it is in a deleted folder, then set the policy again"
        case .epochChanged:
            "the journal of the namespace is another one than you know; read its snapshot and compare"
        case .tooManyOperations(let count, let maximum):
            "\(count) operations were sent at once, \(maximum) are allowed; send them in parts"
        case .notAtomic(let index, let outcome):
            "nothing was changed, since operation \(index) did not go through: \(outcome)"
        case .unknownNode(let id):
            "there is no node \(id) in the namespace"
        case .pathAbsent(let path):
            "there is nothing at “\(path)”; `nacre ls NAMESPACE:/` lists what there is, `nacre ns trash NAMESPACE` "
                + "what was deleted"
        case .versionAbsent(let jid, let head):
            "there is no version \(jid); the newest is \(head)"
        case .versionInFuture(let text, let now):
            "\(text) has not come yet: it is \(now) by the clock of the node; give a time before that, or a "
                + "number that `nacre ns versions` lists"
        case .versionRemoved(let jid, let next):
            "version \(jid) is not kept any more; the next one that is kept is \(next)"
        case .versionEmpty(let jid, let nodes):
            "nothing is in version \(jid): \(nodes) files and directories would be removed at once; confirm if that "
                + "is meant"
        case .pathNotThen(let path, let jid):
            "“\(path)” is not in version \(jid): it would be removed; confirm if that is meant"
        case .notInTrash(let text):
            "“\(text)” is not in the trash; `nacre ns trash` lists what is"
        case .tooManyHeld(let maximum):
            "\(maximum) versions are held, which is the most; let go of some: `nacre ns unkeep`"
        case .noteTooLong(let bytes, let maximum):
            "the note has \(bytes) bytes, \(maximum) are allowed"
        case .versionUnknown(let text):
            "“\(text)” is no version: give a number, a time such as 2026-01-31T12:00:00Z, or the root of "
                + "a snapshot"
        case .contentAbsent(let id, let cid):
            "block \(cid), the content of node \(id), is not in the store; run `nacre verify`"
        case .quotaExceeded(let quota, let limit, let wanted):
            "\(quota.text(limit: limit, wanted: wanted)); restore a part of it, or raise its quota"
        case .placeTaken(let path):
            "something else is where a part of “\(path)” was; move that away, or restore the folder they are in"
        case .directoryDeleted(let path):
            "the folder of “\(path)” is deleted; restore that folder, or take the file out of the trash"
        case .snapshotBusy(let seconds):
            "the directory of this version is not there yet; try again in \(seconds) s"
        case .historyRemoved(let id, let jid):
            "the content that node \(id) had as of version \(jid) is not kept any more"
        }
    }
}
