import Access
import Catalog
import Foundation
import Namespaces
import NodeCore
import NodeMessages
import NodeServer
import NodeService
import Synchronization
import SyncProtocol
import TestKit
import Testing

/// What a link asks for besides its token, over sockets: how often, a password, from where.
@Suite struct LinkLockTests {
    private static func fill(_ laboratory: ServerLaboratory) throws {
        let info = try laboratory.owner.create(NamespaceRequest(name: "recipes"))
        try laboratory.put("a.txt", "0123456789", in: info)
    }

    @Test func usesAreCountedUnderParallelRequestsAndPagesAreNone() async throws {
        try await ServerLaboratory.serve { laboratory in
            try Self.fill(laboratory)
            let path = try laboratory.link("recipes") { $0.maxUses = 7 }
            // Neither a page nor a head nor what is not there is a use.
            try await laboratory.connect { connection throws in
                for _ in 0..<5 {
                    #expect(try connection.get(path).status == 200)
                    #expect(try connection.get(path + "a.txt", method: "HEAD").status == 200)
                    #expect(try connection.get(path + "nosuch").status == 404)
                }
            }
            let statuses = try await withThrowingTaskGroup(of: [Int].self) { group in
                for _ in 0..<8 {
                    group.addTask {
                        try await laboratory.connect { connection throws in
                            try (0..<4).map { _ in try connection.get(path + "a.txt").status }
                        }
                    }
                }
                return try await group.reduce(into: []) { $0 += $1 }
            }
            #expect(statuses.count { $0 == 200 } == 7)
            #expect(statuses.count { $0 == 410 } == 25)
            try await laboratory.connect { connection throws in
                #expect(try connection.get(path).status == 410, "the page ends with it")
            }
            let list = try laboratory.administrator.links(inNamespace: "recipes", cursor: nil, limit: 10)
            #expect(list.items.map(\.status) == ["exhausted"] && list.items.map(\.uses) == [7])
        }
    }

    @Test func aPasswordIsAskedForByAPageAndByHTTP() async throws {
        try await ServerLaboratory.serve { laboratory in
            try Self.fill(laboratory)
            let path = try laboratory.link("recipes", "/a.txt") { $0.password = "open sesame" }
            let other = try laboratory.link("recipes", "/a.txt") { $0.password = "open sesame" }
            try await laboratory.connect { connection throws in
                let bare = try connection.get(path)
                #expect(bare.status == 401 && !bare.text.contains("0123"))
                #expect(bare.fields["www-authenticate"] == "Basic realm=\"link\", charset=\"UTF-8\"")
                let page = try connection.get(path, "Accept: text/html\r\n")
                #expect(page.status == 401 && page.text.contains("type=\"password\""))
                #expect(page.fields["www-authenticate"]?.hasPrefix("Basic") == false, "no window of its own")
                #expect(
                    page.fields["content-security-policy"]?.contains("form-action 'self'") == true
                        && page.fields["content-security-policy"]?.contains("script") == false)
                #expect(page.fields["cache-control"] == "no-store")
                #expect(try connection.get(path, HTTPConnection.basic("open sesame")).text == "0123456789")
                #expect(try connection.get(path, HTTPConnection.basic("open sesam")).status == 401)
                #expect(try connection.get(path, "Authorization: Basic !\r\n").status == 401)

                let refused = try connection.password(path, "wrong")
                #expect(refused.status == 401 && refused.text.contains("the password is wrong"))
                #expect(refused.fields["set-cookie"] == nil)
                let accepted = try connection.password(path, "open+sesame")
                #expect(accepted.status == 303 && accepted.fields["location"] == path)
                let cookie = try #require(accepted.fields["set-cookie"])
                let token = path.split(separator: "/")[1]
                #expect(cookie.contains("Path=/c/\(token)/;") && cookie.contains("HttpOnly"))
                #expect(cookie.contains("SameSite=Lax"))
                let pass = try #require(cookie.split(separator: ";").first)
                #expect(try connection.get(path, "Cookie: \(pass)\r\n").text == "0123456789")
                #expect(try connection.get(other, "Cookie: \(pass)\r\n").status == 401, "of another link")
                #expect(try connection.get(path, "Cookie: \(pass)0\r\n").status == 401)
                #expect(try connection.get(path, "Cookie: nacre_link=9999999999999.\r\n").status == 401)
            }
            let record = try #require(
                try laboratory.node.catalog.links.list(
                    of: laboratory.node.namespaces.namespace("recipes").id
                ).first)
            #expect(record.password.hasPrefix("$scrypt$"))
        }
    }

    @Test func whoGuessesWaitsAndWhoHasAPassDoesNot() async throws {
        let clock = ManualClock(milliseconds: 1_700_000_000_000)
        try await ServerLaboratory.serve(authority: { $0.now = { Int64(clock.milliseconds) } }) {
            laboratory in
            try Self.fill(laboratory)
            let path = try laboratory.link("recipes", "/a.txt") { $0.password = "open sesame" }
            try await laboratory.connect { connection throws in
                let accepted = try connection.password(path, "open+sesame")
                let pass = try #require(accepted.fields["set-cookie"]?.split(separator: ";").first)
                var statuses: [Int] = []
                for number in 0..<8 {
                    statuses.append(try connection.get(path, HTTPConnection.basic("guess \(number)")).status)
                }
                #expect(statuses.prefix(6) == [401, 401, 401, 401, 401, 401])
                #expect(statuses.suffix(2) == [429, 429])
                let slowed = try connection.get(
                    path, HTTPConnection.basic("another guess") + "Accept: text/html\r\n")
                #expect(slowed.status == 429 && slowed.fields["retry-after"] == "1")
                #expect(slowed.text.contains("type=\"password\""), "the page can be tried again")
                #expect(try connection.get(path, "Cookie: \(pass)\r\n").status == 200)
                clock.advance(milliseconds: 1_001)
                #expect(try connection.get(path, HTTPConnection.basic("open sesame")).status == 200)
                // Twelve hours later the pass is over, and the password is asked for again.
                clock.advance(milliseconds: 12 * 3600 * 1000)
                #expect(try connection.get(path, "Cookie: \(pass)\r\n").status == 401)
            }
        }
    }

    @Test func aLinkIsBoundToPagesAndTheirOwnPagesLeadOn() async throws {
        try await ServerLaboratory.serve { laboratory in
            try Self.fill(laboratory)
            let path = try laboratory.link("recipes") { $0.referrers = ["https://shop.example/soup/"] }
            let other = try laboratory.link("recipes")
            try await laboratory.connect { connection throws in
                func status(_ referrer: String?, _ tail: String = "") throws -> Int {
                    try connection.get(path + tail, referrer.map { "Referer: \($0)\r\n" } ?? "").status
                }
                #expect(try status(nil) == 403)
                #expect(try status("https://shop.example/soup/") == 200)
                #expect(try status("https://shop.example/soup/page?x=1") == 200)
                #expect(try status("https://shop.example/soupy/") == 403)
                #expect(try status("https://shop.example.evil.example/soup/") == 403)
                #expect(try status("http://shop.example/soup/") == 403)
                #expect(try status("http://127.0.0.1" + path, "a.txt") == 200, "from its own list")
                #expect(try status("http://127.0.0.1" + other, "a.txt") == 403, "not from another link's")
                #expect(try status("http://127.0.0.2" + path, "a.txt") == 403)
            }
        }
    }

    @Test func aLinkIsBoundToAddresses() async throws {
        try await ServerLaboratory.serve {
            $0.trustedProxies = ["127.0.0.1"]
        } _: { laboratory in
            try Self.fill(laboratory)
            let path = try laboratory.link("recipes", "/a.txt") {
                $0.from = ["192.0.2.0/24", "2001:db8::/32"]
            }
            try await laboratory.connect { connection throws in
                for (address, status) in [
                    ("192.0.2.7", 200), ("192.0.3.7", 403), ("2001:db8::1", 200), ("2001:db9::1", 403),
                    ("::ffff:192.0.2.7", 200),
                ] {
                    let answer = try connection.get(path, "X-Forwarded-For: \(address)\r\n")
                    #expect(answer.status == status, "\(address)")
                }
                #expect(try connection.get(path).status == 403, "from this machine")
            }
        }
    }
}
