import Access
import BlockStorage
import Catalog
import Digests
public import IPLD
public import Multiformats
import Namespaces
import NodeCore
public import SyncProtocol
import TreeValues

extension SyncService {
    /// What changed after a cursor, in the order of JIDs, the newest entry of each node.
    ///
    /// Who may only bring files in gets the entries that the same user wrote.
    ///
    /// - Throws: `resetRequired` for a cursor of another journal.
    public func changes(_ request: ListRequest, of text: String) throws -> ListAnswer {
        let (namespace, own) = try visiblePart(of: text)
        let after = try request.cursor.map { try position($0, in: namespace) } ?? 0
        if request.cursor != nil { try acknowledge(namespace, upTo: after) }
        let page = try namespaces.changes(
            of: namespace, after: after, limit: request.limit, collapse: true)
        var names: [String: String] = [:]
        var answer = try entries(
            page.entries.filter { own == nil || $0.author.user == own }.map { entry in
                let device = entry.author.device ?? ""
                let name = try names[device] ?? deviceName(device, in: namespace)
                names[device] = name
                return RemoteEntry(
                    node: SyncNode(entry.node), isDeleted: entry.node.isDeleted,
                    isRestored: entry.operation == .restore && entry.node.kind == .directory,
                    device: device, deviceName: name == device ? nil : name)
            }, request.wantsInline, namespace)
        if request.wantsEdits, request.cursor != nil, own == nil {
            try FileEdits(namespaces, namespace, blocks: blocks(of: namespace), since: after).add(to: &answer)
        }
        hub.tally.count { $0.listed += Int64(answer.count) }
        return ListAnswer(
            entries: answer, cursor: try cursor(namespace, page.cursor), hasMore: page.hasMore,
            mergesText: (try? NamespacePolicy(json: namespace.policy))?.merge == .lines,
            isDeviceUnknown: try isDeviceUnknown(),
            inflight: request.wantsInflight ? try inflight(in: namespace, own: own) : [])
    }

    /// A place in a journal: its epoch, a JID, and a mark of the entry of that JID.
    func cursor(_ namespace: Namespace, _ jid: JID) throws -> SyncCursor {
        let mark = try namespaces.journalMark(of: namespace, at: jid) ?? 0
        return SyncCursor(
            epoch: namespace.epoch, jid: jid,
            text: "2.\(namespace.epoch).\(jid).\(String(mark, radix: 16))")
    }

    /// The JID of a cursor of this journal.
    ///
    /// What a client might invent here is another place in a journal that it may read anyway.
    ///
    /// - Throws: `resetRequired` for a cursor of another journal, also one that was the same up to the state
    ///   of a backup: its epoch is the same, its entries are others.
    func position(_ text: String, in namespace: Namespace) throws -> JID {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        // Those of version 1 have no mark.
        let isMarked = parts.count == 4 && parts[0] == "2"
        let mark = isMarked ? UInt32(parts[3], radix: 16) : 0
        guard isMarked || parts.count == 3 && parts[0] == "1", let mark, let epoch = Int64(parts[1]),
            let jid = JID(parts[2]), jid >= 0
        else { throw SyncFailure.badRequest("this is no cursor of this node") }
        guard epoch == namespace.epoch, jid <= namespace.head,
            try !isMarked || namespaces.journalMark(of: namespace, at: jid) == mark
        else { throw SyncFailure.resetRequired }
        return jid
    }

    /// Puts the content of small files into entries.
    func entries(
        _ entries: [RemoteEntry], _ wantsInline: Bool, _ namespace: Namespace
    ) throws -> [RemoteEntry] {
        guard wantsInline else { return entries }
        let blocks = try blocks(of: namespace)
        var entries = entries
        var places: [Int] = []
        var cids: [CID] = []
        for (index, entry) in entries.enumerated() where !entry.isDeleted && entry.node.kind == .file {
            guard let root = entry.node.content, entry.node.size <= SyncLimits.maximumInlineBytes else {
                continue
            }
            if entry.node.size == 0 {
                entries[index].inline = []
            } else if root.codec == .raw {
                places.append(index)
                cids.append(root)
            }
        }
        for (place, block) in zip(places, try blocks.blocks(cids)) { entries[place].inline = block?.bytes }
        return entries
    }

    /// Which of these blocks are not here, or not the namespace's.
    public func missing(_ cids: [CID], of text: String) throws -> [CID] {
        let blocks = try blocks(of: try namespace(text, for: .write))
        return try cids.filter { try !blocks.isReadable($0) || blocks.size(of: $0) == nil }
    }

    /// Takes blocks in, for the project alone: a commit that names them says whether they are public.
    ///
    /// How many of them were held already is counted, and not told: another project may hold them.
    ///
    /// - Returns: those that do not hash to their CID, or whose hash others may hash to, and are not stored.
    /// - Throws: `tooLarge`, `bytesExhausted` where the key is limited so, and `quota_exceeded` where more
    ///   came to the namespace than it may hold, before any of them is stored.
    public func store(_ incoming: [Block], for text: String) throws -> [CID] {
        let namespace = try namespace(text, for: .write)
        try bring(incoming.reduce(0) { $0 + Int64($1.bytes.count) }, to: namespace)
        try count(incoming)
        let blocks = try blocks(of: namespace)
        var good: [Block] = []
        var bad: [CID] = []
        for block in incoming {
            do {
                try block.cid.verify(block.bytes)
                if block.cid.mayNameLeaf { good.append(block) } else { bad.append(block.cid) }
            } catch { bad.append(block.cid) }
        }
        let summary = try blocks.hold(all: good)
        if !good.isEmpty { admission?.keep() }
        hub.inflight.note(
            good.map(\.cid), by: principal.user?.text, in: namespace.id, seconds: rates.inflightSeconds)
        let badBytes =
            incoming.reduce(0) { $0 + Int64($1.bytes.count) }
            - good.reduce(0) { $0 + Int64($1.bytes.count) }
        hub.tally.note(summary)
        hub.tally.count { $0.refused.add(blocks: bad.count, bytes: badBytes) }
        return bad
    }

    /// Blocks that were asked for.
    public struct FoundBlocks: Sendable {
        /// Those that are held and may be seen, in the order asked.
        public var blocks: [Block] = []
        /// Of how many of the CIDs, from the first on, this speaks; the others did not fit.
        public var answered = 0
    }

    /// Blocks in the order asked, until they are too many for one answer. What is not held is left out.
    public func retrieve(_ cids: [CID], of text: String) throws -> FoundBlocks {
        let (namespace, own) = try visiblePart(of: text)
        let blocks = try blocks(of: namespace)
        var offered: OfferedBlocks?
        func offeredBlock(_ cid: CID) throws -> Block? {
            if offered == nil { offered = try OfferedBlocks(self, namespace, own: own) }
            return try offered?.block(cid)
        }
        var found = FoundBlocks()
        var bytes = 0
        for cid in cids {
            if let block = try blocks.block(cid) ?? offeredBlock(cid) {
                let isFirst = found.blocks.isEmpty
                if !isFirst, bytes + block.bytes.count > SyncLimits.maximumBlockBytes { break }
                bytes += block.bytes.count
                found.blocks.append(block)
            }
            found.answered += 1
        }
        hub.tally.count { counts in
            counts.retrieved.add(blocks: found.blocks.count, bytes: Int64(bytes))
            counts.absentBlocks += Int64(found.answered - found.blocks.count)
        }
        return found
    }

    /// The leaves of a file, as a difference to another that the client has.
    public func leaves(_ request: LeavesRequest, of text: String) throws -> LeafEdit {
        let (namespace, own) = try visiblePart(of: text)
        let blocks = try blocks(of: namespace)
        guard
            let leaves = try FileLeaves.list(request.root, in: blocks)
                ?? offeredLeaves(of: request.root, in: namespace, own: own)
        else { throw SyncFailure.unknownBlock(request.root.description) }
        let base = try request.base.flatMap { try FileLeaves.base($0, in: blocks) }
        return LeafEdit(from: base ?? [], root: base == nil ? nil : request.base, to: leaves)
    }
}
