import Access
import GatewayAPI
import HTTPSupport
import HTTPTypes
import HummingbirdCore
import Logging
import NIOCore
import NIOPosix
import NodeCore

/// From a request on a connection to the door that answers it, and back: what every request goes through,
/// in this order.
///
/// Identifier, target, admission, route, requirement, door; then the answer, its metrics and its line in
/// the log.
struct DoorResponder: Sendable {
    let gateway: Gateway
    let options: ServerOptions
    let pool: NIOThreadPool
    let logger: Logger
    let metrics: Metrics
    private let operations: OperationsDoor
    private let routing: RoutingDoor
    private let doorkeeper: Doorkeeper
    private let admission: Admission
    private let proxies: TrustedProxies

    init(
        gateway: Gateway, node: StorageNode, authority: Authority, options: ServerOptions,
        pool: NIOThreadPool, logger: Logger, metrics: Metrics
    ) {
        self.gateway = gateway
        self.options = options
        self.pool = pool
        self.logger = logger
        self.metrics = metrics
        admission = Admission(
            maximum: options.maximumRequests, maximumPerAddress: options.maximumRequestsPerAddress)
        operations = OperationsDoor(node: node, metrics: metrics)
        doorkeeper = Doorkeeper(authority: authority, metricsArePublic: options.metricsArePublic)
        routing = RoutingDoor(node: node, gateway: gateway)
        proxies = TrustedProxies(options.trustedProxies)
    }

    func respond(
        to request: Request, _ writer: consuming ResponseWriter, _ channel: any Channel
    ) async throws {
        let start = ContinuousClock.now
        let id = RequestIdentifier.next()
        let route = RouteTable.route(of: String(request.head.path?.prefix { $0 != "?" } ?? "/"))
        var label = route?.pattern ?? "none"
        var response: DoorResponse
        var address = ""
        var isAdmitted = false
        defer { if isAdmitted { admission.leave(address) } }
        // Where a body ends must not be guessed: another reader on the way may guess otherwise.
        if let coding = request.head.headerFields[.transferEncoding], coding.lowercased() != "chunked" {
            try await refuseCoding(writer)
            throw BrokenOff.intended
        }
        do throws(RequestTargetError) {
            let door = try proxies.request(
                request.head, id: id, peer: channel.remoteAddress?.ipAddress ?? "")
            address = door.remoteAddress
            if let refusal = admission.enter(address) {
                response = refuse(refusal)
            } else {
                isAdmitted = true
                if gateway.isOwnOrigin(door) { label = "origin" }
                response = await answer(door, route, request.body)
            }
        } catch {
            response = .text(.badRequest, error.description)
        }
        response.fields[.requestID] = id
        response.fields[.date] = HTTPDate.now.description
        response.fields[.server] = "Nacre"
        let log = RequestLog(
            id: id, method: request.head.method.rawValue, route: label,
            status: response.status.code, address: address, start: start)
        do {
            let bytes = try await ResponseSender(pool: pool).send(response, with: writer, on: channel)
            log.finish(bytes: bytes, failure: nil, logger, metrics)
        } catch {
            log.finish(bytes: 0, failure: error is BrokenOff ? nil : error, logger, metrics)
            throw error
        }
    }

    private func refuseCoding(_ writer: consuming ResponseWriter) async throws {
        let head = HTTPResponse(
            status: .badRequest, headerFields: [.contentLength: "0", .connection: "close"])
        try await writer.writeResponse(head)
    }

    private func refuse(_ refusal: Admission.Refusal) -> DoorResponse {
        var response: DoorResponse
        switch refusal {
        case .overall:
            metrics.add("nacre_http_refused_total", ["reason": "overall"])
            response = .text(.serviceUnavailable, "the node has too much to do; try again in a moment")
        case .address:
            metrics.add("nacre_http_refused_total", ["reason": "address"])
            response = .text(
                .tooManyRequests, "too many requests of this address are under way; try again in a moment")
        }
        response.fields[.retryAfter] = "1"
        response.fields[.cacheControl] = "no-store"
        return response
    }

    private func answer(_ request: DoorRequest, _ route: Route?, _ body: RequestBody) async -> DoorResponse {
        // On a host that is one root's everything is content.
        if route?.door == .gateway || gateway.isOwnOrigin(request) { return await content(request) }
        guard let route else {
            return .text(
                .notFound, "nothing is at \(request.target.path); content is below /ipfs/ and /ipns/")
        }
        guard route.methods.contains(request.method) else {
            var response = DoorResponse.text(.methodNotAllowed, "this can be read, nothing else")
            response.fields[.allow] = route.methods.map(\.rawValue).joined(separator: ", ")
            return response
        }
        if route.door == .routing { return await routing(request, body) }
        let (operations, doorkeeper, inFlight) = (operations, doorkeeper, admission.current)
        let answered = try? await pool.runIfActive {
            doorkeeper.refusal(of: request, route.requirement)
                ?? operations.respond(route.door, inFlight: inFlight)
        }
        var response = answered ?? Self.stopping
        if request.method == .head { response.body = response.body.withoutContent }
        return response
    }

    private func routing(_ request: DoorRequest, _ body: RequestBody) async -> DoorResponse {
        let (routing, logger) = (routing, logger)
        let bytes: [UInt8]
        do {
            bytes =
                request.method == .put
                ? Array(try await body.collect(upTo: RoutingDoor.maximumBodyBytes).readableBytesView) : []
        } catch {
            return .text(.contentTooLarge, "a record has \(RoutingDoor.maximumBodyBytes) bytes at most")
        }
        let response = try? await pool.runIfActive {
            routing.respond(to: request, body: bytes) { error in
                logger.error(
                    "request failed", metadata: ["request": "\(request.id)", "error": "\(error)"])
            }
        }
        return response ?? Self.stopping
    }

    private func content(_ request: DoorRequest) async -> DoorResponse {
        let (gateway, logger) = (gateway, logger)
        let response = try? await pool.runIfActive {
            gateway.respond(to: request) { error in
                logger.error(
                    "request failed", metadata: ["request": "\(request.id)", "error": "\(error)"])
            }
        }
        return response ?? Self.stopping
    }

    private static let stopping = DoorResponse.text(.serviceUnavailable, "the node is stopping")
}
