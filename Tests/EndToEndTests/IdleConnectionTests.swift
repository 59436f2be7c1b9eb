import Foundation
import TestKit
import Testing

/// What a client costs that has had its answer and keeps its connection.
@Suite struct IdleConnectionTests {
    /// Each kept the task that answered it, with all that its deepest call had needed: 25 KiB.
    @Test func anIdleConnectionCostsLittle() throws {
        let directory = try TemporaryDirectory(in: TemporaryDirectory.fastParent)
        let served = try ServedNacre(
            NacreProcess(data: directory.path("data")), ["NACRE_METRICS_PUBLIC": "true"])
        func open(_ count: Int) throws -> [RawConnection] {
            try (0..<count).map { _ in
                let connection = try RawConnection(port: served.port)
                try connection.send("GET /health/live HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
                var answer = connection.receive()
                while !answer.isEmpty, !String(decoding: answer, as: UTF8.self).hasSuffix("live\n") {
                    answer += connection.receive()
                }
                return connection
            }
        }
        // What is made once is there after these.
        let first = try open(100)
        let before = try served.metric("process_resident_memory_bytes")
        let idle = try open(400)
        let after = try served.metric("process_resident_memory_bytes")
        #expect(after - before < idle.count * 16 * 1024, "\((after - before) / idle.count) bytes each")
        withExtendedLifetime((first, idle)) {}
        try served.stop()
    }
}
