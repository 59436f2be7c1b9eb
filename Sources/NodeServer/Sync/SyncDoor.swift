import Access
import HTTPSupport
import HTTPTypes
import Logging
import NIOCore
import NIOHTTPTypes
import NIOPosix
import NodeCore
import NodeService
import Synchronization
import SyncAPI
import SyncProtocol

/// Answers `/sync/v1`: finds the call, asks who it is, and lets it be done where threads may wait. Who
/// waits for changes holds no thread.
struct SyncDoor: Sendable {
    let node: StorageNode
    let authority: Authority
    /// For what is done soon.
    let pool: NIOThreadPool
    /// For what brings a body.
    let patientPool: NIOThreadPool
    let logger: Logger
    let hub: SyncHub
    /// Those who wait for changes.
    let waits = SyncWaits()

    /// The answer to a request. It ends the connection where a body that nobody read is in the way.
    func respond(
        to request: DoorRequest, body: RequestBody, on channel: any Channel, rates: DeviceRates.Limits
    ) async -> DoorResponse {
        let (found, values, methods) = SyncAPI.route(request.method, request.target.path)
        guard let route = found else {
            return Self.absent(methods, request).closing(request.hasBody)
        }
        let keeper = Doorkeeper(authority: authority, metricsArePublic: false)
        let admitted = try? await pool.runIfActive { [node, authority, hub] in
            Result { () throws(RefusedRequest) in
                try keeper.admit(request, route, to: node, authority, hub, rates)
            }.map { ($0, $0.caller) }
        }
        guard let admitted else { return Self.stopping(request).closing(true) }
        let (service, caller): (SyncService, SyncCaller)
        switch admitted {
        case .failure(let refusal): return refusal.response.closing(request.hasBody)
        case .success(let guest): (service, caller) = guest
        }
        let holdsStream = !route.waits && !route.isStream && route.requirement != .nothing
        let entered = hub.enter(caller, rates, holdsStream: holdsStream)
        if let refusal = entered.refusal {
            // Nothing was done; it comes again.
            _ = try? await pool.runIfActive { try? service.admission?.giveBack() }
            let problem = Self.problem(refusal, rates)
            return SyncAPI.refusal(.tooManyRequests, problem, SyncAPI.form(of: request))
                .closing(request.hasBody)
        }
        defer { hub.leave(entered.entry) }
        if request.fields[.expect]?.lowercased() == "100-continue" {
            let head = HTTPResponsePart.head(HTTPResponse(status: .continue))
            try? await channel.writeAndFlush(head)
        }
        if route.isStream { return await events(request, route, service, caller, rates) }
        if route.waits { return await wait(request, route, values, service, caller, body) }
        return await respond(to: request, route, values, service, body)
    }

    private func respond(
        to request: DoorRequest, _ route: SyncRoute, _ values: [String: String], _ service: SyncService,
        _ body: RequestBody
    ) async -> DoorResponse {
        let logger = logger
        let pipe = BodyPipe()
        let work = { @Sendable in
            let response = SyncAPI.respond(
                to: request, route, values: values, service: service, body: pipe
            ) { [node] error in
                node.damage.note(error)
                logger.error(
                    "request failed", metadata: ["request": "\(request.id)", "error": "\(error)"])
            }
            return response.closing(!pipe.close() && request.hasBody)
        }
        let length = request.fields[.contentLength].flatMap { Int64($0) }
        async let feeding: Void = pipe.feed(body, length: length)
        let answer = try? await (request.hasBody ? patientPool : pool).runIfActive(work)
        if answer == nil { pipe.close() }
        await feeding
        return answer ?? Self.stopping(request).closing(true)
    }

    private static func problem(
        _ refusal: DeviceRates.Refusal, _ limits: DeviceRates.Limits
    ) -> SyncProblem {
        switch refusal {
        case .rate(let milliseconds):
            SyncProblem(
                code: .rateLimited,
                message: "a device may ask \(limits.requestsPerSecond) times a second, and all of one key "
                    + "\(SyncHub.devicesAtOnce) times as often; wait a moment",
                retryAfterMilliseconds: Int(clamping: milliseconds))
        case .streams:
            SyncProblem(
                code: .rateLimited,
                message: "a device may have \(limits.streams) requests under way, and all of one key "
                    + "\(SyncHub.devicesAtOnce) times as many; wait for one of them",
                retryAfterMilliseconds: 100)
        }
    }

    /// Where clients wait for changes: they do nothing meanwhile, and are bounded here.
    static let waitPatterns: Set<String> = [SyncAPI.prefix + "/wait", SyncAPI.prefix + "/events"]
    /// Answers with events until the client goes, its key ends, or the node stops.
    private func events(
        _ request: DoorRequest, _ route: SyncRoute, _ service: SyncService, _ caller: SyncCaller,
        _ rates: DeviceRates.Limits
    ) async -> DoorResponse {
        let checked = try? await pool.runIfActive {
            SyncAPI.respond(
                to: request, route, values: [:], service: service, body: WholeRequestBody([]))
        }
        guard let checked else { return Self.stopping(request).closing(request.hasBody) }
        guard checked.status == .noContent, let wanted = try? EventRequest(request) else {
            return checked.closing(request.hasBody)
        }
        let place: SyncPlaces.Place
        switch waits.listening.take(by: caller.owner) {
        case .success(let taken): place = taken
        case .failure(let refusal):
            return Self.refusal(refusal, "listen to", request).closing(request.hasBody)
        }
        let keeper = Doorkeeper(authority: authority, metricsArePublic: false)
        let stream = EventStream(wanted, waits: waits, place: place) {
            [pool, node, authority, hub] look in
            try? await pool.runIfActive {
                Result { () throws(RefusedRequest) in
                    try keeper.admit(request, route, to: node, authority, hub, rates)
                }.map(look)
            }
        }
        return EventRequest.answer(stream).closing(request.hasBody)
    }

    private static func refusal(
        _ refusal: SyncPlaces.Refusal, _ verb: String, _ request: DoorRequest
    ) -> DoorResponse {
        let form = SyncAPI.form(of: request)
        return switch refusal {
        case .all:
            SyncAPI.refusal(
                .serviceUnavailable,
                SyncProblem(
                    code: .unavailable, message: "too many clients \(verb) changes; ask again later",
                    retryAfterSeconds: 10), form)
        case .ofOne(let maximum):
            SyncAPI.refusal(
                .tooManyRequests,
                SyncProblem(
                    code: .rateLimited,
                    message: "\(maximum) clients of one key may \(verb) changes at once; give machines "
                        + "keys of their own, or let some of them ask for fewer",
                    retryAfterMilliseconds: 5000), form)
        }
    }

    /// The most bytes of a request that waits.
    private static let maximumWaitBytes = 64 * 1024

    /// Answers once something changed, or the time is up.
    private func wait(
        _ request: DoorRequest, _ route: SyncRoute, _ values: [String: String], _ service: SyncService,
        _ caller: SyncCaller, _ body: RequestBody
    ) async -> DoorResponse {
        let place: SyncPlaces.Place
        switch waits.waiting.take(by: caller.owner) {
        case .success(let taken): place = taken
        case .failure(let refusal):
            return Self.refusal(refusal, "wait for", request).closing(request.hasBody)
        }
        defer { withExtendedLifetime(place) {} }
        let bytes: [UInt8]
        do {
            bytes = Array(try await body.collect(upTo: Self.maximumWaitBytes).readableBytesView)
        } catch {
            let problem = SyncProblem(
                code: .tooLarge, message: "a wait has \(Self.maximumWaitBytes) bytes at most")
            return SyncAPI.refusal(.contentTooLarge, problem, SyncAPI.form(of: request)).closing(true)
        }
        let logger = logger
        let ask = { @Sendable in
            SyncAPI.respond(
                to: request, route, values: values, service: service, body: WholeRequestBody(bytes)
            ) { error in
                logger.error(
                    "request failed", metadata: ["request": "\(request.id)", "error": "\(error)"])
            }
        }
        let bell = Bell()
        waits.add(bell)
        hub.tally.count { $0.waits += 1 }
        defer {
            waits.remove(bell)
            hub.tally.count { $0.waits -= 1 }
        }
        let prepared = try? await pool.runIfActive {
            Result { try SyncAPI.listen(request, bytes, service) { bell.ring() } }
        }
        // What is wrong with the request is told as of any other.
        guard case .success(let (listening, seconds))? = prepared else {
            return (try? await pool.runIfActive(ask)) ?? Self.stopping(request)
        }
        let deadline = ContinuousClock.now + .seconds(seconds)
        while true {
            guard
                let (response, isNews) = try? await pool.runIfActive({
                    let response = ask()
                    return (response, response.status != .noContent)
                })
            else { return Self.stopping(request) }
            if isNews || ContinuousClock.now >= deadline || Task.isCancelled || waits.isStopping {
                withExtendedLifetime(listening) {}
                if response.status == .ok { hub.tally.count { $0.wakeUps += 1 } }
                return response
            }
            await bell.wait(until: deadline)
        }
    }

    private static func absent(
        _ methods: [HTTPRequest.Method], _ request: DoorRequest
    ) -> DoorResponse {
        let form = SyncAPI.form(of: request)
        guard !methods.isEmpty else {
            return SyncAPI.refusal(
                .notFound,
                SyncProblem(
                    code: .noSuchCall, message: "nothing is here; /sync/v1/hello tells what there is"),
                form)
        }
        let allowed = methods.map(\.rawValue).joined(separator: ", ")
        var response = SyncAPI.refusal(
            .methodNotAllowed, SyncProblem(code: .methodNotAllowed, message: "this takes \(allowed)"),
            form)
        response.fields[.allow] = allowed
        return response
    }

    private static func stopping(_ request: DoorRequest) -> DoorResponse {
        SyncAPI.refusal(
            .serviceUnavailable, SyncProblem(code: .unavailable, message: "the node is stopping"),
            SyncAPI.form(of: request))
    }
}

extension Doorkeeper {
    /// Lets a call of the sync protocol in, or says why not. What it may do is asked namespace by
    /// namespace; how often and how much is counted here.
    func admit(
        _ request: DoorRequest, _ route: SyncRoute, to node: StorageNode, _ authority: Authority,
        _ hub: SyncHub, _ rates: DeviceRates.Limits
    ) throws(RefusedRequest) -> SyncService {
        var facts = RequestFacts(
            source: IPAddress(request.remoteAddress), referrer: request.fields[.referer])
        // Files that sync have no type: then it is this one, RFC 9110 section 8.3.
        facts.contentType = "application/octet-stream"
        do {
            if route.requirement != .nothing, case .signedURL = credentials(of: request) {
                throw SyncFailure.signedURL
            }
            let authorizer = authority.authorizer
            guard route.requirement != .nothing else {
                // Nobody yet, who comes from somewhere.
                let stranger = try authorizer.principal(for: .none, facts)
                return SyncService(node, as: stranger, hub: hub, rates: rates)
            }
            let principal = try self.principal(of: request, authorizer, facts)
            let device = try SyncAPI.device(of: request)
            let admission =
                route.isCounted
                ? try authorizer.authorizeUse(principal, isUpload: route.isUpload, facts: facts)
                : try authorizer.authorizeWaiting(principal, facts: facts)
            let service = SyncService(
                node, as: principal, device: device, hub: hub, rates: rates, authority: authority,
                admission: admission)
            do { try service.admitDevice() } catch {
                try? admission.giveBack()
                throw error
            }
            return service
        } catch  where error is AccessError || error is SyncFailure {
            throw RefusedRequest(response: SyncAPI.refusal(error, to: request))
        } catch {
            let problem = SyncProblem(
                code: .unavailable, message: "whether this is allowed cannot be decided now; try again",
                retryAfterSeconds: 1)
            throw RefusedRequest(
                response: SyncAPI.refusal(.serviceUnavailable, problem, SyncAPI.form(of: request)))
        }
    }
}

/// Who waits for changes: a node that stops lets them go at once.
final class SyncWaits: Sendable {
    private let state = Mutex<(isStopping: Bool, bells: [ObjectIdentifier: Bell])>((false, [:]))

    var isStopping: Bool { state.withLock { $0.isStopping } }

    func add(_ bell: Bell) { state.withLock { $0.bells[ObjectIdentifier(bell)] = bell } }
    func remove(_ bell: Bell) { state.withLock { $0.bells[ObjectIdentifier(bell)] = nil } }

    /// How many wait.
    var count: Int { state.withLock { $0.bells.count } }

    /// Of those who listen without an end.
    let listening: SyncPlaces
    /// Of those who wait for one answer: each is a task and a connection.
    let waiting: SyncPlaces

    init(
        listening: SyncPlaces = SyncPlaces(maximum: 1024, ofOne: 128),
        waiting: SyncPlaces = SyncPlaces(maximum: 8192, ofOne: 1024)
    ) {
        (self.listening, self.waiting) = (listening, waiting)
    }

    func stop() {
        let bells = state.withLock { state in
            state.isStopping = true
            return Array(state.bells.values)
        }
        for bell in bells { bell.ring() }
    }
}

/// Wakes one task that waits, also if it rings before.
final class Bell: Sendable {
    private struct State {
        var hasRung = false
        var waiter: CheckedContinuation<Void, Never>?
    }

    private let state = Mutex(State())

    func ring() {
        let waiter = state.withLock { state in
            guard let waiter = state.waiter else {
                state.hasRung = true
                return nil as CheckedContinuation<Void, Never>?
            }
            state.waiter = nil
            return waiter
        }
        waiter?.resume()
    }

    /// Returns when it has rung since the last wait, at the deadline, or when the task is cancelled.
    func wait(until deadline: ContinuousClock.Instant) async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { try? await Task.sleep(until: deadline, clock: .continuous) }
            group.addTask {
                await withTaskCancellationHandler {
                    await withCheckedContinuation { continuation in
                        let isOver = self.state.withLock { state in
                            if state.hasRung || Task.isCancelled {
                                state.hasRung = false
                                return true
                            }
                            state.waiter = continuation
                            return false
                        }
                        if isOver { continuation.resume() }
                    }
                } onCancel: {
                    self.ring()
                }
            }
            await group.next()
            group.cancelAll()
        }
    }
}
