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
        /// The mark that the last answer had for files that are being sent; 0 at first, `nil` for who does
        /// not want to hear of them.
        public var inflightMark: Int64?

        public init(namespace: String, epoch: Int64, jid: JID, inflightMark: Int64? = nil) {
            self.inflightMark = inflightMark
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
                    writer.put("inflight", position.inflightMark)
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
                    jid: try reader.require("jid", reader.number("jid")),
                    inflightMark: try reader.number("inflight")))
        }
        seconds = Int(
            try reader.number("timeout_s", in: 0...Int64(SyncLimits.maximumWaitSeconds)) ?? 30)
    }
}

/// What `wait` answers: the namespaces that have something new; none if the time was up.
public struct WaitAnswer: Hashable, Sendable {
    /// More came of files that are being sent to a namespace.
    public struct Inflight: Hashable, Sendable {
        /// As the request named it.
        public var namespace: String
        /// What the next request says that it knows.
        public var mark: Int64

        public init(namespace: String, mark: Int64) {
            self.namespace = namespace
            self.mark = mark
        }
    }

    public var changed: [String]
    public var inflight: [Inflight]

    public init(changed: [String], inflight: [Inflight] = []) {
        self.changed = changed
        self.inflight = inflight
    }

    /// Whether nothing is new.
    public var isEmpty: Bool { changed.isEmpty && inflight.isEmpty }

    public func value(_ form: WireForm) -> IPLDValue {
        var writer = WireWriter(form)
        writer.put("changed", .list(changed.map { .string($0) }))
        guard !inflight.isEmpty else { return writer.value }
        writer.put(
            "inflight",
            .list(
                inflight.map { news in
                    var writer = WireWriter(form)
                    writer.put("ns", news.namespace)
                    writer.put("mark", Optional(news.mark))
                    return writer.value
                }))
        return writer.value
    }

    public init(_ value: IPLDValue) throws(SyncMessageError) {
        let reader = try WireReader(value, "wait")
        changed = []
        for value in try reader.list("changed", maximum: SyncLimits.maximumCursors) ?? [] {
            guard case .string(let text) = value else { throw .badMember("wait.changed", expected: "texts") }
            changed.append(text)
        }
        inflight = []
        for value in try reader.list("inflight", maximum: SyncLimits.maximumCursors) ?? [] {
            let reader = try WireReader(value, "wait.inflight")
            inflight.append(
                Inflight(
                    namespace: try reader.require("ns", reader.text("ns")),
                    mark: try reader.require("mark", reader.number("mark"))))
        }
    }
}
