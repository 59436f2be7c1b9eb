import Access
import BlockStorage
import Catalog
import Namespaces
import NodeCore
public import SyncProtocol
import TreeValues

extension SyncService {
    /// Does operations in order.
    ///
    /// Content first: small files come along, of others the leaves must be here (else `need`), and the
    /// blocks above them are built here. All blocks are durable before the transaction that names their
    /// roots, and are held off the collector until it is done.
    ///
    /// - Throws: `SyncFailure`, `NamespaceError.epochChanged` and others that are of the whole commit.
    public func commit(_ request: CommitRequest, to text: String) throws -> CommitAnswer {
        let namespace = try namespace(text, for: .write)
        let lease = try node.beginLease()
        defer { lease.end() }
        let blocks = try blocks(of: namespace)
        try bring(request.operations.reduce(0) { $0 + $1.change.contentBytes }, to: namespace)
        var preparation = CommitPreparation(blocks: blocks)
        let quota = try NamespacePolicy(json: namespace.policy).maximumBytes
        let draft = try prepare(request, in: namespace, with: &preparation, quota)
        try offer(preparation.lacking, in: namespace)
        if request.isAtomic, !draft.isWhole {
            // Nothing of it is done; what is in the way is told.
            let answer = CommitAnswer(
                head: namespace.head, results: draft.results(ofJournal: [], otherwise: .nothingDone))
            hub.tally.note(request, answer, entries: 0)
            return answer
        }
        try preparation.finish()
        hub.tally.note(preparation.brought)
        let done = try write(draft.operations, of: request, to: namespace)
        if quota != nil { hub.name(done.outcomes.reduce(0) { $0 + $1.newBytes }, in: namespace.id) }
        try noteConflicts(draft.operations, done.outcomes, in: namespace)
        for operation in draft.operations { withdrawOffer(of: operation.change.contentNode, in: namespace) }
        var answer = CommitAnswer(
            head: done.head,
            results: draft.results(
                ofJournal: results(of: draft.operations, done.outcomes, in: namespace),
                otherwise: .refused(code: .badRequest, message: "not understood")))
        answer.cursor = try request.cursor.flatMap { try advance($0, over: done, in: namespace) }
        hub.tally.note(request, answer, entries: done.head - done.previousHead)
        return answer
    }

    /// Brings in the content of operations, as far as nothing is against them.
    private func prepare(
        _ request: CommitRequest, in namespace: Namespace, with preparation: inout CommitPreparation,
        _ quota: Int64?
    ) throws -> CommitDraft {
        let locks = try foreignLocks(in: namespace)
        let mayChange = principal.mayPerform(.delete, on: namespace.resource)
        var draft = CommitDraft()
        for operation in request.operations {
            if let node = operation.change.changedNode, let lock = locks[node] {
                draft.answer(CommitResult(try locked(lock, namespace)))
                continue
            }
            guard mayChange || operation.change.onlyCreates else {
                draft.answer(
                    .refused(
                        code: .forbidden, message: "this key may bring in new files, and nothing else"))
                continue
            }
            var outcome = try preparation.prepare(operation)
            if let refusal = try quotaRefusal(of: outcome, operation, in: namespace, quota) {
                preparation.forgetLacking(operation)
                outcome = .result(refusal)
            }
            switch outcome {
            case .ready(let ready): draft.send(ready)
            case .result(let result):
                draft.answer(result)
                // What needs nothing any more will not be committed as it was sent.
                if case .need = result { continue }
                withdrawOffer(of: operation.change.contentNode, in: namespace)
            }
        }
        return draft
    }

    /// Gives operations to the journal, and what they name the visibility of the namespace.
    private func write(
        _ operations: [TreeOperation], of request: CommitRequest, to namespace: Namespace
    ) throws -> NamespaceStore.CommitResult {
        var options = NamespaceStore.CommitOptions()
        options.epoch = request.epoch
        options.isAtomic = request.isAtomic
        options.hidesNames = !principal.mayPerform(.read, on: namespace.resource)
        let done = try namespaces.commit(operations, to: namespace.id, author: author, options: options)
        try node.follow(done.contents, from: namespace.visibility, to: done.visibility)
        return done
    }

    /// A file is not offered to be read ahead any more: it is there, or will not be.
    private func withdrawOffer(of node: NodeID?, in namespace: Namespace) {
        if let node { hub.inflight.drop(node, in: namespace.id) }
    }

    /// Refuses a file that the namespace has no room for before it is sent: the commit would refuse it then.
    private func quotaRefusal(
        of outcome: CommitPreparation.Outcome, _ operation: SyncOperation, in namespace: Namespace,
        _ quota: Int64?
    ) throws -> CommitResult? {
        guard let quota, case .result(.need) = outcome, case .put(let node, let base, _) = operation.change
        else { return nil }
        var bytes = namespace.bytes
        if base != nil, let current = try namespaces.node(node.id, in: namespace), !current.isDeleted {
            bytes -= current.size
        }
        let (wanted, isLarge) = bytes.addingReportingOverflow(max(0, node.size))
        guard isLarge || wanted > quota else { return nil }
        let refusal = ChangeRefusal.quotaExceeded(.bytes, limit: quota, wanted: isLarge ? .max : wanted)
        return CommitResult(SyncFailure(refusal))
    }

    /// What the journal says, as far as the principal may hear it.
    private func results(
        of operations: [TreeOperation], _ outcomes: [ChangeOutcome], in namespace: Namespace
    ) -> [CommitResult] {
        guard !principal.mayPerform(.read, on: namespace.resource) else {
            return outcomes.map(CommitResult.init)
        }
        return zip(operations, outcomes).map { operation, outcome in
            switch CommitResult(outcome) {
            case .conflict(let reason, _):
                // What is in the way is for those who may see it.
                return .conflict(reason: reason, current: nil)
            case .done(var node):
                // Who sees nothing of what it brought in does not see under which name it is there either.
                if principal.user == nil, let name = operation.change.newName { node.name = name }
                return .done(node)
            case let other: return other
            }
        }
    }

    /// Notes how far the device is, and moves its cursor over what it has just sent, where nothing came in
    /// between.
    private func advance(
        _ text: String, over done: NamespaceStore.CommitResult, in namespace: Namespace
    ) throws -> SyncCursor? {
        // Who sees only a part of the journal reads it from where it left off.
        guard principal.mayPerform(.read, on: namespace.resource),
            let jid = try? position(text, in: namespace)
        else { return nil }
        let isNext = jid == done.previousHead && done.epoch == namespace.epoch
        try acknowledge(namespace, upTo: isNext ? done.head : jid)
        return isNext ? try cursor(namespace, done.head) : nil
    }
}

extension ChangeOutcome {
    /// Bytes of a file whose content came with the change.
    fileprivate var newBytes: Int64 {
        guard case .done(let node, isNew: true) = self, node.kind == .file,
            node.contentRevision == node.revision
        else { return 0 }
        return node.size
    }
}

/// The operations of a commit on their way to the journal.
private struct CommitDraft {
    /// Those that go to the journal, in order.
    private(set) var operations: [TreeOperation] = []
    /// What became of each operation that was sent; `nil` for those that go to the journal.
    private var answers: [CommitResult?] = []

    mutating func send(_ operation: TreeOperation) {
        operations.append(operation)
        answers.append(nil)
    }

    mutating func answer(_ result: CommitResult) { answers.append(result) }

    /// Whether all go to the journal.
    var isWhole: Bool { operations.count == answers.count }

    /// What became of each operation that was sent.
    ///
    /// - Parameters:
    ///   - results: of ``operations``.
    ///   - missing: of those of which there is none.
    func results(ofJournal results: [CommitResult], otherwise missing: CommitResult) -> [CommitResult] {
        var results = results.makeIterator()
        return answers.map { $0 ?? results.next() ?? missing }
    }
}
