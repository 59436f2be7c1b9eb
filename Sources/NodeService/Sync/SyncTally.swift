import BlockStorage
public import SyncProtocol
import Synchronization

/// What the sync protocol of a node did since the node was started: for metrics and `/sync/v1/status`.
///
/// Thread-safe. Its size is fixed: kinds, outcomes and reasons are of closed sets.
public final class SyncTally: Sendable {
    /// Blocks, and their bytes.
    public struct Moved: Hashable, Sendable {
        public var blocks: Int64 = 0
        public var bytes: Int64 = 0

        mutating func add(blocks more: Int, bytes moreBytes: Int64) {
            blocks += Int64(more)
            bytes += moreBytes
        }
    }

    /// What became of an operation of one kind.
    public struct Operation: Hashable, Sendable {
        public let kind: SyncOperation.Kind
        public let outcome: CommitResult.Outcome

        public init(_ kind: SyncOperation.Kind, _ outcome: CommitResult.Outcome) {
            self.kind = kind
            self.outcome = outcome
        }
    }

    /// All of it, as of one moment.
    public struct Counts: Hashable, Sendable {
        public var commits: Int64 = 0
        /// Journal entries that commits made.
        public var journalEntries: Int64 = 0
        public var operations: [Operation: Int64] = [:]
        /// Operations that were not taken, by reason.
        public var conflicts: [String: Int64] = [:]
        /// Conflict copies that devices made, by why.
        public var conflictCopies: [ConflictName.Reason: Int64] = [:]
        /// Blocks that clients were asked to send.
        public var neededBlocks: Int64 = 0
        /// Blocks that came and were not held before.
        public var stored = Moved()
        /// Blocks that came and were held already, in files or by another door.
        public var duplicate = Moved()
        /// Blocks that came and are not what their CID says.
        public var refused = Moved()
        /// Blocks that were given out.
        public var retrieved = Moved()
        /// Blocks that were asked for and are not held, or not to be seen.
        public var absentBlocks: Int64 = 0
        /// Entries that `list` gave.
        public var listed: Int64 = 0
        /// Entries that `snapshot` gave.
        public var snapshotted: Int64 = 0
        /// Answers to those who waited that told of something new.
        public var wakeUps: Int64 = 0
        /// Requests that were refused since their device asks too often, or for too much at once.
        public var overRate: Int64 = 0
        public var overStreams: Int64 = 0
        /// Those who wait for changes now.
        public var waits: Int64 = 0

        public init() {}
    }

    private let state = Mutex(Counts())

    public init() {}

    /// As of now.
    public var counts: Counts { state.withLock { $0 } }

    /// Counts; `body` is short.
    public func count(_ body: (inout Counts) -> Void) { state.withLock { body(&$0) } }

    /// Counts blocks that were taken in.
    func note(_ summary: PutSummary) {
        state.withLock { counts in
            counts.stored.add(blocks: summary.newBlocks, bytes: summary.newBytes)
            counts.duplicate.add(blocks: summary.knownBlocks, bytes: summary.knownBytes)
        }
    }

    /// Counts conflict copies that came.
    func note(_ copies: [ConflictCopy]) {
        for copy in copies { state.withLock { $0.conflictCopies[copy.name.reason, default: 0] += 1 } }
    }

    /// Counts what a commit came to.
    func note(_ request: CommitRequest, _ answer: CommitAnswer, entries: Int64) {
        state.withLock { counts in
            counts.commits += 1
            counts.journalEntries += entries
            for (operation, result) in zip(request.operations, answer.results) {
                counts.operations[Operation(operation.change.kind, result.outcome), default: 0] += 1
                switch result {
                case .conflict(let reason, _): counts.conflicts[reason, default: 0] += 1
                case .need(let cids): counts.neededBlocks += Int64(cids.count)
                case .done, .refused, .confirmationNeeded: break
                }
            }
        }
    }
}
