import Access
import BlockStorage
import GatewayAPI
import HTTPSupport
import HTTPTypes
import Logging
import NIOCore
import NIOPosix
import NodeCore
import Synchronization

/// From a request on a connection to the door that answers it, and back: what every request goes through,
/// in this order.
///
/// Identifier, target, admission, route, requirement, door; then the answer, its metrics and its line in
/// the log.
struct DoorResponder: Sendable {
    let current: CurrentSettings
    let pool: NIOThreadPool
    let logger: Logger
    let metrics: Metrics
    let connections: ConnectionCap
    let open: OpenConnections
    /// `nil` if nobody collects traces.
    let traces: TraceExporter?
    private let operations: OperationsDoor
    private let readiness: Readiness
    private let api: APIDoor
    private let sync: SyncDoor
    private let links: LinkDoor
    private let content: ContentDoor
    private let admission = Admission()
    /// Whatever fails here because a block is damaged is noted.
    private let damage: DamageRecord

    init(
        node: StorageNode, settings: CurrentSettings, api: APIDoor, sync: SyncDoor, links: LinkDoor,
        pool: NIOThreadPool,
        connections: ConnectionCap, open: OpenConnections, traces: TraceExporter?, jobs: JobEngine,
        logger: Logger,
        metrics: Metrics
    ) {
        current = settings
        self.pool = pool
        self.connections = connections
        self.open = open
        self.traces = traces
        self.logger = logger
        self.metrics = metrics
        self.api = api
        self.sync = sync
        self.links = links
        content = ContentDoor(node: node)
        damage = node.damage
        operations = OperationsDoor(node: node, metrics: metrics, jobs: jobs, hub: sync.hub)
        readiness = Readiness(pool: pool) { try node.checkReadiness() }
    }

    func respond(
        to request: IncomingRequest, _ writer: AnswerWriter, _ channel: any Channel,
        _ carrier: RequestHandler.Carrier
    ) async throws {
        let settings = current.value
        let start = ContinuousClock.now
        let ground = HotAnswer.Ground(settings)
        let id = RequestIdentifier.next()
        let route = RouteTable.route(of: String(request.head.path?.prefix { $0 != "?" } ?? "/"))
        var label = route?.pattern ?? "none"
        var response: DoorResponse
        var address = ""
        var isAdmitted = false
        defer { if isAdmitted { admission.leave(address) } }
        // Where a body ends must not be guessed: another reader on the way may guess otherwise.
        // HTTP/2 has no such field.
        if let coding = request.head.headerFields[.transferEncoding], coding.lowercased() != "chunked" {
            refuseCoding(writer)
            throw BrokenOff.intended
        }
        do throws(RequestTargetError) {
            let door = try settings.proxies.request(
                request.head, id: id, scheme: carrier.scheme, peer: channel.remoteAddress?.ipAddress ?? "")
            address = door.remoteAddress
            // Who waits for changes does nothing: as many as there may be are bounded in their door.
            if SyncDoor.waitPatterns.contains(route?.pattern ?? "") {
                response = await answer(door, route, request.body, settings, channel)
            } else if let refusal = admission.enter(address, settings.options) {
                response = refuse(refusal)
            } else {
                isAdmitted = true
                if settings.gateway.isOwnOrigin(door) { label = "origin" }
                response = await answer(door, route, request.body, settings, channel)
            }
        } catch {
            response = .text(.badRequest, error.description)
        }
        let mustClose = response.fields[.connection] == "close" && !carrier.isMultiplexed
        if carrier.isMultiplexed { response.fields[.connection] = nil }
        response.fields[.requestID] = id
        response.fields[.date] = HTTPDate.now.description
        response.fields[.server] = "Nacre"
        // Nothing that a client sent or stored may be taken for something else than the answer says.
        response.fields[.contentTypeOptions] = "nosniff"
        var log = RequestLog(
            id: id, method: request.head.method.rawValue, route: label,
            status: response.status.code, address: address, start: start,
            logging: settings.options.requestLogging)
        if let traces {
            let context = traces.context(for: request.head.headerFields[.traceParent])
            if context.isSampled { log.trace = (context, traces) }
        }
        offer(response, to: request.head, route: label, ground, on: channel)
        let count = ResponseSender.Count()
        do {
            try await ResponseSender(pool: pool, isMultiplexed: carrier.isMultiplexed)
                .send(response, with: writer, on: channel, counting: count)
            log.finish(bytes: count.bytes, failure: nil, logger, metrics)
            if mustClose { throw BrokenOff.intended }
        } catch BrokenOff.intended where mustClose {
            throw BrokenOff.intended
        } catch {
            log.finish(bytes: count.bytes, failure: error is BrokenOff ? nil : error, logger, metrics)
            note(error)
            throw error
        }
    }

    private func refuseCoding(_ writer: AnswerWriter) {
        EarlyRefusal(.badRequest, "the only transfer encoding is chunked").write(to: writer)
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

    private func answer(
        _ request: DoorRequest, _ route: Route?, _ body: RequestBody, _ settings: ServerSettings,
        _ channel: any Channel
    ) async -> DoorResponse {
        // On a host that is one root's everything is content.
        let isContent = route?.door == .gateway || settings.gateway.isOwnOrigin(request)
        if isContent, settings.options.roles.contains(.gateway) {
            return await content(request, settings)
        }
        guard let route else {
            return .text(
                .notFound, "nothing is at \(request.target.path); content is below /ipfs/ and /ipns/")
        }
        if let role = isContent ? .gateway : route.door.role, !settings.options.roles.contains(role) {
            return .text(
                .notFound,
                "this node does not play the role \(role.rawValue), which \(route.pattern) is of: "
                    + "see roles in its configuration")
        }
        let origins = route.door.isOpenToAllOrigins ? nil : settings.originGuard
        if let refusal = origins?.refusal(of: request) { return refusal }
        var response = origins?.preflight(request, methods: route.methods)
        if response == nil { response = await answer(request, on: route, body, settings, channel) }
        var answer = response ?? Self.stopping
        origins?.share(&answer, with: request)
        return answer
    }

    private func answer(
        _ request: DoorRequest, on route: Route, _ body: RequestBody, _ settings: ServerSettings,
        _ channel: any Channel
    ) async -> DoorResponse {
        // Which methods there are depends on the path: the door knows.
        if route.door == .api { return await api.respond(to: request, body: body, on: channel) }
        if route.door == .sync {
            return await sync.respond(
                to: request, body: body, on: channel, rates: settings.options.syncRates)
        }
        guard route.methods.contains(request.method) else {
            var response = DoorResponse.text(
                .methodNotAllowed,
                "\(route.pattern) answers \(route.methods.map(\.rawValue).joined(separator: ", "))")
            response.fields[.allow] = route.methods.map(\.rawValue).joined(separator: ", ")
            return response
        }
        if route.door == .link {
            return await links.respond(to: request, body: body, settings, on: channel)
        }
        if route.door == .routing { return await routing(request, body, settings.routing) }
        let (operations, doorkeeper, options) = (operations, settings.doorkeeper, settings.options)
        let load = OperationsDoor.Load(
            requests: admission.current, connections: connections.current,
            waitingBytes: open.waitingBytes.load(ordering: .relaxed), listeners: sync.waits.listening.count)
        let readiness = await route.door == .ready ? self.readiness.outcome() : nil
        let answered = try? await pool.runIfActive {
            doorkeeper.refusal(of: request, route.requirement)
                ?? operations.respond(route.door, to: request, options, load, readiness: readiness)
        }
        var response = answered ?? Self.stopping
        if request.method == .head { response.body = response.body.withoutContent }
        return response
    }

    private func routing(
        _ request: DoorRequest, _ body: RequestBody, _ routing: RoutingDoor
    ) async -> DoorResponse {
        let logger = logger
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

    private func content(_ request: DoorRequest, _ settings: ServerSettings) async -> DoorResponse {
        let (logger, metrics, content, damage) = (logger, metrics, content, damage)
        return await PatientAnswer.get {
            let response = try? await pool.runIfActive {
                content.respond(to: request, settings) { error in
                    damage.note(error)
                    guard (error as? GatewayFailure)?.isOfName == true else {
                        return logger.error(
                            "request failed", metadata: ["request": "\(request.id)", "error": "\(error)"])
                    }
                    // Whoever asks for a name chooses where it leads: nothing is wrong with this node.
                    metrics.add("nacre_names_unresolved_total")
                    logger.info(
                        "name not resolved", metadata: ["request": "\(request.id)", "reason": "\(error)"])
                }
            }
            return response ?? Self.stopping
        }
    }

    /// Notes a damaged block, where threads may wait for the catalog.
    private func note(_ error: any Error) {
        guard error is BlockStoreError else { return }
        pool.submit { [damage] _ in damage.note(error) }
    }

    private static let stopping: DoorResponse = {
        var response = DoorResponse.text(.serviceUnavailable, "the node is stopping")
        response.fields[.retryAfter] = "5"
        return response
    }()
}
