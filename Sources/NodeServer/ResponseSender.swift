import HTTPSupport
import HTTPTypes
import HummingbirdCore
import NIOCore
import NIOPosix

/// Sends an answer: its body is made in the thread pool, piece by piece, as the client takes it.
struct ResponseSender: Sendable {
    let pool: NIOThreadPool
    /// HTTP/2: what ends is a stream, and lengths need not be known.
    let isMultiplexed: Bool

    /// So much may wait for the socket before the next piece is made.
    private static let windowBytes = 1024 * 1024
    /// So much is one write: what a client must take before it counts as stalled.
    private static let writeBytes = 256 * 1024

    /// - Returns: how many bytes of a body were sent.
    /// - Throws: what broke the body off, or `BrokenOff`: the connection is to be closed, so that the
    ///   client can tell.
    func send(
        _ response: DoorResponse, with writer: consuming ResponseWriter, on channel: any Channel
    ) async throws -> Int {
        var fields = response.fields
        if let length = response.body.length, response.mayHaveContent {
            fields[.contentLength] = String(length)
        }
        // Without a length the body would be framed in chunks, and the end of them be sent though there are
        // none.
        if case .omitted(nil) = response.body, !isMultiplexed { fields[.connection] = "close" }
        let head = HTTPResponse(status: response.status, headerFields: fields)
        switch response.body {
        case .none:
            try await writer.writeResponse(head)
            return 0
        case .bytes(let bytes):
            try await writer.write(response: head, body: ResponseBody(byteBuffer: ByteBuffer(bytes: bytes)))
            return bytes.count
        case .omitted(let length):
            try await writer.writeResponse(head)
            if length == nil, !isMultiplexed { throw BrokenOff.intended }
            return 0
        case .stream(let stream, _): return try await send(stream, head, with: writer, on: channel)
        }
    }

    private func send(
        _ stream: any BodyStream, _ head: HTTPResponse, with writer: consuming ResponseWriter,
        on channel: any Channel
    ) async throws -> Int {
        var body = try await writer.writeHead(head)
        var (waiting, sent) = (0, 0)
        var piece = try await next(of: stream)
        while var bytes = piece {
            // The next piece is read while this one is sent.
            async let following = next(of: stream)
            waiting += bytes.readableBytes
            sent += bytes.readableBytes
            while bytes.readableBytes > 0,
                let part = bytes.readSlice(length: min(Self.writeBytes, bytes.readableBytes))
            {
                try await body.write(part)
            }
            if waiting >= Self.windowBytes {
                // A write returns when the event loop has the bytes, not when the socket has: wait for the
                // loop to come round.
                try await channel.eventLoop.submit {}.get()
                waiting = 0
            }
            piece = try await following
        }
        try await body.finish(nil)
        return sent
    }

    private func next(of stream: any BodyStream) async throws -> ByteBuffer? {
        try await pool.runIfActive {
            guard case .bytes(let bytes)? = try stream.next() else { return nil }
            return ByteBuffer(bytes: bytes)
        }
    }
}

/// The answer is not whole, or cannot be framed: the connection must not be used further.
enum BrokenOff: Error {
    case intended
}

extension DoorResponse {
    /// Whether the status allows content at all.
    var mayHaveContent: Bool {
        status != .noContent && status != .notModified && status.kind != .informational
    }
}
