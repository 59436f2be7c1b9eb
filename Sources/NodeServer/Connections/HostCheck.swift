import NIOCore
import NIOHTTP1

/// Refuses requests of HTTP/1 that name no host, or two: another reader on the way may believe the other one.
///
/// Stands before the codec that makes one host of what there is. Spec: RFC 9112, sections 3.2 and 3.2.2.
final class HostCheck: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias InboundOut = HTTPServerRequestPart

    private var hasRefused = false

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard !hasRefused else { return }
        if case .head(let head) = unwrapInboundIn(data), !Self.namesOneHost(head) {
            hasRefused = true
            return context.fireErrorCaught(HTTPParserError.unknown)
        }
        context.fireChannelRead(data)
    }

    static func namesOneHost(_ head: HTTPRequestHead) -> Bool {
        let hosts = head.headers["host"]
        // HTTP/1.0 knows no hosts, and is what simple health checks speak.
        guard hosts.count == 1 || hosts.isEmpty && head.version == .http1_0 else { return false }
        guard let host = hosts.first, head.uri.utf8.first != UInt8(ascii: "/"),
            let mark = head.uri.firstRange(of: "://")
        else { return true }
        let named = head.uri[mark.upperBound...].prefix { $0 != "/" && $0 != "?" }
        return named.lowercased() == host.lowercased()
    }
}
