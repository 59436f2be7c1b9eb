import AsyncHTTPClient
import BlockStorage
import Foundation
import NIOCore
import NIOFoundationCompat
import NIOHTTP1
import NIOSSL
import NodeCore
import NodeMessages
import Synchronization

/// Requests to the API of one node: `/api/v1`. Connections are kept and used again.
///
/// Synchronous and thread-safe: a call waits for the network on the thread that makes it, so it must not be
/// made on an event loop or in a task. A node that cannot be reached at first is told of at once. Once it
/// has answered, what only reads, and what says the same when it is said twice, is tried again when the
/// connection fails, and a node that is away is waited for: it may be starting again. One that is busy is
/// waited for as it asks.
public final class NodeConnection: Sendable {
    let client: HTTPClient
    let base: String
    private let token: String?
    /// Whether the node is one to wait for: it has answered, and has not been waited for in vain since.
    private let hasAnswered = Atomic<Bool>(false)

    /// How often a node that is busy is asked at most.
    private static let attempts = 4
    /// How long an answer may take to begin.
    private static let patience = TimeAmount.seconds(120)

    /// How a node that speaks TLS proves who it is.
    public enum Trust: Hashable, Sendable {
        /// By a certificate that the system trusts.
        case system
        /// By one that the system trusts, or one of the authorities in a PEM file.
        case authorities(file: String)
        /// Not at all: for a node on this machine that is known by the lock it holds.
        case sameMachine
    }

    /// - Parameters:
    ///   - url: such as `http://127.0.0.1:8080`; a path behind it is in front of `/api/v1`.
    ///   - token: of a grant; `nil` for none.
    /// - Throws: `invalid-node` for what is no such URL, `invalid-node-ca` for a file without certificates.
    public init(url: String, token: String?, trust: Trust = .system) throws {
        guard let parts = URLComponents(string: url), parts.scheme == "http" || parts.scheme == "https",
            parts.host?.isEmpty == false, parts.query == nil, parts.fragment == nil
        else {
            throw NodeFailure(
                .invalid, code: "invalid-node",
                detail: "\(url.prefix(200)) is no address of a node; it is like http://127.0.0.1:8080")
        }
        base = url.hasSuffix("/") ? String(url.dropLast()) : url
        self.token = token
        var configuration = HTTPClient.Configuration()
        configuration.timeout.connect = .seconds(10)
        configuration.redirectConfiguration = .disallow
        configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = 16
        // It would go on for as long as a connection may take, also where nobody is.
        configuration.connectionPool.retryConnectionEstablishment = false
        configuration.tlsConfiguration = try NodeConnection.tls(trust)
        client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
    }

    /// - Returns: `nil` for what the system does by itself.
    private static func tls(_ trust: Trust) throws -> TLSConfiguration? {
        var tls = TLSConfiguration.makeClientConfiguration()
        switch trust {
        case .system: return nil
        case .authorities(let file):
            guard let certificates = try? NIOSSLCertificate.fromPEMFile(file) else {
                throw NodeFailure(
                    .invalid, code: "invalid-node-ca",
                    detail: "no certificates in PEM can be read from \(PathText.printable(file.utf8)) "
                        + "(--node-ca, NACRE_NODE_CA)")
            }
            tls.additionalTrustRoots = [.certificates(certificates)]
        case .sameMachine: tls.certificateVerification = .none
        }
        return tls
    }

    /// Closes the connections. No call may follow.
    public func close() throws { try client.syncShutdown() }

    // MARK: Calls

    /// A request that brings JSON and is answered by JSON.
    func send<Answer: Decodable>(
        _ method: HTTPMethod, _ path: String, query: [(String, String)] = [], wait: Int? = nil,
        _ body: (some Encodable)? = Optional<Bool>.none, as type: Answer.Type = Answer.self
    ) throws -> Answer {
        let reply = try exchange(
            method, path, query: query, wait: wait,
            body: try body.map { ("application/json", Array(try JSONEncoder().encode($0))) })
        return try decode(reply)
    }

    /// A request whose answer says nothing more.
    func send(
        _ method: HTTPMethod, _ path: String, query: [(String, String)] = [], _ body: (some Encodable)?
    ) throws {
        _ = try exchange(
            method, path, query: query,
            body: try body.map { ("application/json", Array(try JSONEncoder().encode($0))) })
    }

    /// A request without a body whose answer says nothing more.
    func send(_ method: HTTPMethod, _ path: String, query: [(String, String)] = []) throws {
        try send(method, path, query: query, Optional<Bool>.none)
    }

    func decode<Answer: Decodable>(_ reply: Reply) throws -> Answer {
        do {
            return try JSONDecoder().decode(Answer.self, from: Data(reply.bytes))
        } catch {
            throw NodeFailure(
                .failed, code: "unexpected-answer",
                detail: "\(base) answered something else than expected; is it a node, and of this version?")
        }
    }

    /// An answer that is no failure.
    struct Reply {
        let status: Int
        let bytes: [UInt8]
    }

    /// Makes a request until it is answered.
    ///
    /// - Parameter wait: seconds that the node may take to do what is a job.
    func exchange(
        _ method: HTTPMethod, _ path: String, query: [(String, String)] = [], wait: Int? = nil,
        body: (type: String, bytes: [UInt8])? = nil
    ) throws -> Reply {
        let isRepeatable =
            [.GET, .HEAD, .PUT, .DELETE].contains(method) || path.hasSuffix("/missing")
            || path.hasSuffix("/blocks") || path.hasPrefix("/blocks/") || path.hasSuffix("/commit")
        var attempt = 1
        var retries = Retries()
        while true {
            var request = try request(method, path, query, wait: wait)
            if let body {
                request.headers.add(name: "Content-Type", value: body.type)
                request.body = .byteBuffer(ByteBuffer(bytes: body.bytes))
            }
            do {
                let answer = try client.execute(
                    request: request, deadline: .now() + Self.patience
                ).wait()
                noteAnswer()
                let bytes = answer.body.map { Array($0.readableBytesView) } ?? []
                if answer.status.code == 503 || answer.status.code == 429, attempt < Self.attempts {
                    Thread.sleep(forTimeInterval: Self.delay(answer.headers["Retry-After"].first))
                    attempt += 1
                } else {
                    return try Self.check(answer.status, bytes, base)
                }
            } catch let error as NodeFailure {
                throw error
            } catch {
                try holdOn(after: error, isRepeatable: isRepeatable, &retries)
            }
        }
    }

    /// The node is there.
    func noteAnswer() { hasAnswered.store(true, ordering: .relaxed) }

    /// Waits until a request whose connection failed is to be made again.
    ///
    /// - Throws: `unreachable` where it is not to be.
    private func holdOn(after error: any Error, isRepeatable: Bool, _ retries: inout Retries) throws {
        guard hasAnswered.load(ordering: .relaxed) else { throw unreachable(error) }
        guard let seconds = retries.pause(after: error, isRepeatable: isRepeatable) else {
            // What is to be tidied up behind this failure shall not wait as long again.
            if UnreachableText.isAbsence(error) { hasAnswered.store(false, ordering: .relaxed) }
            throw unreachable(error)
        }
        Thread.sleep(forTimeInterval: seconds)
    }

    /// Gives the body of an answer to `sink` as it comes.
    func download(
        _ path: String, query: [(String, String)], sink: (UnsafeRawBufferPointer) throws -> Void
    ) throws {
        let (delegate, task, status) = try beginDownload(path, query)
        do {
            guard status.code < 300 else {
                var bytes: [UInt8] = []
                while let piece = try delegate.next(), bytes.count < 64 * 1024 {
                    bytes.append(contentsOf: piece.readableBytesView)
                }
                throw Self.failure(status, bytes, base)
            }
            while let piece = try delegate.next() {
                try piece.readableBytesView.withUnsafeBytes { try sink($0) }
            }
            try task.futureResult.wait()
        } catch {
            delegate.close()
            task.cancel()
            throw translated(error)
        }
    }

    /// Asks until there is a head: nothing was given to anybody before.
    private func beginDownload(
        _ path: String, _ query: [(String, String)]
    ) throws -> (DownloadDelegate, HTTPClient.Task<Void>, HTTPResponseStatus) {
        var retries = Retries()
        while true {
            let delegate = DownloadDelegate()
            let task = client.execute(
                request: try request(.GET, path, query, wait: nil), delegate: delegate,
                deadline: .distantFuture)
            do {
                let status = try delegate.status()
                noteAnswer()
                return (delegate, task, status)
            } catch {
                delegate.close()
                task.cancel()
                try holdOn(after: error, isRepeatable: true, &retries)
            }
        }
    }

    private func translated(_ error: any Error) -> any Error {
        // What the sink throws is the caller's own.
        error is HTTPClientError || error is ChannelError || error is IOError ? unreachable(error) : error
    }

    private func request(
        _ method: HTTPMethod, _ path: String, _ query: [(String, String)], wait: Int?
    ) throws -> HTTPClient.Request {
        var url = base + "/api/v1" + path
        if !query.isEmpty {
            url += "?" + query.map { Self.encoded($0) + "=" + Self.encoded($1) }.joined(separator: "&")
        }
        var request = try HTTPClient.Request(url: url, method: method)
        if let token { request.headers.add(name: "Authorization", value: "Bearer " + token) }
        if let wait { request.headers.add(name: "Prefer", value: "wait=\(wait)") }
        request.headers.add(name: "User-Agent", value: "nacre")
        return request
    }

    /// A text as a part of a path or a query.
    static func encoded(_ text: String) -> String {
        var unreserved = CharacterSet.alphanumerics.intersection(
            CharacterSet(charactersIn: "\u{0}"..."\u{7F}"))
        unreserved.insert(charactersIn: "-._~")
        return text.addingPercentEncoding(withAllowedCharacters: unreserved) ?? ""
    }

    private static func delay(_ retryAfter: String?) -> Double {
        min(10, max(0.1, retryAfter.flatMap(Double.init) ?? 1))
    }

    private static func check(_ status: HTTPResponseStatus, _ bytes: [UInt8], _ base: String) throws -> Reply
    {
        guard status.code < 300 else { throw failure(status, bytes, base) }
        return Reply(status: Int(status.code), bytes: bytes)
    }

    private static func failure(_ status: HTTPResponseStatus, _ bytes: [UInt8], _ base: String) -> NodeFailure
    {
        let problem = try? JSONDecoder().decode(ProblemMessage.self, from: Data(bytes))
        let code = problem?.code ?? "http-\(status.code)"
        let kind: NodeFailure.Kind =
            switch status.code {
            case 401: .unauthenticated
            case 403, 421: .notAllowed
            case 404: .notFound
            case 409, 412: .conflict
            case 413: .tooLarge
            case 415: .unsupported
            case 400..<500: .invalid
            case 429, 503: .busy
            default: code.hasPrefix("damaged-") || code == "pin-not-whole" ? .damaged : .failed
            }
        let text =
            problem?.detail
            ?? ("\(base) answered \(status.code) \(status.reasonPhrase)" + words(bytes))
        return NodeFailure(kind, code: code, detail: text)
    }

    /// The first line of an answer that is plain text, behind a colon; nothing for pages and documents.
    static func words(_ bytes: [UInt8]) -> String {
        let line = bytes.drop { $0 <= 0x20 }.prefix { $0 != 0x0A && $0 != 0x0D }.prefix(300)
        guard let first = line.first, ![UInt8(ascii: "<"), UInt8(ascii: "{")].contains(first) else {
            return ""
        }
        return ": " + PathText.printable(line)
    }

    func unreachable(_ error: any Error) -> NodeFailure {
        NodeFailure(
            .failed, code: "unreachable",
            detail: "no node answers at \(base): \(UnreachableText.reason(error)); "
                + UnreachableText.advice(error))
    }
}
