import AsyncHTTPClient
import ContentCoding
import Foundation
import NIOCore
import NIOFoundationCompat
import NIOHTTP1
import NIOSSL
import SyncClient
import SyncProtocol
import Synchronization

/// The connections of a device to a node: requests with what each of them has, packed where that pays, and
/// sent again after a while where the node had no time for them.
///
/// Synchronous and thread-safe: a call waits for the network on the thread that makes it.
final class SyncConnection: Sendable {
    /// Something to ask; to `path` below `/sync/v1/`.
    struct Request {
        var method: HTTPMethod
        var path: String
        /// The media type of the body; `nil` without one.
        var type: String?
        var body: [UInt8] = []
        var headers: [(String, String)] = []
        /// How long the answer may take to begin.
        var patience = TimeAmount.seconds(120)

        /// - Parameter message: in CBOR.
        init(_ method: HTTPMethod, _ path: String, message: [UInt8]? = nil) {
            self.method = method
            self.path = path
            guard let message else { return }
            type = WireForm.cbor.rawValue
            body = message
        }
    }

    /// Bodies of answers are not larger, packed or not, whatever the other end sends.
    static let maximumAnswerBytes = 4 * SyncLimits.maximumBlockBytes
    /// How often a call is sent again that the node had no time for.
    private static let maximumPauses = 50

    private let client: HTTPClient
    /// Such as `http://127.0.0.1:8080/sync/v1`.
    private let base: String
    private let token: String?
    private let device: String
    /// What came and went, in bytes of bodies.
    private let counters = Mutex(TransferCounters())
    private let isClosed = Mutex(false)
    /// Whether bodies may be packed, and how the node said that it reads them.
    private let packs: Bool
    private let coding = Mutex<ContentCoding?>(nil)

    /// - Throws: `badAnswer` for an address that is none, or a file without certificates.
    init(_ options: HTTPSyncServer.Options, device: String) throws(SyncServerError) {
        guard let parts = URLComponents(string: options.node),
            parts.scheme == "http" || parts.scheme == "https",
            parts.host?.isEmpty == false
        else {
            throw .badAnswer(
                "\(options.node.prefix(200)) is no address of a node; it is like http://127.0.0.1:8080")
        }
        base = (options.node.hasSuffix("/") ? String(options.node.dropLast()) : options.node) + "/sync/v1"
        token = options.token
        packs = options.packs ?? !Self.isThisMachine(parts.host ?? "")
        self.device = device
        var configuration = HTTPClient.Configuration()
        configuration.timeout.connect = .seconds(10)
        configuration.redirectConfiguration = .disallow
        configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = 8
        configuration.connectionPool.retryConnectionEstablishment = false
        if options.trustsAnyCertificate || options.authorities != nil {
            var tls = TLSConfiguration.makeClientConfiguration()
            if options.trustsAnyCertificate { tls.certificateVerification = .none }
            if let file = options.authorities {
                guard let certificates = try? NIOSSLCertificate.fromPEMFile(file) else {
                    throw .badAnswer("no certificates in PEM can be read from \(file)")
                }
                tls.additionalTrustRoots = [.certificates(certificates)]
            }
            configuration.tlsConfiguration = tls
        }
        client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
    }

    private static func isThisMachine(_ host: String) -> Bool {
        host == "localhost" || host == "::1" || host == "[::1]" || host.hasPrefix("127.")
    }

    /// Breaks off what is under way; later calls fail. Does not wait.
    func close() {
        let isFirst = isClosed.withLock { isClosed in
            defer { isClosed = true }
            return !isClosed
        }
        if isFirst { client.shutdown(queue: .global()) { _ in } }
    }

    var transfers: TransferCounters { counters.withLock { $0 } }

    /// Asks, and again as long as it was asked too often.
    ///
    /// - Throws: what an answer means that is none of success.
    func send(_ request: Request) throws(SyncServerError) -> HTTPSyncServer.Answer {
        for _ in 0..<Self.maximumPauses {
            let answer = try sendOnce(request)
            guard answer.status == 429 else { return try take(answer) }
            pause(HTTPSyncServer.pause(answer))
        }
        return try take(try sendOnce(request))
    }

    private func take(_ answer: HTTPSyncServer.Answer) throws(SyncServerError) -> HTTPSyncServer.Answer {
        guard answer.status < 300 else { throw HTTPSyncServer.failure(answer) }
        return answer
    }

    /// Waits, unless the connections are closed.
    private func pause(_ milliseconds: Int) {
        // Devices that were refused together do not come together again.
        var left = milliseconds + Int.random(in: 0...milliseconds / 2)
        while left > 0, !isClosed.withLock({ $0 }) {
            Thread.sleep(forTimeInterval: Double(min(left, 50)) / 1000)
            left -= 50
        }
    }

    private func sendOnce(_ request: Request) throws(SyncServerError) -> HTTPSyncServer.Answer {
        let response: HTTPClient.Response
        let sent: Int
        do {
            let made = try self.request(request)
            sent = made.bodyBytes
            let answer = ResponseAccumulator(
                request: made.request, maxBodySize: Self.maximumAnswerBytes)
            response = try client.execute(
                request: made.request, delegate: answer, deadline: .now() + request.patience
            ).wait()
        } catch {
            throw .unreachable(HTTPSyncServer.reason(error, at: base))
        }
        return try read(response, sent: sent)
    }

    /// The request as it goes, and how long its body is then.
    private func request(_ request: Request) throws -> (request: HTTPClient.Request, bodyBytes: Int) {
        var made = try HTTPClient.Request(url: base + "/" + request.path, method: request.method)
        var body = request.body
        // To this machine bytes cost less than packing them, but for a few.
        made.headers.add(
            name: "Accept-Encoding", value: packs ? ContentCoding.accepted : "identity, zstd;q=0.5")
        if let coding = coding.withLock({ $0 }), packs || body.count <= ContentCoding.shortBytes,
            coding.pays(for: body)
        {
            body = try coding.compress(body)
            made.headers.add(name: "Content-Encoding", value: coding.rawValue)
        }
        made.headers.add(name: "Accept", value: WireForm.cbor.rawValue)
        made.headers.add(name: "X-Device-Id", value: device)
        if let token { made.headers.add(name: "Authorization", value: "Bearer " + token) }
        for (name, value) in request.headers { made.headers.add(name: name, value: value) }
        if let type = request.type {
            made.headers.add(name: "Content-Type", value: type)
            made.body = .byteBuffer(ByteBuffer(bytes: body))
        }
        return (made, body.count)
    }

    /// Unpacks an answer.
    private func read(
        _ response: HTTPClient.Response, sent: Int
    ) throws(SyncServerError) -> HTTPSyncServer.Answer {
        var bytes = response.body.map { Array($0.readableBytesView) } ?? []
        counters.withLock { counters in
            counters.requests += 1
            counters.sent += Int64(sent)
            counters.received += Int64(bytes.count)
        }
        if let accepted = response.headers["Accept-Encoding"].first {
            coding.withLock { $0 = ContentCoding.best(accepting: accepted) }
        }
        if let header = response.headers["Content-Encoding"].first {
            do {
                guard let coding = ContentCoding(header: header) else {
                    throw SyncServerError.badAnswer("an answer is packed as \(header.prefix(40))")
                }
                bytes = try coding.decompress(bytes, maximumBytes: Self.maximumAnswerBytes)
            } catch { throw .badAnswer("\(error)") }
        }
        return HTTPSyncServer.Answer(
            status: Int(response.status.code), headers: response.headers, bytes: bytes)
    }
}
