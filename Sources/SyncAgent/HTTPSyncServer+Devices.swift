import Foundation
import IPLD
import NIOHTTP1
public import SyncClient
public import SyncProtocol
public import TreeValues

/// What a node says of itself, and of the machines that sync with it.
extension HTTPSyncServer {
    /// How the namespaces are that the key may read, and what the node did.
    public func report() throws(SyncServerError) -> SyncReport {
        try read(try get("status"), SyncReport.init)
    }

    /// The devices that the key may see.
    public func devices() throws(SyncServerError) -> [DeviceInfo] {
        try read(try get("devices"), DeviceList.init).devices
    }

    /// Makes this machine known to the node. Done again it changes nothing but what is new.
    @discardableResult
    public func register(_ request: DeviceRequest) throws(SyncServerError) -> DeviceInfo {
        try read(try tell(.POST, "devices", request.value(.cbor)), DeviceInfo.init)
    }

    /// Gives a device another name.
    @discardableResult
    public func renameDevice(_ id: String, to name: String) throws(SyncServerError) -> DeviceInfo {
        let request = DeviceRequest(id: nil, name: name)
        return try read(
            try tell(.PATCH, "devices/" + Self.segment(id), request.value(.cbor)), DeviceInfo.init)
    }

    /// Shuts a device out.
    @discardableResult
    public func removeDevice(_ id: String) throws(SyncServerError) -> DeviceInfo {
        try read(try tell(.DELETE, "devices/" + Self.segment(id), nil), DeviceInfo.init)
    }

    /// The file or directory at a path of the namespace.
    public func entry(at path: String) throws(SyncServerError) -> RemoteEntry {
        try read(
            try get("ns/\(encoded)/nodes?path=" + Self.segment(path)), RemoteEntry.init)
    }

    /// Takes or renews a lease of a node for this device.
    @discardableResult
    public func lease(_ request: LeaseRequest) throws(SyncServerError) -> LeaseInfo {
        try read(try tell(.POST, "ns/\(encoded)/leases", request.value(.cbor)), LeaseInfo.init)
    }

    /// Ends a lease.
    public func endLease(of node: NodeID) throws(SyncServerError) {
        try tell(.DELETE, "ns/\(encoded)/leases/" + node.text)
    }

    /// Changes that were not taken, newest first: the open ones, or all that are kept.
    public func conflicts(includingResolved: Bool) throws(SyncServerError) -> [ConflictInfo] {
        let query = includingResolved ? "?all=true" : ""
        return try read(try get("ns/\(encoded)/conflicts" + query), ConflictList.init).conflicts
    }

    /// Notes how a conflict was decided.
    @discardableResult
    public func resolve(
        _ id: NodeID, _ resolution: ConflictResolution
    ) throws(SyncServerError) -> ConflictInfo {
        try read(
            try tell(.POST, "ns/\(encoded)/conflicts/\(id.text)/resolve", resolution.value(.cbor)),
            ConflictInfo.init)
    }

    /// A text as one segment of a path.
    static func segment(_ text: String) -> String {
        text.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? text
    }

    /// Reads a message.
    func read<Message>(
        _ value: IPLDValue, _ body: (IPLDValue) throws(SyncMessageError) -> Message
    ) throws(SyncServerError) -> Message {
        do { return try body(value) } catch { throw .badAnswer(error.description) }
    }
}
