import AsyncHTTPClient
import Glibc
import NIOCore
import NIOPosix
import NIOSSL

/// Why a node did not answer, in words that continue a sentence.
enum UnreachableText {
    static func reason(_ error: any Error) -> String {
        switch error {
        case let error as NIOConnectionError:
            if let first = error.connectionErrors.first { return reason(first.error) }
            return "the name \(error.host) is not known"
        case let error as IOError: return text(error.errnoCode)
        case ChannelError.connectTimeout: return "no answer to the call"
        case ChannelError.eof, ChannelError.inputClosed, ChannelError.ioOnClosedChannel:
            return "the connection was closed in the middle"
        case is NIOSSLError, is NIOSSLExtraError, is BoringSSLError: return noTLS
        case let error as HTTPClientError: return reason(of: error)
        default: return "the connection failed"
        }
    }

    private static let noTLS =
        "a secure connection could not be made: its certificate is not trusted here, or it does not speak TLS "
        + "(https)"

    private static func reason(of error: HTTPClientError) -> String {
        switch error {
        case .connectTimeout: "no answer to the call"
        case .deadlineExceeded, .readTimeout: "it took too long to answer"
        case .remoteConnectionClosed: "the connection was closed in the middle"
        case .tlsHandshakeTimeout: noTLS
        default: "what answers there does not speak HTTP as a node does"
        }
    }

    private static func text(_ code: Int32) -> String {
        switch code {
        case ECONNREFUSED: "connection refused"
        case ECONNRESET, EPIPE: "the connection was closed in the middle"
        case EHOSTUNREACH, ENETUNREACH: "there is no way to it"
        case ETIMEDOUT: "no answer to the call"
        default: String(cString: strerror(code)).lowercased()
        }
    }
}
