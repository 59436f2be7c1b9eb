import TestKit
import Testing

/// Answers to HEAD: the head of the answer to GET, and a connection that goes on.
@Suite struct HeadTests {
    @Test(arguments: ["?format=car", "?format=tar", "?format=raw", ""])
    func aConnectionGoesOnBehindAHead(query: String) async throws {
        let bytes = SeededRandom.bytes(seed: 1, count: 300_000)
        try await ServerLaboratory.serve { laboratory in
            let path = "/ipfs/\(try laboratory.add(bytes))"
            try await laboratory.connect { connection in
                let whole = try connection.get(path + query)
                #expect(whole.status == 200 && whole.isWhole && whole.body.count > 100)
                for _ in 0..<2 {
                    let head = try connection.get(path + query, method: "HEAD")
                    #expect(head.status == 200 && head.fields["connection"] == nil, "\(head.fields)")
                    for name in ["content-type", "content-length", "transfer-encoding", "etag"] {
                        #expect(head.fields[name] == whole.fields[name], "\(name)")
                    }
                    // Nothing of the answer before is in the way.
                    let next = try connection.get(path, "Range: bytes=0-9\r\n")
                    #expect(next.status == 206 && next.body == Array(bytes[..<10]))
                }
            }
        }
    }

    /// Requests that come at once are answered in their order, each by its own.
    @Test func headsAmongOtherRequestsAreToldApart() async throws {
        try await ServerLaboratory.serve { laboratory in
            let root = try laboratory.add([1, 2, 3])
            try await laboratory.connect { connection in
                let head = HTTPConnection.request("/ipfs/\(root)?format=car", method: "HEAD")
                let get = HTTPConnection.request("/ipfs/\(root)")
                connection.send(head + get + head + head + get)
                for isHead in [true, false, true, true, false] {
                    let answer = try connection.answer(toHead: isHead)
                    #expect(answer.status == 200)
                    #expect((answer.fields["content-type"]?.contains("vnd.ipld.car") == true) == isHead)
                    if !isHead { #expect(answer.body == [1, 2, 3]) }
                }
            }
        }
    }
}
