public import IPLD

extension SyncCursor {
    func write(to writer: inout WireWriter) {
        writer.put("epoch", epoch)
        writer.put("jid", jid)
        writer.put("cursor", text)
    }

    init(_ reader: WireReader) throws(SyncMessageError) {
        self.init(
            epoch: try reader.require("epoch", reader.number("epoch")),
            jid: try reader.require("jid", reader.number("jid")),
            text: try reader.require("cursor", reader.text("cursor")))
    }
}

extension ListAnswer {
    public func value(_ form: WireForm) -> IPLDValue {
        var writer = WireWriter(form)
        writer.put("entries", .list(entries.map { $0.value(form) }))
        cursor.write(to: &writer)
        writer.put("more", if: hasMore)
        if mergesText { writer.put("merge", "lines") }
        writer.put("unknown_device", if: isDeviceUnknown)
        if !inflight.isEmpty { writer.put("inflight", .list(inflight.map { $0.value(form) })) }
        return writer.value
    }

    public init(_ value: IPLDValue) throws(SyncMessageError) {
        let reader = try WireReader(value, "list")
        var inflight: [InflightFile] = []
        for value in try reader.list("inflight", maximum: SyncLimits.maximumInflight) ?? [] {
            inflight.append(try InflightFile(value))
        }
        self.init(
            entries: try Self.entries(reader), cursor: try SyncCursor(reader),
            hasMore: try reader.flag("more"), mergesText: try reader.text("merge") == "lines",
            isDeviceUnknown: try reader.flag("unknown_device"), inflight: inflight)
    }

    static func entries(_ reader: WireReader) throws(SyncMessageError) -> [RemoteEntry] {
        let list = try reader.list("entries", maximum: 100_000) ?? []
        var entries: [RemoteEntry] = []
        entries.reserveCapacity(list.count)
        for value in list { entries.append(try RemoteEntry(value)) }
        return entries
    }
}

extension SnapshotPage {
    public func value(_ form: WireForm) -> IPLDValue {
        var writer = WireWriter(form)
        writer.put("entries", .list(entries.map { $0.value(form) }))
        cursor.write(to: &writer)
        writer.put("next", next)
        return writer.value
    }

    public init(_ value: IPLDValue) throws(SyncMessageError) {
        let reader = try WireReader(value, "snapshot")
        self.init(
            entries: try ListAnswer.entries(reader), cursor: try SyncCursor(reader),
            next: try reader.text("next"))
    }
}
