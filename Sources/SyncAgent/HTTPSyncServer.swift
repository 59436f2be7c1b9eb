import CAR
import Foundation
public import IPLD
public import Multiformats
import NIOCore
import NIOHTTP1
public import SyncClient
public import SyncProtocol
public import TreeValues

/// A node's sync protocol over HTTP, for one namespace and as one device. Format: docs/formats/sync.md.
///
/// Synchronous and thread-safe: a call waits for the network on the thread that makes it. What failed on
/// the way is not tried again here: the engine does that, item by item. What was refused for asking too often
/// is, after as long as the node says. Blocks are checked against their CIDs.
public final class HTTPSyncServer: SyncServer {
    private let connection: SyncConnection
    private let namespace: String

    /// Whom to speak to, and as whom.
    public struct Options: Sendable {
        /// Such as `http://127.0.0.1:8080`; a path behind it is in front of `/sync/v1`.
        public var node: String
        /// Of a grant.
        public var token: String?
        /// A PEM file of further authorities to trust.
        public var authorities: String?
        /// Whether the certificate of the node is not looked at: for a node on this machine alone.
        public var trustsAnyCertificate = false
        /// Whether bodies are packed where that pays; `nil`: unless the node is on this machine.
        public var packs: Bool?

        public init(node: String, token: String?) {
            self.node = node
            self.token = token
        }
    }

    /// - Parameter namespace: id or name.
    /// - Throws: `badAnswer` for an address that is none, or a file without certificates.
    public init(_ options: Options, namespace: String, device: String) throws(SyncServerError) {
        connection = try SyncConnection(options, device: device)
        self.namespace = namespace
    }

    deinit { close() }

    /// Breaks off what is under way and closes the connections; later calls fail. Does not wait.
    public func close() { connection.close() }

    /// Bytes of bodies that were sent and received so far.
    public var transfers: TransferCounters { connection.transfers }

    // MARK: Calls

    public func list(after cursor: SyncCursor?, limit: Int) throws(SyncServerError) -> ListAnswer {
        try call("list", ListRequest(cursor: cursor?.text, limit: limit).value(.cbor), ListAnswer.init)
    }

    public func snapshot(of directory: NodeID?, page: String?) throws(SyncServerError) -> SnapshotPage {
        try call(
            "snapshot", SnapshotRequest(directory: directory, page: page).value(.cbor), SnapshotPage.init)
    }

    public func commit(
        _ operations: [SyncOperation], after cursor: SyncCursor?
    ) throws(SyncServerError) -> CommitAnswer {
        let request = CommitRequest(
            epoch: cursor?.epoch ?? 0, cursor: cursor?.text, operations: operations
        ).value(.cbor)
        let answer = try call("commit", request) { value throws(SyncMessageError) in
            try CommitAnswer(value, to: operations)
        }
        guard answer.results.count == operations.count else {
            throw .badAnswer("\(operations.count) operations have \(answer.results.count) results")
        }
        return answer
    }

    public func missing(_ cids: [CID]) throws(SyncServerError) -> [CID] {
        var missing: [CID] = []
        var rest = cids[...]
        while !rest.isEmpty {
            let part = Array(rest.prefix(SyncLimits.maximumBlocks))
            missing += try call("blocks/have", BlockList(part).value(.cbor), BlockList.init).cids
            rest = rest.dropFirst(part.count)
        }
        return missing
    }

    /// Sends blocks, as many requests as they need.
    public func store(_ blocks: [Block]) throws(SyncServerError) {
        var rest = blocks[...]
        while !rest.isEmpty {
            // At least one, and as many as one request may have.
            var (count, bytes) = (0, 0)
            for block in rest {
                guard
                    count == 0
                        || (bytes + block.bytes.count <= SyncLimits.maximumBlockBytes
                            && count < SyncLimits.maximumStoreBlocks)
                else { break }
                (count, bytes) = (count + 1, bytes + block.bytes.count)
            }
            try store(part: Array(rest.prefix(count)), bytes: bytes)
            rest = rest.dropFirst(count)
        }
    }

    private func store(part: [Block], bytes: Int) throws(SyncServerError) {
        var car: [UInt8] = []
        car.reserveCapacity(bytes + 64 * part.count + 64)
        do {
            var writer = try CARWriter(roots: []) { car.append(contentsOf: $0) }
            for block in part { try writer.append(block) }
            _ = try writer.finish()
        } catch { throw .badAnswer("\(error)") }
        var request = SyncConnection.Request(.POST, "ns/\(encoded)/blocks/store")
        (request.type, request.body) = ("application/vnd.ipld.car", car)
        request.headers = [("X-Block-Count", String(part.count))]
        let answer = try Self.decode(try connection.send(request).bytes)
        guard case .integer(let stored)? = answer[key: "stored"], stored == part.count else {
            throw .badAnswer("blocks were damaged on their way; they are sent again")
        }
    }

    public func retrieve(_ cids: [CID]) throws(SyncServerError) -> RetrievedBlocks {
        let part = Array(cids.prefix(SyncLimits.maximumBlocks))
        let answer = try connection.send(
            SyncConnection.Request(
                .POST, "ns/\(encoded)/blocks/retrieve",
                message: try Self.encode(BlockList(part).value(.cbor))))
        let bytes = answer.bytes
        var blocks: [Block] = []
        do {
            var offset = 0
            var stream = CARStream(options: CARReadingOptions()) { buffer in
                let count = min(buffer.count, bytes.count - offset)
                bytes[offset..<offset + count].withUnsafeBytes { buffer.copyMemory(from: $0) }
                offset += count
                return count
            }
            _ = try stream.header()
            while let section = try stream.next() { blocks.append(section.block) }
        } catch { throw .badAnswer("\(error)") }
        // What is missing among those that the answer speaks of is left out.
        let answered = answer.headers.first(name: "X-Answered-Count").flatMap { Int($0) } ?? blocks.count
        guard answered <= part.count, answered > 0 || part.isEmpty else {
            throw .badAnswer("it speaks of \(answered) blocks, and \(part.count) were asked for")
        }
        var rest = blocks[...]
        for cid in part.prefix(answered) where rest.first?.cid == cid { rest = rest.dropFirst() }
        guard rest.isEmpty else { throw .badAnswer("the blocks are others than were asked for") }
        return RetrievedBlocks(blocks, answered: answered)
    }

    public func leaves(of root: CID, base: CID?) throws(SyncServerError) -> LeafEdit {
        try call("leaves", LeavesRequest(root: root, base: base).value(.cbor), LeafEdit.init)
    }

    // MARK: Beside the folder

    /// The namespace as the node has it.
    public func info() throws(SyncServerError) -> NamespaceInfo {
        let value = try get("ns/\(encoded)")
        do { return try NamespaceInfo(value) } catch { throw .badAnswer(error.description) }
    }

    /// How far the clock of this machine is ahead of the node's: milliseconds, less than 0 where it is
    /// behind; certain to half of the time that the answer takes. `nil` where the node does not say what
    /// time it is.
    public func clockLead() throws(SyncServerError) -> Int64? {
        let before = MachineClock.wallNanoseconds() / 1_000_000
        guard case .integer(let time)? = try get("hello")[key: "time"], let time = Int64(exactly: time) else {
            return nil
        }
        let after = MachineClock.wallNanoseconds() / 1_000_000
        let (lead, isOverflow) = ((before + after) / 2).subtractingReportingOverflow(time)
        return isOverflow ? nil : lead
    }

    /// Makes the namespace.
    public func create(_ request: NamespaceRequest) throws(SyncServerError) -> NamespaceInfo {
        let value = try tell(.POST, "ns", request.value(.cbor))
        do { return try NamespaceInfo(value) } catch { throw .badAnswer(error.description) }
    }

    /// Returns when the namespace is beyond the cursor, when more came of a file that another device sends,
    /// or after so many seconds.
    ///
    /// - Parameter mark: what the last answer said of such files, 0 at first; `nil` not to hear of them.
    /// - Returns: what is new.
    public func wait(
        after cursor: SyncCursor, inflightMark mark: Int64?, seconds: Int
    ) throws(SyncServerError) -> WaitAnswer {
        let request = WaitRequest(
            positions: [
                .init(namespace: namespace, epoch: cursor.epoch, jid: cursor.jid, inflightMark: mark)
            ], seconds: seconds)
        var call = SyncConnection.Request(
            .POST, "wait", message: try Self.encode(request.value(.cbor)))
        call.patience = .seconds(Int64(seconds) + 30)
        let bytes = try connection.send(call).bytes
        guard !bytes.isEmpty else { return WaitAnswer(changed: []) }
        do { return try WaitAnswer(try Self.decode(bytes)) } catch let error as SyncServerError {
            throw error
        } catch { throw .badAnswer("\(error)") }
    }

    /// Files that other devices are sending.
    public func inflight(after cursor: SyncCursor) throws(SyncServerError) -> [InflightFile] {
        let request = ListRequest(
            cursor: cursor.text, limit: 1, wantsInline: false, wantsEdits: false, wantsInflight: true)
        return try call("list", request.value(.cbor), ListAnswer.init).inflight
    }

    // MARK: Messages

    var encoded: String {
        namespace.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? namespace
    }

    private func call<Answer>(
        _ name: String, _ request: IPLDValue, _ read: (IPLDValue) throws(SyncMessageError) -> Answer
    ) throws(SyncServerError) -> Answer {
        let value = try tell(.POST, "ns/\(encoded)/\(name)", request)
        do { return try read(value) } catch { throw .badAnswer(error.description) }
    }

    func get(_ path: String) throws(SyncServerError) -> IPLDValue { try tell(.GET, path, nil) }

    /// Sends a message by a method, and reads the one that is answered.
    func tell(
        _ method: HTTPMethod, _ path: String, _ message: IPLDValue?
    ) throws(SyncServerError) -> IPLDValue {
        let request = SyncConnection.Request(method, path, message: try message.map(Self.encode))
        return try Self.decode(try connection.send(request).bytes)
    }

    /// Asks without a message, where nothing is answered.
    func tell(_ method: HTTPMethod, _ path: String) throws(SyncServerError) {
        _ = try connection.send(SyncConnection.Request(method, path))
    }

    private static func encode(_ value: IPLDValue) throws(SyncServerError) -> [UInt8] {
        do { return try WireForm.cbor.encode(value) } catch { throw .badAnswer("\(error)") }
    }

    private static func decode(_ bytes: [UInt8]) throws(SyncServerError) -> IPLDValue {
        do {
            return try WireForm.cbor.decode(bytes, maximumBytes: SyncConnection.maximumAnswerBytes)
        } catch { throw .badAnswer("\(error)") }
    }
}
