public import Catalog
import Synchronization

/// The devices that speak with this node at the moment: which of them are shut out, when each was heard of,
/// and how far it has read.
///
/// Looks into the catalog once in a while, and writes what it heard there when ``flush(to:)`` is called: a
/// call of the protocol costs no transaction. What is lost with the process is told again by the next call.
/// Several processes over one catalog see a removal after ``freshness`` at the latest. Thread-safe;
/// bounded.
public final class DeviceDesk: Sendable {
    /// For how many milliseconds a look into the catalog counts.
    public static let freshness: Int64 = 2000
    /// The most devices that are remembered.
    static let capacity = 8192

    /// Ids are unique within a project.
    public struct Key: Hashable, Sendable {
        let project: ProjectID
        let id: String

        public init(project: ProjectID, id: String) {
            self.project = project
            self.id = id
        }
    }

    private struct Known {
        /// `nil` for a device that never made itself known.
        var device: Device?
        /// Unix milliseconds of the look.
        var asOf: Int64
    }

    private struct AckKey: Hashable {
        let namespace: Int64
        let device: Key
    }

    private struct State {
        var known: [Key: Known] = [:]
        var seen: [Key: Int64] = [:]
        var acks: [AckKey: DeviceAck] = [:]
    }

    private let state = Mutex(State())

    public init() {}

    /// The device of that id; `nil` if it never made itself known.
    func device(_ id: String, in project: ProjectID, _ catalog: CatalogDatabase) throws -> Device? {
        let key = Key(project: project, id: id)
        let now = catalog.devices.currentTime
        if let known = state.withLock({ $0.known[key] }), abs(now - known.asOf) < Self.freshness {
            return known.device
        }
        let device = try catalog.devices.device(id, in: project)
        state.withLock { state in
            // Ids are the clients' to invent.
            if state.known.count >= Self.capacity { state.known.removeAll() }
            state.known[key] = Known(device: device, asOf: now)
        }
        return device
    }

    /// Takes a change over at once.
    func replace(_ device: Device, at time: Int64) {
        state.withLock { state in
            state.known[Key(project: device.project, id: device.id)] = Known(device: device, asOf: time)
        }
    }

    /// Notes that a device spoke.
    func noteSeen(_ device: Device, at time: Int64) {
        state.withLock { state in
            let key = Key(project: device.project, id: device.id)
            guard state.seen.count < Self.capacity || state.seen[key] != nil else { return }
            state.seen[key] = time
        }
    }

    /// Notes how far a device has read.
    func note(_ ack: DeviceAck) {
        state.withLock { state in
            let key = AckKey(
                namespace: ack.namespace, device: Key(project: ack.project, id: ack.device))
            guard state.acks.count < Self.capacity || state.acks[key] != nil else { return }
            state.acks[key] = ack
        }
    }

    /// What is noted and not in the catalog yet.
    func pending(of namespace: Int64) -> [DeviceAck] {
        state.withLock { $0.acks.values.filter { $0.namespace == namespace } }
    }

    /// How many entries of journals each device has not read, in all namespaces together that it asked about.
    public func entriesBehind(_ catalog: CatalogDatabase) throws -> [Key: Int64] {
        let positions = try catalog.devices.positions()
        var acks: [AckKey: DeviceAck] = [:]
        for ack in positions.acks + state.withLock({ Array($0.acks.values) }) {
            acks[AckKey(namespace: ack.namespace, device: Key(project: ack.project, id: ack.device))] = ack
        }
        var behind: [Key: Int64] = [:]
        for (key, ack) in acks {
            guard let entries = positions.behind(ack) else { continue }
            behind[key.device, default: 0] += entries
        }
        return behind
    }

    /// When a device was heard of last, if that is not in the catalog yet: Unix milliseconds; 0 if it is.
    public func lastSeen(_ device: Device) -> Int64 {
        state.withLock { $0.seen[Key(project: device.project, id: device.id)] ?? 0 }
    }

    /// Writes what was noted into the catalog.
    ///
    /// - Throws: what the catalog throws; it is noted again then.
    public func flush(to catalog: CatalogDatabase) throws {
        let (seen, acks) = state.withLock { state in
            defer { (state.seen, state.acks) = ([:], [:]) }
            return (state.seen, state.acks)
        }
        do {
            try catalog.devices.note(
                seen: seen.map { ($0.key.project, $0.key.id, $0.value) }, acks: Array(acks.values))
        } catch {
            state.withLock { state in
                // What was heard since is newer.
                state.seen.merge(seen) { newer, _ in newer }
                state.acks.merge(acks) { newer, _ in newer }
            }
            throw error
        }
    }
}
