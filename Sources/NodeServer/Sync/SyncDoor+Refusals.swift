import HTTPSupport
import HTTPTypes
import NodeService
import SyncAPI
import SyncProtocol

/// What is answered without looking at what is asked.
extension SyncDoor {
    /// - Parameter methods: those that the path has; none where there is no such path.
    static func absent(_ methods: [HTTPRequest.Method], _ request: DoorRequest) -> DoorResponse {
        guard !methods.isEmpty else {
            return refusal(
                .notFound, .noSuchCall, "nothing is here; /sync/v1/hello tells what there is", request)
        }
        let allowed = methods.map(\.rawValue).joined(separator: ", ")
        var response = refusal(
            .methodNotAllowed, .methodNotAllowed, "this takes \(allowed)", request)
        response.fields[.allow] = allowed
        return response
    }

    static func stopping(_ request: DoorRequest) -> DoorResponse {
        refusal(.serviceUnavailable, .unavailable, "the node is stopping", request)
    }

    /// Whoever asks too often, or for too much at once.
    static func tooMuch(
        _ refusal: DeviceRates.Refusal, _ limits: DeviceRates.Limits, _ request: DoorRequest
    ) -> DoorResponse {
        switch refusal {
        case .rate(let milliseconds):
            Self.refusal(
                .tooManyRequests, .rateLimited,
                "a device may ask \(limits.requestsPerSecond) times a second, and all of one key "
                    + "\(SyncHub.devicesAtOnce) times as often; wait a moment",
                request, retryAfterMilliseconds: Int(clamping: milliseconds))
        case .streams:
            Self.refusal(
                .tooManyRequests, .rateLimited,
                "a device may have \(limits.streams) requests under way, and all of one key "
                    + "\(SyncHub.devicesAtOnce) times as many; wait for one of them",
                request, retryAfterMilliseconds: 100)
        }
    }

    /// Whoever finds no place where clients wait.
    static func full(
        _ refusal: SyncPlaces.Refusal, _ verb: String, _ request: DoorRequest
    ) -> DoorResponse {
        switch refusal {
        case .all:
            Self.refusal(
                .serviceUnavailable, .unavailable, "too many clients \(verb) changes; ask again later",
                request, retryAfterMilliseconds: 10_000)
        case .ofOne(let maximum):
            Self.refusal(
                .tooManyRequests, .rateLimited,
                "\(maximum) clients of one key may \(verb) changes at once; give machines keys of their own, "
                    + "or let some of them ask for fewer",
                request, retryAfterMilliseconds: 5000)
        }
    }

    /// A request to wait that is longer than any need be.
    static func tooLong(maximumBytes: Int, _ request: DoorRequest) -> DoorResponse {
        refusal(.contentTooLarge, .tooLarge, "a wait has \(maximumBytes) bytes at most", request)
    }

    private static func refusal(
        _ status: HTTPResponse.Status, _ code: SyncCode, _ message: String, _ request: DoorRequest,
        retryAfterMilliseconds: Int? = nil
    ) -> DoorResponse {
        let problem = SyncProblem(
            code: code, message: message, retryAfterMilliseconds: retryAfterMilliseconds)
        return SyncAPI.refusal(status, problem, SyncAPI.form(of: request))
    }
}
