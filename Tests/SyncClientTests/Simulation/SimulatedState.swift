import SyncProtocol
import Synchronization
import TreeValues

@testable import SyncClient

/// The database of a device: what its machine loses with power, the last transactions among it, is lost
/// here too.
final class SimulatedState: SyncState {
    let base: MemorySyncState
    private let disk: VirtualDisk
    /// States after the last transactions, the newest last: a database that does not wait for the disk with
    /// each of them may go back to one of these, and never to anything in between.
    private var kept: [(contents: MemorySyncState.Contents, gone: Set<NodeID>)] = []
    /// Nodes that neither side has any more, as far as is written down: they may come back, and are removed
    /// on the server again only once they were here again.
    private(set) var gone: Set<NodeID> = []
    /// Is told of nodes that neither side has any more, once that is written down.
    var whenGone: ((Set<NodeID>) -> Void)?
    /// Of which journal the server is at the moment.
    private let epoch: () -> Int64
    /// The first time that the state was not what it has to be.
    private(set) var violation: String?
    private var depth = 0
    /// Transactions until the machine stands, between the changes and the end of one.
    var crashIn: Int?

    struct Stopped: Error {}

    /// What the device removed on the server, and this has not looked at.
    private let removals: RemovalLog

    init(root: NodeID, disk: VirtualDisk, epoch: @escaping () -> Int64, removals: RemovalLog) {
        self.epoch = epoch
        self.removals = removals
        base = MemorySyncState(root: root)
        self.disk = disk
    }

    /// Everything so far is durable.
    func checkpoint() { kept.removeAll() }

    func restart(_ random: SimulationRandom, isPowerCut: Bool = true) {
        crashIn = nil
        if isPowerCut, !kept.isEmpty, random.oneIn(4) {
            let old = random.pick(kept)
            base.restore(old.contents)
            gone = old.gone
        }
        kept.removeAll()
    }

    func transaction<Result>(_ body: () throws -> Result) throws -> Result {
        if disk.isCrashed { throw Stopped() }
        if depth > 0 { return try body() }
        checkRemovals()
        depth += 1
        defer { depth -= 1 }
        let before = (contents: base.contents, gone: gone)
        let result: Result
        do {
            result = try base.transaction {
                let result = try body()
                if let left = crashIn {
                    crashIn = left - 1
                    if left <= 0 { disk.crashNow() }
                }
                if disk.isCrashed { throw Stopped() }
                return result
            }
        } catch {
            gone = before.gone
            throw error
        }
        kept.append(before)
        if kept.count > 3 { kept.removeFirst() }
        if gone != before.gone {
            let ids = gone.subtracting(before.gone)
            if !ids.isEmpty { whenGone?(ids) }
        }
        return result
    }

    var root: NodeID { base.root }
    func node(_ id: NodeID, in tree: TreeName) throws -> SyncNode? { base.node(id, in: tree) }
    func children(of directory: NodeID, in tree: TreeName) throws -> [SyncNode] {
        base.children(of: directory, in: tree)
    }
    func child(of directory: NodeID, named key: NameKey, in tree: TreeName) throws -> SyncNode? {
        base.child(of: directory, named: key, in: tree)
    }
    func states(of id: NodeID) throws -> NodeStates { base.states(of: id) }
    func children(of directory: NodeID, named name: String, in tree: TreeName) throws -> [SyncNode] {
        base.children(of: directory, named: name, in: tree)
    }
    func put(_ node: SyncNode, in tree: TreeName) throws {
        switch tree {
        case .local: gone.remove(node.id)
        case .remote:
            if let known = base.node(node.id, in: .remote), known.revision > node.revision,
                base.cursor()?.epoch == epoch()
            {
                violation = violation ?? "\(node.name) went back from r\(known.revision) to r\(node.revision)"
            }
        case .synced: break
        }
        base.put(node, in: tree)
    }
    func remove(_ id: NodeID, from tree: TreeName) throws {
        let wasThere = tree != .synced && base.node(id, in: tree) != nil
        base.remove(id, from: tree)
        if wasThere, base.node(id, in: .local) == nil, base.node(id, in: .remote) == nil { gone.insert(id) }
    }
    /// Before what came of a commit is taken over: what was removed by it was known to be here, or there.
    private func checkRemovals() {
        let (ids, stopsIn) = removals.takeAll()
        for id in ids where gone.contains(id) {
            violation = violation ?? "\(id) was gone, came back there, and was removed without being here"
        }
        if let stopsIn { crashIn = min(crashIn ?? .max, stopsIn) }
    }
    func renameLocal(_ id: NodeID, to new: NodeID) throws {
        base.renameLocal(id, to: new)
        // What was found on the disk turned out to be that one: it is here.
        if base.node(new, in: .local) != nil { gone.remove(new) }
    }
    func unsettled(after: NodeID?, limit: Int) throws -> [NodeID] {
        base.unsettled(after: after, limit: limit)
    }
    func unsettledStates(after: NodeID?, limit: Int) throws -> [NodeStates] {
        base.unsettled(after: after, limit: limit).map { base.states(of: $0) }
    }
    func stamp(of id: NodeID) throws -> LocalStamp? { base.stamp(of: id) }
    func setStamp(_ stamp: LocalStamp?, of id: NodeID) throws { base.setStamp(stamp, of: id) }
    func localNodes(with identity: FileIdentity, limit: Int) throws -> [NodeID] {
        base.localNodes(with: identity, limit: limit)
    }
    func cursor() throws -> SyncCursor? { base.cursor() }
    func setCursor(_ cursor: SyncCursor?) throws { base.setCursor(cursor) }
    func value(_ key: String) throws -> String? { base.value(key) }
    func setValue(_ value: String?, _ key: String) throws { base.setValue(value, key) }
}

/// Nodes that a device removed on the server.
final class RemovalLog: Sendable {
    private let log = Mutex<(ids: [NodeID], stopsIn: Int?)>(([], nil))

    /// - Parameter stopsIn: transactions after which the machine of the device stands.
    func add(_ id: NodeID, stopsIn: Int?) {
        log.withLock { log in
            log.ids.append(id)
            log.stopsIn = stopsIn ?? log.stopsIn
        }
    }

    func takeAll() -> (ids: [NodeID], stopsIn: Int?) {
        log.withLock { log in
            defer { log = ([], nil) }
            return log
        }
    }
}
