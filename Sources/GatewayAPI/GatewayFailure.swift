import HTTPTypes
public import Multiformats

/// Why a request to the gateway is not answered with content.
///
/// Spec: path gateway, "Response status codes".
public enum GatewayFailure: Error, Sendable {
    case malformedCID(String, reason: String)
    case badRequest(String)
    /// The root is not here, or not for everybody: nobody is told which of both.
    case rootNotFound(CID)
    /// A block below a root is not here.
    case blockNotFound(CID)
    case entryNotFound(root: String, missing: String)
    /// The path ends within a document.
    case insideDocument(path: String)
    case methodNotAllowed
    /// `only-if-cached`, and the root is not here.
    case notCached
    /// What was asked for does not fit what is there.
    case notAcceptable(String)
    case rangeNotSatisfiable(size: UInt64)
    /// Longer or larger than is answered.
    case tooLarge(String)
    /// A name that leads nowhere.
    case nameNotResolved(String, reason: String)
    /// A namespace, or a version of one, that is not here, or not for everybody.
    case namespaceNotFound(String, reason: String)
    /// What a link led to is not there any more.
    case linkEnded(String)
    /// A version of a namespace that is not to be had at once: after how many seconds it may be.
    case busy(seconds: Int)
    case damaged(String)
    case failed(String)

    var status: HTTPResponse.Status {
        switch self {
        case .malformedCID, .badRequest: .badRequest
        case .rootNotFound, .blockNotFound, .entryNotFound, .namespaceNotFound: .notFound
        case .insideDocument: .notImplemented
        case .methodNotAllowed: .methodNotAllowed
        case .notCached: .preconditionFailed
        case .notAcceptable: .notAcceptable
        case .rangeNotSatisfiable: .rangeNotSatisfiable
        case .tooLarge, .linkEnded: .gone
        case .busy: .serviceUnavailable
        case .nameNotResolved, .damaged, .failed: .internalServerError
        }
    }

    /// Whether a name leads nowhere below a root that is here.
    var isMissingEntry: Bool {
        if case .entryNotFound = self { true } else { false }
    }

    /// Whether a name leads nowhere: what the node answers is about the name, and no failure of its own.
    public var isOfName: Bool {
        if case .nameNotResolved = self { true } else { false }
    }

    /// Whether it is for the log: neither the client's doing nor a form that nobody asked the node to have.
    var isOfNode: Bool {
        switch self {
        case .insideDocument, .busy: return false
        default: break
        }
        return status.kind == .serverError
    }

    /// What was looked for.
    var title: String {
        switch self {
        case .malformedCID: "This is not a CID"
        case .badRequest: "This request cannot be understood"
        case .rootNotFound, .blockNotFound: "This content is not here"
        case .entryNotFound: "There is nothing under this name"
        case .insideDocument: "This path ends inside a document"
        case .methodNotAllowed: "Content can be read here, nothing else"
        case .notCached: "This content is not here"
        case .notAcceptable: "This content cannot be had in this form"
        case .rangeNotSatisfiable: "The content ends before this range"
        case .tooLarge: "This content is too large to be served this way"
        case .nameNotResolved: "This name leads nowhere"
        case .namespaceNotFound: "There is no such namespace"
        case .linkEnded: "This link has ended"
        case .busy: "This version is not ready"
        case .damaged: "This content is damaged here"
        case .failed: "Something went wrong"
        }
    }

    /// What happened, to what.
    var detail: String {
        switch self {
        case .malformedCID(let text, let reason): "invalid path \"/ipfs/\(text)\": \(reason)"
        case .badRequest(let text), .notAcceptable(let text), .tooLarge(let text), .damaged(let text),
            .failed(let text), .linkEnded(let text):
            text
        case .rootNotFound(let cid): "the node does not hold \(cid), or it is not published"
        case .blockNotFound(let cid):
            "block \(cid) is not held by this node, so the content below its root is incomplete"
        case .entryNotFound(let root, let missing): "no link named \"\(missing)\" under \(root)"
        case .insideDocument(let path):
            "\(path) is a part of a document, not a link; ask for the document itself"
        case .methodNotAllowed: "the methods here are GET, HEAD and OPTIONS"
        case .notCached: "only-if-cached was asked for, and the node does not hold it"
        case .rangeNotSatisfiable(let size): "there are \(size) bytes"
        case .busy:
            "the directory of this version is made when it is asked for, and the node is at others"
        case .namespaceNotFound(let name, let reason): "/n/\(name): \(reason)"
        case .nameNotResolved(let name, let reason): "could not resolve name \(name): \(reason)"
        }
    }

    /// What can be done.
    var remedy: String {
        switch self {
        case .malformedCID: "Check that the address was copied as a whole."
        case .badRequest: "Check the parameters of the address."
        case .rootNotFound, .blockNotFound, .notCached:
            "This node never fetches content because somebody asked. Its operator can add it, import it as a CAR file, or "
                + "publish it if it is private; other gateways may have it."
        case .entryNotFound: "Open the directory above to see what is there."
        case .insideDocument: "Leave out the end of the path, or ask for the document with format=raw."
        case .methodNotAllowed: "Uploads go to the API."
        case .notAcceptable: "Ask with format=raw or format=car: these are always possible."
        case .rangeNotSatisfiable: "Ask for an earlier range."
        case .tooLarge: "Ask for parts of it, or fetch it with the command line."
        case .nameNotResolved: "Check the spelling; if the name is yours, publish it again."
        case .namespaceNotFound:
            "Check the spelling, and what stands behind the @. A private namespace is shown to who has a key."
        case .linkEnded: "Ask whoever gave you the link for another one."
        case .busy(let seconds): "Try again in \(seconds) s."
        case .damaged: "The operator's log names the block; adding the file again repairs it."
        case .failed: "Try again; if it stays, the request id finds the reason in the node's log."
        }
    }
}

extension GatewayFailure: CustomStringConvertible {
    public var description: String { detail }
}
