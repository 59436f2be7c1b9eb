import GatewayAPI
import HTTPSupport
import HTTPTypes
import HummingbirdCore
import Logging
import NIOCore
import NIOPosix
import NodeCore

/// From a request on a connection to the door that answers it, and back.
struct DoorResponder: Sendable {
    let gateway: Gateway
    let node: StorageNode
    let pool: NIOThreadPool
    let logger: Logger

    func respond(to request: Request, _ writer: consuming ResponseWriter, _ channel: any Channel) async throws
    {
        let id = RequestIdentifier.next()
        var response: DoorResponse
        do throws(RequestTargetError) {
            let door = try Self.doorRequest(request.head, id: id, channel)
            response = await answer(door)
        } catch {
            response = .text(.badRequest, error.description)
        }
        response.fields[.requestID] = id
        response.fields[.date] = HTTPDate.now.description
        response.fields[.server] = "Nacre"
        try await ResponseSender(pool: pool).send(response, with: writer, on: channel)
    }

    private func answer(_ request: DoorRequest) async -> DoorResponse {
        guard let route = RouteTable.route(of: request.target.path) else {
            return .text(.notFound, "nothing is at \(request.target.path); content is below /ipfs/")
        }
        switch route.door {
        case .gateway:
            let logger = logger
            do {
                return try await pool.runIfActive {
                    gateway.respond(to: request) { error in
                        logger.error(
                            "request failed", metadata: ["request": "\(request.id)", "error": "\(error)"])
                    }
                }
            } catch {
                return .text(.serviceUnavailable, "the node is stopping")
            }
        case .live: return .text(.ok, "live")
        case .ready: return .text(.ok, "ready")
        case .home: return .text(.ok, "This is a Nacre node. Content is below /ipfs/CID.")
        }
    }

    private static func doorRequest(
        _ head: HTTPRequest, id: String, _ channel: any Channel
    ) throws(RequestTargetError) -> DoorRequest {
        var target = head.path ?? "/"
        var authority = head.authority ?? ""
        // The absolute form, which proxies get: RFC 9112 section 3.2.2.
        for prefix in ["http://", "https://"] where target.lowercased().hasPrefix(prefix) {
            let rest = target.dropFirst(prefix.count)
            let end = rest.firstIndex { $0 == "/" || $0 == "?" } ?? rest.endIndex
            authority = String(rest[..<end])
            target = rest[end...].first == "/" ? String(rest[end...]) : "/" + rest[end...]
            break
        }
        return DoorRequest(
            method: head.method, target: try RequestTarget(target), fields: head.headerFields,
            authority: authority.lowercased(), scheme: head.scheme ?? "http",
            remoteAddress: channel.remoteAddress?.ipAddress ?? "", id: id)
    }
}
