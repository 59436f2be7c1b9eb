public import IPLD
import TreeValues

extension SyncNode {
    /// Adds the members of a node in the order of DAG-CBOR, shorter keys first: then they need not be sorted.
    ///
    /// - Parameter entry: whose members are added among them.
    func write(to writer: inout WireWriter, with entry: RemoteEntry? = nil) {
        writer.put("nid", id)
        writer.put("rev", revision)
        writer.put("crev", contentRevision)
        if let edit = entry?.edit?.edit { writer.put("edit", edit.value(writer.form)) }
        writer.put("kind", kind.word)
        writer.put("mode", small: mode.map(Int.init))
        writer.put("name", name)
        writer.put("root", content)
        if kind != .directory { writer.put("size", size) }
        if let blocks = entry?.edit?.blocks { writer.put("blocks", .list(blocks.map(writer.form.bytes))) }
        if let device = entry?.device, !device.isEmpty { writer.put("device", device) }
        writer.put("inline", bytes: entry?.inline)
        writer.put("parent", parent)
        writer.put("target", target)
        writer.put("deleted", if: entry?.isDeleted ?? false)
        writer.put("mtime_ns", modified)
        writer.put("restored", if: entry?.isRestored ?? false)
        writer.put("device_name", entry?.deviceName)
    }

    init(_ reader: WireReader) throws(SyncMessageError) {
        let word = try reader.require("kind", reader.text("kind"))
        guard let kind = TreeNodeKind(word: word) else { throw .unknownWord("entry.kind", given: word) }
        self.init(
            id: try reader.require("nid", reader.id("nid")),
            parent: try reader.require("parent", reader.id("parent")),
            name: try reader.require("name", reader.text("name")), kind: kind,
            content: try reader.cid("root"), target: try reader.text("target"),
            size: try reader.number("size", in: 0 ... .max) ?? 0,
            modified: try reader.number("mtime_ns") ?? 0,
            mode: try reader.number("mode", in: 0...0o7777).map(UInt32.init),
            revision: try reader.require("rev", reader.number("rev")),
            contentRevision: try reader.require("crev", reader.number("crev")))
    }

    /// A node by itself.
    func value(_ form: WireForm) -> IPLDValue {
        var writer = WireWriter(form)
        write(to: &writer)
        return writer.value
    }
}

/// Members: docs/formats/sync.md, "Entries".
extension RemoteEntry {
    public func value(_ form: WireForm) -> IPLDValue {
        var writer = WireWriter(form)
        node.write(to: &writer, with: self)
        return writer.value
    }

    public init(_ value: IPLDValue) throws(SyncMessageError) {
        let reader = try WireReader(value, "entry")
        var edit: FileEdit?
        if let value = reader.value("edit") {
            edit = FileEdit(try LeafEdit(value), blocks: try reader.blocks("entry.blocks"))
        }
        self.init(
            node: try SyncNode(reader), isDeleted: try reader.flag("deleted"),
            isRestored: try reader.flag("restored"), inline: try reader.bytes("inline"), edit: edit,
            device: try reader.text("device") ?? "", deviceName: try reader.text("device_name"))
    }
}
