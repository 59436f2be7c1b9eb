import HTTPSupport
import HTTPTypes
import HummingbirdCore
import NIOCore
import NIOPosix

/// Sends an answer: its body is made in the thread pool, piece by piece, as the client takes it.
struct ResponseSender: Sendable {
    let pool: NIOThreadPool

    /// So much may wait for the socket before the next piece is made.
    private static let windowBytes = 1024 * 1024

    /// - Throws: `BrokenOff` where a body ended early: the connection is to be closed, so that the client
    ///   can tell.
    func send(_ response: DoorResponse, with writer: consuming ResponseWriter, on channel: any Channel)
        async throws
    {
        var fields = response.fields
        if let length = response.body.length { fields[.contentLength] = String(length) }
        switch response.body {
        case .none:
            if !response.mayHaveContent { fields[.contentLength] = nil }
            try await writer.writeResponse(HTTPResponse(status: response.status, headerFields: fields))
        case .bytes(let bytes):
            let head = HTTPResponse(status: response.status, headerFields: fields)
            try await writer.write(response: head, body: ResponseBody(byteBuffer: ByteBuffer(bytes: bytes)))
        case .omitted(let length):
            // Without a length the body would be framed in chunks, and the end of them would be sent though
            // there are none.
            if length == nil { fields[.connection] = "close" }
            try await writer.writeResponse(HTTPResponse(status: response.status, headerFields: fields))
            if length == nil { throw BrokenOff.intended }
        case .stream(let stream, _):
            let head = HTTPResponse(status: response.status, headerFields: fields)
            try await send(stream, head, with: writer, on: channel)
        }
    }

    private func send(
        _ stream: any BodyStream, _ head: HTTPResponse, with writer: consuming ResponseWriter,
        on channel: any Channel
    ) async throws {
        var body = try await writer.writeHead(head)
        var waiting = 0
        var piece = try await next(of: stream)
        while let bytes = piece {
            // The next piece is read while this one is sent.
            async let following = next(of: stream)
            waiting += bytes.readableBytes
            try await body.write(bytes)
            if waiting >= Self.windowBytes {
                // A write returns when the event loop has the bytes, not when the socket has: wait for the
                // loop to come round.
                try await channel.eventLoop.submit {}.get()
                waiting = 0
            }
            piece = try await following
        }
        try await body.finish(nil)
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
