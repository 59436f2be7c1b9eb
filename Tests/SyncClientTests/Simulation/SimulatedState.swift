import SyncProtocol
import TreeValues

@testable import SyncClient

/// The database of a device: what its machine loses with power, the last transactions among it, is lost
/// here too.
final class SimulatedState: SyncState {
    let base: MemorySyncState
    private let disk: VirtualDisk
    /// States after the last transactions, the newest last: a database that does not wait for the disk with
    /// each of them may go back to one of these, and never to anything in between.
    private var kept: [MemorySyncState.Contents] = []
    private var depth = 0
    /// Transactions until the machine stands, between the changes and the end of one.
    var crashIn: Int?

    struct Stopped: Error {}

    init(root: NodeID, disk: VirtualDisk) {
        base = MemorySyncState(root: root)
        self.disk = disk
    }

    func restart(_ random: SimulationRandom) {
        crashIn = nil
        if !kept.isEmpty, random.oneIn(4) { base.restore(random.pick(kept)) }
        kept.removeAll()
    }

    func transaction<Result>(_ body: () throws -> Result) throws -> Result {
        if disk.isCrashed { throw Stopped() }
        if depth > 0 { return try body() }
        depth += 1
        defer { depth -= 1 }
        let before = base.contents
        let result = try base.transaction {
            let result = try body()
            if let left = crashIn {
                crashIn = left - 1
                if left <= 0 { disk.crashNow() }
            }
            if disk.isCrashed { throw Stopped() }
            return result
        }
        kept.append(before)
        if kept.count > 3 { kept.removeFirst() }
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
    func put(_ node: SyncNode, in tree: TreeName) throws { base.put(node, in: tree) }
    func remove(_ id: NodeID, from tree: TreeName) throws { base.remove(id, from: tree) }
    func renameLocal(_ id: NodeID, to new: NodeID) throws { base.renameLocal(id, to: new) }
    func unsettled(after: NodeID?, limit: Int) throws -> [NodeID] {
        base.unsettled(after: after, limit: limit)
    }
    func unsettledStates(after: NodeID?, limit: Int) throws -> [NodeStates] {
        base.unsettled(after: after, limit: limit).map { base.states(of: $0) }
    }
    func stamp(of id: NodeID) throws -> LocalStamp? { base.stamp(of: id) }
    func setStamp(_ stamp: LocalStamp?, of id: NodeID) throws { base.setStamp(stamp, of: id) }
    func localNode(with identity: FileIdentity) throws -> NodeID? { base.localNode(with: identity) }
    func cursor() throws -> SyncCursor? { base.cursor() }
    func setCursor(_ cursor: SyncCursor?) throws { base.setCursor(cursor) }
    func value(_ key: String) throws -> String? { base.value(key) }
    func setValue(_ value: String?, _ key: String) throws { base.setValue(value, key) }
}
