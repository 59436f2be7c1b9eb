import Access
import BlockStorage
import Catalog
import Foundation
import IPLD
import Namespaces
import NodeCore
import NodeMessages
import NodeService
import SyncProtocol
import TestKit
import Testing

/// Bringing files in by a link, over sockets.
@Suite struct LinkUploadTests {
    private static func fill(_ laboratory: ServerLaboratory) throws -> NamespaceInfo {
        let info = try laboratory.owner.create(NamespaceRequest(name: "recipes"))
        let folder = try laboratory.makeDirectory("in", in: info)
        try laboratory.put("taken.txt", "of the owner", in: info, below: folder.id)
        return info
    }

    @Test func filesComeInUnderFreeNamesAndNothingIsShown() async throws {
        try await ServerLaboratory.serve { laboratory in
            _ = try Self.fill(laboratory)
            let box = try laboratory.box("recipes", "/in")
            try await laboratory.connect { connection throws in
                let page = try connection.get(box, "Accept: text/html\r\n")
                #expect(page.status == 200 && page.text.contains("type=\"file\" multiple"))
                #expect(!page.text.contains("taken") && page.text.contains("enctype=\"multipart/form-data\""))
                for path in ["taken.txt", "?format=tar", "?format=car", "?format=raw", "in/taken.txt"] {
                    let answer = try connection.get(box + path)
                    #expect(!answer.text.contains("of the owner"), "\(path)")
                    #expect(!answer.text.contains("taken.txt") || answer.status == 404, "\(path)")
                }
                let put = try connection.put(box + "taken.txt", "of a guest")
                #expect(
                    put.status == 201 && put.text == "received taken.txt\n",
                    "nothing tells that another has the name")
                let again = try connection.put(box + "Taken.txt", "of another")
                #expect(again.status == 201 && again.text == "received Taken.txt\n")
                let form = try connection.form(
                    box,
                    [
                        ("taken.txt", "text/plain", "third"), ("dir/b c.html", "text/html", "<p>"),
                        ("", "application/octet-stream", ""),
                    ], "Accept: text/html\r\n")
                #expect(form.status == 201 && form.text.contains("2 files were received"))
                #expect(try connection.put(box + "..%2Fa", "up").status == 201)
            }
            #expect(try await laboratory.put(box, "x").status == 400, "a file has a name")
            #expect(try await laboratory.put(box + "a/b", "x").status == 400)
            #expect(
                try laboratory.names("recipes", below: "in") == [
                    "Taken (3).txt", "a", "b c.html", "taken (2).txt", "taken (4).txt", "taken.txt",
                ])
            #expect(try laboratory.names("recipes") == ["in"])
            let namespace = try laboratory.node.namespaces.namespace("recipes")
            let entry = try #require(try laboratory.node.namespaces.journal(of: namespace, limit: 1).first)
            #expect(entry.author.device?.hasPrefix("link:") == true, "who looks sees by which link")
            let root = try laboratory.node.snapshot(of: namespace).root
            let key = try laboratory.key([.read])
            try await laboratory.connect { connection throws in
                #expect(try connection.get("/n/recipes/in/taken.txt", key).text == "of the owner")
                #expect(try connection.get("/n/recipes/in/taken%20(2).txt", key).text == "of a guest")
                #expect(try connection.get("/ipfs/\(root)/in/taken%20(2).txt").status == 404, "private")
            }
        }
    }

    @Test func namesThatMeanSomethingToProgramsMeanNothingHere() async throws {
        try await ServerLaboratory.serve { laboratory in
            _ = try Self.fill(laboratory)
            let box = try laboratory.box("recipes")
            try await laboratory.connect { connection throws in
                for name in [
                    ".syncignore", "...", "%2E%2E", ".nacre", "a%0Ab", "C:%5Cx%5Cy.doc", "a%E2%80%AEfdp.exe",
                    String(repeating: "n", count: 300) + ".pdf",
                ] {
                    #expect(try connection.put(box + name, name).status == 201, "\(name)")
                }
            }
            #expect(try await laboratory.put(box + "%FF", "x").status == 400)
            let names = try laboratory.names("recipes")
            #expect(names.allSatisfy { !$0.hasPrefix(".") && $0.utf8.count <= 255 })
            #expect(
                Set(names).isSuperset(of: ["syncignore", "nacre", "upload", "ab", "y.doc", "afdp.exe"]),
                "\(names)")
            #expect(names.contains { $0.hasPrefix("nnn") && $0.hasSuffix(".pdf") && $0.utf8.count == 255 })
        }
    }

    /// It answered `received ../../evil.txt`, as if that were where the file is.
    @Test func whatLeadsOutOfTheFolderStaysInItAndIsNamedAsItIsKept() async throws {
        try await ServerLaboratory.serve { laboratory in
            let info = try Self.fill(laboratory)
            try laboratory.put("evil.txt", "of the owner", in: info)
            let box = try laboratory.box("recipes", "/in")
            try await laboratory.connect { connection throws in
                for (sent, kept) in [
                    ("..%2F..%2Fevil.txt", "evil.txt"), ("%2Fetc%2Fpasswd", "passwd"),
                    ("..%5C..%5Cboot.ini", "boot.ini"), ("in%2F..%2F..%2Fup", "up"), ("%2E%2E%2F", "upload"),
                ] {
                    let put = try connection.put(box + sent, "of a guest")
                    #expect(put.status == 201 && put.text == "received \(kept)\n", "\(sent): \(put.text)")
                }
                let form = try connection.form(
                    box, [("../../evil.sh", "text/plain", "x"), ("/root/.profile", "text/plain", "y")])
                #expect(
                    form.status == 201 && form.text == "received evil.sh\nreceived profile\n", "\(form.text)")
            }
            #expect(
                try Set(laboratory.names("recipes", below: "in")) == [
                    "taken.txt", "evil.txt", "passwd", "boot.ini", "up", "upload", "evil.sh", "profile",
                ])
            #expect(try Set(laboratory.names("recipes")) == ["in", "evil.txt"])
            let key = try laboratory.key([.read])
            try await laboratory.connect { connection throws in
                #expect(try connection.get("/n/recipes/evil.txt", key).text == "of the owner")
            }
        }
    }

    @Test func limitsHoldForEachFileAndForAll() async throws {
        try await ServerLaboratory.serve { laboratory in
            _ = try Self.fill(laboratory)
            let box = try laboratory.box("recipes") { request in
                request.maxFileBytes = 10
                request.maxBytes = 25
                request.contentTypes = ["text/*"]
            }
            #expect(try await laboratory.put(box + "a.txt", "0123456789").status == 201)
            #expect(try await laboratory.put(box + "b.txt", "0123456789x").status == 413)
            #expect(try await laboratory.put(box + "c.png", "012").status == 415, "by its name")
            let png = "Content-Type: image/png\r\n"
            #expect(try await laboratory.put(box + "c.txt", "012", png).status == 415)
            // Each file of a form is for itself; what came before one that is refused stays.
            let form = try await laboratory.connect { connection throws in
                try connection.form(
                    box, [("d.txt", "text/plain", "01234567"), ("e.txt", "text/plain", "01234567890")])
            }
            #expect(form.status == 413 && form.text.contains("received d.txt"))
            #expect(try laboratory.names("recipes") == ["a.txt", "d.txt", "in"])
            #expect(try await laboratory.put(box + "f.txt", "01234567").status == 410, "7 bytes are left")
            #expect(try await laboratory.put(box + "f.txt", "0123456").status == 201)
            #expect(try await laboratory.put(box + "g.txt", "0").status == 410)
            let list = try laboratory.administrator.links(inNamespace: "recipes", cursor: nil, limit: 1)
            #expect(list.items.first?.bytes == 25 && list.items.first?.status == "exhausted")
        }
    }

    /// Whether it came true in so many seconds.
    private static func waitUntil(seconds: Int, _ condition: () throws -> Bool) throws -> Bool {
        let end = ContinuousClock.now + .seconds(seconds)
        while ContinuousClock.now < end {
            if try condition() { return true }
            usleep(10_000)
        }
        return false
    }

    /// Who does not say how much comes has all that is left reserved, so that two at once are not more.
    @Test func uploadsWithoutALengthAtOnceStayWithinTheirBytes() async throws {
        try await ServerLaboratory.serve { laboratory in
            _ = try Self.fill(laboratory)
            for perFile in [nil, 20] as [Int64?] {
                let box = try laboratory.box("recipes", "/in") { request in
                    request.maxFileBytes = perFile
                    request.maxBytes = 25
                }
                let name = perFile == nil ? "all" : "each"
                let statuses = try await laboratory.onThread {
                    let connections = try (0..<4).map { _ in try HTTPConnection(port: laboratory.port) }
                    let text = "0123456789abcde"
                    for (number, connection) in connections.enumerated() {
                        connection.send(
                            HTTPConnection.request(
                                box + "\(name)\(number)", "Transfer-Encoding: chunked\r\n", method: "PUT")
                                + "f\r\n\(text)\r\n")
                    }
                    // None ends before one has reserved what it may. What is left is too little for another,
                    // which is given up at once; of an earlier box 15 bytes are in use.
                    let administrator = try laboratory.administrator
                    let isReserved = try Self.waitUntil(seconds: 60) {
                        try administrator.links(inNamespace: "recipes", cursor: nil, limit: 9)
                            .items.contains { $0.bytes >= perFile ?? 25 }
                    }
                    #expect(isReserved)
                    for connection in connections { connection.send("0\r\n\r\n") }
                    return try connections.map { try $0.answer().status }
                }
                let kept = try laboratory.names("recipes", below: "in").filter { $0.hasPrefix(name) }
                #expect(statuses.count { $0 == 201 } == 1 && kept.count == 1, "\(statuses)")
                #expect(statuses.allSatisfy { $0 == 201 || $0 == 410 || $0 == 413 }, "\(statuses)")
            }
        }
    }

    @Test func parallelUploadsStayWithinTheirNumber() async throws {
        try await ServerLaboratory.serve { laboratory in
            _ = try Self.fill(laboratory)
            let box = try laboratory.box("recipes") { $0.maxUses = 5 }
            let statuses = try await withThrowingTaskGroup(of: [Int].self) { group in
                for number in 0..<6 {
                    group.addTask {
                        var statuses: [Int] = []
                        for turn in 0..<2 {
                            statuses.append(
                                try await laboratory.put(box + "same.txt", "\(number) \(turn)").status)
                        }
                        return statuses
                    }
                }
                return try await group.reduce(into: []) { $0 += $1 }
            }
            #expect(statuses.count { $0 == 201 } == 5 && statuses.count { $0 == 410 } == 7)
            #expect(try laboratory.names("recipes").filter { $0.hasPrefix("same") }.count == 5)
        }
    }

    @Test func whatBreaksOffLeavesNothing() async throws {
        try await ServerLaboratory.serve { laboratory in
            _ = try Self.fill(laboratory)
            let box = try laboratory.box("recipes") { $0.maxUses = 1 }
            try await laboratory.connect { connection throws in
                connection.send(
                    HTTPConnection.request(box + "half.txt", "Content-Length: 100\r\n", method: "PUT")
                        + "the first half")
            }
            // The same link goes on for who sends all of it: the use was given back.
            var status = 0
            for _ in 0..<200 where status != 201 {
                status = try await laboratory.connect { try $0.put(box + "whole.txt", "all of it").status }
            }
            #expect(status == 201)
            #expect(try laboratory.names("recipes") == ["in", "whole.txt"])
        }
    }

    /// Uses alone are a limit too: who breaks off again and again could store without end.
    @Test func whatBreaksOffAgainAndAgainIsAUseInTheEnd() async throws {
        try await ServerLaboratory.serve { laboratory in
            _ = try Self.fill(laboratory)
            let box = try laboratory.box("recipes") { $0.maxUses = 2 }
            try await laboratory.onThread {
                let administrator = try laboratory.administrator
                func uses() throws -> Int64 {
                    try #require(
                        try administrator.links(inNamespace: "recipes", cursor: nil, limit: 1).items.first
                    ).uses
                }
                for round in 1...9 {
                    do {
                        let connection = try HTTPConnection(port: laboratory.port)
                        connection.send(
                            HTTPConnection.request(
                                box + "a.bin", "Transfer-Encoding: chunked\r\n", method: "PUT")
                                + String(9 << 20, radix: 16) + "\r\n")
                        let piece = SeededRandom.bytes(seed: UInt64(round), count: 9 << 20)
                        connection.send(piece)
                        connection.send("\r\n")
                        let leaf = SyncCalls.block(Array(piece.prefix(1 << 20)))
                        #expect(
                            try Self.waitUntil(seconds: 60) {
                                try laboratory.node.store.size(of: leaf.cid) != nil
                            })
                        withExtendedLifetime(connection) {}
                    }
                    if round < 9 { #expect(try Self.waitUntil(seconds: 60) { try uses() == 0 }) }
                }
                #expect(try uses() == 1, "the ninth")
            }
            #expect(try await laboratory.put(box + "b.txt", "whole").status == 201)
            #expect(try await laboratory.put(box + "c.txt", "whole").status == 410)
        }
    }

    /// Cut off before its end, an upload cost nothing, however much of it was kept for the collector.
    @Test func whatWasStoredOfWhatBreaksOffCountsAgainstTheBytes() async throws {
        try await ServerLaboratory.serve { laboratory in
            _ = try Self.fill(laboratory)
            let box = try laboratory.box("recipes") { request in
                request.maxUses = 2
                request.maxBytes = 20 << 20
            }
            try await laboratory.onThread {
                let administrator = try laboratory.administrator
                func link() throws -> LinkMessage {
                    try #require(
                        try administrator.links(inNamespace: "recipes", cursor: nil, limit: 1).items.first)
                }
                var used: Int64 = 0
                for round in 1...2 {
                    let piece = SeededRandom.bytes(seed: UInt64(round), count: 9 << 20)
                    do {
                        let connection = try HTTPConnection(port: laboratory.port)
                        connection.send(
                            HTTPConnection.request(
                                box + "a.bin", "Transfer-Encoding: chunked\r\n", method: "PUT")
                                + String(piece.count, radix: 16) + "\r\n")
                        connection.send(piece)
                        connection.send("\r\n")
                        // All that is left is reserved while it comes.
                        #expect(try Self.waitUntil(seconds: 60) { try link().bytes == 20 << 20 })
                        let leaf = SyncCalls.block(Array(piece.prefix(1 << 20)))
                        #expect(
                            try Self.waitUntil(seconds: 60) {
                                try laboratory.node.store.size(of: leaf.cid) != nil
                            })
                        withExtendedLifetime(connection) {}
                    }
                    #expect(try Self.waitUntil(seconds: 60) { try link().bytes < 20 << 20 })
                    let info = try link()
                    #expect(info.uses == 0, "whoever sends it again may")
                    #expect((used + 8 << 20...used + 9 << 20).contains(info.bytes), "\(info.bytes)")
                    used = info.bytes
                }
                let connection = try HTTPConnection(port: laboratory.port)
                connection.send(
                    HTTPConnection.request(
                        box + "b.bin", "Content-Length: \(5 << 20)\r\n", method: "PUT"))
                connection.send([UInt8](repeating: 7, count: 5 << 20))
                #expect(try connection.answer().status == 410, "less than that is left")
            }
            #expect(try await laboratory.put(box + "c.txt", "0123").status == 201)
        }
    }

    @Test func aFullNamespaceIsToldOfBeforeAnythingIsKept() async throws {
        try await ServerLaboratory.serve { laboratory in
            _ = try laboratory.owner.create(
                NamespaceRequest(name: "recipes", policy: #"{"maximumBytes":1000}"#))
            let box = try laboratory.box("recipes", nil) { $0.maxBytes = 100 << 20 }
            let piece = SeededRandom.bytes(seed: 3, count: 9 << 20)
            let leaf = SyncCalls.block(Array(piece.prefix(1 << 20)))
            let said = try await laboratory.onThread {
                let connection = try HTTPConnection(port: laboratory.port)
                connection.send(
                    HTTPConnection.request(
                        box + "a.bin", "Content-Length: \(piece.count)\r\n", method: "PUT"))
                connection.send(piece)
                let answer = try connection.answer()
                #expect(answer.status == 413 && answer.text.contains("no room"), "\(answer.text)")
                let chunked = try HTTPConnection(port: laboratory.port)
                chunked.send(
                    HTTPConnection.request(box + "b.bin", "Transfer-Encoding: chunked\r\n", method: "PUT")
                        + String(piece.count, radix: 16) + "\r\n")
                chunked.send(piece)
                chunked.send("\r\n0\r\n\r\n")
                return try chunked.answer()
            }
            #expect(said.status == 413 && said.text.contains("no room"), "\(said.text)")
            #expect(try laboratory.node.store.size(of: leaf.cid) == nil)
            let list = try laboratory.administrator.links(inNamespace: "recipes", cursor: nil, limit: 1)
            #expect(list.items.first?.bytes == 0)
            #expect(try await laboratory.put(box + "c.txt", "0123").status == 201)
        }
    }

    @Test func aPasswordGuardsABoxAndAReadersLinkTakesNothing() async throws {
        try await ServerLaboratory.serve { laboratory in
            _ = try Self.fill(laboratory)
            let box = try laboratory.box("recipes", "/in") { $0.password = "open sesame" }
            let reading = try laboratory.link("recipes", "/in")
            #expect(try await laboratory.put(reading + "x.txt", "x").status == 405)
            let form = try await laboratory.connect {
                try $0.form(reading, [("x.txt", "text/plain", "x")])
            }
            #expect(form.status == 405)
            #expect(try await laboratory.put(box + "x.txt", "x").status == 401)
            try await laboratory.connect { connection throws in
                let basic = HTTPConnection.basic("open sesame")
                #expect(try connection.put(box + "y.txt", "y", basic).status == 201)
                let page = try connection.get(box, "Accept: text/html\r\n")
                #expect(page.status == 401 && !page.text.contains("type=\"file\""))
            }
            #expect(try laboratory.names("recipes", below: "in") == ["taken.txt", "y.txt"])
        }
    }

    @Test func aBoxWhoseFolderIsGoneTakesNothing() async throws {
        try await ServerLaboratory.serve { laboratory in
            let info = try Self.fill(laboratory)
            let box = try laboratory.box("recipes", "/in")
            let namespace = try laboratory.node.namespaces.namespace("recipes")
            let folder = try #require(try laboratory.node.namespaces.node(at: "in", in: namespace))
            try laboratory.change(
                .delete(folder.id, base: folder.revision, newestBelow: .max / 2), in: info)
            #expect(try await laboratory.put(box + "x.txt", "x").status == 410)
            try await laboratory.connect { connection throws in #expect(try connection.get(box).status == 410)
            }
            #expect(try laboratory.names("recipes").isEmpty)
        }
    }
}
