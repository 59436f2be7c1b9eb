public import Access
import HTTPTypes
import NodeAPI
import SyncAPI

/// Where a URL leads that is to be signed.
public enum SignedLead: Hashable, Sendable {
    /// To what a signed URL can allow.
    case use
    /// Nothing answers there by this method.
    case nowhere
    /// To what anybody may see, and where no key is looked at.
    case open
    /// To what takes keys, and no signed URLs.
    case keysAlone
    /// To what needs more than reading or one upload.
    case needs(Access.Operation)

    /// - Parameter path: percent-encoded, without the query.
    public init(method: String, path: String) {
        self = .nowhere
        guard let method = HTTPRequest.Method(method), let route = RouteTable.route(of: path) else { return }
        let requirement: RouteRequirement
        if route.door == .api {
            guard let found = try? NodeAPI.route(method, path).route else { return }
            switch found.requirement {
            case .nothing: requirement = .nothing
            case .credentials: requirement = .credentials
            case .operation(let operation, let subject): requirement = .grant(operation, subject)
            }
        } else if route.door == .sync {
            guard let found = SyncAPI.route(method, path).route else { return }
            self = found.requirement == .nothing ? .open : .keysAlone
            return
        } else {
            guard route.methods.contains(method) else { return }
            requirement = route.requirement
        }
        switch requirement {
        case .nothing: self = .open
        case .credentials: self = .use
        case .operation(let operation), .grant(let operation, _):
            self = operation == (method == .get ? .read : .write) ? .use : .needs(operation)
        }
    }
}
