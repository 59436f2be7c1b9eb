import Glibc
import NIOCore
import NIOPosix
import NIOSSL
import NodeMessages

/// Looks at the certificate that a server shows, without trusting it or sending anything.
enum CertificateProbe {
    /// When it ends, in Unix seconds.
    ///
    /// - Throws: `no-certificate` where none is shown within eight seconds.
    static func end(host: String, port: Int) throws -> Int64 {
        let name = host.hasPrefix("[") ? String(host.dropFirst().dropLast()) : host
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        let found = loop.makePromise(of: Int64?.self)
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.certificateVerification = .noHostnameVerification
        let context = try NIOSSLContext(configuration: configuration)
        do {
            let channel = try ClientBootstrap(group: loop)
                .connectTimeout(.seconds(8))
                .channelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture {
                        let handler = try NIOSSLClientHandler(
                            context: context, serverHostname: isAddress(name) ? nil : name
                        ) { certificates, verdict in
                            found.succeed(certificates.first.map { Int64($0.notValidAfter) })
                            verdict.succeed(.certificateVerified)
                        }
                        try channel.pipeline.syncOperations.addHandlers(handler, EndOfLook(found))
                    }
                }
                .connect(host: name, port: port).wait()
            channel.eventLoop.scheduleTask(in: .seconds(8)) { found.succeed(nil) }
            defer { channel.close(promise: nil) }
            if let end = try found.futureResult.wait() { return end }
        } catch {
            found.succeed(nil)
        }
        throw NodeFailure(
            .failed, code: "no-certificate", detail: "\(host):\(port) has not shown a certificate")
    }

    /// A name of a server is no address: TLS knows names alone.
    private static func isAddress(_ text: String) -> Bool {
        var six = in6_addr()
        var four = in_addr()
        return inet_pton(AF_INET6, text, &six) == 1 || inet_pton(AF_INET, text, &four) == 1
    }
}

/// Says that nothing more will come.
private final class EndOfLook: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let found: EventLoopPromise<Int64?>

    init(_ found: EventLoopPromise<Int64?>) { self.found = found }

    func channelInactive(context: ChannelHandlerContext) { found.succeed(nil) }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        found.succeed(nil)
        context.close(promise: nil)
    }
}
