import HTTPSupport
import HTTPTypes
import NIOCore
import NIOHTTPTypes

/// The answer to a request that cannot be read, or is not read: in words and under an id, like every other.
struct EarlyRefusal {
    private let head: HTTPResponse
    private let body: ByteBuffer

    /// The last answer of its connection.
    init(_ status: HTTPResponse.Status, _ text: String) {
        body = ByteBuffer(string: text + "\n")
        head = HTTPResponse(
            status: status,
            headerFields: [
                .contentType: "text/plain; charset=utf-8", .contentLength: String(body.readableBytes),
                .xContentTypeOptions: "nosniff", .connection: "close",
                .requestID: RequestIdentifier.next(), .date: HTTPDate.now.description,
            ])
    }

    /// For an answer whose request was read so far that it is known what is wrong.
    func write(to writer: AnswerWriter) { writer.write(head, body) }

    /// The answer as what a handler writes.
    var parts: [HTTPResponsePart] { [.head(head), .body(body), .end(nil)] }
}
