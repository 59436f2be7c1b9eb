import HTTPTypes
import NIOCore
import NIOHTTPTypes

/// Where the task of a request puts its answer, part by part and in order.
struct AnswerWriter: Sendable {
    private let handler: NIOLoopBound<RequestHandler>
    private let loop: any EventLoop

    init(_ handler: NIOLoopBound<RequestHandler>, _ loop: any EventLoop) {
        self.handler = handler
        self.loop = loop
    }

    /// A whole answer; nobody waits until it is taken.
    func write(_ head: HTTPResponse, _ body: ByteBuffer? = nil) {
        write([.head(head)] + (body.map { [.body($0)] } ?? []) + [.end(nil)])
    }

    /// The answer to a HEAD of which the length is not known: HTTP/1.1 frames it without an end.
    func writeBodiless(_ head: HTTPResponse) {
        loop.execute { [handler] in handler.value.writeBodiless(head) }
    }

    func begin(_ head: HTTPResponse) { write([.head(head)]) }

    /// Writes a part of the body.
    ///
    /// Returns when there is room for the next: a client that does not read leaves little more than one
    /// part waiting.
    ///
    /// - Throws: if the connection is closed.
    func write(_ part: ByteBuffer) async throws {
        try await loop.flatSubmit { [handler, loop] in
            handler.value.write(.body(part)) ?? loop.makeFailedFuture(ChannelError.ioOnClosedChannel)
        }.get()
    }

    func finish() { write([.end(nil)]) }

    private func write(_ parts: [HTTPResponsePart]) {
        loop.execute { [handler] in handler.value.write(parts) }
    }
}
