public import IPLD
import Multiformats

extension CommitResult {
    /// - Parameter operation: what it answers: a node that is as it was asked for is told by its revisions.
    func value(_ form: WireForm, to operation: SyncOperation?) -> IPLDValue {
        var writer = WireWriter(form)
        switch self {
        case .done(let node):
            writer.put("st", "ok")
            if operation?.node(revision: node.revision, contentRevision: node.contentRevision) == node {
                writer.put("rev", node.revision)
                writer.put("crev", node.contentRevision)
            } else {
                writer.put("node", node.value(form))
            }
        case .need(let cids):
            writer.put("st", "need")
            writer.put("blocks", .list(cids.map(form.cid)))
        case .conflict(let reason, let current):
            writer.put("st", "conflict")
            writer.put("reason", reason)
            if let current { writer.put("current", current.value(form)) }
        case .refused(let code, let message):
            writer.put("st", "error")
            writer.put("code", code.rawValue)
            writer.put("message", message)
        case .confirmationNeeded(let removals, let token):
            writer.put("st", "error")
            writer.put("code", SyncCode.massDeleteBlocked.rawValue)
            writer.put("message", "\(removals) files and directories would be removed; a person has to agree")
            writer.put("removals", removals)
            writer.put("token", token)
        }
        return writer.value
    }

    init(_ value: IPLDValue, to operation: SyncOperation?) throws(SyncMessageError) {
        let reader = try WireReader(value, "result")
        switch try reader.require("st", reader.text("st")) {
        case "ok":
            if let value = reader.value("node") {
                self = .done(try SyncNode(WireReader(value, "result.node")))
                return
            }
            let node = operation?.node(
                revision: try reader.require("rev", reader.number("rev")),
                contentRevision: try reader.require("crev", reader.number("crev")))
            self = .done(try reader.require("node", node))
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
            let code = SyncCode(try reader.require("code", reader.text("code")))
            if code == .massDeleteBlocked, let token = try reader.text("token") {
                self = .confirmationNeeded(removals: try reader.number("removals") ?? 1, token: token)
            } else {
                self = .refused(code: code, message: try reader.text("message") ?? "")
            }
        case let word: throw .unknownWord("result.st", given: word)
        }
    }
}

extension CommitAnswer {
    public func value(_ form: WireForm) -> IPLDValue { value(form, to: []) }

    /// - Parameter operations: what it answers, in the same order.
    public func value(_ form: WireForm, to operations: [SyncOperation]) -> IPLDValue {
        var writer = WireWriter(form)
        writer.put("head", head)
        let values = results.enumerated().map { index, result in
            result.value(form, to: operations.indices.contains(index) ? operations[index] : nil)
        }
        writer.put("results", .list(values))
        if let cursor {
            var advanced = WireWriter(form)
            cursor.write(to: &advanced)
            writer.put("advanced_cursor", advanced.value)
        }
        return writer.value
    }

    public init(_ value: IPLDValue) throws(SyncMessageError) { try self.init(value, to: []) }

    /// - Parameter operations: what was asked, in the same order.
    public init(_ value: IPLDValue, to operations: [SyncOperation]) throws(SyncMessageError) {
        let reader = try WireReader(value, "commit")
        let list = try reader.list("results", maximum: 100_000) ?? []
        var results: [CommitResult] = []
        results.reserveCapacity(list.count)
        for (index, value) in list.enumerated() {
            let operation = operations.indices.contains(index) ? operations[index] : nil
            results.append(try CommitResult(value, to: operation))
        }
        var cursor: SyncCursor?
        if let value = reader.value("advanced_cursor") {
            cursor = try SyncCursor(WireReader(value, "commit.advanced_cursor"))
        }
        self.init(
            head: try reader.require("head", reader.number("head")), results: results, cursor: cursor)
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
