import IPLD
import Multiformats
import SyncProtocol
import Synchronization
import TreeValues

@testable import SyncClient

/// The server as one device sees it: over a network that loses questions and answers, and sends some twice.
final class SimulatedServer: SyncServer {
    struct Network {
        var isDown = false
        /// One call in so many is lost; 0 for none.
        var lossOneIn = 0
        /// Whether the device may change the namespace, and see it.
        var mayWrite = true
        var mayRead = true
        /// Whether somebody works on the server meanwhile, and answers come from copies of it.
        var isBusy = false
        /// After so many windows of leaves the node is gone; `nil` if it stays.
        var retrievesLeft: Int?
        /// Bytes of leaves that came from the node.
        var retrievedBytes = 0
        /// Whether a person was asked about removals and has not answered.
        var isAsked = false
        /// Whether a removal was sent meanwhile.
        var hasSentUnanswered = false
    }

    let server: ModelServer
    let device: String
    private let random: SimulationRandom
    private let network = Mutex(Network())
    let pageSize: Int
    /// What the device removed on the server.
    private let removals: RemovalLog

    init(
        _ server: ModelServer, device: String, random: SimulationRandom, pageSize: Int,
        removals: RemovalLog = RemovalLog()
    ) {
        self.removals = removals
        self.server = server
        self.device = device
        self.random = random
        self.pageSize = pageSize
    }

    func set(isDown: Bool, lossOneIn: Int) {
        network.withLock { ($0.isDown, $0.lossOneIn) = (isDown, lossOneIn) }
    }

    var isBusy: Bool { network.withLock { $0.isBusy } }
    func set(isBusy: Bool) { network.withLock { $0.isBusy = isBusy } }

    /// Says whether a person was asked about removals made here, and has not answered: none is sent then.
    func set(isAsked: Bool) { network.withLock { $0.isAsked = isAsked } }
    var hasSentUnanswered: Bool { network.withLock { $0.hasSentUnanswered } }

    func set(retrievesLeft: Int?) { network.withLock { $0.retrievesLeft = retrievesLeft } }
    var retrievedBytes: Int { network.withLock { $0.retrievedBytes } }

    func set(mayWrite: Bool, mayRead: Bool = true) {
        network.withLock { ($0.mayWrite, $0.mayRead) = (mayWrite, mayRead) }
    }

    private func call<Answer>(_ body: () throws(SyncServerError) -> Answer) throws(SyncServerError) -> Answer
    {
        let network = network.withLock { $0 }
        if network.isDown { throw .unreachable("no network") }
        if !network.mayRead {
            throw .refused(
                code: .unknownNamespace, message: "there is no such namespace", retryAfterSeconds: nil)
        }
        guard network.lossOneIn > 0, random.oneIn(network.lossOneIn) else { return try body() }
        switch random.number(0...2) {
        case 0: throw .unreachable("the question was lost")
        case 1:
            _ = try body()
            throw .unreachable("the answer was lost")
        default:
            // The question came twice.
            _ = try body()
            return try body()
        }
    }

    func list(after cursor: SyncCursor?, limit: Int) throws(SyncServerError) -> ListAnswer {
        let isLate = network.withLock { $0.isBusy } && random.oneIn(3)
        return try call { () throws(SyncServerError) in
            try server.list(after: cursor, limit: min(limit, pageSize), isLate: isLate)
        }
    }

    func snapshot(of directory: NodeID?, page: String?) throws(SyncServerError) -> SnapshotPage {
        try call { () throws(SyncServerError) in
            try server.snapshot(of: directory, page: page, pageSize: pageSize)
        }
    }

    func commit(
        _ operations: [SyncOperation], after cursor: SyncCursor?
    ) throws(SyncServerError) -> CommitAnswer {
        if operations.contains(where: { if case .delete = $0.change { true } else { false } }) {
            network.withLock { if $0.isAsked { $0.hasSentUnanswered = true } }
        }
        let network = network.withLock { $0 }
        if network.mayRead, !network.mayWrite {
            throw .notAllowed(code: .forbidden, message: "the key does not allow to write")
        }
        if !network.isDown, network.lossOneIn > 0, random.oneIn(3 * network.lossOneIn) {
            // The connection is given up, and what is on its way comes after what is said later.
            server.delay(operations, after: cursor, device: device, calls: random.number(1...12))
            throw .unreachable("the question is late")
        }
        server.passTime()
        if network.isBusy, random.oneIn(2) {
            server.touch(
                random,
                among: operations.compactMap { operation in
                    if case .put(let node, _?, _) = operation.change { node.id } else { nil }
                })
        }
        let before = server.head
        let answer = try call { () throws(SyncServerError) in
            try server.commit(operations, after: cursor, device: device)
        }
        var removed: Set<NodeID> = []
        for (operation, result) in zip(operations, answer.results) {
            if case .delete(let id, _, _) = operation.change, case .done(let node) = result,
                node.revision > before
            {
                removed.insert(id)
            }
        }
        let comesBack = network.isBusy && !removed.isEmpty && random.oneIn(2)
        if comesBack { server.undelete(random, among: removed) }
        for id in removed.sorted() {
            removals.add(id, stopsIn: comesBack && random.oneIn(2) ? random.number(1...2) : nil)
        }
        return answer
    }

    func missing(_ cids: [CID]) throws(SyncServerError) -> [CID] {
        try call { () throws(SyncServerError) in server.missing(cids) }
    }

    func store(_ blocks: [Block]) throws(SyncServerError) {
        try call { () throws(SyncServerError) in server.store(blocks) }
    }

    func retrieve(_ cids: [CID]) throws(SyncServerError) -> RetrievedBlocks {
        let isGone = network.withLock { network in
            guard let left = network.retrievesLeft else { return false }
            network.retrievesLeft = max(left - 1, 0)
            return left == 0
        }
        if isGone { throw .unreachable("the node is gone") }
        let answer = try call { () throws(SyncServerError) in server.retrieve(cids) }
        network.withLock { network in
            for block in answer.blocks { network.retrievedBytes += block.bytes.count }
        }
        return answer
    }

    func leaves(of root: CID, base: CID?) throws(SyncServerError) -> LeafEdit {
        try call { () throws(SyncServerError) in try server.leaves(of: root, base: base) }
    }
}
