import Foundation
import Glibc
import TestKit
import Testing

/// What `nacre serve` tells the service manager that started it.
@Suite struct SupervisionTests {
    let directory: TemporaryDirectory
    var nacre: NacreProcess

    init() throws {
        directory = try TemporaryDirectory(in: TemporaryDirectory.fastParent)
        nacre = NacreProcess(data: directory.path("data"))
    }

    private func start(_ socket: NotificationSocket, _ settings: [String: String] = [:]) throws
        -> RunningNacre
    {
        var nacre = nacre
        nacre.environment = settings
        nacre.environment["NOTIFY_SOCKET"] = socket.path
        return try RunningNacre(nacre, ["serve", "--listen", "127.0.0.1:0"])
    }

    @Test func readinessReloadAndStopAreTold() throws {
        let socket = try NotificationSocket(directory.path("notify"))
        let running = try start(socket)
        let ready = try socket.next()
        #expect(ready.first == "READY=1")
        #expect(ready.contains { $0.hasPrefix("STATUS=serves http://127.0.0.1:") }, "\(ready)")
        running.signal(SIGHUP)
        let reloading = try socket.next()
        #expect(reloading.first == "RELOADING=1")
        let time = try #require(reloading.last?.split(separator: "=").last.flatMap { Int64($0) })
        var now = timespec()
        clock_gettime(CLOCK_MONOTONIC, &now)
        #expect(abs(time / 1_000_000 - Int64(now.tv_sec)) < 60, "\(reloading)")
        #expect(try socket.next() == ["READY=1"])
        running.signal(SIGTERM)
        #expect(try socket.next().first == "STOPPING=1")
        #expect(try running.end().status == 0)
    }

    @Test func theWatchdogHearsOfANodeThatWorks() throws {
        let socket = try NotificationSocket("@nacre-test-\(UUID().uuidString)")
        let running = try start(socket, ["WATCHDOG_USEC": "200000"])
        for _ in 0..<3 { #expect(try socket.wait(for: "WATCHDOG=1").contains("STATUS=ready")) }
        running.signal(SIGTERM)
        _ = try socket.wait(for: "STOPPING=1")
        #expect(try running.end().status == 0)
    }

    /// A store that cannot write must be opened anew; the watchdog is what does it.
    @Test func theWatchdogHearsNothingOfANodeThatCannotWrite() throws {
        let socket = try NotificationSocket(directory.path("notify"))
        let running = try start(socket, ["WATCHDOG_USEC": "200000"])
        _ = try socket.wait(for: "WATCHDOG=1")
        // From here on every write to a file fails, as on a broken disk.
        let limited = try Tool.run("prlimit", "--pid", "\(running.pid)", "--fsize=0")
        #expect(limited.status == 0, "\(limited.output)")
        var isSilent = false
        for _ in 0..<100 {
            let lines = try socket.next()
            guard lines.contains(where: { $0.hasPrefix("STATUS=not ready") }) else { continue }
            #expect(!lines.contains("WATCHDOG=1"))
            isSilent = try !socket.next().contains("WATCHDOG=1")
            break
        }
        #expect(isSilent)
        running.signal(SIGKILL)
        _ = try running.end()
    }

    @Test(arguments: [
        ["NOTIFY_SOCKET": ""], ["NOTIFY_SOCKET": "relative"], ["NOTIFY_SOCKET": "/nowhere/notify"],
        ["NOTIFY_SOCKET": "/" + String(repeating: "x", count: 200)], ["WATCHDOG_USEC": "200000"],
    ])
    func withoutAListenerItServesAllTheSame(settings: [String: String]) throws {
        var nacre = nacre
        nacre.environment = settings
        let running = try RunningNacre(nacre, ["serve", "--listen", "127.0.0.1:0"])
        try running.wait("it listens") {
            let lock = try? String(contentsOfFile: directory.path("data/LOCK"), encoding: .utf8)
            return lock?.contains("http://") == true
        }
        running.signal(SIGTERM)
        #expect(try running.end().status == 0)
    }
}
