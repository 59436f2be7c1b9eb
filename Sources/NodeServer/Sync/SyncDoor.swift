import Access
import HTTPSupport
import HTTPTypes
import Logging
import NIOCore
import NIOHTTPTypes
import NIOPosix
import NodeCore
import NodeService
import SyncAPI

/// Answers `/sync/v1`: finds the call, asks who it is, and lets it be done where threads may wait. Who
/// waits for changes holds no thread (`SyncDoor+Waiting.swift`).
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

    /// A call that was let in.
    struct AdmittedCall: Sendable {
        let request: DoorRequest
        let route: SyncRoute
        /// Of the placeholders in the path.
        let values: [String: String]
        let service: SyncService
        /// By what it is counted.
        let caller: SyncCaller
        let rates: DeviceRates.Limits

        /// Whether it takes one of the places of requests that are worked on. Who waits does nothing.
        var holdsStream: Bool { !route.waits && !route.isStream && route.requirement != .nothing }
    }

    /// The answer to a request. It ends the connection where a body that nobody read is in the way.
    func respond(
        to request: DoorRequest, body: RequestBody, on channel: any Channel, rates: DeviceRates.Limits
    ) async -> DoorResponse {
        let (found, values, methods) = SyncAPI.route(request.method, request.target.path)
        guard let route = found else {
            return Self.absent(methods, request).closing(request.hasBody)
        }
        let call: AdmittedCall
        switch await admit(request, route, rates) {
        case .success(let (service, caller))?:
            call = AdmittedCall(
                request: request, route: route, values: values, service: service, caller: caller,
                rates: rates)
        case .failure(let refusal)?: return refusal.response.closing(request.hasBody)
        case nil: return Self.stopping(request).closing(true)
        }
        let (entry, refusal) = hub.enter(call.caller, rates, holdsStream: call.holdsStream)
        if let refusal {
            // Nothing was done; it comes again.
            _ = try? await pool.runIfActive { try? call.service.admission?.giveBack() }
            return Self.tooMuch(refusal, rates, request).closing(request.hasBody)
        }
        defer { hub.leave(entry) }
        if request.fields[.expect]?.lowercased() == "100-continue" {
            let head = HTTPResponsePart.head(HTTPResponse(status: .continue))
            try? await channel.writeAndFlush(head)
        }
        if route.isStream { return await events(call) }
        if route.waits { return await wait(call, body) }
        return await work(call, body)
    }

    /// Asks who it is; `nil` where the node stops.
    private func admit(
        _ request: DoorRequest, _ route: SyncRoute, _ rates: DeviceRates.Limits
    ) async -> Result<(SyncService, SyncCaller), RefusedRequest>? {
        try? await pool.runIfActive {
            // By what it is counted is looked up as well.
            service(for: request, route, rates).map { ($0, $0.caller) }
        }
    }

    /// What a request may use, on a thread that may wait.
    func service(
        for request: DoorRequest, _ route: SyncRoute, _ rates: DeviceRates.Limits
    ) -> Result<SyncService, RefusedRequest> {
        Result { () throws(RefusedRequest) in
            try Doorkeeper(authority: authority, metricsArePublic: false)
                .admit(request, route, to: node, hub, rates)
        }
    }

    /// Does a call, and answers.
    private func work(_ call: AdmittedCall, _ body: RequestBody) async -> DoorResponse {
        let request = call.request
        let pipe = BodyPipe()
        let work = { @Sendable in answer(call, pipe).closing(!pipe.close() && request.hasBody) }
        let length = request.fields[.contentLength].flatMap { Int64($0) }
        async let feeding: Void = pipe.feed(body, length: length)
        let response = try? await (request.hasBody ? patientPool : pool).runIfActive(work)
        if response == nil { pipe.close() }
        await feeding
        return response ?? Self.stopping(request).closing(true)
    }

    /// What a call comes to, on a thread that may wait.
    func answer(_ call: AdmittedCall, _ body: any RequestBytes) -> DoorResponse {
        SyncAPI.respond(
            to: call.request, call.route, values: call.values, service: call.service, body: body
        ) { error in
            node.damage.note(error)
            logger.error(
                "request failed", metadata: ["request": "\(call.request.id)", "error": "\(error)"])
        }
    }
}
