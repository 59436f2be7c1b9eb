import AsyncHTTPClient
import Glibc
import NIOCore
import NIOPosix
import NIOSSL

/// Why a node did not answer, in words that continue a sentence, and what to do.
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
        case let error as NIOSSLExtraError where error == .failedToValidateHostname: return otherName
        case is NIOSSLError, is NIOSSLExtraError, is BoringSSLError: return noTLS
        case let error as HTTPClientError: return reason(of: error)
        default: return "the connection failed"
        }
    }

    static func advice(_ error: any Error) -> String {
        if let error = error as? NIOConnectionError, error.connectionErrors.isEmpty {
            return "is the address right?"
        }
        return switch reason(error) {
        case noTLS:
            "if a private authority signed it, give that authority's certificate as a PEM file: "
                + "--node-ca FILE (NACRE_NODE_CA)"
        case otherName: "use a name that stands in it"
        default: "is it running? (`nacre serve`)"
        }
    }

    /// Whether no connection came about, so that nothing was said.
    static func isAbsence(_ error: any Error) -> Bool {
        switch error {
        case is NIOConnectionError: true
        case let error as IOError: error.errnoCode == ECONNREFUSED
        case ChannelError.connectTimeout: true
        case let error as HTTPClientError: error == .connectTimeout
        default: false
        }
    }

    private static let noTLS =
        "a secure connection could not be made: its certificate is not trusted here, or it does not speak TLS "
        + "(https)"

    private static let otherName = "its certificate is for another name"

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
