import Foundation
import Glibc
import TestKit
import Testing

/// `nacre serve` at work, with its address.
final class ServerProcess {
    let running: RunningNacre
    let address: String
    let port: UInt16
    private let data: String

    /// Starts a node on the data directory, and waits until it listens.
    init(_ nacre: NacreProcess, _ settings: [String: String] = [:], arguments: [String] = []) throws {
        var nacre = nacre
        nacre.environment.merge(settings) { $1 }
        data = nacre.data
        let lock = nacre.data + "/LOCK"
        let running = try RunningNacre(nacre, ["serve", "--listen", "127.0.0.1:0"] + arguments)
        var address: String?
        try running.wait("it listens") {
            let lines = (try? String(contentsOfFile: lock, encoding: .utf8))?.split(separator: "\n") ?? []
            guard lines.count == 3, lines[1] == String(running.pid) else { return false }
            address = String(lines[2])
            return true
        }
        self.running = running
        self.address = try #require(address)
        port = try #require(address?.split(separator: ":").last.flatMap { UInt16($0) })
    }

    /// The token of the first administrator.
    func adminToken() throws -> String {
        try String(contentsOfFile: data + "/secrets/admin-token", encoding: .utf8)
            .trimmingCharacters(in: .whitespacesAndNewlines)
    }

    /// Ends it in order.
    func stop() throws {
        running.signal(SIGTERM)
        let outcome = try running.end()
        #expect(outcome.status == 0 && !outcome.wasSignalled, "\(outcome.errors)")
    }

    /// What curl prints for a path of the API; `%{http_code}` of `-w` is on the last line.
    func curl(_ arguments: [String], _ path: String, token: String? = nil) throws -> (
        status: Int, body: String
    ) {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/curl")
        var all = ["-s", "-w", "\n%{http_code}", "--max-time", "60"]
        if let token { all += ["-H", "Authorization: Bearer " + token] }
        process.arguments = all + arguments + [address + path]
        let output = Pipe()
        process.standardOutput = output
        try process.run()
        let bytes = try output.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        let text = String(decoding: bytes, as: UTF8.self)
        let newline = text.lastIndex(of: "\n") ?? text.startIndex
        return (Int(text[newline...].dropFirst()) ?? 0, String(text[..<newline]))
    }
}
