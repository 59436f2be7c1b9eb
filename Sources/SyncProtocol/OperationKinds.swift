import TreeValues

extension SyncOperation {
    /// What an operation does, as the protocol calls it.
    public enum Kind: String, CaseIterable, Hashable, Sendable {
        case put
        case link
        case mkdir
        case move
        case delete
        case meta
        case restore
    }
}

extension SyncOperation.Change {
    /// What the change does.
    public var kind: SyncOperation.Kind {
        switch self {
        case .put(let node, _, _): node.kind == .symlink ? .link : .put
        case .makeDirectory: .mkdir
        case .move: .move
        case .delete: .delete
        case .setAttributes: .meta
        case .restore: .restore
        }
    }
}

extension CommitResult {
    /// What became of an operation, as the protocol calls it.
    public enum Outcome: String, CaseIterable, Hashable, Sendable {
        case ok
        case need
        case conflict
        case error
    }

    /// What became of it.
    public var outcome: Outcome {
        switch self {
        case .done: .ok
        case .need: .need
        case .conflict: .conflict
        case .refused, .confirmationNeeded: .error
        }
    }
}
