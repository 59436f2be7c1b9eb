public import BlockStorage
import Foundation
public import Multiformats
import NIOHTTP1
public import NodeCore
public import NodeMessages

/// A node that runs elsewhere, through its API.
///
/// Long work is a job there: it is asked for again and again until it has ended, and is cancelled when
/// whoever waits for it is. Blocks are checked here, so that the node need not be trusted for what it
/// serves.
public final class RemoteNode: NodeOperations {
    let connection: NodeConnection
    private let store: RemoteBlockStore

    /// Seconds that one question for a job takes at most: so often is looked whether it is to be cancelled.
    private static let waitSeconds = 1

    public init(_ connection: NodeConnection) {
        self.connection = connection
        store = RemoteBlockStore(connection)
    }

    public var blocks: any BlockStore { store }

    public func beginLease() throws -> any NodeLease { RemoteLease(store: store) }

    public func defaults() throws -> DefaultsMessage { try connection.send(.GET, "") }

    public func statistics() throws -> StatisticsMessage { try connection.send(.GET, "/stats") }

    // MARK: Pins

    public func pin(_ request: PinRequest, _ watch: Watch) throws -> PinMessage {
        try work(.POST, "/pins", request, watch)
    }

    public func pinStored(_ request: PinRequest) throws -> PinMessage {
        guard let id = store.importID else { return try pin(request, .none) }
        return try work(.POST, "/imports/\(id)/pins", request, .none)
    }

    public func forEachPin(_ query: PinQuery, _ body: (PinMessage) throws -> Void) throws {
        var parameters: [(String, String)] = [("order", "oldest"), ("limit", "1000")]
        for (name, value) in [
            ("name", query.name), ("name-prefix", query.namePrefix), ("status", query.status),
            ("visibility", query.visibility), ("cid", query.cid),
        ] {
            if let value { parameters.append((name, value)) }
        }
        try forEachPage("/pins", parameters, body)
    }

    public func pins(matching text: String) throws -> [PinMessage] {
        let page: PageMessage<PinMessage> = try connection.send(.GET, "/pins", query: [("match", text)])
        guard !page.items.isEmpty else { throw NodeError.pinNotFound(text) }
        return page.items
    }

    public func removePin(_ id: String) throws -> Bool { try remove("/pins/" + NodeConnection.encoded(id)) }

    public func removeDamagedPin(_ id: String) throws -> Bool {
        try remove("/pins/" + NodeConnection.encoded(id), query: [("damaged", "true")])
    }

    func remove(_ path: String, query: [(String, String)] = []) throws -> Bool {
        do {
            try connection.send(.DELETE, path, query: query)
            return true
        } catch let failure as NodeFailure where failure.kind == .notFound {
            return false
        }
    }

    public func completePin(_ id: String, _ watch: Watch) throws -> PinMessage {
        try work(.POST, "/pins/\(NodeConnection.encoded(id))/check", Optional<Bool>.none, watch)
    }

    public func setVisibility(_ visibility: String, ofPin id: String, _ watch: Watch) throws -> PinMessage {
        try work(
            .PUT, "/pins/\(NodeConnection.encoded(id))/visibility", ["visibility": visibility], watch)
    }

    // MARK: The whole

    public func walk(_ root: CID, _ watch: Watch) throws -> WalkMessage {
        try work(.POST, "/dags/\(root)/walk", Optional<Bool>.none, watch)
    }

    public func collect(_ request: CollectionRequest, _ watch: Watch) throws -> CollectionMessage {
        try work(.POST, "/gc", request, watch)
    }

    public func verify(_ request: VerificationRequest, _ watch: Watch) throws -> VerificationMessage {
        try work(.POST, "/verify", request, watch)
    }

    public func exportCAR(
        _ root: CID, _ options: CARExportOptions, _ watch: Watch,
        sink: @escaping (UnsafeRawBufferPointer) throws -> Void
    ) throws {
        var query = [("scope", options.scope.rawValue)]
        if options.format == .version2 { query.append(("version", "2")) }
        if let range = options.entityBytes {
            query.append(("from", String(range.lowerBound)))
            query.append(("to", String(range.upperBound)))
        }
        try connection.download("/cars/\(root)", query: query) { bytes in
            try watch.cancellation.check()
            watch.advance(0, bytes.count)
            try sink(bytes)
        }
    }

    // MARK: Names

    public func makeName(_ request: NameRequest) throws -> NameMessage {
        try connection.send(.POST, "/names", request)
    }

    public func forEachName(_ body: (NameMessage) throws -> Void) throws {
        try forEachPage("/names", [("limit", "1000")], body)
    }

    public func name(_ text: String, history: Int) throws -> NameMessage {
        try connection.send(
            .GET, path(ofName: text), query: history > 0 ? [("history", String(min(history, 1000)))] : [])
    }

    public func removeName(_ text: String) throws -> NameMessage {
        try connection.send(.DELETE, path(ofName: text))
    }

    public func publishName(_ text: String, _ request: PublishRequest) throws -> NameMessage {
        try connection.send(.POST, path(ofName: text) + "/publish", request)
    }

    public func unfollowName(_ text: String) throws -> NameMessage {
        try connection.send(.DELETE, path(ofName: text) + "/follow")
    }

    public func resolveName(_ text: String) throws -> ResolutionMessage {
        do {
            return try connection.send(.GET, "/resolve", query: [("name", text)])
        } catch let failure as NodeFailure where failure.detail.lowercased().contains("dnslink") {
            // The code is that of every name that leads nowhere. What is set here does not reach the node.
            var told = failure
            told.detail += " (the node at \(connection.base) was asked: its gateway.dnslink counts, "
            told.detail += "not what is set here)"
            throw told
        }
    }

    public func record(ofName text: String) throws -> [UInt8] {
        try connection.exchange(.GET, path(ofName: text) + "/record").bytes
    }

    public func putRecord(_ bytes: [UInt8], forName key: String) throws -> RecordMessage {
        try connection.decode(
            connection.exchange(
                .PUT, path(ofName: key) + "/record", body: ("application/vnd.ipfs.ipns-record", bytes)))
    }

    public func exportName(_ text: String) throws -> [UInt8] {
        let message: BytesMessage = try connection.send(.GET, path(ofName: text) + "/key")
        guard let data = Data(base64Encoded: message.base64) else {
            throw NodeFailure(.failed, code: "unexpected-answer", detail: "the node sent no key")
        }
        return Array(data)
    }

    private func path(ofName text: String) -> String { "/names/" + NodeConnection.encoded(text) }

    // MARK: Grants

    public func makeGrant(_ request: GrantRequest) throws -> GrantMessage {
        try connection.send(.POST, "/grants", request)
    }

    public func forEachGrant(project: String?, _ body: (GrantMessage) throws -> Void) throws {
        try forEachPage("/grants", [("limit", "1000")] + (project.map { [("project", $0)] } ?? []), body)
    }

    public func grant(matching text: String) throws -> GrantMessage {
        try connection.send(.GET, "/grants/" + NodeConnection.encoded(text))
    }

    public func revokeGrant(_ id: String) throws -> GrantMessage {
        try connection.send(.DELETE, "/grants/" + NodeConnection.encoded(id))
    }

    public func signURL(_ request: SignedURLRequest) throws -> String {
        let message: SignedURLMessage = try connection.send(.POST, "/signed-urls", request)
        return message.url
    }

    public func revokeSignedURL(_ url: String) throws {
        try connection.send(.POST, "/signed-urls/revoke", SignedURLMessage(url: url))
    }

    public func removeDamagedGrant(_ id: String) throws {
        _ = try remove("/grants/" + NodeConnection.encoded(id), query: [("damaged", "true")])
    }

    // MARK: Pages and jobs

    func forEachPage<Item: Codable & Sendable>(
        _ path: String, _ query: [(String, String)], _ body: (Item) throws -> Void
    ) throws {
        var cursor: String?
        repeat {
            let page: PageMessage<Item> = try connection.send(
                .GET, path, query: query + (cursor.map { [("cursor", $0)] } ?? []))
            for item in page.items { try body(item) }
            cursor = page.next
        } while cursor != nil
    }

    /// Asks for work and waits for its result, which comes at once or as that of a job.
    func work<Result: Codable & Sendable>(
        _ method: HTTPMethod, _ path: String, _ request: (some Encodable)?, _ watch: Watch
    ) throws -> Result {
        let body = try request.map { ("application/json", Array(try JSONEncoder().encode($0))) }
        let reply = try connection.exchange(method, path, wait: Self.waitSeconds, body: body)
        guard reply.status == 202 else { return try connection.decode(reply) }
        var job: JobMessage<Result> = try connection.decode(reply)
        var seen = JobProgressMessage(items: 0, totalItems: nil, bytes: 0, totalBytes: nil)
        let path = "/jobs/" + NodeConnection.encoded(job.id)
        var isCancelled = false
        while !job.isFinal {
            if watch.cancellation.isCancelled, !isCancelled {
                try connection.send(.POST, path + "/cancel")
                isCancelled = true
            }
            job = try connection.send(.GET, path, wait: Self.waitSeconds)
            watch.setTotal(job.progress.totalItems, job.progress.totalBytes)
            watch.advance(
                Int(clamping: job.progress.items - seen.items), Int(clamping: job.progress.bytes - seen.bytes)
            )
            seen = job.progress
        }
        if let result = job.result { return result }
        if job.state == "cancelled" { throw CancelledError() }
        let error = job.error ?? JobErrorMessage(code: "failed", detail: "job \(job.id) failed")
        throw NodeFailure(NodeFailure.kind(ofCode: error.code), code: error.code, detail: error.detail)
    }
}

/// Ends the import of a node elsewhere.
private struct RemoteLease: NodeLease {
    let store: RemoteBlockStore
    func end() { store.end() }
}
