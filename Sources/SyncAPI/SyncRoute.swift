import HTTPSupport
public import HTTPTypes
import NodeService
import SyncProtocol

/// One call of the sync protocol. What somebody must be allowed to use it is asked namespace by namespace,
/// in `SyncService`; here is whether they must be known at all.
public struct SyncRoute: Sendable {
    /// Who may call it.
    public enum Requirement: Hashable, Sendable {
        case nothing
        /// Credentials that are accepted.
        case credentials
        /// Credentials, and the name of the device that speaks: what it writes is told by it from what others
        /// write.
        case device
    }

    public let method: HTTPRequest.Method
    /// Below `/sync/v1`, such as `/ns/{ns}/commit`.
    public let path: String
    public let requirement: Requirement
    /// Whether it is answered later: it must not hold a thread meanwhile.
    public let waits: Bool
    /// Whether its answer goes on until the client goes: the door makes it.
    public let isStream: Bool
    /// Whether files or parts of files come in with it.
    public let isUpload: Bool
    let handler: @Sendable (SyncRequest) throws -> DoorResponse

    init(
        _ method: HTTPRequest.Method, _ path: String, requiring requirement: Requirement = .credentials,
        waits: Bool = false, isStream: Bool = false, isUpload: Bool = false,
        handler: @escaping @Sendable (SyncRequest) throws -> DoorResponse
    ) {
        self.method = method
        self.path = path
        self.requirement = requirement
        self.waits = waits
        self.isStream = isStream
        self.isUpload = isUpload
        self.handler = handler
    }

    /// Whether it is a use of the key that it is made by. Who waits asks for nothing yet.
    public var isCounted: Bool { !waits && !isStream && requirement != .nothing }

    /// As it stands in metrics and logs.
    public var pattern: String { SyncAPI.prefix + path }

    /// The values of the placeholders if `segments` is this route's.
    func match(_ segments: [String]) -> [String: String]? {
        let own = path.split(separator: "/")
        guard own.count == segments.count else { return nil }
        var values: [String: String] = [:]
        for (pattern, given) in zip(own, segments) {
            if pattern.hasPrefix("{") {
                values[String(pattern.dropFirst().dropLast())] = given
            } else if pattern != given {
                return nil
            }
        }
        return values
    }
}
