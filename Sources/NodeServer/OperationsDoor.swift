import GatewayAPI
import Glibc
import HTTPSupport
import HTTPTypes
import NodeAPI
import NodeCore
import NodeService

/// Health and metrics. Synchronous, for the thread pool.
struct OperationsDoor: Sendable {
    let node: StorageNode
    let metrics: Metrics
    let jobs: JobEngine
    let hub: SyncHub
    private let startSeconds = Double(time(nil))

    init(node: StorageNode, metrics: Metrics, jobs: JobEngine, hub: SyncHub) {
        self.node = node
        self.jobs = jobs
        self.metrics = metrics
        self.hub = hub
    }

    /// What is under way.
    struct Load: Sendable {
        let requests: Int
        let connections: Int
        /// Bytes of bodies that wait for their clients.
        let waitingBytes: Int
        /// Clients that listen to changes.
        let listeners: Int
    }

    /// - Parameter readiness: for ``Route/Door/ready``.
    func respond(
        _ door: Route.Door, to request: DoorRequest, _ options: ServerOptions, _ load: Load,
        readiness: Readiness.Outcome?
    ) -> DoorResponse {
        var response: DoorResponse
        switch door {
        case .live: response = .text(.ok, "live")
        case .ready:
            switch readiness {
            case .success?: response = .text(.ok, "ready")
            case .failure(let failure)?:
                response = .text(.serviceUnavailable, "not ready: \(failure)")
                response.fields[.retryAfter] = "5"
            case nil: response = .text(.serviceUnavailable, "not ready: nobody looked")
            }
        case .metrics:
            let gauges = NodeGauges(node: node, jobs: jobs, hub: hub, startSeconds: startSeconds).all(load)
            response = DoorResponse(
                .ok, fields: [.contentType: "text/plain; version=0.0.4; charset=utf-8"],
                body: .bytes(Array(metrics.text(gauges: gauges).utf8)))
        case .home: response = HomePage.response(to: request, ways: Self.ways(options))
        case .description:
            response = DoorResponse(
                .ok, fields: [.contentType: "application/vnd.oai.openapi+json;version=3.1"],
                body: .bytes((try? OpenAPIDocument.bytes(version: NacreVersion.text)) ?? []))
        case .gateway, .link, .routing, .api, .sync: response = .text(.notFound, "this is answered elsewhere")
        }
        response.fields[.cacheControl] = "no-store"
        return response
    }

    private static func ways(_ options: ServerOptions) -> [HomePage.Way] {
        var ways: [HomePage.Way] = []
        if options.roles.contains(.api) {
            ways.append(
                HomePage.Way(
                    RouteTable.descriptionPath, "describes the API below \(NodeAPI.prefix), as OpenAPI"))
        }
        return ways + [
            HomePage.Way("/health/ready", "says whether the node is ready"),
            HomePage.Way(
                "",
                "The folder docs/how-to of the sources says how to use and run it; nacre help, on the machine."
            ),
        ]
    }
}
