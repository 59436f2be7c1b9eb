import Foundation
import Glibc
import TestKit
import Testing

/// A node that serves on loopback while a test runs.
final class ServedNode {
    let port: UInt16
    private let running: RunningNacre

    /// - Parameter options: behind `serve --listen 127.0.0.1:0`.
    init(_ nacre: NacreProcess, _ options: [String] = [], settings: [String: String] = [:]) throws {
        var nacre = nacre
        nacre.environment.merge(settings) { $1 }
        running = try RunningNacre(nacre, ["serve", "--listen", "127.0.0.1:0"] + options)
        var port: UInt16?
        try running.wait("it listens") {
            // The LOCK file says where.
            let lock = try? String(contentsOfFile: nacre.data + "/LOCK", encoding: .utf8)
            let line = lock?.split(separator: "\n").dropFirst(2).first
            port = line?.split(separator: ":").last.flatMap { UInt16($0) }
            return port != nil
        }
        self.port = try #require(port)
    }

    /// The whole answer to a GET, head and body.
    func get(_ path: String, _ fields: String = "") throws -> String {
        let connection = try RawConnection(port: port)
        try connection.send(
            "GET \(path) HTTP/1.1\r\nHost: 127.0.0.1:\(port)\r\nConnection: close\r\n\(fields)\r\n")
        return String(decoding: connection.receiveAll(), as: UTF8.self)
    }

    @discardableResult
    func stop() throws -> NacreProcess.Outcome {
        running.signal(SIGTERM)
        let outcome = try running.end()
        #expect(outcome.status == 0 && !outcome.wasSignalled, "\(outcome.errors)")
        return outcome
    }
}
