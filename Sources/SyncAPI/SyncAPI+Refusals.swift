import Access
import ContentCoding
public import HTTPSupport
public import HTTPTypes
import IPLD
import Namespaces
import NodeMessages
import NodeService
public import SyncProtocol

/// What goes wrong, as an answer: the one place where errors get a status and a code.
extension SyncAPI {
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

    /// What an error is in the words of the protocol.
    static func problem(of error: any Error) -> (HTTPResponse.Status, SyncProblem) {
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
                case .unsupportedFile: .unprocessableContent
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
            case .unknownNode, .pathAbsent, .notInTrash: (.notFound, .unknownNode)
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
            case .revoked, .roleEnded: (.unauthorized, .tokenRevoked)
            case .operationNotAllowed, .outOfScope: (.forbidden, .forbidden)
            case .userAbsent: (.notFound, .unknownUser)
            case .memberAbsent: (.notFound, .unknownMember)
            case .linkAbsent, .grantAbsent: (.notFound, .unknownLink)
            default:
                (HTTPResponse.Status(named: NodeFailure(of: error).httpStatus), code(of: error.kind))
            }
        return (
            status,
            SyncProblem(
                code: code ?? word(error.code), message: error.description,
                retryAfterSeconds: error.retryAfterSeconds)
        )
    }

    /// What the protocol has one word for; `nil` for what keeps its own.
    private static func code(of kind: AccessError.Kind) -> SyncCode? {
        switch kind {
        case .unauthenticated: .unauthenticated
        case .invalid: .badRequest
        case .busy: .unavailable
        case .throttled: .rateLimited
        case .notAllowed, .exhausted, .tooLarge, .notFound, .conflict, .broken: nil
        }
    }

    /// A code of the node's API as the protocol spells it.
    private static func word(_ code: String) -> SyncCode {
        SyncCode(rawValue: code.replacing("-", with: "_"))
    }

    private static func unforeseen(_ failure: NodeFailure) -> (HTTPResponse.Status, SyncProblem) {
        let status = HTTPResponse.Status(named: failure.httpStatus)
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
