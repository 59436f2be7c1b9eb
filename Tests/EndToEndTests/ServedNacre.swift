import Foundation
import Glibc
import TestKit
import Testing

/// A node that serves, on a port that the system chose.
final class ServedNacre {
    let running: RunningNacre
    let port: UInt16
    private let log: () -> String

    /// - Parameter settings: as environment variables.
    init(_ nacre: NacreProcess, _ settings: [String: String] = [:]) throws {
        var nacre = nacre
        nacre.environment.merge(settings) { $1 }
        let running = try RunningNacre(nacre, ["serve", "--listen", "127.0.0.1:0"])
        var port: UInt16?
        let data = nacre.data
        try running.wait("it listens") {
            let lock = try? String(contentsOfFile: data + "/LOCK", encoding: .utf8)
            port = lock?.split(separator: ":").last.flatMap { UInt16($0.filter { $0 != "\n" }) }
            return port != nil
        }
        self.running = running
        self.port = try #require(port)
        log = { (try? running.errors()) ?? "" }
    }

    /// What it has said so far.
    var said: String { log() }

    /// Sends a text with line ends of the network, and reads until the connection is closed.
    func request(_ text: String) throws -> String {
        let connection = try RawConnection(port: port)
        try connection.send(text.replacingOccurrences(of: "\n", with: "\r\n"))
        return String(decoding: connection.receiveAll(), as: UTF8.self)
    }

    func get(_ path: String, _ fields: String = "", host: String = "127.0.0.1") throws -> String {
        try request("GET \(path) HTTP/1.1\nHost: \(host)\nConnection: close\n\(fields)\n")
    }

    /// The value of a series of `/metrics`, which must be public; 0 if it is not there.
    func metric(_ series: String) throws -> Int {
        let line = try get("/metrics").split(whereSeparator: \.isNewline).first { $0.hasPrefix(series + " ") }
        return line.flatMap { Int($0.dropFirst(series.count + 1)) } ?? 0
    }

    /// Checks that it goes on for others, and ends it.
    func end(status: Int32 = 0) throws {
        #expect(try get("/health/live").hasSuffix("live\n"), "it goes on for others")
        try stop(status: status)
    }

    func stop(status: Int32 = 0) throws {
        running.signal(SIGTERM)
        let outcome = try running.end()
        #expect(outcome.status == status && !outcome.wasSignalled, "\(outcome.errors)")
    }
}
