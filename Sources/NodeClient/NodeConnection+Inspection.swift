import AsyncHTTPClient
import Foundation
import NIOCore
import NIOFoundationCompat
import NIOHTTP1
public import NodeMessages

extension NodeConnection {
    /// What a node tells anybody of itself.
    public struct Greeting: Sendable {
        public let version: String
        /// How far its clock is ahead of the one here, in seconds; as exact as a second and the way there.
        public let secondsAhead: Double?
    }

    /// Asks a node who it is. It is asked once.
    ///
    /// - Throws: `unreachable`, or `unexpected-answer` for what is no node.
    public func greeting() throws -> Greeting {
        let sent = Date()
        let answer = try plain("/api/v1/openapi.json")
        let received = Date()
        struct Document: Decodable {
            struct Info: Decodable {
                let title: String
                let version: String
            }
            let info: Info
        }
        guard answer.status == .ok, let body = answer.body,
            let document = try? JSONDecoder().decode(Document.self, from: Data(body.readableBytesView)),
            document.info.title.hasPrefix("Nacre")
        else {
            let words = Self.words(answer.body.map { Array($0.readableBytesView) } ?? [])
            throw NodeFailure(
                .failed, code: "unexpected-answer",
                detail: "what answers at \(base) (\(answer.status.code)\(words)) is no Nacre node; "
                    + "is the address right?")
        }
        let middle = sent.addingTimeInterval(received.timeIntervalSince(sent) / 2)
        let ahead = answer.headers["Date"].first.flatMap(Self.date).map { date in
            // The field has whole seconds: on average half of one is cut off.
            date.timeIntervalSince(middle) + 0.5
        }
        return Greeting(version: document.info.version, secondsAhead: ahead)
    }

    /// Whether a node is ready, and what it says.
    public func readiness() throws -> (isReady: Bool, text: String) {
        let answer = try plain("/health/ready")
        let text = answer.body.map { String(decoding: $0.readableBytesView.prefix(500), as: UTF8.self) } ?? ""
        return (answer.status == .ok, text.filter { !$0.isNewline })
    }

    /// Who the node takes the holder of the token for.
    public func whoAsks() throws -> PrincipalMessage { try send(.GET, "/principal") }

    /// When the certificate ends that the node shows, whoever signed it, in Unix seconds; `nil` without
    /// TLS.
    public func certificateEnd() throws -> Int64? {
        guard let parts = URLComponents(string: base), parts.scheme == "https", let host = parts.host else {
            return nil
        }
        return try CertificateProbe.end(host: host, port: parts.port ?? 443)
    }

    private func plain(_ path: String) throws -> HTTPClient.Response {
        do {
            let answer = try client.get(url: base + path, deadline: .now() + .seconds(10)).wait()
            noteAnswer()
            return answer
        } catch {
            throw unreachable(error)
        }
    }

    /// Spec: RFC 9110 section 5.6.7, the preferred form.
    private static func date(_ text: String) -> Date? {
        let formatter = DateFormatter()
        formatter.locale = Locale(identifier: "en_US_POSIX")
        formatter.timeZone = TimeZone(secondsFromGMT: 0)
        formatter.dateFormat = "EEE, dd MMM yyyy HH:mm:ss 'GMT'"
        return formatter.date(from: text)
    }
}
