import IPLD
public import Multiformats
public import TreeValues

/// A file that another device is sending: what of it is here already, before anything of it is in the
/// journal.
///
/// It may never be committed. Whoever reads its leaves ahead keeps them apart from the folder until an entry
/// of the journal names them.
public struct InflightFile: Hashable, Sendable {
    /// The node that it will be the content of, if it comes so far.
    public var node: NodeID
    public var parent: NodeID
    public var name: String
    /// The device that sends it, by its id; empty if it did not say.
    public var device: String
    /// What people call it, if they gave it a name.
    public var deviceName: String?
    public var size: Int64
    /// Its leaves are asked for by this.
    public var root: CID
    /// How many leaves it has.
    public var leaves: Int
    /// A bit for each leaf, the first in the lowest of the first byte: those that may be retrieved.
    public var arrived: [UInt8]
    /// Seconds until it is not shown any more, unless more of it comes.
    public var seconds: Int

    public init(
        node: NodeID, parent: NodeID, name: String, device: String, deviceName: String? = nil,
        size: Int64, root: CID, leaves: Int, arrived: [UInt8], seconds: Int
    ) {
        self.node = node
        self.parent = parent
        self.name = name
        self.device = device
        self.deviceName = deviceName
        self.size = size
        self.root = root
        self.leaves = leaves
        self.arrived = arrived
        self.seconds = seconds
    }

    /// Whether a leaf may be retrieved.
    public func hasArrived(_ leaf: Int) -> Bool { arrived[leaf / 8] & 1 << (leaf % 8) != 0 }
}

extension InflightFile {
    func value(_ form: WireForm) -> IPLDValue {
        var writer = WireWriter(form)
        writer.put("nid", node)
        writer.put("parent", parent)
        writer.put("name", name)
        if !device.isEmpty { writer.put("by", device) }
        writer.put("by_name", deviceName)
        writer.put("size", size)
        writer.put("root", root)
        writer.put("leaves", small: leaves)
        writer.put("arrived", bytes: arrived)
        writer.put("expires_s", small: seconds)
        return writer.value
    }

    init(_ value: IPLDValue) throws(SyncMessageError) {
        let reader = try WireReader(value, "inflight")
        let leaves = Int(
            try reader.require(
                "leaves", reader.number("leaves", in: 0...Int64(SyncLimits.maximumInflightLeaves))))
        let arrived = try reader.require("arrived", reader.bytes("arrived"))
        guard arrived.count == (leaves + 7) / 8 else {
            throw .badMember("inflight.arrived", expected: "a bit for each of \(leaves) leaves")
        }
        self.init(
            node: try reader.require("nid", reader.id("nid")),
            parent: try reader.require("parent", reader.id("parent")),
            name: try reader.require("name", reader.text("name")),
            device: try reader.text("by") ?? "", deviceName: try reader.text("by_name"),
            size: try reader.require("size", reader.number("size", in: 0 ... .max)),
            root: try reader.require("root", reader.cid("root")), leaves: leaves, arrived: arrived,
            seconds: Int(try reader.number("expires_s", in: 0...Int64(Int32.max)) ?? 0))
    }
}
