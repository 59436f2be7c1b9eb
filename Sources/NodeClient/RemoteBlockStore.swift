public import BlockStorage
import CAR
import Digests
public import IPLD
public import Multiformats
import NIOHTTP1
import NodeMessages
import Synchronization

/// The blocks of a node elsewhere. What comes is checked against its CID, what goes is asked for first:
/// blocks that the node has are not sent.
///
/// What is put belongs to an import, which is opened by the first put and keeps the blocks from the
/// collector until ``end()``.
public final class RemoteBlockStore: BlockStore {
    private let connection: NodeConnection
    /// The import that is open, if any. Held while one is being opened, so that there is one only.
    private let session = Mutex<String?>(nil)

    /// What goes into one request at most: bytes of blocks.
    private static let batchBytes = 16 * 1024 * 1024

    init(_ connection: NodeConnection) { self.connection = connection }

    public func block(_ cid: CID) throws -> Block? {
        if cid.isIdentity { return Block(cid: cid, bytes: Array(cid.multihash.digest)) }
        let reply: NodeConnection.Reply
        do {
            reply = try connection.exchange(.GET, "/blocks/\(cid)")
        } catch let failure as NodeFailure where failure.code == "block-not-found" {
            return nil
        }
        guard reply.bytes.withUnsafeBytes({ cid.multihash.matches($0) }) else {
            throw BlockStoreError.digestMismatch(cid)
        }
        return Block(cid: cid, bytes: reply.bytes)
    }

    public func size(of cid: CID) throws -> Int? {
        if cid.isIdentity { return cid.multihash.digestByteCount }
        let sizes: SizesMessage = try connection.send(
            .POST, "/blocks/sizes", CIDsMessage(cids: [cid.description]))
        return sizes.sizes.first ?? nil
    }

    public func put(_ blocks: [BlockView], scope: ScopeMarks) throws -> PutSummary {
        var summary = PutSummary()
        var start = 0
        while start < blocks.count {
            var (end, bytes) = (start, 0)
            while end < blocks.count, end - start < CIDsMessage.maximum,
                end == start || bytes < Self.batchBytes
            {
                bytes += blocks[end].bytes.count
                end += 1
            }
            try put(blocks[start..<end], scope, &summary)
            start = end
        }
        return summary
    }

    private func put(
        _ blocks: ArraySlice<BlockView>, _ scope: ScopeMarks, _ summary: inout PutSummary
    ) throws {
        let sendable = blocks.filter { !$0.cid.isIdentity }
        summary.knownBlocks += blocks.count - sendable.count
        guard !sendable.isEmpty else { return }
        let question = CIDsMessage(cids: sendable.map(\.cid.description))
        let answer: CIDsMessage = try inImport {
            try connection.send(.POST, "/imports/\($0)/missing", question)
        }
        var missing = Set(answer.cids)
        var car = CARv1.header(roots: [])
        for (block, text) in zip(sendable, question.cids) {
            guard missing.remove(text) != nil else {
                summary.knownBlocks += 1
                summary.knownBytes += Int64(block.bytes.count)
                continue
            }
            CARv1.appendSectionHead(block.cid, blockBytes: block.bytes.count, to: &car)
            car.append(contentsOf: block.bytes)
        }
        guard !answer.cids.isEmpty else { return }
        let visibility = scope.contains(.public) ? "public" : "private"
        let stored: StoredMessage = try inImport {
            try connection.decode(
                connection.exchange(
                    .POST, "/imports/\($0)/blocks", query: [("visibility", visibility)],
                    body: ("application/vnd.ipld.car", car)))
        }
        summary.newBlocks += stored.newBlocks
        summary.newBytes += stored.newBytes
        summary.knownBlocks += stored.knownBlocks
        summary.knownBytes += stored.knownBytes
    }

    public func commit() throws {
        guard session.withLock({ $0 != nil }) else { return }
        try inImport { try connection.send(.POST, "/imports/\($0)/commit") }
    }

    /// The import that is open.
    var importID: String? { session.withLock { $0 } }

    /// Ends the import: what was not pinned goes after the grace period.
    func end() {
        let id = session.withLock { session in
            defer { session = nil }
            return session
        }
        // The node ends it by itself if this does not arrive.
        if let id { try? connection.send(.DELETE, "/imports/\(id)") }
    }

    /// Opens an import unless one is open; one that the node knows no more is opened anew, once.
    private func inImport<Value>(_ body: (String) throws -> Value) throws -> Value {
        let id = try open()
        do {
            return try body(id)
        } catch let failure as NodeFailure where failure.code == "import-not-found" {
            session.withLock { if $0 == id { $0 = nil } }
            return try body(try open())
        }
    }

    private func open() throws -> String {
        try session.withLock { session in
            if let session { return session }
            let opened: ImportMessage = try connection.send(.POST, "/imports")
            session = opened.id
            return opened.id
        }
    }
}
