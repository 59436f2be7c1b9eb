public import HTTPSupport
import HTTPTypes
import NodeService

/// `GET /sync/v1/events`: what somebody wants to hear of.
public struct EventRequest: Hashable, Sendable {
    /// Names or ids; all that may be read for none. `?ns=recipes,notes`, or `ns` several times.
    public let namespaces: [String]
    /// Whether to be told of files that are being sent as well: `?inflight=true`.
    public let wantsInflight: Bool
    /// The id of the last event that came, of somebody who comes again.
    public let lastEvent: String?

    /// - Throws: `SyncFailure.badRequest`.
    public init(_ request: DoorRequest) throws {
        var names: [String] = []
        var wantsInflight = false
        for pair in (request.target.query ?? "").split(separator: "&") {
            let parts = pair.split(separator: "=", maxSplits: 1)
            if pair == "inflight=true" {
                wantsInflight = true
                continue
            }
            guard parts.count == 2, parts[0] == "ns" else {
                throw SyncFailure.badRequest("the query is ns=NAME, inflight=true, or nothing")
            }
            for part in parts[1].replacing("%2C", with: ",").split(separator: ",") {
                guard let bytes = try? PercentCoding.decode(part),
                    let text = String(validating: bytes, as: UTF8.self)
                else { throw SyncFailure.badRequest("ns is a name or an id, percent-encoded") }
                names.append(text)
            }
        }
        guard names.count <= SyncService.maximumWatched else {
            throw SyncFailure.badRequest("\(SyncService.maximumWatched) namespaces at most")
        }
        namespaces = names
        self.wantsInflight = wantsInflight
        lastEvent = request.fields[.lastEventID].map { String($0.prefix(64)) }
    }

    /// The head of the answer that goes on. Spec: HTML, "Server-sent events".
    public static func answer(_ body: any LiveBody) -> DoorResponse {
        DoorResponse(
            .ok,
            fields: [
                .contentType: "text/event-stream", .cacheControl: "no-store",
                .contentTypeOptions: "nosniff",
            ], body: .live(body))
    }
}
