import Access
public import HTTPSupport
public import HTTPTypes
public import Namespaces
public import NodeService
public import SyncProtocol

/// The sync protocol over HTTP: `/sync/v1`. Format: docs/formats/sync.md.
///
/// Synchronous and without sockets.
public enum SyncAPI {
    /// What every path begins with.
    public static let prefix = "/sync/v1"

    /// Every call there is.
    public static let routes: [SyncRoute] =
        generalRoutes + deviceRoutes + treeRoutes + historyRoutes + blockRoutes + sharingRoutes

    /// Every method that some call has.
    public static let methods: [HTTPRequest.Method] = [.get, .head, .post, .put, .patch, .delete]

    /// The call that a request means, and the values in its path; the methods there are, where it has
    /// another.
    public static func route(
        _ method: HTTPRequest.Method, _ path: String
    ) -> (route: SyncRoute?, values: [String: String], methods: [HTTPRequest.Method]) {
        var segments: [String] = []
        for segment in path.dropFirst(prefix.count).split(separator: "/") {
            guard let bytes = try? PercentCoding.decode(segment),
                let text = String(validating: bytes, as: UTF8.self)
            else { return (nil, [:], []) }
            segments.append(text)
        }
        var methods: [HTTPRequest.Method] = []
        for route in routes {
            guard let values = route.match(segments) else { continue }
            // The same without the content: RFC 9110 section 9.3.2.
            let isHead = method == .head && route.method == .get && !route.isStream
            if route.method == method || isHead { return (route, values, []) }
            methods.append(route.method)
            if route.method == .get, !route.isStream { methods.append(.head) }
        }
        return (nil, [:], methods)
    }

    /// Answers a call that was let in.
    ///
    /// - Parameter report: is told of what is not the client's doing, for the log.
    public static func respond(
        to request: DoorRequest, _ route: SyncRoute, values: [String: String], service: SyncService,
        body: any RequestBytes, report: (any Error) -> Void = { _ in }
    ) -> DoorResponse {
        let call = SyncRequest(request: request, values: values, service: service, body: body)
        do {
            if route.requirement == .device, call.device.isEmpty {
                throw SyncFailure.badRequest(
                    "X-Device-Id is missing: it names the machine that writes, in 1 to 64 characters of "
                        + "ASCII without spaces")
            }
            var response = try route.handler(call).packed(accepting: request.fields[.acceptEncoding])
            if request.method == .head { response.body = response.body.withoutContent }
            return response
        } catch {
            let (status, problem) = problem(of: error)
            if status.code >= 500 { report(error) }
            // What was refused counts as nothing done; what was begun stays counted.
            if status.code < 500 { try? service.admission?.giveBack() }
            var response = refusal(status, problem, call.form)
            if request.method == .head { response.body = response.body.withoutContent }
            return response
        }
    }

    /// Listens for what a request to wait is about, and how many seconds it wants to wait.
    ///
    /// - Throws: what ``respond(to:_:values:service:body:report:)`` would make an answer of.
    public static func listen(
        _ request: DoorRequest, _ body: [UInt8], _ service: SyncService,
        _ onChange: @escaping @Sendable () -> Void
    ) throws -> (listening: [Listening], seconds: Int) {
        let call = SyncRequest(
            request: request, values: [:], service: service, body: WholeRequestBody(body))
        let wait = try WaitRequest(try call.message())
        return (try service.listen(for: wait, onChange), wait.seconds)
    }

    /// The device that a request says it is of; empty for none.
    ///
    /// - Throws: `bad_request` for what is no id: cut or cleaned it would be that of another device.
    public static func device(of request: DoorRequest) throws(SyncFailure) -> String {
        let text = request.fields[.deviceID] ?? ""
        guard text.isEmpty || SyncService.isDeviceID(text) else {
            throw .badRequest("X-Device-Id is 1 to 64 characters of ASCII without spaces")
        }
        return text
    }

    /// How a client wants to be answered: as it asks, else as it spoke.
    public static func form(of request: DoorRequest) -> WireForm {
        for word in (request.fields[.accept] ?? "").split(separator: ",") {
            if let form = WireForm(mediaType: String(word)) { return form }
        }
        return WireForm(mediaType: request.fields[.contentType] ?? "") ?? .json
    }
}
