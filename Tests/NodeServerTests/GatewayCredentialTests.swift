import Access
import BlockStorage
import Catalog
import IPLD
import Multiformats
import NodeCore
import TestKit
import Testing

/// What a token shows on the gateway beyond what is public, and that nobody else gets it afterwards.
@Suite struct GatewayCredentialTests {
    private typealias Answer = HTTPConnection.Answer

    private static func token(
        _ laboratory: ServerLaboratory, _ operations: [Access.Operation] = [.read],
        project: ProjectID = .default, scope: Resource? = nil, expires: Int64? = nil, uses: Int64? = nil
    ) throws -> String {
        var draft = GrantDraft(name: "reader", operations: OperationSet(operations), project: project)
        draft.scope = scope
        draft.limits.expires = expires
        draft.limits.maximumUses = uses
        let issued = try laboratory.authority.grants.create(draft, by: .localAdministrator)
        return "Authorization: Bearer \(issued.token.text)\r\n"
    }

    private static func expectPersonal(_ answer: Answer) {
        #expect(answer.fields["cache-control"]?.hasPrefix("private") == true)
        #expect(answer.fields["cache-control"]?.contains("immutable") == false)
        #expect(answer.fields["vary"] == "Authorization")
    }

    /// Both orders, again and again on one connection and on another, so that answers from memory have
    /// every chance to be wrong.
    @Test(arguments: [true, false]) func whatATokenShowsNobodyElseGets(anonymousFirst: Bool) async throws {
        try await ServerLaboratory.serve { laboratory in
            let bytes = SeededRandom.bytes(seed: 1, count: 1000)
            let open = SeededRandom.bytes(seed: 2, count: 900)
            let path = "/ipfs/\(try laboratory.add(bytes, .private))"
            let openPath = "/ipfs/\(try laboratory.add(open))"
            let token = try Self.token(laboratory)
            for _ in 0..<2 {
                try await laboratory.connect { connection in
                    for round in 0..<12 {
                        let isAnonymous = (round / 3 % 2 == 0) == anonymousFirst
                        let answer = try connection.get(path, isAnonymous ? "" : token)
                        let other = try connection.get(openPath, isAnonymous ? "" : token)
                        #expect(other.status == 200 && other.body == open)
                        if isAnonymous {
                            #expect(answer.status == 404 && answer.fields["vary"] == "Authorization")
                            #expect(other.fields["cache-control"]?.contains("immutable") == true)
                        } else {
                            #expect(answer.status == 200 && answer.body == bytes)
                            Self.expectPersonal(answer)
                            Self.expectPersonal(other)
                        }
                    }
                }
            }
        }
    }

    @Test func everyFormOfContentIsShownToWhoMayRead() async throws {
        try await ServerLaboratory.serve { laboratory in
            let bytes = SeededRandom.bytes(seed: 3, count: 3_000_000)
            let root = try laboratory.add(bytes, .private)
            let token = try Self.token(laboratory)
            try await laboratory.connect { connection in
                for query in ["", "?format=raw", "?format=car", "?format=tar"] {
                    let answer = try connection.get("/ipfs/\(root)\(query)", token)
                    #expect(answer.status == 200 && answer.isWhole)
                    Self.expectPersonal(answer)
                    #expect(try connection.get("/ipfs/\(root)\(query)").status == 404)
                }
                #expect(try connection.get("/ipfs/\(root)", token).body == bytes)
                let part = try connection.get("/ipfs/\(root)", token + "Range: bytes=5-9\r\n")
                #expect(part.status == 206 && part.body == Array(bytes[5...9]))
                let same = try connection.get("/ipfs/\(root)", token + "If-None-Match: \"\(root)\"\r\n")
                #expect(same.status == 304)
                Self.expectPersonal(same)
                // The host of a root, where everything is content.
                let host = "\(root.asVersion1).ipfs.localhost"
                for (fields, status) in [(token, 200), ("", 404)] {
                    connection.send("GET / HTTP/1.1\r\nHost: \(host)\r\n\(fields)\r\n")
                    #expect(try connection.answer().status == status)
                }
            }
        }
    }

    @Test func credentialsThatDoNotHoldAreRefusedAndNotTakenForNone() async throws {
        try await ServerLaboratory.serve { laboratory in
            let bytes = SeededRandom.bytes(seed: 4, count: 100)
            let path = "/ipfs/\(try laboratory.add(bytes))"
            let hidden = "/ipfs/\(try laboratory.add(SeededRandom.bytes(seed: 5, count: 100), .private))"
            let expired = try Self.token(laboratory, expires: 1)
            let writer = try Self.token(laboratory, [.write])
            let part = try Self.token(
                laboratory, scope: .namespace(.default, name: "site", path: ["a"]))
            try await laboratory.connect { connection in
                // What is public would be in memory by then.
                for _ in 0..<5 { #expect(try connection.get(path).body == bytes) }
                for bad in ["Bearer nonsense", "Bearer", "Basic YTpi", ""] {
                    let answer = try connection.get(path, "Authorization: \(bad)\r\n")
                    #expect(answer.status == 401, "\(bad)")
                    #expect(answer.fields["www-authenticate"]?.hasPrefix("Bearer") == true)
                    #expect(answer.fields["cache-control"] == "no-store")
                }
                #expect(try connection.get(path, expired).status == 401)
                #expect(try connection.get(path, expired, method: "HEAD").status == 401)
                // Known, but for something else: neither may read whatever the project has.
                #expect(try connection.get(hidden, writer).status == 403)
                #expect(try connection.get(hidden, part).status == 403)
                #expect(try connection.get(hidden, "Cookie: nacre-session=x\r\n").status == 404)
                #expect(try connection.get(path, "Cookie: nacre-session=x\r\n").body == bytes)
            }
        }
    }

    @Test func projectsReadTheirOwnAndAdministratorsEverything() async throws {
        try await ServerLaboratory.serve { laboratory in
            let project = try laboratory.node.catalog.projects.add(name: "photos").id
            let audience = BlockAudience(scope: try laboratory.node.catalog.projects.scope(of: project))
            let own = Block(content: Array("of photos".utf8))
            let parts = (0..<3).map { Block(content: SeededRandom.bytes(seed: $0, count: 40_000)) }
            let store = ProjectBlockStore(laboratory.node.store, audience: audience)
            for block in [own] + parts { try store.put(block, scope: []) }
            let other = try laboratory.add(Array("of default".utf8), .private)
            let reader = try Self.token(laboratory, project: project)
            let ofDefault = try Self.token(laboratory)
            let administrator = try Self.token(laboratory, [.admin], scope: .node)
            try await laboratory.connect { connection in
                for (path, statuses) in [
                    ("/ipfs/\(own.cid)", [200, 404, 200]), ("/ipfs/\(other)", [404, 200, 200]),
                ] {
                    let answers = try [reader, ofDefault, administrator].map { try connection.get(path, $0) }
                    #expect(answers.map(\.status) == statuses)
                    answers.forEach(Self.expectPersonal)
                }
                for part in parts {
                    let answer = try connection.get("/ipfs/\(part.cid)?format=car", reader)
                    #expect(answer.status == 200 && answer.isWhole)
                    #expect(try connection.get("/ipfs/\(part.cid)?format=car", ofDefault).status == 404)
                }
            }
        }
    }

    @Test func aUseCountsForWhatWasShownOnly() async throws {
        try await ServerLaboratory.serve { laboratory in
            let path = "/ipfs/\(try laboratory.add(Array("twice".utf8), .private))"
            let token = try Self.token(laboratory, uses: 2)
            try await laboratory.connect { connection in
                let paths = [path + "/nothing", path, path, path]
                let statuses = try paths.map { try connection.get($0, token).status }
                #expect(statuses == [404, 200, 200, 403])
            }
        }
    }
}
