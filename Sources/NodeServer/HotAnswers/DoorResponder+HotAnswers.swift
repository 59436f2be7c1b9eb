import HTTPSupport
import HTTPTypes
import NIOCore

/// What of the answers that took the ordinary way is worth keeping: see ``HotAnswers``.
extension DoorResponder {
    /// Offers an answer to the hot lane of its connection. To be called before it is sent.
    ///
    /// - Parameter ground: taken before the answer was made.
    func offer(
        _ response: DoorResponse, to request: HTTPRequest, route: String, _ ground: HotAnswer.Ground,
        on channel: any Channel
    ) {
        guard response.isLasting, request.method == .get || request.method == .head,
            !request.headerFields.contains(.authorization)
        else { return }
        let method = request.method.rawValue
        channel.eventLoop.execute {
            guard let lane = try? channel.pipeline.syncOperations.handler(type: HotLane.self) else { return }
            lane.keep {
                HotAnswer.Content(
                    head: ResponseSender.head(of: response), body: response.body.buffer,
                    series: HotAnswer.Series(route: route, method: method, status: response.status.code),
                    ground: ground)
            }
        }
    }
}

extension DoorResponse {
    /// Whether the same request has the same answer tomorrow, and it is small.
    fileprivate var isLasting: Bool {
        guard status == .ok || status == .partialContent || status == .notModified,
            fields[.cacheControl]?.contains("immutable") == true
        else { return false }
        switch body {
        case .none: return true
        case .bytes(let bytes): return bytes.count <= HotAnswer.maximumBodyBytes
        case .omitted(let length): return length != nil
        case .stream, .live: return false
        }
    }
}

extension DoorBody {
    fileprivate var buffer: ByteBuffer {
        if case .bytes(let bytes) = self { ByteBuffer(bytes: bytes) } else { ByteBuffer() }
    }
}
