import Glibc
import TestKit
import Testing

/// A connection of HTTP/1.1 to loopback that sends bytes as they are and takes answers apart.
///
/// It waits for the socket: use it on a thread of its own (``ServerLaboratory/connect(receiveBuffer:_:)``).
final class HTTPConnection {
    private let descriptor: Int32
    private var received: [UInt8] = []
    private var start = 0

    struct Answer {
        let status: Int
        /// By name in lower case.
        let fields: [String: String]
        let body: [UInt8]
        /// Whether the body came to its end.
        let isWhole: Bool

        var text: String { String(decoding: body, as: UTF8.self) }
    }

    /// - Parameter receiveBuffer: what the kernel keeps for a client that does not read; 0 for the default.
    init(port: UInt16, receiveBuffer: Int32 = 0) throws {
        descriptor = try #require(LoopbackSocket.connect(port: port, receiveBuffer: receiveBuffer))
    }

    deinit { close(descriptor) }

    func send(_ text: String) { send(Array(text.utf8)) }

    func send(_ bytes: [UInt8]) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes {
                Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            guard count > 0 else { return }
            rest = rest.dropFirst(count)
        }
    }

    static func request(_ path: String, _ fields: String = "", method: String = "GET") -> String {
        "\(method) \(path) HTTP/1.1\r\nHost: 127.0.0.1\r\n\(fields)\r\n"
    }

    func get(_ path: String, _ fields: String = "", method: String = "GET") throws -> Answer {
        send(Self.request(path, fields, method: method))
        return try answer(toHead: method == "HEAD")
    }

    /// The next answer.
    func answer(toHead: Bool = false) throws -> Answer {
        let (status, fields) = try head()
        if toHead || status == 304 || status == 204 {
            return Answer(status: status, fields: fields, body: [], isWhole: true)
        }
        if fields["transfer-encoding"] == "chunked" {
            let (body, isWhole) = chunks()
            return Answer(status: status, fields: fields, body: body, isWhole: isWhole)
        }
        let length = fields["content-length"].flatMap { Int($0) } ?? 0
        let body = take(length)
        return Answer(status: status, fields: fields, body: body, isWhole: body.count == length)
    }

    /// The head of the next answer, whose body is read by ``chunk()``.
    func head() throws -> (status: Int, fields: [String: String]) {
        var lines: [String] = []
        while true {
            let next = line()
            let line = try #require(next, "the connection ended before an answer did")
            if line.isEmpty { break }
            lines.append(line)
        }
        let status = try #require(lines.first?.split(separator: " ").dropFirst().first.flatMap { Int($0) })
        var fields: [String: String] = [:]
        for line in lines.dropFirst() {
            let parts = line.split(separator: ":", maxSplits: 1)
            fields[parts[0].lowercased()] = String(parts[1].drop { $0 == " " })
        }
        return (status, fields)
    }

    /// The next chunk of a body; empty for the last, `nil` if the connection ended before it.
    func chunk() throws -> [UInt8]? {
        guard let line = line(), let count = Int(line, radix: 16) else { return nil }
        let chunk = take(count)
        return chunk.count == count && self.line() == "" ? chunk : nil
    }

    /// Whether the other side has closed the connection.
    func isClosed() -> Bool { start == received.count && !fill() }

    private func chunks() -> ([UInt8], isWhole: Bool) {
        var body: [UInt8] = []
        while let line = line(), let count = Int(line, radix: 16) {
            let chunk = take(count)
            body += chunk
            guard chunk.count == count, self.line() == "" else { return (body, false) }
            if count == 0 { return (body, true) }
        }
        return (body, false)
    }

    private func line() -> String? {
        var end = start
        while true {
            while end + 1 < received.count {
                if received[end] == 13 && received[end + 1] == 10 {
                    defer { start = end + 2 }
                    return String(decoding: received[start..<end], as: UTF8.self)
                }
                end += 1
            }
            let before = start
            guard fill() else { return nil }
            end += start - before
        }
    }

    private func take(_ count: Int) -> [UInt8] {
        while received.count - start < count, fill() {}
        let end = min(received.count, start + count)
        defer { start = end }
        return Array(received[start..<end])
    }

    private func fill() -> Bool {
        if start > 0, start == received.count {
            received.removeAll(keepingCapacity: true)
            start = 0
        }
        let count = withUnsafeTemporaryAllocation(byteCount: 256 * 1024, alignment: 16) { buffer in
            let count = recv(descriptor, buffer.baseAddress, buffer.count, 0)
            if count > 0 { received += buffer.prefix(count) }
            return count
        }
        return count > 0
    }
}
