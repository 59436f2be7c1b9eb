public import IPLD
public import Multiformats
public import TreeValues

/// `POST /sync/v1/ns/{ns}/commit`.
public struct CommitRequest: Hashable, Sendable {
    /// The epoch that the client knows.
    public var epoch: Int64
    /// How far the client has read the journal: if nobody else changed anything since, the answer has the
    /// cursor behind what this commit did.
    public var cursor: String?
    /// All operations, or none.
    public var isAtomic: Bool
    public var operations: [SyncOperation]

    public init(
        epoch: Int64, cursor: String? = nil, isAtomic: Bool = false, operations: [SyncOperation]
    ) {
        self.epoch = epoch
        self.cursor = cursor
        self.isAtomic = isAtomic
        self.operations = operations
    }

    public func value(_ form: WireForm) -> IPLDValue {
        var writer = WireWriter(form)
        writer.put("base_epoch", epoch)
        writer.put("cursor", cursor)
        writer.put("atomic", if: isAtomic)
        writer.put("ops", .list(operations.map { $0.value(form) }))
        return writer.value
    }

    public init(_ value: IPLDValue) throws(SyncMessageError) {
        let reader = try WireReader(value, "commit")
        epoch = try reader.require("base_epoch", reader.number("base_epoch"))
        cursor = try reader.text("cursor")
        isAtomic = try reader.flag("atomic")
        operations = []
        let list = try reader.require("ops", reader.list("ops", maximum: SyncLimits.maximumOperations))
        operations.reserveCapacity(list.count)
        for (index, value) in list.enumerated() {
            do throws(SyncMessageError) {
                operations.append(try SyncOperation(value))
            } catch {
                throw error.in("ops[\(index)]")
            }
        }
    }
}

/// `POST /sync/v1/ns/{ns}/list`.
public struct ListRequest: Hashable, Sendable {
    /// What the last answer gave; `nil` for the beginning.
    public var cursor: String?
    public var limit: Int
    /// Whether the content of small files is to come along.
    public var wantsInline: Bool
    /// Whether small changes of larger files are to come along, as edits of what the file was at the cursor.
    public var wantsEdits: Bool
    /// Whether files that other devices are sending are to be told of.
    public var wantsInflight: Bool

    public init(
        cursor: String?, limit: Int, wantsInline: Bool = true, wantsEdits: Bool = true,
        wantsInflight: Bool = false
    ) {
        self.wantsInflight = wantsInflight
        self.cursor = cursor
        self.limit = limit
        self.wantsInline = wantsInline
        self.wantsEdits = wantsEdits
    }

    public func value(_ form: WireForm) -> IPLDValue {
        var writer = WireWriter(form)
        writer.put("cursor", cursor)
        writer.put("limit", small: limit)
        writer.put("inline", if: wantsInline)
        writer.put("edits", if: wantsEdits)
        writer.put("inflight", if: wantsInflight)
        return writer.value
    }

    public init(_ value: IPLDValue) throws(SyncMessageError) {
        let reader = try WireReader(value, "list")
        cursor = try reader.text("cursor")
        limit = Int(
            try reader.number("limit", in: 1...Int64(SyncLimits.maximumEntries))
                ?? Int64(SyncLimits.maximumEntries))
        wantsInline = try reader.flag("inline")
        wantsEdits = try reader.flag("edits")
        wantsInflight = try reader.flag("inflight")
    }
}

/// `POST /sync/v1/ns/{ns}/snapshot`: entries without their history.
public struct SnapshotRequest: Hashable, Sendable {
    /// `nil` for the whole namespace.
    public var directory: NodeID?
    /// As of which JID; `nil` for the newest.
    public var jid: JID?
    /// `next` of the page before, which knows of what it is.
    public var page: String?
    public var wantsInline: Bool

    public init(directory: NodeID?, jid: JID? = nil, page: String?, wantsInline: Bool = true) {
        self.directory = directory
        self.jid = jid
        self.page = page
        self.wantsInline = wantsInline
    }

    public func value(_ form: WireForm) -> IPLDValue {
        var writer = WireWriter(form)
        writer.put("nid", directory)
        writer.put("jid", jid)
        writer.put("page", page)
        writer.put("inline", if: wantsInline)
        return writer.value
    }

    public init(_ value: IPLDValue) throws(SyncMessageError) {
        let reader = try WireReader(value, "snapshot")
        directory = try reader.id("nid")
        jid = try reader.number("jid", in: 0...JID.max)
        page = try reader.text("page")
        wantsInline = try reader.flag("inline")
    }
}

/// A list of blocks: what `have` and `retrieve` ask by and `have` answers with.
public struct BlockList: Hashable, Sendable {
    public var cids: [CID]

    public init(_ cids: [CID]) { self.cids = cids }

    public func value(_ form: WireForm) -> IPLDValue {
        var writer = WireWriter(form)
        writer.put("cids", .list(cids.map(form.cid)))
        return writer.value
    }

    public init(_ value: IPLDValue) throws(SyncMessageError) {
        let reader = try WireReader(value, "blocks")
        let list = try reader.require("cids", reader.list("cids", maximum: SyncLimits.maximumBlocks))
        cids = try WireReader.cids(list, "blocks.cids")
    }
}

/// `POST /sync/v1/ns/{ns}/leaves`: the leaves of a file, as a difference to another's.
public struct LeavesRequest: Hashable, Sendable {
    public var root: CID
    public var base: CID?

    public init(root: CID, base: CID?) {
        self.root = root
        self.base = base
    }

    public func value(_ form: WireForm) -> IPLDValue {
        var writer = WireWriter(form)
        writer.put("root", root)
        writer.put("base", base)
        return writer.value
    }

    public init(_ value: IPLDValue) throws(SyncMessageError) {
        let reader = try WireReader(value, "leaves")
        root = try reader.require("root", reader.cid("root"))
        base = try reader.cid("base")
    }
}
