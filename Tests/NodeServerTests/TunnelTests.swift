import NIOCore
import NIOEmbedded
import Testing

@testable import NodeServer

/// `CONNECT` at the beginning of a connection.
@Suite struct TunnelTests {
    private func channel() throws -> EmbeddedChannel {
        let channel = EmbeddedChannel()
        try channel.pipeline.syncOperations.addHandler(TunnelHandler(maximumBytes: 200))
        return channel
    }

    /// What comes out at the other end of the handler, and what the client is told.
    private func send(_ parts: [String], to channel: EmbeddedChannel) throws -> (passed: String, told: String)
    {
        for part in parts { try channel.writeInbound(ByteBuffer(string: part)) }
        var (passed, told) = ("", "")
        while let bytes = try channel.readInbound(as: ByteBuffer.self) { passed += String(buffer: bytes) }
        while let bytes = try channel.readOutbound(as: ByteBuffer.self) { told += String(buffer: bytes) }
        return (passed, told)
    }

    @Test func aTunnelEndsHere() throws {
        let connect = "CONNECT a.ipfs.example.com:80 HTTP/1.1\r\nHost: a.ipfs.example.com:80\r\n\r\n"
        let request = "GET / HTTP/1.1\r\nHost: a.ipfs.example.com\r\n\r\n"
        for parts in [[connect, request], [connect + request], (connect + request).map(String.init)] {
            let (passed, told) = try send(parts, to: channel())
            #expect(passed == request)
            #expect(told == "HTTP/1.1 200 Connection established\r\n\r\n")
        }
    }

    @Test(arguments: ["GET / HTTP/1.1\r\n\r\n", "CON", "CONNECTED / HTTP/1.1\r\n\r\n", "\r\n"])
    func everythingElsePassesAsItIs(text: String) throws {
        let channel = try channel()
        let (passed, told) = try send([text + "x"], to: channel)
        #expect(passed == text + "x" && told.isEmpty)
    }

    @Test func aTunnelWithoutEndIsClosed() throws {
        let channel = try channel()
        try channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 1)).wait()
        #expect(channel.isActive)
        _ = try send(["CONNECT a:80 HTTP/1.1\r\nX: " + String(repeating: "a", count: 300)], to: channel)
        #expect(!channel.isActive)
    }
}
