import Foundation
import Glibc

/// The socket by which a running agent is asked: one line of JSON there, one back. For the user alone.
enum ControlSocket {
    /// The most bytes of a line.
    static let maximumLine = 16 * 1024 * 1024

    static func address(_ path: String) throws(AgentError) -> sockaddr_un {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let bytes = Array(path.utf8) + [0]
        let fits = withUnsafeMutableBytes(of: &address.sun_path) { room in
            guard bytes.count <= room.count else { return false }
            room.copyBytes(from: bytes)
            return true
        }
        guard fits else { throw .socketPathTooLong(path) }
        return address
    }

    static func withAddress<R>(
        _ path: String, _ body: (UnsafePointer<sockaddr>, socklen_t) -> R
    ) throws(AgentError) -> R {
        var address = try address(path)
        return withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                body($0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
    }

    /// Reads up to a newline; `nil` at an end before one, or where a line is too long.
    static func readLine(_ descriptor: Int32) -> [UInt8]? {
        var line: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 64 * 1024)
        while line.count <= maximumLine {
            let count = read(descriptor, &buffer, buffer.count)
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return nil }
            line += buffer[..<count]
            if line.last == UInt8(ascii: "\n") { return line.dropLast() }
        }
        return nil
    }

    static func write(_ bytes: [UInt8], to descriptor: Int32) -> Bool {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes {
                send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return false }
            rest = rest.dropFirst(count)
        }
        return true
    }
}

/// Listens on the control socket, one connection at a time, on a thread of its own.
///
/// Proof of Sendable: the descriptor is set once, before the thread is started, and closed by `stop` alone.
final class ControlServer: @unchecked Sendable {
    private let descriptor: Int32
    private let path: String
    private let answer: @Sendable (ControlRequest) -> ControlAnswer

    /// - Throws: `AgentError`.
    init(path: String, answer: @escaping @Sendable (ControlRequest) -> ControlAnswer) throws {
        self.path = path
        self.answer = answer
        descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue | UInt32(SOCK_CLOEXEC.rawValue)), 0)
        guard descriptor >= 0 else { throw AgentError.system("open a socket at", path, errno) }
        // Whoever holds the lock of the directory is alone: a socket that is there is left from before.
        unlink(path)
        let previous = umask(0o177)
        let bound = try ControlSocket.withAddress(path) { bind(descriptor, $0, $1) }
        umask(previous)
        guard bound == 0, listen(descriptor, 16) == 0 else {
            let code = errno
            close(descriptor)
            throw AgentError.system("listen at", path, code)
        }
        let thread = Thread { [self] in run() }
        thread.name = "nacre-control"
        thread.start()
    }

    private func run() {
        while true {
            let connection = accept(descriptor, nil, nil)
            if connection < 0 {
                if errno == EINTR || errno == ECONNABORTED { continue }
                return
            }
            // Nobody may hold the socket by saying nothing.
            var patience = timeval(tv_sec: 5, tv_usec: 0)
            setsockopt(
                connection, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
            setsockopt(
                connection, SOL_SOCKET, SO_SNDTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
            if let line = ControlSocket.readLine(connection) {
                let reply =
                    (try? JSONDecoder().decode(ControlRequest.self, from: Data(line))).map(answer)
                    ?? ControlAnswer(error: "this is no request")
                let bytes = (try? JSONEncoder().encode(reply)) ?? Data("{}".utf8)
                _ = ControlSocket.write(Array(bytes) + [UInt8(ascii: "\n")], to: connection)
            }
            close(connection)
        }
    }

    func stop() {
        shutdown(descriptor, Int32(SHUT_RDWR))
        close(descriptor)
        unlink(path)
    }
}

/// Asks a running agent.
public struct ControlClient: Sendable {
    private let path: String

    public init(_ home: AgentHome) { path = home.socketPath }

    /// - Throws: `AgentError.notRunning` where nobody listens, `badAnswer`.
    public func ask(_ request: ControlRequest) throws -> ControlAnswer {
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue | UInt32(SOCK_CLOEXEC.rawValue)), 0)
        guard descriptor >= 0 else { throw AgentError.system("open a socket at", path, errno) }
        defer { close(descriptor) }
        guard try ControlSocket.withAddress(path, { connect(descriptor, $0, $1) }) == 0 else {
            throw AgentError.notRunning
        }
        let line = Array(try JSONEncoder().encode(request)) + [UInt8(ascii: "\n")]
        guard ControlSocket.write(line, to: descriptor), let reply = ControlSocket.readLine(descriptor)
        else { throw AgentError.badAnswer("the connection was closed") }
        do {
            return try JSONDecoder().decode(ControlAnswer.self, from: Data(reply))
        } catch { throw AgentError.badAnswer("\(error)") }
    }
}
