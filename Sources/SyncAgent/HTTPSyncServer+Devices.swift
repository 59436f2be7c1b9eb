import Foundation
import IPLD
import NIOHTTP1
public import SyncClient
public import SyncProtocol

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
        try read(try tell(.DELETE, "devices/" + Self.segment(id)), DeviceInfo.init)
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
