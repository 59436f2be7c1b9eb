public import IPLD
import Multiformats

extension CommitResult {
    func value(_ form: WireForm) -> IPLDValue {
        var writer = WireWriter(form)
        switch self {
        case .done(let node):
            writer.put("st", "ok")
            writer.put("node", node.value(form))
        case .need(let cids):
            writer.put("st", "need")
            writer.put("blocks", .list(cids.map(form.cid)))
        case .conflict(let reason, let current):
            writer.put("st", "conflict")
            writer.put("reason", reason)
            if let current { writer.put("current", current.value(form)) }
        case .refused(let code, let message):
            writer.put("st", "error")
            writer.put("code", code)
            writer.put("message", message)
        }
        return writer.value
    }

    init(_ value: IPLDValue) throws(SyncMessageError) {
        let reader = try WireReader(value, "result")
        switch try reader.require("st", reader.text("st")) {
        case "ok":
            let node = try reader.require("node", reader.value("node"))
            self = .done(try SyncNode(WireReader(node, "result.node")))
        case "need":
            let list = try reader.list("blocks", maximum: SyncLimits.maximumLeaves) ?? []
            self = .need(try WireReader.cids(list, "result.blocks"))
        case "conflict":
            var current: SyncNode?
            if let value = reader.value("current") {
                current = try SyncNode(WireReader(value, "result.current"))
            }
            self = .conflict(
                reason: try reader.require("reason", reader.text("reason")), current: current)
        case "error":
            self = .refused(
                code: try reader.require("code", reader.text("code")),
                message: try reader.text("message") ?? "")
        case let word: throw .unknownWord("result.st", given: word)
        }
    }
}

extension CommitAnswer {
    public func value(_ form: WireForm) -> IPLDValue {
        var writer = WireWriter(form)
        writer.put("head", head)
        writer.put("results", .list(results.map { $0.value(form) }))
        return writer.value
    }

    public init(_ value: IPLDValue) throws(SyncMessageError) {
        let reader = try WireReader(value, "commit")
        let list = try reader.list("results", maximum: 100_000) ?? []
        var results: [CommitResult] = []
        results.reserveCapacity(list.count)
        for value in list { results.append(try CommitResult(value)) }
        self.init(head: try reader.require("head", reader.number("head")), results: results)
    }
}

extension WireReader {
    static func cids(_ values: [IPLDValue], _ what: String) throws(SyncMessageError) -> [CID] {
        var cids: [CID] = []
        cids.reserveCapacity(values.count)
        for value in values {
            guard let cid = cid(value) else { throw .badMember(what, expected: "a list of CIDs") }
            cids.append(cid)
        }
        return cids
    }
}
