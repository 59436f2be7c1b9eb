public import Access
public import HTTPSupport
public import HTTPTypes
import NodeCore
public import NodeMessages
public import NodeService
import Synchronization

/// The API of the node: `/api/v1`.
///
/// Synchronous and without sockets: whoever has a request that was allowed gets an answer. Errors are
/// problem documents (RFC 9457), long work is a job.
public struct NodeAPI: Sendable {
    /// What every path begins with.
    public static let prefix = "/api/v1"

    /// Every operation there is.
    public static let routes: [APIRoute] =
        contentRoutes + fileRoutes + importRoutes + pinRoutes + wholeRoutes + nameRoutes + grantRoutes
        + accountRoutes + sessionRoutes + namespaceRoutes + sharingRoutes

    private let jobs: NodeJobs
    private let imports: ImportSessions

    public init(jobs: NodeJobs, imports: ImportSessions) {
        self.jobs = jobs
        self.imports = imports
    }

    /// Every method that some operation has.
    public static let methods: [HTTPRequest.Method] = [.get, .head, .post, .put, .patch, .delete]

    /// The pattern of a path, whatever the method; `nil` if no operation is there.
    public static func pattern(of path: String) -> String? {
        let segments = path.dropFirst(prefix.count).split(separator: "/").map(String.init)
        // `/blocks/sizes` could be a placeholder's value too: what stands there literally is meant.
        return routes.filter { $0.match(segments) != nil }.min { $0.values < $1.values }?.pattern
    }

    /// The operation that a request means, and the values in its path.
    ///
    /// - Parameter path: percent-encoded, from the beginning.
    /// - Throws: `not-found`, `method-not-allowed` with the methods that are.
    public static func route(
        _ method: HTTPRequest.Method, _ path: String
    ) throws(APIRoutingError) -> (route: APIRoute, values: [String: String]) {
        var segments: [String] = []
        for segment in path.dropFirst(prefix.count).split(separator: "/") {
            guard let bytes = try? PercentCoding.decode(segment),
                let text = String(validating: bytes, as: UTF8.self)
            else { throw .notFound }
            segments.append(text)
        }
        let method = method == .head ? .get : method
        var methods: [HTTPRequest.Method] = []
        for route in routes {
            guard let values = route.match(segments) else { continue }
            if route.method == method { return (route, values) }
            methods.append(route.method)
            if route.method == .get { methods.append(.head) }
        }
        throw methods.isEmpty ? .notFound : .methodNotAllowed(methods)
    }

    /// What an error means here. A client that goes away in the middle of its body, or sends no form where
    /// it says so, is no failure of the node.
    private static func failure(of error: any Error) -> NodeFailure {
        switch error {
        case RequestBodyError.brokenOff:
            NodeFailure(.invalid, code: "broken-off", detail: String(describing: error))
        case let error as MultipartError:
            NodeFailure(.invalid, code: "invalid-form", detail: error.description)
        default: NodeFailure(of: error)
        }
    }

    /// Answers a request that was allowed.
    ///
    /// - Parameters:
    ///   - node: as whoever asks may use it.
    ///   - report: is told of what is not the client's doing, for the log.
    public func respond(
        to request: DoorRequest, _ route: APIRoute, values: [String: String], node: LocalNode,
        admission: Admission, body: any RequestBytes, report: (any Error) -> Void = { _ in }
    ) -> DoorResponse {
        var response: DoorResponse
        let body = CountedBody(body)
        do {
            response = try route.handler(
                APIRequest(
                    request, route, values: values, node: node, jobs: jobs, imports: imports,
                    admission: admission, body: body))
            if !route.settlesItself { try admission.settle() }
        } catch {
            let failure = Self.failure(of: error)
            if [.failed, .damaged].contains(failure.kind) { report(error) }
            // What was refused counts as nothing done, but for what of an upload may be stored already;
            // what was begun stays counted.
            if failure.kind != .failed { try? admission.giveBack(keeping: route.isStream ? body.count : 0) }
            response = Self.problem(failure)
        }
        if request.method == .head { response.body = response.body.withoutContent }
        return response
    }

    /// A failure as an answer.
    public static func problem(_ failure: NodeFailure) -> DoorResponse {
        let status = HTTPResponse.Status(named: failure.httpStatus)
        var response = ProblemDocument(status, code: failure.code, detail: failure.detail).response
        if status == .serviceUnavailable || status == .tooManyRequests {
            response.fields[.retryAfter] = String(failure.retryAfterSeconds ?? 1)
        }
        return response
    }
}

/// A body that counts what was taken of it.
private final class CountedBody: RequestBytes {
    private let body: any RequestBytes
    private let bytes = Atomic<Int64>(0)

    init(_ body: any RequestBytes) { self.body = body }

    /// Bytes so far.
    var count: Int64 { bytes.load(ordering: .relaxed) }

    func next() throws -> ArraySlice<UInt8>? {
        let piece = try body.next()
        if let piece { bytes.add(Int64(piece.count), ordering: .relaxed) }
        return piece
    }
}

/// Why a path is no operation.
public enum APIRoutingError: Error, Hashable, Sendable {
    case notFound
    case methodNotAllowed([HTTPRequest.Method])

    /// The error as an answer.
    public var response: DoorResponse {
        switch self {
        case .notFound:
            return ProblemDocument(
                .notFound, code: "no-such-operation",
                detail: "nothing is here; \(NodeAPI.prefix)/openapi.json tells what there is"
            ).response
        case .methodNotAllowed(let methods):
            let allowed = methods.map(\.rawValue).joined(separator: ", ")
            var response = ProblemDocument(
                .methodNotAllowed, code: "method-not-allowed", detail: "this takes \(allowed)"
            ).response
            response.fields[.allow] = allowed
            return response
        }
    }
}
