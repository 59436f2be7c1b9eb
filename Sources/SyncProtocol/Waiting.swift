public import IPLD
public import TreeValues

/// `POST /sync/v1/wait`: an answer once any of these namespaces is beyond where the client is.
public struct WaitRequest: Hashable, Sendable {
    /// Where a client is in the journal of a namespace.
    public struct Position: Hashable, Sendable {
        /// Id or name.
        public var namespace: String
        public var epoch: Int64
        public var jid: JID

        public init(namespace: String, epoch: Int64, jid: JID) {
            self.namespace = namespace
            self.epoch = epoch
            self.jid = jid
        }
    }

    public var positions: [Position]
    public var seconds: Int

    public init(positions: [Position], seconds: Int) {
        self.positions = positions
        self.seconds = seconds
    }

    public func value(_ form: WireForm) -> IPLDValue {
        var writer = WireWriter(form)
        writer.put(
            "cursors",
            .list(
                positions.map { position in
                    var writer = WireWriter(form)
                    writer.put("ns", position.namespace)
                    writer.put("epoch", position.epoch)
                    writer.put("jid", position.jid)
                    return writer.value
                }))
        writer.put("timeout_s", small: seconds)
        return writer.value
    }

    public init(_ value: IPLDValue) throws(SyncMessageError) {
        let reader = try WireReader(value, "wait")
        positions = []
        let list = try reader.require(
            "cursors", reader.list("cursors", maximum: SyncLimits.maximumCursors))
        for value in list {
            let reader = try WireReader(value, "wait.cursors")
            positions.append(
                Position(
                    namespace: try reader.require("ns", reader.text("ns")),
                    epoch: try reader.require("epoch", reader.number("epoch")),
                    jid: try reader.require("jid", reader.number("jid"))))
        }
        seconds = Int(
            try reader.number("timeout_s", in: 0...Int64(SyncLimits.maximumWaitSeconds)) ?? 30)
    }
}

/// What `wait` answers: the namespaces that have something new; none if the time was up.
public struct WaitAnswer: Hashable, Sendable {
    public var changed: [String]

    public init(changed: [String]) { self.changed = changed }

    public func value(_ form: WireForm) -> IPLDValue {
        var writer = WireWriter(form)
        writer.put("changed", .list(changed.map { .string($0) }))
        return writer.value
    }

    public init(_ value: IPLDValue) throws(SyncMessageError) {
        let reader = try WireReader(value, "wait")
        changed = []
        for value in try reader.list("changed", maximum: SyncLimits.maximumCursors) ?? [] {
            guard case .string(let text) = value else { throw .badMember("wait.changed", expected: "texts") }
            changed.append(text)
        }
    }
}
