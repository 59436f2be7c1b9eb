import Access
import GatewayAPI
import HTTPSupport
import HTTPTypes
import NodeMessages
import NodeService

/// What whoever came by a link is told of an error: pages for browsers, a line for others, and nothing of
/// what is in the namespace.
enum LinkRefusal {
    /// - Parameter report: is told of what is not the client's doing.
    static func response(
        to request: DoorRequest, _ error: any Error, report: (any Error) -> Void
    ) -> DoorResponse {
        var response: DoorResponse
        switch error {
        case AccessError.passwordMissing: response = LinkPages.password(request, .unauthorized, problem: nil)
        case AccessError.loginRefused:
            response = LinkPages.password(request, .unauthorized, problem: "the password is wrong")
        case AccessError.loginThrottled(let seconds):
            response = LinkPages.password(
                request, .tooManyRequests,
                problem: AccessError.loginThrottled(seconds: seconds).description)
            response.fields[.retryAfter] = String(seconds)
        default:
            let (status, detail) = status(of: error, report: report)
            response = LinkPages.refusal(request, status, title: title(status), detail: detail)
            if status == .serviceUnavailable { response.fields[.retryAfter] = "2" }
        }
        if request.method == .head { response.body = response.body.withoutContent }
        return protected(response)
    }

    /// The same, out of shared caches.
    static func protected(_ response: DoorResponse) -> DoorResponse {
        var response = response
        LinkPages.protect(&response)
        return response
    }

    /// The status of an error, and what is said of it.
    static func status(
        of error: any Error, report: (any Error) -> Void
    ) -> (HTTPResponse.Status, String) {
        switch error {
        case let error as AccessError: return status(of: error)
        case let error as MultipartError: return (.badRequest, error.description)
        case let error as RequestBodyError:
            switch error {
            case .tooLarge: return (.contentTooLarge, error.description)
            case .brokenOff: return (.badRequest, error.description)
            }
        default: break
        }
        let failure = NodeFailure(of: error)
        switch failure.kind {
        case .invalid: return (.badRequest, failure.detail)
        case .tooLarge: return (.contentTooLarge, failure.detail)
        case .unsupported: return (.unsupportedMediaType, failure.detail)
        case .conflict: return (.conflict, failure.detail)
        case .notFound where failure.code == "link-ended": return (.gone, failure.detail)
        case .busy: return (.serviceUnavailable, "the node has too much to do; try again in a moment")
        default:
            report(error)
            let isFull = failure.code == "storage-full"
            return isFull
                ? (HTTPResponse.Status(code: 507, reasonPhrase: "Insufficient Storage"), "the disk is full")
                : (.internalServerError, "the request id finds the reason in the node's log")
        }
    }

    private static func status(of error: AccessError) -> (HTTPResponse.Status, String) {
        switch error {
        case .linkAbsent: (.notFound, "there is no such link; check that it was copied as a whole")
        case .revoked, .roleEnded: (.gone, "the link was taken back; ask for a new one")
        case .expired: (.gone, "the link has expired; ask for a new one")
        case .usesExhausted: (.gone, "the link was used as often as it may be; ask for a new one")
        case .bytesExhausted: (.gone, "as much was sent as the link is good for; ask for a new one")
        case .sourceNotAllowed: (.forbidden, "the link may not be used from this address")
        case .referrerNotAllowed: (.forbidden, "the link works from the page that it was made for")
        case .operationNotAllowed: (.methodNotAllowed, "the link is for reading, not for sending files")
        case .contentTypeNotAllowed(let type): (.unsupportedMediaType, "files of type \(type) are not taken")
        case .tooLarge(_, let limit): (.contentTooLarge, "a file may have \(limit) bytes here")
        default: (error.kind == .busy ? .serviceUnavailable : .forbidden, error.description)
        }
    }

    private static func title(_ status: HTTPResponse.Status) -> String {
        switch status {
        case .notFound: "This link leads nowhere"
        case .gone: "This link has ended"
        case .forbidden: "This link does not open here"
        case .contentTooLarge: "This is too large"
        default: "This cannot be done"
        }
    }
}
