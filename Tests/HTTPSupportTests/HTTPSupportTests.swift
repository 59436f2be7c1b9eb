import HTTPSupport
import TestKit
import Testing

@Suite struct ByteRangeTests {
    @Test(
        arguments: [
            ("bytes=0-0", 10, 0..<1), ("bytes=0-9", 10, 0..<10), ("bytes=0-99", 10, 0..<10),
            ("bytes=5-", 10, 5..<10),
            ("bytes=-3", 10, 7..<10), ("bytes=-30", 10, 0..<10), ("bytes= 1-2 ", 10, 1..<3),
            ("BYTES=1-2", 10, 1..<3),
            ("bytes=0-18446744073709551615", 10, 0..<10), ("bytes=-99999999999999999999999", 10, 0..<10),
        ] as [(String, UInt64, Range<UInt64>)])
    func aRangeIsCutToTheContent(header: String, size: UInt64, expected: Range<UInt64>) throws {
        let specs = try #require(ByteRangeSpec.parse(header))
        #expect(specs.count == 1 && specs[0].range(in: size) == expected)
    }

    @Test(arguments: ["bytes=10-", "bytes=10-20", "bytes=-0", "bytes=99999999999999999999-"])
    func aRangeBehindTheEndHasNothing(header: String) throws {
        let specs = try #require(ByteRangeSpec.parse(header))
        #expect(specs.compactMap { $0.range(in: 10) }.isEmpty)
    }

    @Test(arguments: [
        "", "bytes", "bytes=", "bytes=a-b", "bytes=2-1", "bytes=-", "bytes=1", "lines=0-1", "bytes=0x1-2",
        "bytes=+1-2",
        "bytes=1-2-3", "bytes=" + String(repeating: "1-2,", count: 17) + "1-2",
        "bytes=" + String(repeating: "1-2,", count: 1000),
    ])
    func badInput28WhatIsNoRangeIsPassedOver(header: String) { #expect(ByteRangeSpec.parse(header) == nil) }
}

@Suite struct PercentCodingTests {
    @Test(arguments: SeededRandom.seeds(32))
    func anyBytesSurviveASegment(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        let bytes = random.bytes(random.number(0...200))
        let text = PercentCoding.encode(segment: bytes)
        #expect(text.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "/") })
        #expect(try PercentCoding.decode(text) == bytes)
    }

    @Test func aSegmentIsDecodedOnce() throws {
        #expect(try PercentCoding.decode("%252C%2f") == Array("%2C/".utf8))
        #expect(throws: RequestTargetError.self) { try PercentCoding.decode("%4") }
        #expect(throws: RequestTargetError.self) { try PercentCoding.decode("%zz") }
    }

    @Test(arguments: ["", "x", "http://host/", "/a b", "/a\nb", "/" + String(repeating: "a", count: 17_000)])
    func whatIsNoTargetIsRefused(text: String) {
        #expect(throws: RequestTargetError.self) { try RequestTarget(text) }
    }

    @Test func aQueryIsReadAsForms() throws {
        let target = try RequestTarget("/x/?a=1&b=%C4%85+c&a=2&flag&=5&bad=%ff")
        #expect(target.values(of: "a") == ["1", "2"])
        #expect(target.value(of: "b") == "ą c")
        #expect(target.isSet("flag") && !target.isSet("other"))
        #expect(target.value(of: "bad") == nil)
        #expect(target.hasTrailingSlash && target.path == "/x/")
    }
}

@Suite struct EntityTagTests {
    @Test func tagsAreComparedWeakly() {
        let tag = EntityTag("abc")
        for header in ["\"abc\"", "W/\"abc\"", "\"x\", \"abc\"", "*", " * ", "abc"] {
            #expect(tag.isNamed(in: header), "\(header)")
        }
        for header in ["", "\"abcd\"", "W/\"x\"", "\"x\", \"y\""] {
            #expect(!tag.isNamed(in: header), "\(header)")
        }
        #expect(EntityTag("a", isWeak: true).description == "W/\"a\"")
        #expect(tag.allowsRange(ifRange: "\"abc\"") && !tag.allowsRange(ifRange: "W/\"abc\""))
        #expect(!EntityTag("abc", isWeak: true).allowsRange(ifRange: "W/\"abc\""))
    }
}

@Suite struct AcceptHeaderTests {
    @Test func theBestComesFirst() {
        let header = AcceptHeader(
            "text/html;q=0.5, application/vnd.ipld.car; version=1; order=dfs, */*;q=0.1, image/png;q=0")
        #expect(header.choices.map(\.type) == ["application/vnd.ipld.car", "text/html", "*/*"])
        #expect(header.choices[0].parameters == ["version": "1", "order": "dfs"])
        #expect(!header.names("image/png"))
        #expect(AcceptHeader("nonsense,,;;=").choices.isEmpty)
    }
}

@Suite struct ContentDispositionTests {
    @Test(arguments: [
        ("a.txt", "attachment; filename=\"a.txt\""),
        (
            "testтест.tar",
            "attachment; filename=\"test____.tar\"; filename*=UTF-8''test%D1%82%D0%B5%D1%81%D1%82.tar"
        ),
        ("a\r\nSet-Cookie: x", "attachment; filename=\"aSet-Cookie: x\""),
        ("a\"b\\c", "attachment; filename=\"a_b_c\""),
        ("exe\u{202E}gpj.x", "attachment; filename=\"exegpj.x\""), ("", "attachment"),
    ])
    func badInput29ANameStaysAName(name: String, expected: String) {
        #expect(ContentDisposition.attachment.value(filename: name) == expected)
    }
}

@Suite struct HTTPDateTests {
    @Test(
        arguments: [
            (784_111_777, "Sun, 06 Nov 1994 08:49:37 GMT"), (0, "Thu, 01 Jan 1970 00:00:00 GMT"),
            (-1, "Wed, 31 Dec 1969 23:59:59 GMT"), (1_709_210_096, "Thu, 29 Feb 2024 12:34:56 GMT"),
            (253_402_300_799, "Fri, 31 Dec 9999 23:59:59 GMT"),
        ] as [(Int64, String)])
    func datesAreThoseOfTheStandard(seconds: Int64, text: String) {
        #expect(HTTPDate(seconds: seconds).description == text)
        #expect(HTTPDate(text)?.seconds == seconds)
    }

    @Test func otherFormsAreNotRead() {
        for text in [
            "", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun, 06 Nov 1994 25:00:00 GMT",
            "Sun, 40 Nov 1994 08:49:37 GMT",
        ] {
            #expect(HTTPDate(text) == nil)
        }
        #expect(HTTPDate(seconds: .max).description.hasSuffix("9999 23:59:59 GMT"))
    }
}

@Suite struct MediaTypeTests {
    @Test(arguments: [
        ("page.html", "", "text/html; charset=utf-8"), ("A.JPG", "", "image/jpeg"),
        ("x.unknown", "plain", MediaType.plainText),
        ("x", "{\"a\":1}", "application/json"), ("x", "[1,2]", "application/json"),
        ("x", "{not json", MediaType.plainText),
        ("x", " <!DOCTYPE html><p>", "text/html; charset=utf-8"), ("x", "%PDF-1.4", "application/pdf"),
        ("x", "\u{0}\u{1}", "application/octet-stream"), ("x", "", MediaType.plainText),
    ])
    func aNameGoesOverContent(name: String, content: String, expected: String) {
        #expect(MediaType.of(name: name, beginning: Array(content.utf8)) == expected)
    }
}
