import BlockStorage
import Catalog
import Multiformats
import NodeCore
import TestKit
import Testing

/// Answers from memory: the same as the others, and gone when they are no longer right.
@Suite struct HotAnswerTests {
    /// Asks until answers come from memory: the first request of a connection never does, and only what is
    /// asked again is kept.
    private static func warm(_ connection: HTTPConnection, _ path: String, _ fields: String = "") throws {
        for _ in 0..<4 { _ = try connection.get(path, fields) }
    }

    @Test func anAnswerFromMemoryIsTheSameAsTheOthers() async throws {
        try await ServerLaboratory.serve { laboratory in
            let bytes = SeededRandom.bytes(seed: 1, count: 1000)
            let root = try laboratory.add(bytes)
            let before = try await laboratory.hotAnswers()
            let answers = try await laboratory.connect { connection in
                try (0..<10).map { _ in try connection.get("/ipfs/\(root)") }
            }
            #expect(try await laboratory.hotAnswers() - before == 8)
            var identifiers: Set<String> = []
            for answer in answers {
                #expect(answer.status == 200 && answer.body == bytes && answer.isWhole)
                #expect(answer.fields["content-length"] == "1000")
                #expect(answer.fields["date"]?.count == 29)
                let identifier = try #require(answer.fields["x-request-id"])
                #expect(identifier.count == 16 && identifiers.insert(identifier).inserted)
                let names = Set(answer.fields.keys)
                #expect(names == Set(answers[0].fields.keys))
                for name in names where name != "date" && name != "x-request-id" {
                    #expect(answer.fields[name] == answers[0].fields[name])
                }
            }
        }
    }

    @Test func headsConditionsAndRangesAreKeptApart() async throws {
        try await ServerLaboratory.serve { laboratory in
            let bytes = SeededRandom.bytes(seed: 2, count: 5000)
            let root = try laboratory.add(bytes)
            try await laboratory.connect { connection in
                for _ in 0..<5 {
                    let whole = try connection.get("/ipfs/\(root)")
                    #expect(whole.status == 200 && whole.body == bytes)
                    let head = try connection.get("/ipfs/\(root)", method: "HEAD")
                    #expect(head.status == 200 && head.fields["content-length"] == "5000")
                    let range = try connection.get("/ipfs/\(root)", "Range: bytes=10-19\r\n")
                    #expect(range.status == 206 && range.body == Array(bytes[10..<20]))
                    #expect(range.fields["content-range"] == "bytes 10-19/5000")
                    let same = try connection.get("/ipfs/\(root)", "If-None-Match: \"\(root)\"\r\n")
                    #expect(same.status == 304 && same.body.isEmpty)
                    let raw = try connection.get("/ipfs/\(root)?format=raw")
                    #expect(raw.status == 200 && raw.fields["content-type"] == "application/vnd.ipld.raw")
                    #expect(try connection.get("/ipfs/\(root)/nothing").status == 404)
                }
            }
            #expect(try await laboratory.hotAnswers() > 0)
        }
    }

    @Test func pipelinedRequestsAreAnsweredInTheirOrder() async throws {
        try await ServerLaboratory.serve { laboratory in
            let small = SeededRandom.bytes(seed: 3, count: 700)
            let other = SeededRandom.bytes(seed: 4, count: 300_000)
            let (hot, cold) = (try laboratory.add(small), try laboratory.add(other))
            try await laboratory.connect { connection in
                try Self.warm(connection, "/ipfs/\(hot)")
                var text = ""
                for index in 0..<100 {
                    text += HTTPConnection.request(
                        index % 3 == 2 ? "/ipfs/\(cold)?n=\(index)" : "/ipfs/\(hot)")
                }
                connection.send(text)
                for index in 0..<100 {
                    let answer = try connection.answer()
                    #expect(answer.status == 200 && answer.isWhole)
                    #expect(answer.body == (index % 3 == 2 ? other : small), "answer \(index)")
                }
            }
        }
    }

    @Test(arguments: SeededRandom.seeds(8))
    func requestsMayComeInPiecesOfAnySize(seed: UInt64) async throws {
        try await ServerLaboratory.serve { laboratory in
            let bytes = SeededRandom.bytes(seed: seed, count: 900)
            let root = try laboratory.add(bytes)
            try await laboratory.connect { connection in
                var random = SeededRandom(seed: seed)
                try Self.warm(connection, "/ipfs/\(root)")
                let text = String(repeating: HTTPConnection.request("/ipfs/\(root)"), count: 20)
                var rest = text[...]
                while !rest.isEmpty {
                    let part = rest.prefix(Int.random(in: 1...100, using: &random))
                    connection.send(String(part))
                    rest = rest.dropFirst(part.count)
                }
                for _ in 0..<20 {
                    let answer = try connection.answer()
                    #expect(answer.status == 200 && answer.body == bytes)
                }
            }
        }
    }

    @Test func aClientThatAsksWithoutReadingIsAnsweredToTheEnd() async throws {
        try await ServerLaboratory.serve { laboratory in
            let bytes = SeededRandom.bytes(seed: 5, count: 200_000)
            let root = try laboratory.add(bytes)
            try await laboratory.connect(receiveBuffer: 4096) { connection in
                try Self.warm(connection, "/ipfs/\(root)")
                connection.send(String(repeating: HTTPConnection.request("/ipfs/\(root)"), count: 150))
                for _ in 0..<150 {
                    let answer = try connection.answer()
                    #expect(answer.status == 200 && answer.body == bytes)
                }
            }
        }
    }

    @Test func whatIsUnpublishedIsGoneAtOnceAndComesBackWhenItIsPublished() async throws {
        try await ServerLaboratory.serve { laboratory in
            let bytes = SeededRandom.bytes(seed: 6, count: 2000)
            let root = try laboratory.add(bytes)
            let node = laboratory.node
            try await laboratory.connect { connection in
                for _ in 0..<3 {
                    try Self.warm(connection, "/ipfs/\(root)")
                    let pin = try #require(try node.catalog.pins.list(PinFilter(root: root)).pins.first)
                    _ = try node.setVisibility(.private, of: pin)
                    #expect(try connection.get("/ipfs/\(root)").status == 404)
                    _ = try node.setVisibility(.public, of: pin)
                    #expect(try connection.get("/ipfs/\(root)").body == bytes)
                }
            }
            #expect(try await laboratory.hotAnswers() > 0)
        }
    }

    @Test func whatIsDroppedOrFoundDamagedIsGoneAtOnce() async throws {
        try await ServerLaboratory.serve { laboratory in
            let (first, second) = (
                SeededRandom.bytes(seed: 7, count: 1500), SeededRandom.bytes(seed: 8, count: 1500)
            )
            let (dropped, damaged) = (try laboratory.add(first), try laboratory.add(second))
            let node = laboratory.node
            try await laboratory.connect { connection in
                try Self.warm(connection, "/ipfs/\(dropped)")
                try Self.warm(connection, "/ipfs/\(damaged)")
                #expect(try node.store.remove(dropped))
                #expect(try connection.get("/ipfs/\(dropped)").status == 404)
                #expect(try connection.get("/ipfs/\(damaged)").body == second)
                try laboratory.damage(second[...])
                let report = try node.store.scrub()
                #expect(report.findings.count == 1)
                #expect(try connection.get("/ipfs/\(damaged)").status == 500)
            }
        }
    }

    /// A body that was not announced as one must not be read as the next request, nor the other way round.
    @Test func badInput26BodiesOfGetsAreNotTakenForRequests() async throws {
        try await ServerLaboratory.serve { laboratory in
            let bytes = SeededRandom.bytes(seed: 9, count: 800)
            let root = try laboratory.add(bytes)
            try await laboratory.connect { connection in
                try Self.warm(connection, "/ipfs/\(root)")
                let inner = HTTPConnection.request("/ipfs/\(root)")
                connection.send(
                    HTTPConnection.request("/ipfs/\(root)", "Content-Length: \(inner.utf8.count)\r\n") + inner
                        + HTTPConnection.request("/ipfs/\(root)/nothing"))
                #expect(try connection.answer().status == 200)
                #expect(try connection.answer().status == 404)
                #expect(try connection.get("/health/live").text == "live\n")
            }
        }
    }

    @Test func aConnectionThatIsToBeClosedIsClosed() async throws {
        try await ServerLaboratory.serve { laboratory in
            let root = try laboratory.add([1, 2, 3])
            try await laboratory.connect { connection in
                try Self.warm(connection, "/ipfs/\(root)")
                #expect(try connection.get("/ipfs/\(root)", "Connection: close\r\n").body == [1, 2, 3])
                #expect(connection.isClosed())
            }
        }
    }
}
