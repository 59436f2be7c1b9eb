import AsyncHTTPClient
import Glibc
import IPLD
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL
import SyncClient
import SyncProtocol

/// What answers mean.
extension HTTPSyncServer {
    /// An answer as it came, unpacked.
    struct Answer {
        let status: Int
        let headers: HTTPHeaders
        let bytes: [UInt8]
    }

    /// Milliseconds until a call that was refused for asking too often is sent again.
    static func pause(_ answer: Answer) -> Int {
        let form = WireForm(mediaType: answer.headers["Content-Type"].first ?? "") ?? .json
        let problem = (try? form.decode(answer.bytes, maximumBytes: 1 << 20)).flatMap { try? SyncProblem($0) }
        let seconds = answer.headers["Retry-After"].first.flatMap { Int($0) }.map { min($0, 60) * 1000 }
        return min(max(problem?.retryAfterMilliseconds ?? seconds ?? 1000, 20), 5000)
    }

    /// What a refusal means for who syncs.
    static func failure(_ answer: Answer) -> SyncServerError {
        let bytes = answer.bytes
        let form = WireForm(mediaType: answer.headers["Content-Type"].first ?? "") ?? .json
        let problem = (try? form.decode(bytes, maximumBytes: 1 << 20)).flatMap { try? SyncProblem($0) }
        let code = problem?.code ?? SyncCode(rawValue: "http_\(answer.status)")
        let message = problem?.message ?? Self.detail(bytes) ?? "the node answered \(answer.status)"
        switch answer.status {
        case 401,
            403 where code != .quotaExceeded:
            return .notAllowed(code: code, message: message)
        case 410 where code == .resetRequired: return .resetRequired
        case 502, 504: return .unreachable(message)
        default:
            let seconds = answer.headers["Retry-After"].first.flatMap { Int($0) }
            return .refused(
                code: code, message: message, retryAfterSeconds: problem?.retryAfterSeconds ?? seconds)
        }
    }

    /// Why there was no answer, for people.
    static func reason(_ error: any Error, at base: String) -> String {
        let node = base.hasSuffix("/sync/v1") ? String(base.dropLast(8)) : base
        let why: String
        switch error {
        case let error as HTTPClientError:
            switch error {
            case .connectTimeout: why = "it does not answer"
            case .deadlineExceeded, .readTimeout, .writeTimeout: why = "it took too long"
            case .remoteConnectionClosed: why = "it closed the connection"
            case .alreadyShutdown, .cancelled: why = "the connection was ended here"
            default: why = error.description
            }
        case let error as NIOConnectionError:
            if let failure = error.connectionErrors.first?.error as? IOError {
                why = String(cString: strerror(failure.errnoCode)).lowercased()
            } else if error.dnsAError != nil || error.dnsAAAAError != nil {
                why = "there is no host of this name"
            } else {
                why = "no connection could be made"
            }
        case let error as IOError: why = String(cString: strerror(error.errnoCode)).lowercased()
        case is NIOSSLError, is BoringSSLError, is NIOSSLExtraError:
            why = "its certificate is not trusted, or it speaks no TLS (\(error))"
        default: why = String(describing: error)
        }
        return "\(node): \(why)"
    }

    /// The text of a problem document, which is what refuses before the protocol is reached.
    private static func detail(_ bytes: [UInt8]) -> String? {
        guard let value = try? WireForm.json.decode(bytes, maximumBytes: 1 << 20),
            case .string(let detail)? = value[key: "detail"]
        else { return nil }
        return detail
    }
}

/// What a connection moved.
public struct TransferCounters: Hashable, Sendable {
    public var requests = 0
    /// Bytes of bodies, as they were on the wire.
    public var sent: Int64 = 0
    /// Bytes of bodies, as they were on the wire.
    public var received: Int64 = 0

    public init() {}
}
