import HTTPTypes
import NodeCore
import Testing

@testable import NodeServer

/// Every route of every door is in one table, where it cannot be without saying what it needs; these tests
/// hold the list of those that need nothing.
@Suite struct RouteTests {
    @Test func theRoutesThatNeedNothingAreTheseAndNoOthers() {
        let open = RouteTable.routes.filter { $0.requirement == .nothing }.map(\.pattern)
        #expect(
            open == [
                "/ipfs/{path}", "/ipns/{path}", "/n/{path}", "/c/{path}", "/routing/v1/{path}",
                "/health/live",
                "/health/ready", "/", "/api/v1/openapi.json", "/api/v1/sessions", "/sync/v1/hello",
            ],
            "a route without a requirement is open to the world: is it meant to be?")
    }

    @Test func routesThatNeedAGrantAreClosedToPagesOfStrangers() {
        for route in RouteTable.routes where route.requirement != .nothing || route.door == .api {
            #expect(!route.door.isOpenToAllOrigins, "\(route.pattern)")
        }
    }

    @Test func everyDoorHasARouteAndEveryRouteAFormOfItsOwn() {
        for door in Route.Door.allCases {
            #expect(RouteTable.routes.contains { $0.door == door }, "nothing leads to \(door)")
        }
        // Several operations of the API are at one path, each with a method of its own.
        let forms = RouteTable.routes.flatMap { route in route.methods.map { "\($0) \(route.pattern)" } }
        #expect(Set(forms).count == forms.count)
        for route in RouteTable.routes {
            #expect(route.pattern.hasPrefix("/") && !route.methods.isEmpty, "\(route.pattern)")
        }
    }

    @Test func everyRouteIsFoundByItsOwnPattern() {
        for route in RouteTable.routes {
            let path = route.pattern.replacing("{path}", with: "some/thing")
            #expect(RouteTable.route(of: path)?.pattern == route.pattern)
        }
        for path in ["/nothing", "/health", "/health/live/", "//", "/metrics/x", "/IPFS/x"] {
            #expect(RouteTable.route(of: path) == nil, "\(path)")
        }
    }

    @Test func everyRoleOpensADoor() {
        for role in NodeRole.allCases {
            #expect(Route.Door.allCases.contains { $0.role == role }, "\(role) does nothing")
        }
    }
}
