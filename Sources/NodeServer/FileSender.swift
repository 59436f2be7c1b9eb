import HTTPSupport
import NIOCore
import NIOHTTP1
import NIOHTTPTypes

/// Sends parts of bodies straight from files, without their bytes passing through the process.
///
/// Stands on connections of plain HTTP/1 only: what is encrypted or framed anew must be read. Lives on the
/// event loop of its connection.
final class FileSender: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPRequestPart
    typealias InboundOut = HTTPRequestPart

    /// Bytes that are written from here are framed already.
    private var encoder: ChannelHandlerContext?
    private var guardian: (ConnectionGuard, ChannelHandlerContext)?

    /// So much is one write: what a client must take before it counts as stalled.
    private static let writeBytes = 256 * 1024

    func handlerAdded(context: ChannelHandlerContext) {
        let pipeline = context.pipeline.syncOperations
        encoder = try? pipeline.context(handlerType: HTTPResponseEncoder.self)
        if let handler = try? pipeline.handler(type: ConnectionGuard.self),
            let place = try? pipeline.context(handler: handler)
        {
            guardian = (handler, place)
        }
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        encoder = nil
        guardian = nil
    }

    /// Sends a slice as the next part of the body under way.
    ///
    /// - Parameter framing: of the body: by its length, or in chunks, of which this is to be one.
    /// - Returns: succeeds when the socket has taken all of it.
    func send(_ slice: FileSlice, _ framing: Framing, on loop: any EventLoop) -> EventLoopFuture<Void> {
        let done = loop.makePromise(of: Void.self)
        guard let encoder else {
            done.fail(ChannelError.ioOnClosedChannel)
            return done.futureResult
        }
        // The descriptor is lent: the slice's owner closes it.
        let handle = NIOFileHandle(_deprecatedTakingOwnershipOfDescriptor: slice.descriptor)
        done.futureResult.whenComplete { _ in
            withExtendedLifetime(slice.owner) { _ = try? handle.takeDescriptorOwnership() }
        }
        var offset = Int(slice.offset)
        let end = offset + slice.count
        var writes: [EventLoopFuture<Void>] = []
        if framing == .chunked {
            encoder.write(Self.text(String(slice.count, radix: 16) + "\r\n"), promise: nil)
        }
        while offset < end {
            let next = min(end, offset + Self.writeBytes)
            let promise = next == end && framing == .length ? done : loop.makePromise(of: Void.self)
            writes.append(promise.futureResult)
            let region = FileRegion(fileHandle: handle, readerIndex: offset, endIndex: next)
            encoder.write(NIOAny(IOData.fileRegion(region)), promise: promise)
            offset = next
        }
        if framing == .chunked { encoder.write(Self.text("\r\n"), promise: done) }
        encoder.flush()
        guardian.map { $0.follow(writes, $1) }
        return done.futureResult
    }

    /// How a client knows where the body ends.
    enum Framing {
        case length
        case chunked
    }

    private static func text(_ text: String) -> NIOAny { NIOAny(IOData.byteBuffer(ByteBuffer(string: text))) }
}
