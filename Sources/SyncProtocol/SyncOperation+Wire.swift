public import IPLD
import TreeValues

/// Members: docs/formats/sync.md, "Operations".
extension SyncOperation {
    public func value(_ form: WireForm) -> IPLDValue {
        // Of what is sent by the thousand, members are in the order of DAG-CBOR: shorter keys first.
        var writer = WireWriter(form)
        if case .put = change {} else { writer.put("op_id", id) }
        switch change {
        case .put(let node, let base, let content):
            writer.put("op", node.kind == .symlink ? "link" : "put")
            writer.put("nid", node.id)
            if case .leaves(let edit, _) = content { writer.put("edit", edit.value(form)) }
            writer.put("mode", small: node.mode.map(Int.init))
            writer.put("name", node.name)
            writer.put("root", node.content)
            writer.put("size", node.size)
            writer.put("op_id", id)
            switch content {
            case .inline(let bytes): writer.put("inline", bytes: bytes)
            case .leaves(_, let blocks):
                if !blocks.isEmpty { writer.put("blocks", .list(blocks.map(form.bytes))) }
            case .none: break
            }
            writer.put("parent", node.parent)
            writer.put("target", node.target)
            writer.put("mtime_ns", node.modified)
            writer.put("base_crev", base)
        case .makeDirectory(let node):
            writer.put("op", "mkdir")
            writer.put("nid", node.id)
            writer.put("parent", node.parent)
            writer.put("name", node.name)
            writer.put("mtime_ns", node.modified)
            writer.put("mode", small: node.mode.map(Int.init))
        case .move(let id, let parent, let name, let base):
            writer.put("op", "move")
            writer.put("nid", id)
            writer.put("parent", parent)
            writer.put("name", name)
            writer.put("base_rev", base)
        case .delete(let id, let base, let newest):
            writer.put("op", "delete")
            writer.put("nid", id)
            writer.put("base_rev", base)
            writer.put("children_rev", newest)
        case .setAttributes(let id, let modified, let mode):
            writer.put("op", "meta")
            writer.put("nid", id)
            writer.put("mtime_ns", modified)
            writer.put("mode", small: mode.map(Int.init))
        case .restore(let id, let parent, let name):
            writer.put("op", "restore")
            writer.put("nid", id)
            writer.put("parent", parent)
            writer.put("name", name)
        }
        writer.put("force_delete_token", confirmation)
        return writer.value
    }

    public init(_ value: IPLDValue) throws(SyncMessageError) {
        let reader = try WireReader(value, "operation")
        let id = try reader.require("op_id", reader.id("op_id"))
        let change: Change
        switch try reader.require("op", reader.text("op")) {
        case "put": change = try Self.put(reader, .file)
        case "link": change = try Self.put(reader, .symlink)
        case "mkdir": change = .makeDirectory(try Self.node(reader, .directory))
        case "move":
            change = .move(
                try reader.require("nid", reader.id("nid")),
                parent: try reader.require("parent", reader.id("parent")),
                name: try reader.require("name", reader.text("name")),
                base: try reader.require("base_rev", reader.number("base_rev")))
        case "delete":
            change = .delete(
                try reader.require("nid", reader.id("nid")),
                base: try reader.require("base_rev", reader.number("base_rev")),
                newestBelow: try reader.number("children_rev") ?? 0)
        case "meta":
            change = .setAttributes(
                try reader.require("nid", reader.id("nid")), modified: try reader.number("mtime_ns"),
                mode: try Self.mode(reader))
        case "restore":
            change = .restore(
                try reader.require("nid", reader.id("nid")),
                parent: try reader.require("parent", reader.id("parent")),
                name: try reader.require("name", reader.text("name")))
        case let word: throw .unknownWord("operation.op", given: word)
        }
        self.init(id: id, change, confirmation: try reader.text("force_delete_token"))
    }

    private static func mode(_ reader: WireReader) throws(SyncMessageError) -> UInt32? {
        try reader.number("mode", in: 0...0o7777).map(UInt32.init)
    }

    private static func node(
        _ reader: WireReader, _ kind: TreeNodeKind
    ) throws(SyncMessageError) -> SyncNode {
        SyncNode(
            id: try reader.require("nid", reader.id("nid")),
            parent: try reader.require("parent", reader.id("parent")),
            name: try reader.require("name", reader.text("name")), kind: kind,
            content: try reader.cid("root"), target: try reader.text("target"),
            size: try reader.number("size", in: 0 ... .max) ?? 0,
            modified: try reader.number("mtime_ns") ?? 0, mode: try mode(reader))
    }

    private static func put(
        _ reader: WireReader, _ kind: TreeNodeKind
    ) throws(SyncMessageError) -> Change {
        var node = try node(reader, kind)
        let base = try reader.number("base_crev")
        guard kind == .file else {
            node.target = try reader.require("target", node.target)
            return .put(node, base: base, .none)
        }
        node.target = nil
        if let bytes = try reader.bytes("inline") {
            guard bytes.count <= SyncLimits.maximumInlineBytes else {
                throw .badMember(
                    "operation.inline", expected: "\(SyncLimits.maximumInlineBytes) bytes at most")
            }
            node.size = Int64(bytes.count)
            return .put(node, base: base, .inline(bytes))
        }
        node.content = try reader.require("root", node.content)
        let edit = try reader.require("edit", reader.value("edit"))
        return .put(
            node, base: base, .leaves(try LeafEdit(edit), blocks: try reader.blocks("operation.blocks")))
    }
}
