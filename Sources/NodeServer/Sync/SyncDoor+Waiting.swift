import HTTPSupport
import HTTPTypes
import NIOCore
import NIOPosix
import NodeService
import SyncAPI

/// Clients that wait for changes. They hold no thread meanwhile, and a place each, of which there are so
/// many.
extension SyncDoor {
    /// Where clients wait for changes: they do nothing meanwhile, and are bounded here.
    static let waitPatterns: Set<String> = [SyncAPI.prefix + "/wait", SyncAPI.prefix + "/events"]

    /// The most bytes of a request that waits.
    private static let maximumWaitBytes = 64 * 1024

    // MARK: Events

    /// Answers with events until the client goes, its key ends, or the node stops.
    func events(_ call: AdmittedCall) async -> DoorResponse {
        let request = call.request
        let checked = try? await pool.runIfActive { answer(call, WholeRequestBody([])) }
        guard let checked else { return Self.stopping(request).closing(request.hasBody) }
        guard checked.status == .noContent, let wanted = try? EventRequest(request) else {
            return checked.closing(request.hasBody)
        }
        let place: SyncPlaces.Place
        switch waits.listening.take(by: call.caller.owner) {
        case .success(let taken): place = taken
        case .failure(let refusal):
            return Self.full(refusal, "listen to", request).closing(request.hasBody)
        }
        let stream = EventStream(wanted, waits: waits, place: place) { look in
            try? await pool.runIfActive { service(for: request, call.route, call.rates).map(look) }
        }
        return EventRequest.answer(stream).closing(request.hasBody)
    }

    // MARK: One answer

    /// Answers once something changed, or the time is up.
    func wait(_ call: AdmittedCall, _ body: RequestBody) async -> DoorResponse {
        let request = call.request
        let place: SyncPlaces.Place
        switch waits.waiting.take(by: call.caller.owner) {
        case .success(let taken): place = taken
        case .failure(let refusal):
            return Self.full(refusal, "wait for", request).closing(request.hasBody)
        }
        defer { withExtendedLifetime(place) {} }
        let bytes: [UInt8]
        do {
            bytes = Array(try await body.collect(upTo: Self.maximumWaitBytes).readableBytesView)
        } catch {
            return Self.tooLong(maximumBytes: Self.maximumWaitBytes, request).closing(true)
        }
        let bell = Bell()
        waits.add(bell)
        hub.tally.count { $0.waits += 1 }
        defer {
            waits.remove(bell)
            hub.tally.count { $0.waits -= 1 }
        }
        return await wait(call, bytes, for: bell)
    }

    private func wait(_ call: AdmittedCall, _ bytes: [UInt8], for bell: Bell) async -> DoorResponse {
        let look = { @Sendable in answer(call, WholeRequestBody(bytes)) }
        let begun = try? await pool.runIfActive {
            Result { try SyncAPI.listen(call.request, bytes, call.service) { bell.ring() } }
        }
        // What is wrong with the request is told as of any other.
        guard case .success(let (listening, seconds))? = begun else {
            return (try? await pool.runIfActive(look)) ?? Self.stopping(call.request)
        }
        defer { withExtendedLifetime(listening) {} }
        let deadline = ContinuousClock.now + .seconds(seconds)
        while true {
            guard let response = try? await pool.runIfActive(look) else {
                return Self.stopping(call.request)
            }
            let isNews = response.status != .noContent
            if isNews || ContinuousClock.now >= deadline || Task.isCancelled || waits.isStopping {
                if response.status == .ok { hub.tally.count { $0.wakeUps += 1 } }
                return response
            }
            await bell.wait(until: deadline)
        }
    }
}
