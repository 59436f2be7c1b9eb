import HTTPTypes
import NIOCore
import NIOHTTP1
import NIOHTTPTypes

/// The end of a pipeline: makes a task of each request, one after the other, and writes what the task
/// answers.
///
/// Between two requests a connection is its handlers and nothing else: no task waits, and no buffer is
/// kept. Lives on the event loop of its connection, or of one stream of it.
final class RequestHandler: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPRequestPart
    typealias OutboundIn = HTTPResponsePart
    typealias OutboundOut = HTTPResponsePart

    /// Answers one request. Whatever it throws ends the connection, or the stream, without an end of the
    /// answer.
    typealias Responder = @Sendable (IncomingRequest, AnswerWriter, any Channel, Carrier) async throws -> Void

    /// How a request came.
    struct Carrier: Sendable {
        /// `http` or `https`: what the connection is, whatever the client says.
        let scheme: String
        /// Whether other requests share the connection: then a stream is ended, never the connection.
        let isMultiplexed: Bool
    }

    /// A request and its answer.
    private struct Exchange {
        let body: RequestBody
        /// The client asks for no further one.
        let isLast: Bool
        var hasCome = false
        var isAnswered = false
    }

    private let carrier: Carrier
    private let open: OpenConnections
    private let responder: Responder

    private var context: ChannelHandlerContext?
    private var current: Exchange?
    /// Parts of requests that came while an earlier one is answered.
    private var waiting: CircularBuffer<HTTPRequestPart>?
    private var failure: (any Error)?
    private var isBodyFull = false
    private var holdsRead = false
    private var isStopping = false
    private var isInputClosed = false
    /// Nothing is taken any more.
    private var isDone = false
    /// Who waits until the client has taken enough.
    private var room: EventLoopPromise<Void>?

    /// So many parts of later requests are read before the current one is answered.
    private static let maximumWaiting = 16

    init(carrier: Carrier, open: OpenConnections, responder: @escaping Responder) {
        self.carrier = carrier
        self.open = open
        self.responder = responder
    }

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }

    func handlerRemoved(context: ChannelHandlerContext) {
        leave()
        self.context = nil
    }

    func channelInactive(context: ChannelHandlerContext) {
        leave()
        context.fireChannelInactive()
    }

    private func leave() {
        isDone = true
        waiting = nil
        current?.body.end(.failure(ChannelError.ioOnClosedChannel))
        room?.fail(ChannelError.ioOnClosedChannel)
        room = nil
    }

    // MARK: Requests

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard !isDone, failure == nil else { return }
        let part = unwrapInboundIn(data)
        if current?.hasCome == true || waiting?.isEmpty == false {
            waiting = waiting ?? CircularBuffer(initialCapacity: 4)
            waiting?.append(part)
        } else {
            take(part)
        }
    }

    private func take(_ part: HTTPRequestPart) {
        switch part {
        case .head(let head): begin(head)
        case .body(let piece):
            guard let current, !current.isAnswered else { return }
            if !current.body.receive(piece) { isBodyFull = true }
        case .end:
            current?.hasCome = true
            current?.body.end(.success(()))
            guard current?.isAnswered == true, let context else { return }
            current = nil
            proceed(context)
        }
    }

    private func begin(_ head: HTTPRequest) {
        guard let context else { return }
        let (channel, loop) = (context.channel, context.eventLoop)
        let bound = NIOLoopBound(self, eventLoop: loop)
        let body = RequestBody { loop.execute { bound.value.hasRoomForBody() } }
        let isLast = head.headerFields[values: .connection].contains {
            $0.lowercased().contains("close")
        }
        current = Exchange(body: body, isLast: isLast)
        let writer = AnswerWriter(bound, loop)
        open.beginRequest()
        // A stop waits for it: see ``OpenConnections``. It ends with its connection, since then what it
        // reads and writes throws.
        Task { [open, responder, carrier] in
            let answered: Bool
            do {
                try await responder(IncomingRequest(head: head, body: body), writer, channel, carrier)
                answered = true
            } catch {
                // Told of where the answer was made.
                answered = false
            }
            loop.execute { bound.value.end(answered) }
            open.endRequest()
        }
    }

    /// The task is done, and what it wrote is on its way.
    private func end(_ isAnswered: Bool) {
        guard let exchange = current, !isDone, let context else { return }
        exchange.body.discard()
        current?.isAnswered = true
        isBodyFull = false
        if !isAnswered || carrier.isMultiplexed {
            close(context)
        } else if exchange.isLast {
            finish(context)
        } else if exchange.hasCome {
            current = nil
            proceed(context)
        } else if isInputClosed || failure != nil {
            // The rest of the request does not come.
            close(context)
        } else {
            resumeReading(context)
        }
    }

    /// Goes on with what came meanwhile.
    private func proceed(_ context: ChannelHandlerContext) {
        while current?.hasCome != true, let part = waiting?.popFirst() { take(part) }
        if waiting?.isEmpty == true { waiting = nil }
        guard current == nil else { return resumeReading(context) }
        if let failure {
            refuse(failure, context)
        } else if isStopping || isInputClosed {
            close(context)
        } else {
            resumeReading(context)
        }
    }

    // MARK: Ends

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        switch event {
        case is ChannelShouldQuiesceEvent:
            isStopping = true
            if current == nil { close(context) }
        case let event as ChannelEvent where event == .inputClosed:
            isInputClosed = true
            guard let exchange = current else { return close(context) }
            exchange.body.end(.failure(ChannelError.inputClosed))
            if exchange.isAnswered { close(context) }
        default: context.fireUserInboundEventTriggered(event)
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        guard !isDone, failure == nil else { return }
        guard let exchange = current else { return refuse(error, context) }
        // The answer that is under way is finished first.
        failure = error
        exchange.body.end(.failure(error))
        if exchange.isAnswered { close(context) }
    }

    /// Says that what came cannot be read.
    private func refuse(_ error: any Error, _ context: ChannelHandlerContext) {
        guard error is HTTPParserError, !carrier.isMultiplexed else { return close(context) }
        let refusal = EarlyRefusal(
            .badRequest, "this is no request that can be read in one way only")
        for part in refusal.parts { context.write(wrapOutboundOut(part), promise: nil) }
        context.flush()
        finish(context)
    }

    /// Closes this side, and the rest when the client has: a close with bytes unread would take the answer
    /// back.
    private func finish(_ context: ChannelHandlerContext) {
        // A stop does not wait until the client has seen to its side.
        guard !isInputClosed, !isStopping else { return close(context) }
        isDone = true
        current = nil
        context.close(mode: .output, promise: nil)
        resumeReading(context)
    }

    private func close(_ context: ChannelHandlerContext) {
        isDone = true
        context.close(promise: nil)
    }

    // MARK: Reading only as much as is taken

    func read(context: ChannelHandlerContext) {
        if mustHold { holdsRead = true } else { context.read() }
    }

    private var mustHold: Bool {
        !isDone && (isBodyFull || (waiting?.count ?? 0) >= Self.maximumWaiting)
    }

    private func hasRoomForBody() {
        isBodyFull = false
        if let context { resumeReading(context) }
    }

    private func resumeReading(_ context: ChannelHandlerContext) {
        guard holdsRead, !mustHold else { return }
        holdsRead = false
        context.read()
    }

    // MARK: Answers

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if context.channel.isWritable {
            room?.succeed()
            room = nil
        }
        context.fireChannelWritabilityChanged()
    }

    /// For the task of the current request.
    func write(_ parts: [HTTPResponsePart]) {
        guard let context, !isDone else { return }
        for part in parts { context.write(wrapOutboundOut(part), promise: nil) }
        context.flush()
    }

    /// A head behind which neither a body nor the end of one is sent.
    func writeBodiless(_ head: HTTPResponse) {
        guard let context, !isDone else { return }
        // A stream of HTTP/2 has no handler for it, and needs none: there the end is a flag.
        if !carrier.isMultiplexed {
            context.triggerUserOutboundEvent(BodilessAnswers.Announcement(), promise: nil)
        }
        write([.head(head), .end(nil)])
    }

    /// - Returns: succeeds when there is room for more.
    func write(_ part: HTTPResponsePart) -> EventLoopFuture<Void>? {
        guard let context, !isDone else { return nil }
        context.writeAndFlush(wrapOutboundOut(part), promise: nil)
        if context.channel.isWritable { return context.eventLoop.makeSucceededVoidFuture() }
        if isDone { return nil }
        let promise = room ?? context.eventLoop.makePromise(of: Void.self)
        room = promise
        return promise.futureResult
    }
}

/// A request as it came.
struct IncomingRequest: Sendable {
    let head: HTTPRequest
    let body: RequestBody
}
