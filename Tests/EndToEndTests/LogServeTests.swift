import Foundation
import Glibc
import TestKit
import Testing

/// What a node says in its log: when it begins, when it ends, and of requests.
@Suite struct LogServeTests {
    let directory: TemporaryDirectory
    let nacre: NacreProcess

    init() throws {
        directory = try TemporaryDirectory(in: TemporaryDirectory.fastParent)
        nacre = NacreProcess(data: directory.path("data"))
    }

    /// Of the log; what is said to a person is no object.
    private func lines(_ text: String, _ message: String) -> [[String: String]] {
        text.split(separator: "\n").compactMap {
            try? JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: String]
        }.filter { $0["message"] == message }
    }

    /// A name that nobody published, and that looks like a secret.
    private let lost = "k51qzi5uqu5dlvj2baxnqndepeb86cbk3ng7n3i46uzyxzyqj2xjonzllnv0v8"

    @Test func aStartAndAStopHaveALineEach() throws {
        let served = try ServedNacre(nacre, ["NACRE_LOG_FORMAT": "json", "NACRE_ROLES": "gateway"])
        _ = try served.get("/health/live")
        try served.stop()
        let started = try #require(lines(served.said, "listening").first)
        #expect(started["data"] == nacre.data && started["roles"] == "gateway")
        #expect(started["version"]?.isEmpty == false)
        #expect(started["address"] == "http://127.0.0.1:\(served.port)" && started["level"] == "info")
        let stopped = try #require(lines(served.said, "stopped").first, "\(served.said)")
        #expect(stopped["graceful"] == "true" && stopped["finished"] == "0" && stopped["level"] == "info")
        #expect(stopped["seconds"].flatMap { Double($0) } != nil)
    }

    @Test func aStopSaysHowManyAnswersItFinished() throws {
        let bytes = SeededRandom.bytes(seed: 1, count: 30_000_000)
        let root = try #require(try nacre.run(["add", "-Q", "-"], input: bytes).lines.first)
        // However slow this machine is: nobody is to be cut off.
        let served = try ServedNacre(
            nacre, ["NACRE_LOG_FORMAT": "json", "NACRE_SERVER_STOP_SECONDS": "600"])
        let slow = try RawConnection(port: served.port, receiveBuffer: 65536)
        try slow.send("GET /ipfs/\(root) HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        _ = slow.receive(1000)
        served.running.signal(SIGTERM)
        // No more connections are taken: the stop has begun.
        try served.running.wait("it takes no more connections") {
            LoopbackSocket.connect(port: served.port).map { close($0) } == nil
        }
        _ = slow.receiveAll()
        #expect(try served.running.end().status == 0)
        let stopped = try #require(lines(served.said, "stopped").first, "\(served.said)")
        #expect(stopped["graceful"] == "true" && stopped["finished"] == "1")
    }

    @Test(arguments: [("off", 0), ("errors", 1), ("all", 4)])
    func requestsHaveLinesAsFarAsIsAskedFor(choice: String, count: Int) throws {
        let root = try #require(try nacre.run(["add", "-Q", "-"], input: Array("text".utf8)).lines.first)
        let served = try ServedNacre(nacre, ["NACRE_LOG_FORMAT": "json", "NACRE_LOG_REQUESTS": choice])
        _ = try served.get("/ipfs/\(root)?token=s3cret")
        _ = try served.get("/ipfs/\(root)", "Authorization: Bearer s3cret\n")
        _ = try served.get("/nothing/s3cret")
        _ = try served.get("/ipns/\(lost)/s3cret?token=s3cret")
        try served.stop()
        let lines = lines(served.said, "answered")
        #expect(lines.count == count, "\(served.said)")
        #expect(!served.said.contains("s3cret"))
        for line in lines {
            #expect(
                Set(line.keys) == [
                    "time", "level", "message", "request", "method", "route", "status", "bytes",
                    "milliseconds", "address",
                ])
            #expect(line["level"] == "info" && line["address"] == "127.0.0.1")
        }
        if choice == "all" {
            #expect(lines.map { $0["status"] } == ["200", "401", "404", lines.last?["status"]])
            #expect(lines.map { $0["route"] } == ["/ipfs/{path}", "/ipfs/{path}", "none", "/ipns/{path}"])
            #expect(lines.first?["bytes"] == "4")
        }
    }

    @Test func aNameThatLeadsNowhereIsNoErrorOfTheNode() throws {
        let served = try ServedNacre(
            nacre, ["NACRE_LOG_FORMAT": "json", "NACRE_METRICS_PUBLIC": "true", "NACRE_LOG_REQUESTS": "off"])
        #expect(try served.metric("nacre_names_unresolved_total") == 0)
        #expect(try served.get("/ipns/\(lost)").contains("HTTP/1.1 5"))
        #expect(try served.metric("nacre_names_unresolved_total") == 1)
        try served.stop()
        let line = try #require(lines(served.said, "name not resolved").first, "\(served.said)")
        #expect(line["level"] == "info")
        let reason = try #require(line["reason"])
        #expect(reason.hasPrefix("could not resolve name \(lost): "))
        #expect(!reason.contains("nameNotResolved") && !served.said.contains("\"level\":\"error\""))
    }

    /// A first event is an increase only where there was a 0 before.
    @Test func countersAreThereFromTheStart() throws {
        let served = try ServedNacre(nacre, ["NACRE_METRICS_PUBLIC": "true"])
        let page = try served.get("/metrics")
        try served.stop()
        for series in [
            "nacre_http_dropped_total{reason=\"header\"} 0",
            "nacre_http_dropped_total{reason=\"handshake\"} 0",
            "nacre_http_refused_total{reason=\"overall\"} 0",
            "nacre_http_connections_refused_total{reason=\"address\"} 0",
            "nacre_http_broken_off_total{route=\"/ipfs/{path}\"} 0",
            "nacre_chores_failed_total{chore=\"names\"} 0", "nacre_names_not_renewed_total 0",
            "nacre_jobs{kind=\"gc\",state=\"running\"} 0",
            "nacre_jobs_ended_total{kind=\"pin\",state=\"failed\"} 0",
            "nacre_catalog_writes_waiting 0",
        ] {
            #expect(page.contains("\n\(series)\n") || page.contains("\n\(series)\r\n"), "\(series): \(page)")
        }
    }
}
