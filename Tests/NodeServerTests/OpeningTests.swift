import NIOCore
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
