public import HTTPTypes

/// What a door answers: head and body, before anything of it is on the wire.
public struct DoorResponse: Sendable {
    public var status: HTTPResponse.Status
    public var fields: HTTPFields
    public var body: DoorBody
    /// Whether the same request is likely answered a moment later: who called the door may wait for that in
    /// the place of the client, and without a thread.
    public var isMomentary = false

    public init(_ status: HTTPResponse.Status, fields: HTTPFields = [:], body: DoorBody = .none) {
        self.status = status
        self.fields = fields
        self.body = body
    }

    /// A short text.
    public static func text(_ status: HTTPResponse.Status, _ text: String) -> DoorResponse {
        DoorResponse(
            status, fields: [.contentType: "text/plain; charset=utf-8"],
            body: .bytes(Array((text + "\n").utf8)))
    }
}

extension HTTPResponse.Status {
    /// The disk is full. Spec: RFC 4918 section 11.5.
    public static var insufficientStorage: HTTPResponse.Status {
        HTTPResponse.Status(code: 507, reasonPhrase: "Insufficient Storage")
    }

    /// The status of a code, with its name also where HTTPTypes has none for it.
    public init(named code: Int) {
        self = code == 507 ? .insufficientStorage : HTTPResponse.Status(code: code)
    }
}

/// The body of an answer.
public enum DoorBody: Sendable {
    case none
    case bytes([UInt8])
    /// Made while it is sent. `length` is its size in bytes, where it can be known.
    case stream(any BodyStream, length: UInt64?)
    /// Comes when something happens, and may never end.
    case live(any LiveBody)
    /// None is sent, but the head says how large it would be: the answer to HEAD.
    case omitted(length: UInt64?)

    /// The size in bytes, where it is known.
    public var length: UInt64? {
        switch self {
        case .none: 0
        case .bytes(let bytes): UInt64(bytes.count)
        case .stream(_, let length), .omitted(let length): length
        case .live: nil
        }
    }

    /// The same head without the body.
    public var withoutContent: DoorBody { .omitted(length: length) }
}

/// A body that is made piece by piece, when the client has taken what came before.
///
/// `next` is synchronous and may wait for a disk: the server calls it from its thread pool, one call at a
/// time. After an error the answer is broken off, so that a client can tell it from one that ended.
public protocol BodyStream: AnyObject, Sendable {
    /// The next piece, not empty; `nil` at the end.
    func next() throws -> BodyPiece?
    /// Whether ``next()`` has its answer at hand, so that it can be called from any thread.
    var isReady: Bool { get }
}

/// A body whose pieces come when something happens.
///
/// `next` holds no thread while it waits. It is asked for a piece when the client has taken the one before,
/// one call at a time, by a task that is cancelled when the client is gone.
public protocol LiveBody: AnyObject, Sendable {
    /// The next piece, not empty; `nil` at the end.
    func next() async throws -> [UInt8]?
}

extension BodyStream {
    public var isReady: Bool { false }
}
