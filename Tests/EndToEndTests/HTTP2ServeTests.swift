import Foundation
import Glibc
import IPLD
import TestKit
import Testing

/// HTTP/2 on a socket, frame by frame.
@Suite struct HTTP2ServeTests {
    private typealias H2 = HTTP2Frames

    let directory: TemporaryDirectory
    let nacre: NacreProcess

    init() throws {
        directory = try TemporaryDirectory(in: TemporaryDirectory.fastParent)
        nacre = NacreProcess(data: directory.path("data"))
    }

    private func connect(_ served: ServedNacre, settings: [(UInt16, UInt32)] = []) throws -> RawConnection {
        let connection = try RawConnection(port: served.port)
        try connection.send(H2.preface + H2.settings(settings))
        return connection
    }

    private func add(_ bytes: [UInt8]) throws -> String {
        try #require(try nacre.run(["add", "-Q", "-"], input: bytes).lines.first)
    }

    @Test func manyRequestsShareAConnectionAndEachIsAnswered() throws {
        let small = try add(Array("small".utf8))
        let served = try ServedNacre(nacre)
        let connection = try connect(served)
        for stream in stride(from: UInt32(1), to: 40, by: 2) {
            try connection.send(H2.get("/ipfs/\(small)", stream: stream))
        }
        var ended: Set<UInt32> = []
        let frames = connection.frames { frame in
            if frame.endsStream { ended.insert(frame.stream) }
            return ended.count == 20
        }
        for stream in ended {
            let body = frames.filter { $0.isOf(.data) && $0.stream == stream }.flatMap(\.payload)
            #expect(String(decoding: body, as: UTF8.self) == "small")
        }
        #expect(ended.count == 20)
        try served.end()
    }

    @Test func anAnswerThatBreaksOffIsAResetAndTheOthersGoOn() throws {
        var dag = HandmadeDAG()
        let leaves = (0..<100).map { dag.file([UInt8](repeating: UInt8($0), count: 10_000)) }
        let root = dag.directory(leaves.enumerated().map { ("f\($0.offset + 100)", $0.element) })
        let missing = leaves[99]
        let car = try HandmadeDAG.car(roots: [root], dag.blocks.filter { $0.cid != missing })
        _ = try nacre.run(["car", "import", "--no-pin", "-"], input: car)
        let served = try ServedNacre(nacre, ["NACRE_GATEWAY_SERVE": "all"])
        let connection = try connect(served, settings: [(4, 16_777_216)])
        try connection.send(H2.frame(.windowUpdate, [0, 0xFF, 0, 0]))
        try connection.send(H2.get("/ipfs/\(root)?format=car", stream: 1))
        let frames = connection.frames { $0.stream == 1 && ($0.isOf(.reset) || $0.endsStream) }
        let reset = try #require(frames.first { $0.isOf(.reset) }, "\(frames.map(\.kind))")
        #expect(reset.errorCode == 2, "INTERNAL_ERROR")
        try connection.send(H2.get("/health/live", stream: 3))
        let after = connection.frames { $0.stream == 3 && $0.endsStream }
        #expect(after.filter { $0.isOf(.data) }.flatMap(\.payload) == Array("live\n".utf8))
        try served.end()
    }

    @Test func anAnswerBeforeTheEndOfItsRequestIsWhole() throws {
        let served = try ServedNacre(nacre)
        let connection = try connect(served)
        let fields = [(":method", "POST"), (":scheme", "http"), (":authority", "localhost"), (":path", "/")]
        try connection.send(H2.frame(.headers, flags: 4, stream: 1, H2.fields(fields)))
        let frames = connection.frames { $0.isOf(.reset) }
        #expect(frames.contains { $0.stream == 1 && $0.endsStream }, "405 with its text")
        #expect(frames.last { $0.isOf(.reset) }?.errorCode == 0, "NO_ERROR: the rest is not wanted")
        try served.end()
    }

    @Test func aStopFinishesWhatIsOnItsWay() throws {
        let bytes = SeededRandom.bytes(seed: 2, count: 14_000_000)
        let root = try add(bytes)
        let served = try ServedNacre(nacre)
        // Windows large enough for all of it: the socket is what holds it back.
        let connection = try RawConnection(port: served.port, receiveBuffer: 65536)
        try connection.send(H2.preface + H2.settings([(4, 16_777_216)]))
        try connection.send(H2.frame(.windowUpdate, [0, 0xFF, 0, 0]))
        try connection.send(H2.get("/ipfs/\(root)", stream: 1))
        var received: [UInt8] = []
        while !H2.parse(received).contains(where: { $0.isOf(.data) }) {
            received += connection.receive(20_000)
        }
        served.running.signal(SIGTERM)
        received += connection.receiveAll()
        let frames = H2.parse(received)
        #expect(frames.filter { $0.isOf(.data) }.flatMap(\.payload) == bytes, "every byte came")
        #expect(frames.contains { $0.endsStream } && frames.contains { $0.isOf(.goAway) })
        let outcome = try served.running.end()
        #expect(outcome.status == 0 && !outcome.wasSignalled, "\(outcome.errors)")
    }

    @Test func whatAConnectionIsDecidesTheSchemeAndNotTheClient() throws {
        let root = try add([1])
        let served = try ServedNacre(nacre, ["NACRE_GATEWAY_SUBDOMAINS": "localhost"])
        // `:scheme` is a claim.
        let connection = try connect(served)
        try connection.send(H2.get("/ipfs/\(root)", stream: 1, scheme: "https"))
        let frames = connection.frames { $0.isOf(.headers) && $0.stream == 1 }
        let header = frames.last { $0.isOf(.headers) }?.payload ?? []
        #expect(!header.isEmpty)
        let answer = try Tool.run(
            "curl", "-sI", "--http2-prior-knowledge", "http://localhost:\(served.port)/ipfs/\(root)")
        #expect(answer.output.contains("location: http://\(root).ipfs.localhost"), "\(answer.output)")
        try served.end()
    }

    // MARK: Floods

    /// Sends until the node gives up the connection; whether it did.
    private func isGivenUp(_ connection: RawConnection, sending part: (UInt32) -> [UInt8]) throws -> Bool {
        for number in 0..<20_000 { try connection.send(part(UInt32(number))) }
        let frames = HTTP2Frames.parse(connection.receiveAll())
        return frames.isEmpty || frames.contains { $0.isOf(.goAway) }
    }

    @Test func badInput26HeadersThatAreContinuedForEverEndTheConnection() throws {
        let served = try ServedNacre(nacre)
        let connection = try connect(served)
        try connection.send(
            H2.frame(.headers, flags: 1, stream: 1, H2.fields([(":method", "GET"), (":path", "/")])))
        let isGivenUp = try isGivenUp(connection) { _ in
            H2.frame(.continuation, stream: 1, H2.fields([("x", String(repeating: "a", count: 1000))]))
        }
        #expect(isGivenUp)
        try served.end()
    }

    @Test func badInput26RequestsThatAreTakenBackAtOnceEndTheConnection() throws {
        let served = try ServedNacre(nacre)
        let connection = try connect(served)
        let isGivenUp = try isGivenUp(connection) { number in
            H2.get("/health/live", stream: 2 * number + 1)
                + H2.frame(.reset, stream: 2 * number + 1, [0, 0, 0, 8])
        }
        #expect(isGivenUp)
        try served.end()
    }

    @Test(arguments: ["ping", "settings", "empty data"])
    func badInput26FramesThatCostNothingEndTheConnection(kind: String) throws {
        let served = try ServedNacre(nacre)
        let connection = try connect(served)
        let fields = [
            (":method", "PUT"), (":scheme", "http"), (":authority", "x"), (":path", "/routing/v1/x"),
        ]
        try connection.send(H2.frame(.headers, flags: 4, stream: 1, H2.fields(fields)))
        let isGivenUp = try isGivenUp(connection) { _ in
            switch kind {
            case "ping": H2.frame(.ping, [UInt8](repeating: 1, count: 8))
            case "settings": H2.settings()
            default: H2.frame(.data, stream: 1)
            }
        }
        #expect(isGivenUp)
        try served.end()
    }

    @Test func badInput26AHeaderBeyondTheLimitIsNoRequest() throws {
        let served = try ServedNacre(nacre, ["NACRE_METRICS_PUBLIC": "true"])
        let connection = try connect(served)
        let large = (0..<100).map { ("x-\($0)", String(repeating: "a", count: 1000)) }
        let block = H2.fields(
            [(":method", "GET"), (":scheme", "http"), (":authority", "x"), (":path", "/health/live")] + large)
        try connection.send(H2.frame(.headers, flags: 1, stream: 1, Array(block.prefix(16_000))))
        for start in stride(from: 16_000, to: block.count, by: 16_000) {
            let part = Array(block.dropFirst(start).prefix(16_000))
            let isLast = start + 16_000 >= block.count
            try connection.send(H2.frame(.continuation, flags: isLast ? 4 : 0, stream: 1, part))
        }
        let frames = connection.frames { $0.isOf(.goAway) || $0.isOf(.reset) || $0.endsStream }
        #expect(!frames.contains { $0.endsStream }, "it is not answered as if it were whole")
        try served.end()
    }

    @Test func badInput27AStreamThatIsNotReadIsGivenUp() throws {
        let root = try add(SeededRandom.bytes(seed: 3, count: 2_000_000))
        let served = try ServedNacre(
            nacre, ["NACRE_SERVER_STALL_SECONDS": "1", "NACRE_METRICS_PUBLIC": "true"])
        // A window of nothing, which is never opened.
        let connection = try connect(served, settings: [(4, 0)])
        try connection.send(H2.get("/ipfs/\(root)", stream: 1))
        let frames = connection.frames { $0.isOf(.reset) && $0.stream == 1 }
        #expect(frames.contains { $0.isOf(.reset) })
        #expect(try served.metric("nacre_http_dropped_total{reason=\"write\"}") == 1)
        try served.end()
    }
}
