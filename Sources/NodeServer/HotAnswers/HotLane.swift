import NIOCore

/// Answers requests whose answer is at hand (``HotAnswers``) before anything is parsed or any task runs.
///
/// Stands between the socket and the codec of HTTP/1. Bytes pass as they are, whole heads at a time; a head
/// that was answered before, byte for byte, is answered from memory if no earlier request waits for its
/// answer. Whatever is not plainly a GET or HEAD without a body goes on, and from then on everything does:
/// where requests end is never guessed here, but compared with what the codec saw.
///
/// The first request of a connection, and one every now and then, take the ordinary way in any case, so
/// that the timers of the connection know that it lives.
///
/// Lives on the event loop of its connection. ``HotLaneGate`` puts it in and tells it what the codec saw.
final class HotLane: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer
    typealias OutboundIn = IOData
    typealias OutboundOut = IOData

    private let answers: HotAnswers
    private let peer: HotAnswer.Peer
    private let ordinaryInterval: TimeAmount
    private let isOpen: () -> Bool
    private let takesFiles: Bool

    private var nextOrdinary: NIODeadline?
    /// The beginning of a head.
    private var held = ByteBuffer()
    /// Whether the codec is known to have seen whole requests and nothing else.
    private var isAligned = true
    /// Requests that went on and whose answers have not ended.
    private var unanswered = 0
    /// The one request that went on, if its answer is worth keeping.
    private var candidate: HotAnswer.Key?
    /// What the codec made of what went on.
    private var seen = Seen()
    private var needsFlush = false
    private var hasPassedOn = false
    /// Whether something was written here that may still wait for the socket.
    private var hasWritten = false

    struct Seen: Equatable {
        var heads = 0
        var ends = 0
    }

    /// - Parameters:
    ///   - ordinaryInterval: shorter than what an idle connection is allowed.
    ///   - takesFiles: whether bytes go to the socket as they are, so that they need not be read.
    ///   - isOpen: whether answers may be given here at the moment.
    init(
        answers: HotAnswers, peer: HotAnswer.Peer, ordinaryInterval: TimeAmount, takesFiles: Bool,
        isOpen: @escaping () -> Bool
    ) {
        self.answers = answers
        self.peer = peer
        self.ordinaryInterval = ordinaryInterval
        self.isOpen = isOpen
        self.takesFiles = takesFiles
    }

    // MARK: What comes

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var bytes = unwrapInboundIn(data)
        guard isAligned else { return passOn(bytes, context) }
        if held.readableBytes > 0 {
            held.writeBuffer(&bytes)
            bytes = held
            held = ByteBuffer()
        }
        let now = NIODeadline.now()
        while bytes.readableBytes > 0 {
            switch bytes.readingFirstHead() {
            case .whole(let length):
                guard answer(&bytes, length, now, context) else { return forward(bytes, now, context) }
            case .partial:
                held = bytes
                return
            case .other: return leave(with: bytes, context)
            }
        }
    }

    /// Answers the first request of `bytes` and takes it off.
    ///
    /// - Returns: `false`, with nothing done, if it has to go on.
    private func answer(
        _ bytes: inout ByteBuffer, _ length: Int, _ now: NIODeadline, _ context: ChannelHandlerContext
    ) -> Bool {
        guard unanswered == 0, let nextOrdinary, now < nextOrdinary, context.channel.isWritable, isOpen()
        else { return false }
        let found = bytes.withUnsafeReadableBytes {
            answers.answer(to: UnsafeRawBufferPointer(rebasing: $0.prefix(length)), from: peer, since: now)
        }
        guard let found else { return false }
        bytes.moveReaderIndex(forwardBy: length)
        let (head, rest) = found.answer.parts(date: found.date, context.channel.allocator)
        context.write(wrapOutboundOut(.byteBuffer(head)), promise: nil)
        if let rest { write(rest, context) }
        needsFlush = true
        hasWritten = true
        return true
    }

    private func write(_ file: MemoryFile, _ context: ChannelHandlerContext) {
        guard takesFiles else {
            return context.write(
                wrapOutboundOut(.byteBuffer(file.read(context.channel.allocator))), promise: nil)
        }
        // The descriptor is lent: the file closes it.
        let handle = NIOFileHandle(_deprecatedTakingOwnershipOfDescriptor: file.descriptor)
        let written = context.eventLoop.makePromise(of: Void.self)
        written.futureResult.whenComplete { _ in
            withExtendedLifetime(file) { _ = try? handle.takeDescriptorOwnership() }
        }
        let region = FileRegion(fileHandle: handle, readerIndex: 0, endIndex: file.count)
        context.write(wrapOutboundOut(.fileRegion(region)), promise: written)
    }

    /// Sends all whole heads on, and keeps the beginning of one.
    private func forward(_ bytes: ByteBuffer, _ now: NIODeadline, _ context: ChannelHandlerContext) {
        var rest = bytes
        var count = 0
        while case .whole(let length) = rest.readingFirstHead() {
            rest.moveReaderIndex(forwardBy: length)
            count += 1
        }
        var isRestPartial = false
        if rest.readableBytes > 0, case .partial = rest.readingFirstHead() { isRestPartial = true }
        guard rest.readableBytes == 0 || isRestPartial else { return leave(with: bytes, context) }
        // What is empty would keep the buffer that it is a part of.
        held = isRestPartial ? rest : ByteBuffer()
        var whole = bytes
        whole.moveWriterIndex(to: rest.readerIndex)
        candidate = count == 1 && unanswered == 0 ? key(whole) : nil
        unanswered += count
        nextOrdinary = now + ordinaryInterval
        let expected = Seen(heads: seen.heads + count, ends: seen.ends + count)
        passOn(whole, context)
        // The codec sees a body, say, where none was seen here.
        if seen != expected { isAligned = false }
    }

    private func key(_ head: ByteBuffer) -> HotAnswer.Key? {
        head.withUnsafeReadableBytes {
            answers.isRepeated($0, from: peer) ? HotAnswer.Key(head: Array($0), peer: peer) : nil
        }
    }

    private func passOn(_ bytes: ByteBuffer, _ context: ChannelHandlerContext) {
        hasPassedOn = true
        context.fireChannelRead(wrapInboundOut(bytes))
    }

    /// From here on everything takes the ordinary way.
    private func leave(with bytes: ByteBuffer, _ context: ChannelHandlerContext) {
        leave()
        passOn(bytes, context)
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        if needsFlush {
            needsFlush = false
            context.flush()
        }
        // Those behind need not hear of what they did not see.
        guard hasPassedOn else { return }
        hasPassedOn = false
        context.fireChannelReadComplete()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if event is ChannelShouldQuiesceEvent || event as? ChannelEvent == .inputClosed {
            passOnHeld(context)
        }
        context.fireUserInboundEventTriggered(event)
    }

    func channelInactive(context: ChannelHandlerContext) {
        passOnHeld(context)
        context.fireChannelInactive()
    }

    private func passOnHeld(_ context: ChannelHandlerContext) {
        let bytes = held
        leave()
        guard bytes.readableBytes > 0 else { return }
        held = ByteBuffer()
        passOn(bytes, context)
    }

    // MARK: What the gate tells

    func sawHead() { seen.heads += 1 }

    func sawEnd() { seen.ends += 1 }

    /// An answer that took the ordinary way has ended.
    func answered() {
        unanswered -= 1
        candidate = nil
    }

    /// Nothing is answered here any more.
    func leave() {
        isAligned = false
        candidate = nil
    }

    /// Keeps the answer to the request under way, if it is one that is asked again and again. To be called
    /// before the answer is sent.
    func keep(_ content: () -> HotAnswer.Content) {
        guard isAligned, unanswered == 1, let key = candidate else { return }
        answers.keep(content(), for: key)
    }

    // MARK: Closing

    /// What was written here still goes out, if the client takes it soon.
    func close(context: ChannelHandlerContext, mode: CloseMode, promise: EventLoopPromise<Void>?) {
        guard hasWritten, mode != .input else { return context.close(mode: mode, promise: promise) }
        hasWritten = false
        var isClosed = false
        let bound = NIOLoopBound(context, eventLoop: context.eventLoop)
        func closeOnce() {
            guard !isClosed else { return }
            isClosed = true
            bound.value.close(mode: mode, promise: promise)
        }
        let proceed = NIOLoopBound(closeOnce, eventLoop: context.eventLoop)
        let patience = context.eventLoop.scheduleTask(in: Self.closePatience) { proceed.value() }
        let written = context.eventLoop.makePromise(of: Void.self)
        written.futureResult.whenComplete { _ in
            patience.cancel()
            proceed.value()
        }
        context.writeAndFlush(wrapOutboundOut(.byteBuffer(ByteBuffer())), promise: written)
    }

    private static let closePatience = TimeAmount.seconds(10)
}
