public import Access
public import HTTPTypes
public import NodeAPI
import NodeCore
import SyncAPI

/// What somebody must be allowed to use a route.
public enum RouteRequirement: Hashable, Sendable {
    /// Nothing: content that is marked for everybody, and what tells nothing about the node.
    case nothing
    /// A grant that allows the operation on the node; metrics may be open to all.
    case operation(Operation)
    /// Credentials that are accepted, whatever they allow.
    case credentials
    /// A grant that allows the operation on what the route is about.
    case grant(Operation, APIRoute.Subject)
}

/// One route of one door, with what it needs. Every route is declared here and nowhere else.
public struct Route: Sendable {
    /// As it stands in metrics and logs, such as `/ipfs/{path}`.
    public let pattern: String
    public let methods: [HTTPRequest.Method]
    public let requirement: RouteRequirement
    let door: Door

    /// Who answers.
    enum Door: CaseIterable, Sendable {
        case gateway
        /// What links lead to.
        case link
        case routing
        case live
        case ready
        case metrics
        case home
        case api
        case sync
        /// What tells of the API.
        case description

        /// What a node must be for this door to be open; `nil` for what every node has.
        var role: NodeRole? {
            switch self {
            case .gateway, .link, .routing: .gateway
            case .api, .description, .sync: .api
            case .live, .ready, .metrics, .home: nil
            }
        }

        /// Whether pages of everybody may ask: content that is for all, and what tells nothing of the node.
        var isOpenToAllOrigins: Bool {
            switch self {
            case .gateway, .link, .routing, .live, .ready, .home, .description: true
            case .metrics, .api, .sync: false
            }
        }
    }
}

/// All routes of a node.
public enum RouteTable {
    public static let routes: [Route] =
        [
            Route(
                pattern: "/ipfs/{path}", methods: [.get, .head, .options], requirement: .nothing,
                door: .gateway),
            Route(
                pattern: "/ipns/{path}", methods: [.get, .head, .options], requirement: .nothing,
                door: .gateway),
            Route(
                pattern: "/n/{path}", methods: [.get, .head, .options], requirement: .nothing,
                door: .gateway),
            // The token in the path is what is shown, and the door looks at it.
            Route(
                pattern: "/c/{path}", methods: LinkDoor.methods, requirement: .nothing, door: .link),
            // Records are signed by whom they are of: who brings one needs no right.
            Route(
                pattern: "/routing/v1/{path}", methods: [.get, .head, .put, .options], requirement: .nothing,
                door: .routing),
            Route(pattern: "/health/live", methods: [.get, .head], requirement: .nothing, door: .live),
            Route(pattern: "/health/ready", methods: [.get, .head], requirement: .nothing, door: .ready),
            Route(
                pattern: "/metrics", methods: [.get, .head], requirement: .operation(.metrics),
                door: .metrics),
            Route(pattern: "/", methods: [.get, .head], requirement: .nothing, door: .home),
            Route(
                pattern: descriptionPath, methods: [.get, .head], requirement: .nothing, door: .description),
        ] + apiRoutes + syncRoutes

    /// Where the API is described.
    static let descriptionPath = NodeAPI.prefix + "/openapi.json"

    private static let apiRoutes = NodeAPI.routes.map { route in
        Route(
            pattern: route.pattern, methods: route.method == .get ? [.get, .head] : [route.method],
            requirement: requirement(of: route), door: .api)
    }

    private static let syncRoutes = SyncAPI.routes.map { route in
        Route(
            pattern: route.pattern, methods: [route.method],
            requirement: route.requirement == .nothing ? .nothing : .credentials, door: .sync)
    }

    private static func requirement(of route: APIRoute) -> RouteRequirement {
        switch route.requirement {
        case .nothing: .nothing
        case .credentials: .credentials
        case .operation(let operation, let subject): .grant(operation, subject)
        }
    }

    /// What answers below the API where no operation is.
    private static let elsewhere = Route(
        pattern: NodeAPI.prefix + "/{path}", methods: NodeAPI.methods, requirement: .nothing, door: .api)

    /// The route of a path, whatever the method; `nil` if nobody answers there.
    static func route(of path: String) -> Route? {
        if path != descriptionPath, path == NodeAPI.prefix || path.hasPrefix(NodeAPI.prefix + "/") {
            // Several routes may be at one path: which one it is the method decides, in the door.
            guard let pattern = NodeAPI.pattern(of: path) else { return elsewhere }
            return Route(
                pattern: pattern, methods: NodeAPI.methods, requirement: .nothing, door: .api)
        }
        if path.hasPrefix(SyncAPI.prefix + "/") {
            let known = SyncAPI.methods.lazy.compactMap { SyncAPI.route($0, path).route }.first
            return Route(
                pattern: known?.pattern ?? SyncAPI.prefix + "/{path}", methods: SyncAPI.methods,
                requirement: .nothing, door: .sync)
        }
        return routes.first { route in
            guard route.pattern.hasSuffix("{path}") else { return route.pattern == path }
            let prefix = route.pattern.dropLast(6)
            return path.hasPrefix(prefix) || path + "/" == prefix
        }
    }
}
