import Foundation
public import IPLD
public import Multiformats
import Synchronization
public import SyncClient
public import SyncProtocol
public import TreeValues

/// The node of a folder, wherever it is at the moment: after it could not be reached, it is looked up anew.
/// A node on this machine may be at another port after a restart.
public final class NodeDialer: SyncServer, PrefetchSource {
    private let dial: @Sendable () throws -> HTTPSyncServer.Options
    private let namespace: String
    private let device: String
    private let deviceName: String
    private struct Line {
        var server: HTTPSyncServer?
        var isClosed = false
    }

    private let current = Mutex(Line())
    /// Whether the node was told of this machine, by this value.
    private let isIntroduced = Mutex(false)
    private let shouldStop: @Sendable () -> Bool
    private let upload: Mutex<BandwidthLimiter>
    private let download: Mutex<BandwidthLimiter>

    /// - Parameters:
    ///   - deviceName: what people call it.
    ///   - uploadLimit: bytes of blocks in a second; 0 for no limit.
    ///   - downloadLimit: bytes of blocks in a second; 0 for no limit.
    ///   - shouldStop: whether what a limit spreads over time is to end: then it is `unreachable`.
    ///   - dial: says where the node is.
    public init(
        namespace: String, device: String, deviceName: String? = nil, uploadLimit: Int = 0,
        downloadLimit: Int = 0, shouldStop: @escaping @Sendable () -> Bool = { false },
        dial: @escaping @Sendable () throws -> HTTPSyncServer.Options
    ) {
        upload = Mutex(BandwidthLimiter(bytesPerSecond: uploadLimit > 0 ? Int64(uploadLimit) : nil))
        download = Mutex(BandwidthLimiter(bytesPerSecond: downloadLimit > 0 ? Int64(downloadLimit) : nil))
        self.namespace = namespace
        self.device = device
        self.deviceName = deviceName ?? device
        self.shouldStop = shouldStop
        self.dial = dial
    }

    private func pass(
        _ bytes: Int, _ limiter: borrowing Mutex<BandwidthLimiter>
    ) throws(SyncServerError) {
        let wait = limiter.withLock { $0.take(bytes, now: MachineClock.steadyMilliseconds() * 1_000_000) }
        var left = Double(wait) / 1e9
        while left > 0 {
            if shouldStop() { throw .unreachable("what is under way was ended") }
            Thread.sleep(forTimeInterval: min(left, 0.2))
            left -= 0.2
        }
    }

    private func server() throws(SyncServerError) -> HTTPSyncServer {
        let line = current.withLock { $0 }
        if let server = line.server { return server }
        guard !line.isClosed else { throw .unreachable("it was stopped") }
        let options: HTTPSyncServer.Options
        do { options = try dial() } catch { throw .unreachable(String(describing: error)) }
        let made = try HTTPSyncServer(options, namespace: namespace, device: device)
        let server = current.withLock { line -> HTTPSyncServer? in
            if line.server == nil, !line.isClosed { line.server = made }
            return line.server
        }
        guard let server else {
            made.close()
            throw .unreachable("it was stopped")
        }
        return server
    }

    private func call<T>(
        _ body: (HTTPSyncServer) throws(SyncServerError) -> T
    ) throws(SyncServerError) -> T {
        let server = try server()
        do throws(SyncServerError) {
            return try body(server)
        } catch {
            if case .unreachable = error {
                let isOurs = current.withLock { line in
                    defer { if line.server === server { line.server = nil } }
                    return line.server === server
                }
                // Calls of other threads on it fail as this one did.
                if isOurs { server.close() }
            }
            throw error
        }
    }

    /// Reads the journal; a node that does not know this machine is told of it.
    public func list(after cursor: SyncCursor?, limit: Int) throws(SyncServerError) -> ListAnswer {
        let answer = try call { server throws(SyncServerError) in
            try server.list(after: cursor, limit: limit)
        }
        if answer.isDeviceUnknown { introduce() }
        return answer
    }

    /// Tells the node which machine this is. One that cannot be reached is told later; one that does not
    /// want to know is synced with all the same.
    private func introduce() {
        guard !isIntroduced.withLock({ $0 }) else { return }
        do throws(SyncServerError) {
            try register(
                DeviceRequest(id: device, name: deviceName, platform: "linux", features: ["cbor", "splice"]))
        } catch {
            if case .unreachable = error { return }
        }
        isIntroduced.withLock { $0 = true }
    }

    public func snapshot(of directory: NodeID?, page: String?) throws(SyncServerError) -> SnapshotPage {
        try call { server throws(SyncServerError) in try server.snapshot(of: directory, page: page) }
    }

    public func commit(
        _ operations: [SyncOperation], after cursor: SyncCursor?
    ) throws(SyncServerError) -> CommitAnswer {
        try call { server throws(SyncServerError) in try server.commit(operations, after: cursor) }
    }

    public func missing(_ cids: [CID]) throws(SyncServerError) -> [CID] {
        try call { server throws(SyncServerError) in try server.missing(cids) }
    }

    /// Sends blocks, as many requests as they need.
    public func store(_ blocks: [Block]) throws(SyncServerError) {
        // Under a limit they go little by little, and others can read along.
        let limit = upload.withLock { $0.bytesPerSecond }.map { Int(clamping: $0) / 4 } ?? Int.max
        var rest = blocks[...]
        while !rest.isEmpty {
            var (count, bytes) = (0, 0)
            for block in rest {
                guard count == 0 || bytes + block.bytes.count <= limit else { break }
                (count, bytes) = (count + 1, bytes + block.bytes.count)
            }
            let part = Array(rest.prefix(count))
            rest = rest.dropFirst(count)
            try pass(bytes, upload)
            try call { server throws(SyncServerError) in try server.store(part) }
        }
    }

    public func retrieve(_ cids: [CID]) throws(SyncServerError) -> RetrievedBlocks {
        let answer = try call { server throws(SyncServerError) in try server.retrieve(cids) }
        // How much comes is known when it is there: the next question waits.
        try pass(answer.blocks.reduce(0) { $0 + $1.bytes.count }, download)
        return answer
    }

    public func leaves(of root: CID, base: CID?) throws(SyncServerError) -> LeafEdit {
        try call { server throws(SyncServerError) in try server.leaves(of: root, base: base) }
    }

    /// The namespace as the node has it.
    public func info() throws(SyncServerError) -> NamespaceInfo {
        try call { server throws(SyncServerError) in try server.info() }
    }

    /// See ``HTTPSyncServer/clockLead()``.
    func clockLead() throws(SyncServerError) -> Int64? {
        try call { server throws(SyncServerError) in try server.clockLead() }
    }

    /// Makes this machine known to the node.
    public func register(_ request: DeviceRequest) throws(SyncServerError) {
        try call { server throws(SyncServerError) in _ = try server.register(request) }
    }

    /// Makes the namespace.
    public func create(_ request: NamespaceRequest) throws(SyncServerError) -> NamespaceInfo {
        try call { server throws(SyncServerError) in try server.create(request) }
    }

    /// Returns when the namespace is beyond the cursor, when more came of a file that another device sends,
    /// or after so many seconds: ``HTTPSyncServer/wait(after:inflightMark:seconds:)``.
    public func wait(
        after cursor: SyncCursor, inflightMark mark: Int64?, seconds: Int
    ) throws(SyncServerError) -> WaitAnswer {
        try call { server throws(SyncServerError) in
            try server.wait(after: cursor, inflightMark: mark, seconds: seconds)
        }
    }

    public func inflight(after cursor: SyncCursor) throws(SyncServerError) -> [InflightFile] {
        try call { server throws(SyncServerError) in try server.inflight(after: cursor) }
    }

    /// Bytes of bodies since the connection was made.
    public var transfers: TransferCounters { current.withLock { $0.server }?.transfers ?? TransferCounters() }

    /// Ends what is under way, for good: every later call is `unreachable`.
    public func close() {
        let server = current.withLock { line in
            defer { line = Line(isClosed: true) }
            return line.server
        }
        server?.close()
    }
}
