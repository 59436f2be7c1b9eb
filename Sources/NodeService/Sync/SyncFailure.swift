import Namespaces
public import SyncProtocol

/// Why the sync protocol refused a call.
public enum SyncFailure: Error, Hashable, Sendable {
    case unknownNamespace(String)
    case forbidden(String)
    case badRequest(String)
    /// Another namespace of the node is called so.
    case nameTaken(String)
    /// A device of somebody else, in the same project, has this id.
    case deviceTaken(String)
    /// The journal is another one, or the cursor is of a state that does not exist.
    case resetRequired
    case unknownBlock(String)
    /// More came to a namespace with a quota than it may hold, and no file names it.
    case tooMuchUnnamed(quota: Int64)
    /// The protocol takes keys alone.
    case signedURL
    /// A file that was not cut into raw leaves.
    case unsupportedFile(String)
    /// The device that speaks was shut out; what it is called.
    case deviceRevoked(String)
    case unknownDevice(String)
    case unknownNode(String)
    case unknownLease(String)
    case unknownConflict(String)
    /// A change that the journal, or somebody's lease, stands against; as a result of a commit says it.
    case refused(code: SyncCode, message: String)
    /// A body is packed in another way than these.
    case unsupportedEncoding(accepted: String)
}

extension SyncFailure {
    /// As the protocol calls it.
    public var code: SyncCode {
        switch self {
        case .unknownNamespace: .unknownNamespace
        case .signedURL: .unauthenticated
        case .forbidden: .forbidden
        case .badRequest: .badRequest
        case .nameTaken, .deviceTaken: .nameTaken
        case .resetRequired: .resetRequired
        case .unknownBlock: .unknownBlock
        case .tooMuchUnnamed: .quotaExceeded
        case .unsupportedFile: .unsupportedChunker
        case .deviceRevoked: .deviceRemoved
        case .unknownDevice: .unknownDevice
        case .unknownNode: .unknownNode
        case .unknownLease: .unknownLease
        case .unknownConflict: .unknownConflict
        case .refused(let code, _): code
        case .unsupportedEncoding: .unsupportedEncoding
        }
    }
}

extension SyncFailure: CustomStringConvertible {
    public var description: String {
        switch self {
        case .unknownNamespace(let text):
            "there is no namespace “\(text.prefix(100))” to be seen; `nacre ns ls` lists those there are"
        case .forbidden(let what): "the key does not allow to \(what)"
        case .badRequest(let reason): reason
        case .signedURL: "no signed URL leads here: send a key, as Authorization: Bearer TOKEN"
        case .nameTaken(let name):
            "there is a namespace “\(name)” on this node, or one of another project that differs by case only; "
                + "choose another name"
        case .deviceTaken(let id):
            "the device “\(id.prefix(100))” came with another key and is not to be changed by this one; "
                + "choose another id, or remove the device by that key"
        case .resetRequired:
            "the journal is another one than the cursor is of: read a snapshot and compare; delete nothing "
                + "because of it"
        case .unknownBlock(let cid): "block \(cid) is not held, or not to be seen"
        case .tooMuchUnnamed(let quota):
            "the namespace may hold \(quota) bytes, and as much came that no file names: commit it, or send "
                + "less; what is not committed is forgotten after a day"
        case .unsupportedFile(let cid):
            "\(cid) was not cut into raw leaves, or into too many; it can be read as /ipfs/\(cid)"
        case .deviceRevoked(let name):
            "the device “\(name)” was removed on the node"
        case .unknownDevice(let id):
            "there is no device “\(id.prefix(100))” to be seen; `nacre sync devices` lists those there are"
        case .unknownNode(let id): "there is no file “\(id.prefix(100))” with such a revision"
        case .unknownLease(let id): "there is no lease of \(id)"
        case .unknownConflict(let id): "there is no conflict \(id)"
        case .refused(_, let message): message
        case .unsupportedEncoding(let accepted): "the Content-Encoding of a body is one of: \(accepted)"
        }
    }
}

extension SyncFailure {
    /// What the journal refused.
    init(_ refusal: ChangeRefusal) {
        self = .refused(code: SyncCode(refusal), message: refusal.description)
    }
}
