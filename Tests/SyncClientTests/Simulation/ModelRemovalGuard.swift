import SyncProtocol
import TreeValues

/// Holds back a device that is about to remove a large part, as the node does: what a commit would remove, and
/// what the device removed within ten minutes, counts together.
struct ModelRemovalGuard: Sendable {
    let free: Int
    let now: @Sendable () -> Int64
    private var removals: [String: [(time: Int64, nodes: Int)]] = [:]
    private var tokens: [String: Token] = [:]
    /// Of the commit that is looked at.
    private var limit = 0
    private var removed = 0
    private var asked = 0
    private var nodes: Set<NodeID> = []

    /// What somebody is asked about: the removals of a commit, and how many nodes they are.
    private struct Token {
        let device: String
        let nodes: Set<NodeID>
        let count: Int
    }

    init(free: Int, now: @escaping @Sendable () -> Int64) {
        self.free = free
        self.now = now
    }

    /// As a node that is started again.
    mutating func forget() {
        removals.removeAll()
        tokens.removeAll()
    }

    /// Begins with a commit.
    mutating func weigh(
        _ operations: [SyncOperation], by device: String, in namespace: ModelServer.Namespace, root: NodeID
    ) {
        let recent = (removals[device] ?? []).filter { $0.time > now() - 600_000 }
        removals[device] = recent
        let live = namespace.rows.keys.count { ModelServer.isLive($0, namespace, root) }
        limit = max(free, live / 2) - recent.reduce(0) { $0 + $1.nodes }
        (removed, asked) = (0, 0)
        let all = Set(
            operations.compactMap { if case .delete(let id, _, _) = $0.change { id } else { nil } })
        nodes = all
        for id in all where ModelServer.isLive(id, namespace, root) {
            var above = namespace.rows[id]?.node.parent ?? root
            while above != root, !all.contains(above) { above = namespace.rows[above]?.node.parent ?? root }
            if above == root { asked += Self.count(id, in: namespace) }
        }
    }

    /// What the device is answered instead, if it is to be asked first. Else the removal is counted.
    ///
    /// - Parameter namespace: as it is before the operation.
    mutating func refusal(
        of operation: SyncOperation, by device: String, in namespace: ModelServer.Namespace, root: NodeID
    ) -> CommitResult? {
        guard case .delete(let id, _, _) = operation.change else { return nil }
        let count = Self.count(id, in: namespace)
        asked = max(asked, removed + count)
        guard asked <= limit || isConfirmed(operation, id, device) else {
            let token = "token \(tokens.count)"
            tokens[token] = Token(device: device, nodes: nodes, count: asked)
            return .confirmationNeeded(removals: Int64(asked), token: token)
        }
        removed += count
        removals[device, default: []].append((now(), count))
        return nil
    }

    private func isConfirmed(_ operation: SyncOperation, _ id: NodeID, _ device: String) -> Bool {
        guard let token = operation.confirmation.flatMap({ tokens[$0] }) else { return false }
        return token.device == device && token.nodes.contains(id) && asked <= token.count
    }

    /// How many live nodes go with one.
    private static func count(_ id: NodeID, in namespace: ModelServer.Namespace) -> Int {
        var count = 0
        var stack = [id]
        while let next = stack.popLast() {
            count += 1
            for child in namespace.children[next] ?? [] where namespace.rows[child]?.isDeleted == false {
                stack.append(child)
            }
        }
        return count
    }
}
