import NIOCore
import NIOHTTPTypes

/// The body of a request on an HTTP/2 stream. One that stops before its end throws: a reset is no end.
struct StreamBody: AsyncSequence, Sendable {
    typealias Parts = NIOAsyncChannelInboundStream<HTTPRequestPart>.AsyncIterator

    // Proof that this may be sent: the one who made it does not use the iterator any more, and a body is read
    // once, by one task at a time.
    nonisolated(unsafe) private let parts: Parts

    /// - Parameter parts: behind the head. Not to be used by the caller afterwards.
    init(_ parts: Parts) { self.parts = parts }

    struct AsyncIterator: AsyncIteratorProtocol {
        fileprivate var parts: Parts
        private var isDone = false

        fileprivate init(_ parts: Parts) { self.parts = parts }

        mutating func next() async throws -> ByteBuffer? {
            guard !isDone else { return nil }
            switch try await parts.next() {
            case .body(let buffer)?: return buffer
            case .end?:
                isDone = true
                return nil
            case .head?, nil: throw ChannelError.inputClosed
            }
        }
    }

    func makeAsyncIterator() -> AsyncIterator { AsyncIterator(parts) }
}
