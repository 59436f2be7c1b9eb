import Access
import Catalog
import TestKit
import Testing

/// The texts of limits: read strictly, written in one form, matched without surprises.
@Suite struct LimitTests {
    @Test(arguments: [
        ("192.0.2.7", "192.0.2.7"), ("::ffff:192.0.2.7", "192.0.2.7"), ("2001:DB8:0:0::1", "2001:db8::1"),
        ("::", "::"), ("0.0.0.0", "0.0.0.0"), ("255.255.255.255", "255.255.255.255"),
    ])
    func addressesAreRead(text: String, written: String) { #expect(IPAddress(text)?.description == written) }

    @Test(arguments: [
        "", "1.2.3", "1.2.3.4.5", "01.2.3.4", "0x7f.1", "256.1.1.1", "1.2.3.4 ", "fe80::1%eth0", "[::1]",
        ":::",
        "1.2.3.4:80", "localhost",
    ])
    func whatIsNoAddressIsNone(text: String) { #expect(IPAddress(text) == nil) }

    @Test(arguments: [
        ("10.0.0.0/8", "10.255.255.255", true), ("10.0.0.0/8", "11.0.0.0", false),
        ("10.0.0.0/8", "::ffff:10.1.1.1", true), ("0.0.0.0/0", "1.2.3.4", true), ("0.0.0.0/0", "::1", false),
        ("::/0", "1.2.3.4", true), ("::/0", "::1", true), ("2001:db8::/33", "2001:db8:8000::", false),
        ("2001:db8::/65", "2001:db8::7fff:ffff:ffff:ffff", true), ("192.0.2.7", "192.0.2.7", true),
        ("192.0.2.7/32", "192.0.2.6", false), ("::1/128", "::1", true),
    ])
    func rangesContain(range: String, address: String, expected: Bool) throws {
        #expect(try AddressRange(text: range).contains(try #require(IPAddress(address))) == expected)
    }

    @Test(arguments: [
        "10.0.0.1/8", "10.0.0.0/33", "::/129", "10.0.0.0/", "10.0.0.0/-1", "10.0.0.0/08a", "/8", "",
    ])
    func rangesThatMeanSomethingElseAreRefused(text: String) {
        #expect(throws: AccessError.self) { try AddressRange(text: text) }
    }

    @Test(arguments: [
        ("https://example.org", "https://example.org/a?b", true),
        ("https://example.org", "https://EXAMPLE.org:443/", true),
        ("https://example.org", "http://example.org/", false),
        ("https://example.org", "https://example.org:8443/", false),
        ("https://example.org", "https://example.org.evil.net/", false),
        ("https://example.org", "https://evil.net/https://example.org/", false),
        ("https://example.org", "https://example.org@evil.net/", false),
        ("https://example.org", "https://evil.net\\@example.org/", false),
        ("https://*.example.org", "https://a.b.example.org/", true),
        ("https://*.example.org", "https://example.org/", false),
        ("https://*.example.org", "https://badexample.org/", false),
        ("https://example.org/shop/", "https://example.org/shop", true),
        ("https://example.org/shop", "https://example.org/shopping", false),
        ("https://example.org/shop", "https://example.org/shop/../admin", false),
        ("https://example.org/shop", "https://example.org/shop/%2E%2e/admin", false),
        ("http://localhost:3000", "http://localhost:3000/x", true),
    ])
    func referrersMatch(pattern: String, referrer: String, expected: Bool) throws {
        #expect(try ReferrerPattern(text: pattern).matches(referrer) == expected)
    }

    @Test(arguments: ["image/png", "image/*", "*/*", "application/vnd.ipld.car"])
    func contentTypesRoundTrip(text: String) throws {
        #expect(try ContentTypePattern(text: text).description == text)
    }

    @Test(arguments: ["", "image", "image/", "/png", "*/png", "image/png; q=1", "a/b/c", "image/p ng"])
    func whatIsNoContentTypeIsRefused(text: String) {
        #expect(throws: AccessError.self) { try ContentTypePattern(text: text) }
    }

    @Test func aPatternMatchesNoPattern() throws {
        let all = try ContentTypePattern(text: "*/*")
        #expect(all.matches("Text/HTML; charset=utf-8"))
        #expect(!all.matches("*/*") && !all.matches("image/*") && !all.matches(""))
    }

    @Test(arguments: [
        "node", "project:default", "namespace:default/photos", "namespace:p-1/photos/2024/a b",
        "archive:default/cold",
    ])
    func scopesRoundTrip(text: String) throws { #expect(try Resource(text: text).description == text) }

    @Test(arguments: [
        "", "project:", "project:a/b", "project:A", "namespace:default", "namespace:default/",
        "namespace:default//a",
        "namespace:default/a/../b", "namespace:default/a/./b", "namespace:default/a\u{0}",
        "archive:default/a/b",
        "everything", "namespace:default/a\n",
    ])
    func scopesThatCouldMeanAnotherPlaceAreRefused(text: String) {
        #expect(throws: AccessError.self) { try Resource(text: text) }
    }

    @Test func aPathIsAPrefixInWholeSegments() throws {
        let scope = try Resource(text: "namespace:default/photos/2024")
        for (text, expected) in [
            ("namespace:default/photos/2024", true), ("namespace:default/photos/2024/a", true),
            ("namespace:default/photos/2024-old", false), ("namespace:default/photos", false),
            ("namespace:other/photos/2024", false), ("project:default", false), ("node", false),
        ] { #expect(scope.contains(try Resource(text: text)) == expected, "\(text)") }
    }
}
