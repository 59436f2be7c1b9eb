import Foundation
import Glibc
import Multiformats
import TestKit
import Testing

/// CIDs that are none, paths that lead elsewhere, and guesses at keys, over real sockets.
@Suite struct HostilePathTests {
    let directory: TemporaryDirectory
    let nacre: NacreProcess

    init() throws {
        directory = try TemporaryDirectory(in: TemporaryDirectory.fastParent)
        nacre = NacreProcess(data: directory.path("data"))
    }

    private func adminGrant() throws -> String {
        let token = try String(contentsOfFile: nacre.data + "/secrets/admin-token", encoding: .utf8)
        return "Authorization: Bearer \(token.filter { $0 != "\n" })\n"
    }

    // MARK: CIDs

    /// A digest of sha2-256 behind what stands in front of it, as multibase of hexadecimal digits.
    private static func hexadecimal(_ head: String, digestBytes: Int = 32) -> String {
        "f" + head + String(repeating: "07", count: digestBytes)
    }

    private static let zoo: [(kind: String, text: String)] = [
        ("version 0 with a wrong prefix", "QaYwAPJzv5CZsnA625s3Xf2nemtYgPpHdWEz79ojWnPbdG"),
        ("version 0 with a letter that base58 lacks", "QmYwAPJzv5CZsnA625s3Xf2nemtYgPpHdWEz79ojWnPb0O"),
        ("version 0 in another base", hexadecimal("1220")),
        ("an unknown version", hexadecimal("02551220")),
        ("a varint that is not minimal", hexadecimal("0181001220")),
        ("a varint of more than 64 bits", hexadecimal("01" + String(repeating: "ff", count: 10) + "011220")),
        ("a varint without an end", "f01" + String(repeating: "ff", count: 9)),
        ("an unknown multihash", hexadecimal("01551e20")),
        ("a truncated digest", hexadecimal("01551220", digestBytes: 31)),
        ("a digest of no bytes", "f01551200"), ("a digest that is too long", hexadecimal("01551221")),
        ("bytes behind the digest", hexadecimal("01551220", digestBytes: 33)),
        ("an identity of 129 bytes", hexadecimal("0155008101", digestBytes: 129)),
        ("base32 with a letter that it lacks", "BAFKQAAA1"), ("an unknown base", "%3fafkqaaa"),
        ("a prefix alone", "b"), ("ten thousand characters", "b" + String(repeating: "a", count: 10_000)),
        ("no text at all", "%ff%fe"),
    ]

    @Test func badInput14WhatIsNoCIDIsRefusedByEveryDoorAtOnce() throws {
        let served = try ServedNacre(nacre)
        let grant = try adminGrant()
        let doors = [
            "/ipfs/*", "/ipfs/*/path", "/ipfs/*?format=car", "/routing/v1/providers/*", "/api/v1/blocks/*",
            "/api/v1/content/*", "/api/v1/directories/*", "/api/v1/dags/*", "/api/v1/cars/*",
        ]
        let connection = try RawConnection(port: served.port)
        var answered = 0
        let start = ContinuousClock.now
        for (kind, text) in Self.zoo {
            for door in doors {
                let path = door.replacingOccurrences(of: "*", with: text)
                try connection.send(
                    "GET \(path) HTTP/1.1\nHost: 127.0.0.1\n\(grant)\n".replacingOccurrences(
                        of: "\n", with: "\r\n"))
                let answer = String(decoding: connection.receive(), as: UTF8.self)
                // A segment that is no text names no operation.
                let isNoOperation = door.hasPrefix("/api") && text == "%ff%fe"
                let status = isNoOperation ? "404" : "400"
                #expect(answer.hasPrefix("HTTP/1.1 \(status) "), "\(kind) at \(door): \(answer.prefix(300))")
                answered += 1
            }
        }
        // 1 ms each, on a machine that does other things as well, in a build for debugging.
        #expect(ContinuousClock.now - start < .milliseconds(100 * answered))
        #expect(try served.get("/ipfs/BAFKQAAA").hasPrefix("HTTP/1.1 200 "), "upper case is a CID too")
        #expect(!served.said.contains("request failed"), "\(served.said)")
        try served.end()
    }

    // MARK: Paths

    private static let ways = [
        "..", "../../../../etc/passwd", "%2e%2e/%2e%2e/etc/passwd", "%2e%2e%2f%2e%2e%2fetc%2fpasswd",
        "%252e%252e%252fetc", "..%5c..%5cetc%5cpasswd", "%c0%ae%c0%ae/etc/passwd", "%e0%80%ae%e0%80%ae/x",
        "a%00b", "%00", "a/./b", "C:/Windows/win.ini", "C:%5cWindows", "%5c%5c%3f%5cC:%5cx", "file%20",
        "file.", "..;/x", "/etc/passwd", "//etc//passwd", "%2fetc%2fpasswd", "file/..%2f..%2fVERSION",
        "~root",
        "%ff%fe", "%", "%2", "%zz",
    ]

    @Test func badInput15APathResolvesWithinItsDAGOrNotAtAll() throws {
        var dag = HandmadeDAG()
        let file = dag.file("content of a file")
        let folder = dag.directory([("file", file)])
        let root = dag.directory([("dir", folder), ("file", file)])
        let car = try dag.car(roots: [root])
        #expect(try nacre.run(["car", "import", "-"], input: car).status == 0)
        let served = try ServedNacre(nacre)
        let grant = try adminGrant()
        for way in Self.ways {
            let query = way.replacingOccurrences(of: "/", with: "%2f")
            for path in [
                "/ipfs/\(root)/\(way)", "/ipfs/\(root)/dir/\(way)", "/ipfs/\(root)/\(way)?format=raw",
                "/api/v1/content/\(root)?path=\(query)", "/api/v1/directories/\(root)?path=\(query)",
                "/api/v1/content/\(way)", "/\(way)",
            ] {
                let answer = try served.get(path, grant)
                #expect(
                    answer.hasPrefix("HTTP/1.1 400 ") || answer.hasPrefix("HTTP/1.1 404 "),
                    "\(path): \(answer.prefix(300))")
                #expect(!answer.contains("root:x:0") && !answer.contains("nacre 1\n"), "\(path)")
            }
            let own = try served.get("/\(way)", host: "\(root).ipfs.localhost")
            #expect(own.hasPrefix("HTTP/1.1 400 ") || own.hasPrefix("HTTP/1.1 404 "), "\(way): \(own)")
        }
        #expect(try served.get("/ipfs/\(root)/dir/file").hasSuffix("content of a file"))
        #expect(try served.get("/ipfs/\(root)/dir//file").hasSuffix("content of a file"))
        #expect(!served.said.contains("request failed"), "\(served.said)")
        try served.end()
    }

    /// Names that mean something to some file system are names like others in a DAG, and nowhere else.
    @Test func badInput15OddNamesAreServedAsTheyAreStored() throws {
        var dag = HandmadeDAG()
        let names = ["..\\..\\x", "C:", "%2e%2e", "trailing. ", "\\\\?\\C:", "...", "~root"]
        let root = dag.directory(names.map { ($0, dag.file("content of " + $0)) })
        #expect(try nacre.run(["car", "import", "-"], input: dag.car(roots: [root])).status == 0)
        let served = try ServedNacre(nacre)
        for name in names {
            let segment = name.utf8.map { "%" + String(Int($0) + 256, radix: 16).dropFirst() }.joined()
            #expect(try served.get("/ipfs/\(root)/\(segment)").hasSuffix("content of " + name), "\(name)")
        }
        try served.end()
    }

    // MARK: Guesses

    /// Head and body without what differs from answer to answer.
    private static func normal(_ answer: String) -> String {
        answer.split(separator: "\r\n", omittingEmptySubsequences: false)
            .filter { !$0.hasPrefix("X-Request-Id: ") && !$0.hasPrefix("Date: ") }.joined(separator: "\n")
    }

    private static func median(_ times: [Duration]) -> Duration { times.sorted()[times.count / 2] }

    /// Asks with one and the other by turns: the answers must be the same, and come after a similar time.
    private func expectAlike(
        _ what: Comment, turns: Int, _ one: (Int) throws -> String, _ other: (Int) throws -> String
    ) throws {
        var times: ([Duration], [Duration]) = ([], [])
        for turn in 0..<turns {
            let start = ContinuousClock.now
            let first = try one(turn)
            let middle = ContinuousClock.now
            let second = try other(turn)
            times.0.append(middle - start)
            times.1.append(ContinuousClock.now - middle)
            #expect(first.hasPrefix("HTTP/1.1 4"), what)
            #expect(Self.normal(first) == Self.normal(second), what)
        }
        let (a, b) = (Self.median(times.0), Self.median(times.1))
        // Noise is below it; work that one takes and the other does not, such as a password's, is far
        // above.
        #expect(max(a, b) < min(a, b) * 3 + .milliseconds(2), what)
    }

    /// A token with another id, and one with another secret; the checksum of both is right.
    private static func guesses(at token: String) -> (unknown: String, wrong: String) {
        let front = Array(token.utf8.dropLast(7))
        func changed(_ place: Int) -> String {
            var bytes = front
            bytes[place] = bytes[place] == UInt8(ascii: "7") ? UInt8(ascii: "8") : UInt8(ascii: "7")
            return String(decoding: bytes, as: UTF8.self) + checksum(of: bytes)
        }
        // `nacre_`, 26 characters of the id, then the secret.
        return (changed(6 + 25), changed(6 + 26))
    }

    /// CRC-32 in seven digits of Crockford's base32: docs/formats/token.md.
    private static func checksum(of bytes: [UInt8]) -> String {
        var crc = UInt32.max
        for byte in bytes {
            crc ^= UInt32(byte)
            for _ in 0..<8 { crc = crc & 1 == 1 ? crc >> 1 ^ 0xEDB8_8320 : crc >> 1 }
        }
        let digits = Array("0123456789ABCDEFGHJKMNPQRSTVWXYZ")
        let bits = UInt64(~crc) << 3
        return String((0..<7).map { digits[Int(bits >> (30 - 5 * UInt64($0)) & 31)] })
    }

    @Test func badInput22WhatIsWrongWithCredentialsIsNotToBeTold() throws {
        let made = try nacre.run("key", "create", "--name", "web", "--allow", "read,write,keys")
        let token = try #require(made.lines.first)
        #expect(
            try nacre.run(
                ["user", "add", "ada", "--password-file", "-"], input: Array("long enough".utf8)
            ).status == 0)
        let signed = try #require(try nacre.run("key", "sign", "web", "GET", "/api/v1/pins").lines.first)
        let served = try ServedNacre(nacre)
        #expect(
            try served.get("/api/v1/principal", "Authorization: Bearer \(token)\n").hasPrefix("HTTP/1.1 200"))

        // The form of a token, with another id or another secret: a checksum makes either a token.
        func bearer(_ text: String) throws -> String {
            try served.get("/api/v1/pins", "Authorization: Bearer \(text)\n")
        }
        let (unknown, wrong) = Self.guesses(at: token)
        try expectAlike("tokens", turns: 40) { _ in
            try bearer(unknown)
        } _: { _ in
            try bearer(wrong)
        }

        let foreign = signed.replacingOccurrences(
            of: "nacre-grant=" + signed.split(separator: "nacre-grant=")[1].prefix(26),
            with: "nacre-grant=01ARZ3NDEKTSV4RRFFQ69G5FAV")
        let broken = signed.dropLast(4) + "0000"
        try expectAlike("signed URLs", turns: 40) { _ in
            try served.get(foreign)
        } _: { _ in
            try served.get(String(broken))
        }

        // Few: whoever guesses passwords is slowed down.
        func logIn(_ name: String) throws -> String {
            let body = "{\"name\":\"\(name)\",\"password\":\"wrong and long\"}"
            return try served.request(
                "POST /api/v1/sessions HTTP/1.1\nHost: 127.0.0.1\nContent-Type: application/json\n"
                    + "Content-Length: \(body.utf8.count)\nConnection: close\n\n\(body)")
        }
        try expectAlike("logins", turns: 3) { _ in
            try logIn("ada")
        } _: { turn in
            try logIn("bob\(turn)")
        }

        // Secrets are stored as hashes, and told to nobody.
        let secret = token.dropFirst(32).prefix(40)
        try served.end()
        #expect(!served.said.contains(secret))
        for file in try directory.allFiles() where !file.key.hasSuffix("admin-token") {
            #expect(!String(decoding: file.value, as: UTF8.self).contains(secret), "\(file.key)")
        }
    }
}
