import Foundation
import NodeCore
import TestKit
import Testing

@testable import NodeServer

@Suite struct TraceTests {
    private func context(_ traceparent: String?, share: Double = 1) -> TraceContext {
        var random = SeededRandom(seed: 7)
        return TraceContext(continuing: traceparent, share: share, &random)
    }

    @Test func aTraceIsContinued() {
        // The example of W3C Trace Context, section 3.2.
        let continued = context("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")
        #expect(continued.trace == "4bf92f3577b34da6a3ce929d0e0e4736")
        #expect(continued.parent == "00f067aa0ba902b7" && continued.isSampled)
        #expect(!context("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00").isSampled)
        // A later version may say more.
        #expect(context("cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-what").parent != nil)
    }

    @Test(arguments: [
        nil, "", "00", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7",
        "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-what",
        "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
        "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
        "00-4bf92f3577b34da6a3ce929d0e0e473-00f067aa0ba902b7-01", "00-\"}]-00f067aa0ba902b7-01",
    ])
    func whatIsNoTraceparentBeginsATrace(text: String?) {
        let begun = context(text)
        #expect(begun.parent == nil && begun.trace.count == 32 && begun.span.count == 16)
        #expect(!context(text, share: 0).isSampled)
    }

    @Test func spansAreJSONThatACollectorReads() throws {
        let span = RequestSpan(
            context: context(nil), method: "GET", route: "/ipfs/{path}\"\u{1}", status: 500, bytes: 7,
            isBrokenOff: false, requestID: "id", start: 1, end: UInt64.max)
        let document = try JSONSerialization.jsonObject(
            with: Data(TraceExporter.document([span, span]).utf8))
        let object = try #require(document as? [String: Any])
        let resources = try #require(object["resourceSpans"] as? [[String: Any]])
        let scopes = try #require(resources.first?["scopeSpans"] as? [[String: Any]])
        let spans = try #require(scopes.first?["spans"] as? [[String: Any]])
        #expect(spans.count == 2 && spans[0]["name"] as? String == "GET /ipfs/{path}\"\u{1}")
        #expect(spans[0]["endTimeUnixNano"] as? String == "18446744073709551615")
        #expect((spans[0]["status"] as? [String: Int]) == ["code": 2])
    }

    @Test func collectorsAreNamedByURL() {
        #expect(CollectorURL("http://127.0.0.1:4318")?.description == "http://127.0.0.1:4318/v1/traces")
        #expect(CollectorURL("http://[::1]/")?.description == "http://[::1]:4318/v1/traces")
        #expect(CollectorURL("http://host/tempo/v1/traces/")?.path == "/tempo/v1/traces")
        for text in [
            "", "https://host", "http://", "http://:4318", "http://host:0", "http://host:x", "http://u@host",
            "http://host/a b", "http://host\r\n", "http://[::1", "http://[::1]x", "http://host?x",
        ] {
            #expect(CollectorURL(text) == nil, "\(text)")
        }
    }
}
