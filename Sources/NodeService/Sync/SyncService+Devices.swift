import Access
import Catalog
import Foundation
import Namespaces
import NodeCore
public import SyncProtocol

/// Machines that sync.
extension SyncService {
    /// Whose devices the principal speaks of.
    var deviceProject: ProjectID { principal.project ?? .default }

    /// Asks whether the device that speaks is shut out, and notes that it spoke.
    ///
    /// - Throws: `device_removed`.
    public func admitDevice() throws {
        guard let known = try spokenFor() else { return }
        hub.devices.noteSeen(known, at: node.catalog.devices.currentTime)
    }

    /// By what the requests of the caller are counted: its device, or, if that never made itself known, or is
    /// another's, its key: ids are the clients' to invent.
    public var caller: SyncCaller {
        if principal.source == .anonymous {
            return .stranger(address: principal.address?.customer.description ?? "")
        }
        let owner = principal.user.map { "user:" + $0.text } ?? credential
        if let known = try? spokenFor(), isOwn(known) {
            return .known(device: "\(credential) \(known.project.rawValue)/\(known.id)", owner: owner)
        }
        return .known(device: credential, owner: owner)
    }

    /// What the caller proved itself with.
    private var credential: String {
        principal.grant.map { "key:" + $0.text } ?? principal.user.map { "user:" + $0.text }
            ?? principal.source.rawValue
    }

    /// Who has the leases that the caller takes: its device; where that is one that another key made known,
    /// the id together with its own key, which has a space in it, as no id has.
    ///
    /// So nobody ends or passes a lease by naming the device that has it, and a machine with a key for each
    /// namespace takes leases by all of them.
    func leaseHolder(_ device: String) throws -> String {
        guard !device.isEmpty, principal.source != .anonymous,
            let known = try hub.devices.device(device, in: deviceProject, node.catalog), !isOwn(known)
        else { return device }
        return device + " " + credential
    }

    /// The device that is named as who has a lease.
    static func device(ofLeaseHolder holder: String) -> String { String(holder.prefix { $0 != " " }) }

    /// The device of the id that the caller says, if that made itself known.
    ///
    /// It may be another's: a machine that has a key for each namespace makes itself known by the first of
    /// them. When it was heard of and what it has read is noted by the id alone, and only shown; what
    /// counts for more asks ``isOwn(_:)`` too.
    private func spokenFor() throws -> Device? {
        guard !device.isEmpty, principal.source != .anonymous,
            let known = try hub.devices.device(device, in: deviceProject, node.catalog)
        else { return nil }
        guard known.revoked == nil else { throw SyncFailure.deviceRevoked(known.name) }
        return known
    }

    /// Whether the caller says which device it is, and that device never made itself known.
    func isDeviceUnknown() throws -> Bool {
        guard !device.isEmpty, principal.source != .anonymous else { return false }
        return try spokenFor() == nil
    }

    /// Notes that the device has everything up to a JID.
    func acknowledge(_ namespace: Namespace, upTo jid: Int64) throws {
        guard let known = try spokenFor() else { return }
        hub.devices.note(
            DeviceAck(
                namespace: namespace.number, project: known.project, device: known.id,
                epoch: namespace.epoch, jid: jid, seen: node.catalog.devices.currentTime))
    }

    /// The devices that the principal may see: its own, or, for an administrator, all of the project or the
    /// node.
    public func devices() throws -> [DeviceInfo] {
        let isOfNode = principal.mayPerform(.admin, on: .node)
        return try node.catalog.devices.list(project: isOfNode ? nil : deviceProject)
            .filter { mayChange($0) }.map(info)
    }

    /// A device.
    ///
    /// - Throws: `unknown_device`, also where it must not be seen.
    public func deviceInfo(_ id: String) throws -> DeviceInfo { info(try visible(id)) }

    /// Makes a device known, or tells more of it. Its name stays once it has one.
    ///
    /// - Throws: `bad_request`, `device_removed`, `forbidden`.
    public func register(_ request: DeviceRequest) throws -> DeviceInfo {
        let project = deviceProject
        guard principal.source != .anonymous else { throw SyncFailure.forbidden("register devices") }
        let id = request.id ?? "device-" + UUID().uuidString.lowercased()
        try check(request, id)
        let time = node.catalog.devices.currentTime
        let made = try put(id, project) { known in
            if let known {
                guard known.revoked == nil else { throw SyncFailure.deviceRevoked(known.name) }
                guard isOwn(known) else { throw SyncFailure.deviceTaken(id) }
            }
            var device =
                known
                ?? Device(
                    project: project, id: id, user: principal.user, grant: principal.grant,
                    name: Self.name(request.name) ?? id, created: time)
            device.platform = request.platform
            device.ignoresCase = request.ignoresCase
            device.decomposesNames = request.decomposesNames
            device.features = request.features
            device.lastSeen = max(device.lastSeen, time)
            return device
        }
        return info(made)
    }

    /// Gives a device another name.
    ///
    /// - Throws: `unknown_device`, `bad_request`.
    public func renameDevice(_ id: String, _ request: DeviceRequest) throws -> DeviceInfo {
        guard let name = Self.name(request.name) else { throw Self.badName }
        let known = try visible(id)
        return info(
            try put(id, known.project) { current in
                guard var device = current else { throw SyncFailure.unknownDevice(id) }
                device.name = name
                return device
            })
    }

    /// Shuts a device out: calls with its id are refused from here on.
    ///
    /// Its key still counts: whoever has it may come by another id until the key is revoked.
    public func revokeDevice(_ id: String) throws -> DeviceInfo {
        let known = try visible(id)
        let time = node.catalog.devices.currentTime
        return info(
            try put(id, known.project) { current in
                guard var device = current else { throw SyncFailure.unknownDevice(id) }
                device.revoked = device.revoked ?? time
                return device
            })
    }

    private func put(
        _ id: String, _ project: ProjectID, _ change: (Device?) throws -> Device
    ) throws -> Device {
        do {
            let device = try node.catalog.devices.put(id, in: project, change)
            hub.devices.replace(device, at: node.catalog.devices.currentTime)
            return device
        } catch let error as CatalogError {
            switch error {
            case .tooManyDevices, .nameTooLong, .nameContainsNUL:
                throw SyncFailure.badRequest(error.description)
            default: throw error
            }
        }
    }

    /// Whether a text may be the id of a device: 1 to 64 characters of ASCII without spaces.
    public static func isDeviceID(_ text: String) -> Bool { Device.isID(text) }

    private func check(_ request: DeviceRequest, _ id: String) throws {
        if let name = request.name, !name.isEmpty, Self.name(name) == nil { throw Self.badName }
        guard Device.isID(id) else {
            throw SyncFailure.badRequest(
                "the id of a device is 1 to \(Device.maximumIDBytes) characters of ASCII without spaces")
        }
        guard request.features.allSatisfy({ Device.isID($0) }) else {
            throw SyncFailure.badRequest("features are words of ASCII")
        }
    }

    private static let badName = SyncFailure.badRequest("a device is called by 1 to 255 bytes of text")

    /// A name that people can read; `nil` for none.
    private static func name(_ text: String?) -> String? {
        guard let text, !text.isEmpty, text.utf8.count <= Device.maximumNameBytes,
            !text.unicodeScalars.contains(where: { $0.properties.generalCategory == .control })
        else { return nil }
        return text
    }

    /// Whether the caller may speak as the device: it came with the same key, or with another one of the same
    /// user, or the principal may change all of them.
    private func isOwn(_ device: Device) -> Bool {
        mayChange(device)
            || device.project == deviceProject && principal.user != nil && device.user == principal.user
    }

    /// Whether the device came with the same key or user, or the principal may change all of them.
    private func mayChange(_ device: Device) -> Bool {
        if principal.mayPerform(.admin, on: .project(device.project)) { return true }
        guard device.project == deviceProject else { return false }
        if let grant = principal.grant { return device.grant == grant }
        return principal.user != nil && device.user == principal.user
    }

    private func visible(_ id: String) throws -> Device {
        if let own = try node.catalog.devices.device(id, in: deviceProject), mayChange(own) { return own }
        if principal.mayPerform(.admin, on: .node),
            let other = try node.catalog.devices.list().first(where: { $0.id == id })
        {
            return other
        }
        throw SyncFailure.unknownDevice(id)
    }

    private func info(_ device: Device) -> DeviceInfo {
        DeviceInfo(
            id: device.id, name: device.name, platform: device.platform, ignoresCase: device.ignoresCase,
            decomposesNames: device.decomposesNames, features: device.features,
            lastSeen: max(device.lastSeen, hub.devices.lastSeen(device)), isRevoked: device.revoked != nil)
    }

    /// How far the devices have read a namespace that still count.
    func progress(in namespace: Namespace) throws -> [DeviceProgress] {
        var acks: [String: DeviceAck] = [:]
        for ack in try node.catalog.devices.acks(of: namespace) + hub.devices.pending(of: namespace.number) {
            acks[ack.project.rawValue + " " + ack.device] = ack
        }
        return try acks.sorted { $0.key < $1.key }.compactMap { _, ack in
            guard let device = try hub.devices.device(ack.device, in: ack.project, node.catalog),
                device.revoked == nil
            else { return nil }
            // Of another journal it has nothing.
            let jid = ack.epoch == namespace.epoch ? min(ack.jid, namespace.head) : 0
            let oldest = jid < namespace.head ? try namespaces.time(ofFirstAfter: jid, in: namespace) : nil
            return DeviceProgress(
                device: device.id, name: device.name, jid: jid, behind: namespace.head - jid,
                behindMilliseconds: oldest.map { max(0, time - $0) },
                lastSeen: max(ack.seen, device.lastSeen, hub.devices.lastSeen(device)))
        }
    }

    /// What a device is called; its id where nobody named it.
    func deviceName(_ id: String, in namespace: Namespace) throws -> String {
        guard !id.isEmpty else { return "" }
        return try hub.devices.device(id, in: namespace.project, node.catalog)?.name ?? id
    }
}
