import Foundation
import Glibc
import IPLD
import Multiformats
import TestKit
import Testing
import UnixFS

/// The gateway over real sockets: clients as they come, and content that means harm.
@Suite struct GatewayTests {
    let directory: TemporaryDirectory
    let nacre: NacreProcess

    init() throws {
        directory = try TemporaryDirectory(in: TemporaryDirectory.fastParent)
        nacre = NacreProcess(data: directory.path("data"))
    }

    /// Serves while `body` asks.
    private func serving(_ body: (UInt16) throws -> Void) throws {
        let running = try RunningNacre(nacre, ["serve", "--listen", "127.0.0.1:0"])
        var port: UInt16?
        try running.wait("it listens") {
            let lock = try? String(contentsOfFile: directory.path("data/LOCK"), encoding: .utf8)
            port = lock?.split(separator: ":").last.flatMap { UInt16($0.filter { $0 != "\n" }) }
            return port != nil
        }
        try body(try #require(port))
        running.signal(SIGTERM)
        let outcome = try running.end()
        #expect(outcome.status == 0 && !outcome.wasSignalled, "\(outcome.errors)")
    }

    private struct Answer {
        let status: Int
        let head: String
        let body: [UInt8]
        /// The body ended as the head said.
        let isWhole: Bool
    }

    private func get(
        _ port: UInt16, _ path: String, host: String = "127.0.0.1", through tunnel: String? = nil
    ) throws -> Answer {
        let connection = try RawConnection(port: port)
        if let tunnel {
            try connection.send("CONNECT \(tunnel) HTTP/1.1\r\nHost: \(tunnel)\r\n\r\n")
            let opened = String(decoding: connection.receive(), as: UTF8.self)
            #expect(opened == "HTTP/1.1 200 Connection established\r\n\r\n")
        }
        try connection.send("GET \(path) HTTP/1.1\r\nHost: \(host)\r\nConnection: close\r\n\r\n")
        let all = connection.receiveAll()
        let end = try #require(Data(all).range(of: Data("\r\n\r\n".utf8)), "there is a head")
        let head = String(decoding: all[..<end.lowerBound], as: UTF8.self)
        let status = try #require(head.split(separator: " ").dropFirst().first.flatMap { Int($0) })
        let rest = Array(all[end.upperBound...])
        if head.lowercased().contains("transfer-encoding: chunked") {
            let (body, isWhole) = Self.unchunked(rest)
            return Answer(status: status, head: head, body: body, isWhole: isWhole)
        }
        let length = head.lowercased().firstMatch(of: /content-length: (\d+)/).flatMap { Int($0.1) }
        return Answer(status: status, head: head, body: rest, isWhole: length == rest.count)
    }

    private static func unchunked(_ bytes: [UInt8]) -> ([UInt8], Bool) {
        var (rest, body) = (bytes[...], [UInt8]())
        while let end = rest.firstIndex(of: 0x0A),
            let count = Int(String(decoding: rest[..<(end - 1)], as: UTF8.self), radix: 16)
        {
            if count == 0 { return (body, true) }
            rest = rest[(end + 1)...]
            body += rest.prefix(count)
            rest = rest.dropFirst(count + 2)
        }
        return (body, false)
    }

    // MARK: Clients

    @Test func aTunnelLeadsToTheOriginOfARoot() throws {
        let root = try #require(try nacre.run(["add", "-Q", "-"], input: [1, 2, 3]).lines.first)
        try serving { port in
            let host = "\(root).ipfs.localhost"
            let answer = try get(port, "/", host: host, through: host + ":80")
            #expect(answer.status == 200 && answer.body == [1, 2, 3])
        }
    }

    private static var hasPackages: Bool {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["python3", "-c", "import multiformats, dag_cbor"]
        process.standardError = FileHandle.nullDevice
        try? process.run()
        process.waitUntilExit()
        return process.terminationStatus == 0
    }

    /// With packages that others made, where they are installed: `pip install multiformats dag-cbor`.
    @Test(.enabled(if: hasPackages)) func aCARIsVerifiedByForeignTools() throws {
        try FileManager.default.createDirectory(
            atPath: directory.path("in/sub"), withIntermediateDirectories: true)
        try Data(SeededRandom.bytes(seed: 3, count: 3_000_000)).write(
            to: URL(fileURLWithPath: directory.path("in/large")))
        try Data("small".utf8).write(to: URL(fileURLWithPath: directory.path("in/sub/small")))
        let root = try #require(try nacre.run("add", "-Q", directory.path("in")).lines.first)
        try serving { port in
            let answer = try get(port, "/ipfs/\(root)?format=car")
            #expect(answer.status == 200 && answer.isWhole)
            let path = directory.path("fetched.car")
            try Data(answer.body).write(to: URL(fileURLWithPath: path))
            let checked = try Script.run("verify_car.py", root, path)
            #expect(checked.status == 0 && checked.output == "7\n", "\(checked.output)")
            try Data(answer.body.dropLast()).write(to: URL(fileURLWithPath: path))
            #expect(try Script.run("verify_car.py", root, path).status != 0)
        }
    }

    // MARK: Publishing

    /// A walk over many blocks is cut off anywhere; doing it again leaves the right marks.
    @Test(arguments: SeededRandom.seeds(1))
    func publishingIsDoneAgainAfterAKill(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        let files = scaled(1500, full: 20_000)
        for folder in ["in/a", "in/b"] {
            try FileManager.default.createDirectory(
                atPath: directory.path(folder), withIntermediateDirectories: true)
        }
        for index in 0..<files {
            let path = directory.path("in/\(index % 2 == 0 ? "a" : "b")/f\(index)")
            try Data("file \(index)".utf8).write(to: URL(fileURLWithPath: path))
        }
        let added = try nacre.run("add", "--private", directory.path("in")).lines.map {
            $0.split(separator: " ", maxSplits: 1).map(String.init)
        }
        let root = try #require(added.last?.first)
        let leaves = added.filter { $0[1].contains("/f") }
        // Half of it is kept for everybody by another pin.
        let shared = try #require(added.first { $0[1].hasSuffix("in/a") }?.first)
        #expect(try nacre.run("pin", "add", "--name", "shared", shared).status == 0)
        let start = ContinuousClock.now
        _ = try nacre.run("pin", "unpublish", root)
        let life = max(20_000, Int((ContinuousClock.now - start) / .microseconds(1)))
        for verb in ["publish", "unpublish", "publish", "unpublish"] {
            for _ in 0..<scaled(2, full: 20) {
                let process = nacre.process(["pin", verb, root])
                process.standardOutput = FileHandle.nullDevice
                process.standardError = FileHandle.nullDevice
                try process.run()
                usleep(UInt32(random.number(1000...life)))
                kill(process.processIdentifier, SIGKILL)
                process.waitUntilExit()
            }
            #expect(try nacre.run("pin", verb, root).status == 0)
            try serving { port in
                let car = try get(port, "/ipfs/\(root)?format=car")
                #expect(car.status == (verb == "publish" ? 200 : 404) && car.isWhole)
                if verb == "publish" {
                    let whole = try nacre.run("car", "ls", "-", input: car.body)
                    #expect(whole.lines.count == files + 3, "\(whole.errors)")
                }
                #expect(try get(port, "/ipfs/\(shared)?format=car").isWhole, "the other pin stays whole")
                for index in stride(from: 0, to: leaves.count, by: 101) {
                    let isShared = leaves[index][1].contains("in/a/")
                    let answer = try get(port, "/ipfs/\(leaves[index][0])?format=raw")
                    #expect(answer.status == (verb == "publish" || isShared ? 200 : 404), "\(leaves[index])")
                }
            }
        }
    }

    // MARK: Harm

    /// Asks for content of a DAG that cannot be right; the server goes on.
    private func expectRefusal(_ root: CID, _ dag: HandmadeDAG, suffix: String = "") throws {
        let car = try dag.car(roots: [root])
        #expect(try nacre.run(["car", "import", "--no-pin", "-"], input: car).status == 0)
        try serving { port in
            let start = ContinuousClock.now
            let answer = try get(port, "/ipfs/\(root)" + suffix)
            #expect(answer.status >= 400 || !answer.isWhole, "\(answer.head)")
            #expect(ContinuousClock.now - start < .seconds(20))
            #expect(try get(port, "/health/live").status == 200)
        }
    }

    @Test func badInput9AFileWhoseSizesLieIsNeverPromisedWhole() throws {
        for (claimed, sum) in [([10, 90], 99), ([10, UInt64.max], 9), ([10, 20], 30)] as [([UInt64], UInt64)]
        {
            var dag = HandmadeDAG()
            let leaves = [
                dag.file([UInt8](repeating: 1, count: 10)), dag.file([UInt8](repeating: 2, count: 11)),
            ]
            let links = leaves.map { DAGPBLink(cid: $0, name: [], tsize: 10) }
            let root = dag.node(links, UnixFSData(kind: .file, fileSize: sum, blockSizes: claimed))
            try expectRefusal(root, dag)
        }
    }

    @Test func badInput10AChainOfNodesIsCutOff() throws {
        var dag = HandmadeDAG()
        var last = dag.file([1])
        for _ in 0..<5000 {
            last = dag.node(
                [DAGPBLink(cid: last, name: [], tsize: 1)],
                UnixFSData(kind: .file, fileSize: 1, blockSizes: [1]))
        }
        try expectRefusal(last, dag)
    }

    @Test func badInput11ADAGBombIsSentBlockByBlock() throws {
        var dag = HandmadeDAG()
        var last = dag.file([1])
        for _ in 0..<64 { last = dag.directory([("a", last), ("b", last)]) }
        #expect(
            try nacre.run(["car", "import", "--no-pin", "-"], input: dag.car(roots: [last])).status == 0)
        try serving { port in
            let once = try get(port, "/ipfs/\(last)?format=car")
            #expect(once.status == 200 && once.isWhole && once.body.count < 65 * 300)
            // An archive of it has no end: whoever leaves costs nothing more.
            let connection = try RawConnection(port: port)
            try connection.send("GET /ipfs/\(last)?format=tar HTTP/1.1\r\nHost: x\r\n\r\n")
            #expect(!connection.receive().isEmpty)
            let path = String(repeating: "/a", count: 64)
            #expect(try get(port, "/ipfs/\(last)\(path)").body == [1])
            #expect(try get(port, "/ipfs/\(last)\(path)\(path)").status == 404)
        }
    }

    @Test(arguments: [1 << 31, 3, 0, 2048] as [UInt64], [0x22, 0x12] as [UInt64])
    func badInput12AShardThatCannotBeIsRefused(fanout: UInt64, hash: UInt64) throws {
        var dag = HandmadeDAG()
        let leaf = dag.file([1])
        let root = dag.node(
            [DAGPBLink(cid: leaf, name: Array("00a".utf8), tsize: 1)],
            UnixFSData(kind: .hamtShard, content: [1], hashFunction: hash, fanout: fanout))
        try expectRefusal(root, dag, suffix: "/a")
    }

    @Test func badInput13And14WhatIsNoCIDIsRefusedAtOnce() throws {
        // An identity CID of 129 bytes.
        let long = "f015500" + "8101" + String(repeating: "07", count: 129)
        var zoo = [
            "Qm", "QmInvalidCID", "bafk", "bafkqaaaq", "BAFKQAAA!", "zb2", "f0155", "0", "%00", "bafy%2f..",
            "k",
            "bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52z", "m", "\u{7f}", "f01551220ffff",
            "f0181818181818181818181818", "QmYwAPJzv5CZsnA625s3Xf2nemtYgPpHdWEz79ojWnPb0O",
            String(repeating: "a", count: 10_000), "b" + String(repeating: "a", count: 9000),
        ].map { "/ipfs/" + $0 }
        zoo.append("/ipfs/\(long)")
        try serving { port in
            for path in zoo {
                let answer = try get(port, path)
                #expect(answer.status == 400 || answer.status == 404, "\(path.prefix(80)): \(answer.head)")
            }
            #expect(try get(port, "/ipfs/bafkqaaa").status == 200)
        }
    }
}
