public import IPLD
import TreeValues

extension SyncNode {
    /// Adds the members of a node.
    func write(to writer: inout WireWriter) {
        writer.put("nid", id)
        writer.put("kind", kind.word)
        writer.put("parent", parent)
        writer.put("name", name)
        writer.put("rev", revision)
        writer.put("crev", contentRevision)
        writer.put("root", content)
        if kind != .directory { writer.put("size", size) }
        writer.put("mtime_ns", modified)
        writer.put("mode", small: mode.map(Int.init))
        writer.put("target", target)
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
        node.write(to: &writer)
        writer.put("deleted", if: isDeleted)
        writer.put("restored", if: isRestored)
        writer.put("inline", bytes: inline)
        if let edit {
            writer.put("edit", edit.edit.value(form))
            writer.put("blocks", .list(edit.blocks.map(form.bytes)))
        }
        if !device.isEmpty { writer.put("device", device) }
        writer.put("device_name", deviceName)
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
