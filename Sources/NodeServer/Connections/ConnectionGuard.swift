import HTTPTypes
import NIOCore
import NIOHTTPTypes
import Synchronization

/// Closes connections on which nothing goes on: headers that come drop by drop, bodies that stop, clients
/// that do not read, or that ask for nothing; and requests that last longer than anything may.
///
/// Lives on the event loop of its connection, or of one stream of it. What is measured first is progress:
/// a slow client that goes on is served, until the longest duration that is allowed.
///
/// One timer serves all deadlines. It is set when something is waited for, and is left to run out when
/// that has come: a request that is answered at once costs no timer.
final class ConnectionGuard: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPRequestPart
    typealias InboundOut = HTTPRequestPart
    typealias OutboundIn = HTTPResponsePart
    typealias OutboundOut = HTTPResponsePart

    /// What is waited for, and how long; `nil` for ever.
    struct Limits: Sendable {
        /// From the opening to the end of the first header.
        var header: TimeAmount
        /// From the end of an answer to the head of the next request.
        var idle: TimeAmount?
        /// Between two looks at a body, in which ``bodyBytes`` must come.
        var body: TimeAmount
        var bodyBytes: Int
        /// Without any write being taken by the client.
        var write: TimeAmount
        /// From the end of a header to the end of its answer.
        var request: TimeAmount?
        /// For the body of a request, and for an answer from its head on.
        var upload: TimeAmount?
        var download: TimeAmount?
    }

    /// What is under way, and when it is given up.
    private enum Wait: Int, CaseIterable {
        case header, idle, body, write, request, upload, download

        /// As it stands in metrics.
        var reason: String { "\(self)" }
    }

    /// Why a connection may be dropped, as it stands in metrics.
    static let reasons = Wait.allCases.filter { $0 != .idle }.map(\.reason)

    private let limits: Limits
    private let connections: OpenConnections
    private let onDrop: @Sendable (String) -> Void
    private var deadlines: [NIODeadline?] = Array(repeating: nil, count: Wait.allCases.count)
    private var loop: (any EventLoop)?
    private var timer: (due: NIODeadline, task: Scheduled<Void>)?

    private var bodyBytes = 0
    private var isInBody = false
    /// Whether more was asked of the client: whoever is not asked is not late.
    private var isReading = false
    /// Requests whose answers have not ended.
    private var unanswered = 0
    private var outstandingWrites = 0
    private var completedWrites = 0
    private var completedBefore = 0

    /// - Parameters:
    ///   - onDrop: is told why a connection was closed.
    ///   - connections: where bytes that wait for the client are counted.
    init(
        limits: Limits, connections: OpenConnections = OpenConnections(),
        onDrop: @escaping @Sendable (String) -> Void
    ) {
        self.limits = limits
        self.connections = connections
        self.onDrop = onDrop
    }

    func handlerAdded(context: ChannelHandlerContext) {
        loop = context.eventLoop
        begin(.header, limits.header)
        arm(context)
    }

    func handlerRemoved(context: ChannelHandlerContext) { stop() }

    func channelInactive(context: ChannelHandlerContext) {
        stop()
        context.fireChannelInactive()
    }

    // MARK: What comes

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head:
            end(.header)
            end(.idle)
            isInBody = true
            unanswered += 1
        case .body(let buffer): bodyBytes += buffer.readableBytes
        case .end:
            isInBody = false
            end(.body)
            end(.upload)
        }
        context.fireChannelRead(data)
    }

    func read(context: ChannelHandlerContext) {
        isReading = true
        context.read()
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        isReading = false
        // Only what did not come at once is waited for.
        if isInBody, !waits(.body) {
            bodyBytes = 0
            begin(.body, limits.body)
            begin(.upload, limits.upload)
        }
        if unanswered > 0, !waits(.request) { begin(.request, limits.request) }
        arm(context)
        context.fireChannelReadComplete()
    }

    // MARK: What goes

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        var bytes = 0
        switch unwrapOutboundIn(data) {
        case .head: break
        case .body(let buffer):
            bytes = buffer.readableBytes
            if !waits(.download) { begin(.download, limits.download) }
        case .end:
            unanswered -= 1
            end(.download)
            end(.request)
            if unanswered > 0 { begin(.request, limits.request) } else { begin(.idle, limits.idle) }
        }
        let promise = promise ?? context.eventLoop.makePromise(of: Void.self)
        count(promise.futureResult, context, bytes: bytes)
        context.write(data, promise: promise)
    }

    func flush(context: ChannelHandlerContext) {
        context.flush()
        watchWrites(context)
    }

    /// Watches parts of a body that went past this handler and were flushed.
    func follow(_ writes: [EventLoopFuture<Void>], _ context: ChannelHandlerContext) {
        if !waits(.download) { begin(.download, limits.download) }
        for write in writes { count(write, context) }
        watchWrites(context)
    }

    /// - Parameter bytes: what is in memory for it.
    private func count(_ write: EventLoopFuture<Void>, _ context: ChannelHandlerContext, bytes: Int = 0) {
        outstandingWrites += 1
        if bytes > 0 { connections.waitingBytes.add(bytes, ordering: .relaxed) }
        let bound = NIOLoopBound(self, eventLoop: context.eventLoop)
        write.whenComplete { _ in
            bound.value.outstandingWrites -= 1
            bound.value.completedWrites += 1
            if bytes > 0 { bound.value.connections.waitingBytes.subtract(bytes, ordering: .relaxed) }
        }
    }

    private func watchWrites(_ context: ChannelHandlerContext) {
        if outstandingWrites > 0, !waits(.write) {
            completedBefore = completedWrites
            begin(.write, limits.write)
        }
        arm(context)
    }

    // MARK: Deadlines

    private func begin(_ wait: Wait, _ time: TimeAmount?) {
        deadlines[wait.rawValue] = loop.flatMap { loop in time.map { loop.now + $0 } }
    }

    private func end(_ wait: Wait) { deadlines[wait.rawValue] = nil }

    private func waits(_ wait: Wait) -> Bool { deadlines[wait.rawValue] != nil }

    /// Sees to it that the timer runs out no later than the first deadline.
    private func arm(_ context: ChannelHandlerContext) {
        guard let due = deadlines.lazy.compactMap({ $0 }).min() else { return }
        if let timer {
            guard timer.due > due else { return }
            timer.task.cancel()
        }
        let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        let task = context.eventLoop.scheduleTask(deadline: due) {
            let (guardian, context) = bound.value
            guardian.timer = nil
            guardian.look(context)
        }
        timer = (due, task)
    }

    private func look(_ context: ChannelHandlerContext) {
        let now = context.eventLoop.now
        for wait in Wait.allCases {
            guard let deadline = deadlines[wait.rawValue], deadline <= now else { continue }
            guard goesOn(wait) else { return drop(context, wait) }
        }
        arm(context)
    }

    /// Whether enough has come of what was waited for; then its next deadline is set.
    private func goesOn(_ wait: Wait) -> Bool {
        switch wait {
        case .header, .idle, .request, .upload, .download: return false
        case .body:
            guard bodyBytes >= limits.bodyBytes || !isReading else { return false }
            bodyBytes = 0
            begin(.body, limits.body)
        case .write:
            guard outstandingWrites > 0 else {
                end(.write)
                return true
            }
            guard completedWrites != completedBefore else { return false }
            completedBefore = completedWrites
            begin(.write, limits.write)
        }
        return true
    }

    private func drop(_ context: ChannelHandlerContext, _ wait: Wait) {
        stop()
        // Whoever asks for nothing more is not at fault.
        guard wait != .idle else { return context.channel.close(promise: nil) }
        onDrop(wait.reason)
        cut(context)
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        guard event is ConnectionCut else { return context.fireUserInboundEventTriggered(event) }
        stop()
        cut(context)
    }

    /// Closes; nothing that waits for this client may hold that back.
    private func cut(_ context: ChannelHandlerContext) {
        context.channel.pipeline.close(mode: .all, promise: nil)
        context.close(promise: nil)
    }

    private func stop() {
        timer?.task.cancel()
        timer = nil
        for wait in Wait.allCases { end(wait) }
    }
}

extension ConnectionGuard.Limits {
    /// A duration of 0 is none.
    ///
    /// - Parameter idle: of a connection that has only one request at a time.
    init(_ options: ServerOptions, idle: TimeAmount?) {
        func longest(_ seconds: Int64) -> TimeAmount? { seconds > 0 ? .seconds(seconds) : nil }
        self.init(
            header: .seconds(options.headerSeconds), idle: idle, body: .seconds(options.bodySeconds),
            bodyBytes: options.bodyFloorBytes, write: .seconds(options.stallSeconds),
            request: longest(options.requestSeconds), upload: longest(options.uploadSeconds),
            download: longest(options.downloadSeconds))
    }
}
