import NIOCore
import NIOEmbedded
import Testing

@testable import NodeServer

@Suite struct OpeningTests {
    private func opening(_ text: String, tls: Bool = false) -> OpeningHandler.Opening? {
        OpeningHandler.opening(of: ByteBuffer(string: text), expectsTLS: tls)
    }

    @Test func protocolsAreToldApartByTheirFirstBytes() {
        let preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
        #expect(opening("") == nil)
        for count in 1..<preface.count { #expect(opening(String(preface.prefix(count))) == nil) }
        #expect(opening(preface) == .http2)
        #expect(opening(preface + "more") == .http2)
        #expect(opening("G") == .http1)
        #expect(opening("PROPFIND / HTTP/1.1\r\n") == .http1)
        #expect(opening("PRI * HTTP/2.0\r\n\r\nSM\r\n\rX") == .http1)
    }

    @Test func badInput36TLSWithoutACertificateAndTheOtherWayRoundAreTold() {
        #expect(opening("\u{16}\u{3}\u{1}") == .tlsInsteadOfHTTP)
        #expect(opening("\u{16}\u{3}\u{1}", tls: true) == .tls)
        #expect(opening("GET / HTTP/1.1\r\n", tls: true) == .httpInsteadOfTLS)
    }
}

/// Whoever waits for a connection to open hears of its end, once, however it ends.
@Suite struct OpeningEndTests {
    private final class Ends {
        var count = 0
    }

    private func handler(_ ends: Ends) -> OpeningHandler {
        OpeningHandler(expectsTLS: false) { _ in
            true
        } onDecision: { _, context in
            context.eventLoop.makeSucceededVoidFuture()
        } onClose: {
            ends.count += 1
        }
    }

    /// A node that stopped in that moment ended by a promise that nobody kept.
    @Test func aConnectionThatWasNeverActiveEnds() throws {
        let (ends, channel) = (Ends(), EmbeddedChannel())
        let opening = handler(ends)
        try channel.pipeline.syncOperations.addHandler(opening)
        let removal = channel.pipeline.syncOperations.removeHandler(opening)
        channel.embeddedEventLoop.run()
        try removal.wait()
        #expect(ends.count == 1)
    }

    @Test func aClientThatLeavesAtOnceEndsItOnce() throws {
        let (ends, channel) = (Ends(), EmbeddedChannel())
        try channel.pipeline.syncOperations.addHandler(handler(ends))
        try channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 1)).wait()
        _ = try channel.finish()
        #expect(ends.count == 1)
    }

    @Test func whatWasToldIsNoEnd() throws {
        let (ends, channel) = (Ends(), EmbeddedChannel())
        try channel.pipeline.syncOperations.addHandler(handler(ends))
        try channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 1)).wait()
        try channel.writeInbound(ByteBuffer(string: "GET / HTTP/1.1\r\n"))
        _ = try channel.finish()
        #expect(ends.count == 0)
    }
}

@Suite struct ConnectionCapTests {
    private func limits(_ overall: Int, _ perAddress: Int, exempt: [String] = []) -> ConnectionCap.Limits {
        ConnectionCap.Limits(overall: overall, perAddress: perAddress, exempt: TrustedProxies(exempt))
    }

    @Test func anAddressHasItsShareAndTheNodeItsWhole() {
        let cap = ConnectionCap()
        let limits = limits(3, 2)
        #expect(cap.enter("192.0.2.1", limits) == nil)
        #expect(cap.enter("192.0.2.1", limits) == nil)
        #expect(cap.enter("192.0.2.1", limits) == .address)
        #expect(cap.enter("192.0.2.2", limits) == nil)
        #expect(cap.enter("192.0.2.3", limits) == .overall)
        cap.leave("192.0.2.1")
        #expect(cap.enter("192.0.2.1", limits) == nil)
        #expect(cap.current == 3)
    }

    @Test func aCustomerOfIPv6IsOneAddress() {
        let cap = ConnectionCap()
        let limits = limits(10, 2)
        #expect(cap.enter("2001:db8::1", limits) == nil)
        #expect(cap.enter("2001:db8::2", limits) == nil)
        #expect(cap.enter("2001:db8::3", limits) == .address)
        #expect(cap.enter("2001:db8:0:1::1", limits) == nil)
        // The two forms of an IPv4 address are one.
        #expect(cap.enter("::ffff:192.0.2.1", limits) == nil)
        #expect(cap.enter("192.0.2.1", limits) == nil)
        #expect(cap.enter("192.0.2.1", limits) == .address)
    }

    @Test func thisMachineAndNamedProxiesStandForMany() {
        let cap = ConnectionCap()
        let limits = limits(10, 1, exempt: ["192.0.2.9"])
        for _ in 0..<3 {
            #expect(cap.enter("127.0.0.1", limits) == nil)
            #expect(cap.enter("192.0.2.9", limits) == nil)
        }
        #expect(cap.current == 6)
    }
}
