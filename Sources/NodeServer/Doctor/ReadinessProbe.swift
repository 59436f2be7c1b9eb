import NIOCore
import NIOPosix
import NIOSSL

/// Asks a node on this machine `GET /health/ready`, with a time limit.
///
/// The certificate of a node that speaks TLS is not looked at: it is for a name, and the node is asked by the
/// address that its LOCK file has.
enum ReadinessProbe {
    /// Why the answer was not that it is ready; continues a sentence about the node.
    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    /// Blocks for at most so many seconds, and as many for connecting.
    ///
    /// - Parameter address: as it stands in the LOCK file, such as `http://127.0.0.1:8080`.
    static func ask(_ address: String, seconds: Int64 = 8) -> Result<Void, Failure> {
        let isTLS = address.hasPrefix("https://")
        let text = address.dropFirst(isTLS ? 8 : 7)
        guard isTLS || address.hasPrefix("http://"), let listen = ListenAddress(String(text)) else {
            return .failure(Failure(description: "has an address that cannot be asked"))
        }
        let channel: any Channel
        let answer: EventLoopPromise<String>
        do {
            let loop = MultiThreadedEventLoopGroup.singleton.next()
            answer = loop.makePromise()
            channel = try connect(listen, isTLS, loop, answer, seconds)
        } catch {
            return .failure(Failure(description: "does not take connections"))
        }
        let request = "GET /health/ready HTTP/1.1\r\nHost: \(listen)\r\nConnection: close\r\n\r\n"
        channel.writeAndFlush(ByteBuffer(string: request), promise: nil)
        // What was received until then is looked at.
        _ = channel.eventLoop.scheduleTask(in: .seconds(seconds)) { channel.close(promise: nil) }
        // The promise is kept with what there is, never broken.
        return verdict((try? answer.futureResult.wait()) ?? "", seconds)
    }

    private static func verdict(_ answer: String, _ seconds: Int64) -> Result<Void, Failure> {
        if answer.hasPrefix("HTTP/1.1 200 ") { return .success(()) }
        guard let head = answer.firstRange(of: "\r\n\r\n") else {
            return .failure(Failure(description: "has not answered within \(seconds) s"))
        }
        let text = answer[head.upperBound...].prefix(500).filter { !$0.isNewline }
        return .failure(Failure(description: "says: \(text)"))
    }

    private static func connect(
        _ address: ListenAddress, _ isTLS: Bool, _ loop: any EventLoop, _ answer: EventLoopPromise<String>,
        _ seconds: Int64
    ) throws -> any Channel {
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.certificateVerification = .none
        let context = isTLS ? try NIOSSLContext(configuration: configuration) : nil
        // A node that listens on every address is reached on loopback too.
        let host = ["0.0.0.0": "127.0.0.1", "::": "::1"][address.host] ?? address.host
        do {
            return try ClientBootstrap(group: loop)
                .connectTimeout(.seconds(seconds))
                .channelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture {
                        if let context {
                            try channel.pipeline.syncOperations.addHandler(
                                NIOSSLClientHandler(context: context, serverHostname: nil))
                        }
                        try channel.pipeline.syncOperations.addHandler(AnswerCollector(answer))
                    }
                }
                .connect(host: host, port: address.port).wait()
        } catch {
            answer.succeed("")
            throw error
        }
    }
}

/// Collects what comes, at most 64 KiB, until the connection ends.
private final class AnswerCollector: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private var received = ""
    private let answer: EventLoopPromise<String>

    init(_ answer: EventLoopPromise<String>) { self.answer = answer }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        received += String(buffer: unwrapInboundIn(data))
        if received.utf8.count > 64 * 1024 { context.close(promise: nil) }
    }

    func channelInactive(context: ChannelHandlerContext) { answer.succeed(received) }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
}
