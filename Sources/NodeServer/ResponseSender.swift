import HTTPSupport
import HTTPTypes
import NIOCore
import NIOPosix
import Synchronization

/// Sends an answer: its body is made in the thread pool, piece by piece, as the client takes it.
struct ResponseSender: Sendable {
    let pool: NIOThreadPool
    /// HTTP/2: what ends is a stream, and lengths need not be known.
    let isMultiplexed: Bool

    /// So much is one write: what a client must take before it counts as stalled, and about what waits for
    /// one that does not read.
    private static let writeBytes = 128 * 1024

    /// Counts what is sent of a body, also of one that breaks off.
    final class Count: Sendable {
        private let sent = Atomic<Int>(0)

        var bytes: Int { sent.load(ordering: .relaxed) }

        fileprivate func add(_ bytes: Int) { sent.add(bytes, ordering: .relaxed) }
    }

    /// - Throws: what broke the body off, or `BrokenOff`: the connection is to be closed, so that the
    ///   client can tell.
    func send(
        _ response: DoorResponse, with writer: AnswerWriter, on channel: any Channel, counting count: Count
    ) async throws {
        let head = Self.head(of: response)
        switch response.body {
        case .none:
            writer.write(head)
        case .bytes(let bytes):
            writer.write(head, ByteBuffer(bytes: bytes))
            count.add(bytes.count)
        case .omitted(nil): writer.writeBodiless(head)
        case .omitted: writer.write(head)
        case .live(let body):
            writer.begin(head)
            while let piece = try await body.next() {
                try await writer.write(ByteBuffer(bytes: piece))
                count.add(piece.count)
            }
            writer.finish()
        case .stream(let stream, _): try await send(stream, head, with: writer, on: channel, count)
        }
    }

    /// The head of an answer, with the length of its body where that is known.
    static func head(of response: DoorResponse) -> HTTPResponse {
        var fields = response.fields
        if let length = response.body.length, response.mayHaveContent {
            fields[.contentLength] = String(length)
        }
        return HTTPResponse(status: response.status, headerFields: fields)
    }

    private func send(
        _ stream: any BodyStream, _ head: HTTPResponse, with writer: AnswerWriter,
        on channel: any Channel, _ count: Count
    ) async throws {
        writer.begin(head)
        let files = FileLane(channel, head.headerFields.contains(.contentLength) ? .length : .chunked)
        do {
            try await send(stream, to: writer, files, count)
        } catch {
            // What came before is still delivered.
            try? await files.finish()
            throw error
        }
        try await files.finish()
        writer.finish()
    }

    private func send(
        _ stream: any BodyStream, to writer: AnswerWriter, _ files: FileLane, _ count: Count
    ) async throws {
        var piece = try await next(of: stream)
        while let current = piece {
            let bytes = current.count
            // The next piece is made while this one is sent.
            async let following = next(of: stream)
            switch current {
            case .file(var slice):
                if await files.isOpen {
                    try await files.send(slice)
                } else {
                    while slice.count > 0 {
                        let part: ByteBuffer
                        (part, slice) = try await read(slice)
                        try await writer.write(part)
                    }
                }
            case .bytes(let bytes):
                var buffer = ByteBuffer(bytes: bytes)
                while let part = buffer.readSlice(length: min(Self.writeBytes, buffer.readableBytes)),
                    part.readableBytes > 0
                {
                    try await writer.write(part)
                }
            }
            count.add(bytes)
            piece = try await following
        }
    }

    private func next(of stream: any BodyStream) async throws -> BodyPiece? {
        if stream.isReady { return try stream.next() }
        return try await pool.runIfActive { try stream.next() }
    }

    /// Reads what is one write off the beginning of a slice.
    private func read(_ slice: FileSlice) async throws -> (ByteBuffer, FileSlice) {
        try await pool.runIfActive {
            var rest = slice
            var buffer = ByteBufferAllocator().buffer(capacity: min(Self.writeBytes, slice.count))
            try buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: min(Self.writeBytes, slice.count)) {
                try rest.read(into: UnsafeMutableRawBufferPointer(rebasing: $0.prefix(Self.writeBytes)))
            }
            return (buffer, rest)
        }
    }
}

/// The answer is not whole, or cannot be framed: the connection must not be used further.
enum BrokenOff: Error {
    case intended
}

/// The way of slices of files to the socket of one answer. One slice is sent while the next one is looked
/// for.
private final class FileLane {
    private let channel: any Channel
    private let framing: FileSender.Framing
    private var sender: NIOLoopBound<FileSender>??
    private var underWay: EventLoopFuture<Void>?

    init(_ channel: any Channel, _ framing: FileSender.Framing) {
        self.channel = channel
        self.framing = framing
    }

    /// Whether slices can be sent as they are on this connection.
    var isOpen: Bool {
        get async {
            if let sender { return sender != nil }
            let (channel, framing) = (channel, framing)
            let found = try? await channel.eventLoop.submit {
                // A client that knows no chunks gets none.
                if framing == .chunked,
                    try channel.pipeline.syncOperations.handler(type: OldClients.self).isOld
                {
                    throw ChannelError.operationUnsupported
                }
                return try NIOLoopBound(
                    channel.pipeline.syncOperations.handler(type: FileSender.self),
                    eventLoop: channel.eventLoop)
            }.get()
            sender = .some(found)
            return found != nil
        }
    }

    func send(_ slice: FileSlice) async throws {
        guard let sender = sender ?? nil else { throw ChannelError.ioOnClosedChannel }
        let before = underWay
        let (loop, framing) = (channel.eventLoop, framing)
        underWay = loop.flatSubmit { sender.value.send(slice, framing, on: loop) }
        try await before?.get()
    }

    /// Waits until everything is sent.
    func finish() async throws { try await underWay?.get() }
}

extension DoorResponse {
    /// Whether the status allows content at all.
    var mayHaveContent: Bool {
        status != .noContent && status != .notModified && status.kind != .informational
    }
}
