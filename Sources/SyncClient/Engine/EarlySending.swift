import Multiformats
import SyncProtocol
import TreeValues

/// What the first scan of a folder sends while it goes on.
///
/// A folder that is added to an empty namespace has everything to send and nothing to compare: what was found
/// is on its way, and with other devices, before the rest was looked at. As soon as anything else comes of it
/// than that, all is left to the plan that follows the scan, which sends again what has no answer.
struct EarlySending {
    /// Whether it goes on.
    var isOffered: Bool
    /// Whether the namespace was looked at.
    fileprivate var isBegun = false
    /// All nodes up to here were planned.
    fileprivate var last: NodeID?
    fileprivate var flight: PushFlight?
    /// An answer that is taken over when the scan is over: ids may change by it.
    fileprivate var left: (answer: CommitAnswer, outgoing: [SyncEngine.Outgoing])?

    init(isOffered: Bool) { self.isOffered = isOffered }

    /// Nothing may be under way when the engine goes on.
    func wait() { flight?.commit.wait() }
}

extension SyncEngine {
    /// Scans everything, for the first time in this run.
    func scanAndSend() throws -> ScanReport {
        // What an earlier run found may be gone, and what it sent comes first.
        let isFirst =
            try state.cursor() == nil && state.value(StateKey.operations) == nil
            && state.children(of: state.root, in: .local).isEmpty
        var early = EarlySending(isOffered: isFirst && policy.canPush)
        defer { early.wait() }
        let report = try scanner.scan(.everything) {
            try goOn()
            guard early.isOffered else { return }
            do {
                try sendEarly(&early)
            } catch is SyncServerError {
                // The journal is read and the rest is sent after the scan: they are told the same.
                early.isOffered = false
            }
        }
        do {
            try takeEarly(&early, before: [])
            if let left = early.left { try take(left.answer, of: left.outgoing) }
        } catch is SyncServerError {
            // As above: what has no answer is sent again.
        }
        return report
    }

    /// Sends what was found since the last time, a whole commit at a time.
    private func sendEarly(_ early: inout EarlySending) throws {
        if !early.isBegun {
            early.isBegun = true
            try pull()
            guard try state.children(of: state.root, in: .remote).isEmpty else {
                early.isOffered = false
                return
            }
        }
        while early.isOffered, !needsPull, status.readOnly == nil, status.uploadsPaused == nil {
            let found: (last: NodeID, steps: [ServerStep])? = try state.transaction {
                let nodes = try state.unsettledStates(after: early.last, limit: options.commitBatch)
                guard nodes.count == options.commitBatch, let last = nodes.last?.id else { return nil }
                let plan = try Planner(policy).plan(nodes, in: state)
                return (last, try plan.server.filter(isSentEarly))
            }
            guard let found else { return }
            early.last = found.last
            // Directories that the nodes wait for are planned with them.
            for start in stride(from: 0, to: found.steps.count, by: options.commitBatch) {
                guard early.isOffered else { return }
                let end = min(start + options.commitBatch, found.steps.count)
                try takeEarly(&early, before: try prepare(Array(found.steps[start..<end])))
            }
        }
    }

    /// Whether a step makes something new whose content travels with its entry: the server would ask for
    /// other content.
    private func isSentEarly(_ step: ServerStep) throws -> Bool {
        guard step.isNew, let node = try state.node(step.id, in: .local) else { return false }
        guard node.kind == .file else { return true }
        guard let content = node.content else { return false }
        return content.codec == .raw && node.size <= options.inlineBytes
    }

    /// Takes over what was answered, and sends what comes next.
    private func takeEarly(_ early: inout EarlySending, before next: [Outgoing]) throws {
        guard let flight = early.flight else {
            early.flight = try launch(next)
            return
        }
        early.flight = nil
        let answer = try flight.commit.answer()
        guard flight.isPlain(answer) else {
            early.isOffered = false
            early.left = (answer, flight.outgoing)
            return
        }
        early.flight = try launch(next, after: answer.cursor)
        try take(answer, of: flight.outgoing)
    }
}
