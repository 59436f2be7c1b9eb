import Catalog
import Namespaces
import SyncProtocol
import TreeValues

/// What the journal says, in the words of the protocol.
extension CommitResult {
    init(_ outcome: ChangeOutcome) {
        switch outcome {
        case .done(let node, _): self = .done(SyncNode(node))
        case .conflict(let conflict, let current):
            self = .conflict(reason: conflict.rawValue, current: current.map(SyncNode.init))
        case .refused(.massDelete(let nodes, let token)):
            self = .confirmationNeeded(removals: nodes, token: token)
        case .refused(let refusal): self = .refused(code: SyncCode(refusal), message: refusal.description)
        }
    }

    /// What a single operation is refused with, where others may go through.
    init(_ failure: SyncFailure) { self = .refused(code: failure.code, message: failure.description) }

    /// Of an operation that might have gone through, but for another one of the same commit.
    static let nothingDone = refused(code: .notAtomic, message: "nothing was done")
}

extension SyncCode {
    /// Why the journal refused an operation.
    init(_ refusal: ChangeRefusal) {
        switch refusal {
        case .badName, .badTarget: self = .badPath
        case .unknownNode: self = .unknownNode
        case .placeMissing, .targetTooLong, .idOfRoot: self = .badRequest
        case .operationReused: self = .operationReused
        case .sizeNotAllowed: self = .tooLarge
        case .quotaExceeded: self = .quotaExceeded
        case .contentRemoved: self = .historyRemoved
        case .massDelete: self = .massDeleteBlocked
        }
    }
}

extension SyncNode {
    /// A node as the catalog has it.
    init(_ node: TreeNode) {
        self.init(
            id: node.id, parent: node.parent, name: node.name, kind: node.kind, content: node.content,
            target: node.target, size: node.size, modified: node.modified, mode: node.mode,
            revision: node.revision, contentRevision: node.contentRevision)
    }
}
