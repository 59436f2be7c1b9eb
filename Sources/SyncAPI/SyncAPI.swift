import Access
import ContentCoding
public import HTTPSupport
public import HTTPTypes
import IPLD
public import Namespaces
import NodeMessages
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

    /// Why a call was not let in, as an answer.
    public static func refusal(_ error: any Error, to request: DoorRequest) -> DoorResponse {
        let (status, problem) = problem(of: error)
        return refusal(status, problem, form(of: request))
    }

    /// A refusal as an answer.
    public static func refusal(
        _ status: HTTPResponse.Status, _ problem: SyncProblem, _ form: WireForm = .json
    ) -> DoorResponse {
        var response =
            (try? DoorResponse.message(problem.value(form), form, status))
            ?? .text(status, problem.message)
        // What to show. Spec: RFC 6750 section 3.
        if status == .unauthorized { response.fields[.wwwAuthenticate] = "Bearer realm=\"nacre\"" }
        if status == .unsupportedMediaType { response.fields[.acceptEncoding] = ContentCoding.accepted }
        if status == .serviceUnavailable || status == .tooManyRequests {
            response.fields[.retryAfter] = String(problem.retryAfterSeconds ?? 1)
        }
        return response
    }

    private static func problem(of error: any Error) -> (HTTPResponse.Status, SyncProblem) {
        switch error {
        case let failure as SyncFailure:
            let status: HTTPResponse.Status =
                switch failure {
                case .unknownNamespace, .unknownBlock, .unknownDevice, .unknownNode, .unknownLease,
                    .unknownConflict:
                    .notFound
                case .refused(let code, _): code == .quotaExceeded ? .forbidden : .conflict
                case .deviceRevoked, .signedURL: .unauthorized
                case .unsupportedEncoding: .unsupportedMediaType
                case .forbidden, .tooMuchUnnamed: .forbidden
                case .badRequest: .badRequest
                case .nameTaken, .deviceTaken: .conflict
                case .resetRequired: .gone
                case .unsupportedFile, .badBlock: .unprocessableContent
                }
            return (status, SyncProblem(code: failure.code, message: failure.description))
        case let error as NamespaceError:
            return problem(of: error)
        case let error as AccessError:
            return problem(of: error)
        case SyncMessageError.tooMany(let name, let count, let maximum):
            let error = SyncMessageError.tooMany(name, count: count, maximum: maximum)
            return (
                .contentTooLarge, SyncProblem(code: .batchTooLarge, message: error.description)
            )
        case let error as SyncMessageError:
            return (.badRequest, SyncProblem(code: .badRequest, message: error.description))
        case let error as IPLDCodecError:
            return (.badRequest, SyncProblem(code: .badRequest, message: "\(error)"))
        case let error as ContentCodingError:
            if case .tooLarge = error {
                return (.contentTooLarge, SyncProblem(code: .tooLarge, message: error.description))
            }
            return (.badRequest, SyncProblem(code: .badRequest, message: error.description))
        case let error as RequestBodyError:
            switch error {
            case .tooLarge: return (.contentTooLarge, SyncProblem(code: .tooLarge, message: "\(error)"))
            case .brokenOff: return (.badRequest, SyncProblem(code: .brokenOff, message: "\(error)"))
            }
        default: return unforeseen(NodeFailure(of: error))
        }
    }

    private static func problem(of error: NamespaceError) -> (HTTPResponse.Status, SyncProblem) {
        let (status, code): (HTTPResponse.Status, SyncCode) =
            switch error {
            case .unknownNamespace, .unknownDeletedNamespace: (.notFound, .unknownNamespace)
            case .unknownNode, .pathAbsent, .notADirectory, .notInTrash: (.notFound, .unknownNode)
            case .policyInvalid, .versionUnknown, .versionInFuture: (.badRequest, .badRequest)
            case .epochChanged, .versionAbsent: (.gone, .resetRequired)
            case .snapshotBusy: (.serviceUnavailable, .busy)
            case .tooManyOperations: (.contentTooLarge, .batchTooLarge)
            case .notAtomic: (.conflict, .notAtomic)
            case .historyRemoved, .versionRemoved: (.gone, .historyRemoved)
            case .tooManyHeld, .noteTooLong: (.badRequest, .badRequest)
            case .versionEmpty, .pathNotThen: (.conflict, .massDeleteBlocked)
            case .placeTaken: (.conflict, .nameTaken)
            case .namesClash, .nameNotAllowed: (.conflict, .policyNotMet)
            case .quotaExceeded: (.forbidden, .quotaExceeded)
            case .directoryDeleted: (.conflict, .parentMissing)
            case .contentAbsent: (.internalServerError, .damaged)
            }
        return (status, SyncProblem(code: code, message: error.description))
    }

    /// What the authority says, in the words of the protocol.
    private static func problem(of error: AccessError) -> (HTTPResponse.Status, SyncProblem) {
        let (status, code): (HTTPResponse.Status, SyncCode?) =
            switch error {
            case .credentialsMissing, .credentialsInvalid: (.unauthorized, .unauthenticated)
            case .expired: (.unauthorized, .tokenExpired)
            case .revoked: (.unauthorized, .tokenRevoked)
            case .operationNotAllowed, .outOfScope: (.forbidden, .forbidden)
            case .userAbsent: (.notFound, .unknownUser)
            case .memberAbsent: (.notFound, .unknownMember)
            case .linkAbsent, .grantAbsent: (.notFound, .unknownLink)
            default:
                switch error.kind {
                case .unauthenticated: (.unauthorized, .unauthenticated)
                case .notAllowed, .exhausted: (.forbidden, nil)
                case .tooLarge: (.contentTooLarge, nil)
                case .notFound: (.notFound, nil)
                case .conflict: (.conflict, nil)
                case .invalid: (.badRequest, .badRequest)
                case .busy: (.serviceUnavailable, .unavailable)
                case .throttled: (.tooManyRequests, .rateLimited)
                case .broken: (.internalServerError, nil)
                }
            }
        return (
            status,
            SyncProblem(
                code: code ?? word(error.code), message: error.description,
                retryAfterSeconds: error.retryAfterSeconds)
        )
    }

    /// A code of the node's API as the protocol spells it.
    private static func word(_ code: String) -> SyncCode {
        SyncCode(rawValue: code.replacing("-", with: "_"))
    }

    private static func unforeseen(_ failure: NodeFailure) -> (HTTPResponse.Status, SyncProblem) {
        let status: HTTPResponse.Status =
            switch failure.kind {
            case .unauthenticated: .unauthorized
            case .notAllowed: .forbidden
            case .notFound: .notFound
            case .conflict: .conflict
            case .invalid: .badRequest
            case .tooLarge: .contentTooLarge
            case .unsupported: .unsupportedMediaType
            case .busy: .serviceUnavailable
            case .throttled: .tooManyRequests
            case .damaged, .failed:
                failure.code == "storage-full" ? .insufficientStorage : .internalServerError
            }
        let code: SyncCode =
            switch status {
            case .insufficientStorage: .insufficientStorage
            case .badRequest: .badRequest
            default: word(failure.code)
            }
        return (
            status,
            SyncProblem(code: code, message: failure.detail, retryAfterSeconds: failure.retryAfterSeconds)
        )
    }
}
