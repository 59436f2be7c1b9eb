import Glibc
import HTTPSupport
import HTTPTypes
import NodeAPI
import NodeCore

/// Health and metrics. Synchronous, for the thread pool.
struct OperationsDoor: Sendable {
    let node: StorageNode
    let metrics: Metrics
    private let startSeconds = Double(time(nil))

    init(node: StorageNode, metrics: Metrics) {
        self.node = node
        self.metrics = metrics
    }

    /// What is under way.
    struct Load: Sendable {
        let requests: Int
        let connections: Int
    }

    func respond(_ door: Route.Door, _ load: Load) -> DoorResponse {
        var response: DoorResponse
        switch door {
        case .live: response = .text(.ok, "live")
        case .ready:
            do {
                try node.checkReadiness()
                response = .text(.ok, "ready")
            } catch {
                response = .text(.serviceUnavailable, "not ready: \(error)")
                response.fields[.retryAfter] = "5"
            }
        case .metrics:
            let gauges = NodeGauges(node: node, startSeconds: startSeconds).all(load)
            response = DoorResponse(
                .ok, fields: [.contentType: "text/plain; version=0.0.4; charset=utf-8"],
                body: .bytes(Array(metrics.text(gauges: gauges).utf8)))
        case .home: response = .text(.ok, "This is a Nacre node. Content is below /ipfs/CID.")
        case .description:
            response = DoorResponse(
                .ok, fields: [.contentType: "application/vnd.oai.openapi+json;version=3.1"],
                body: .bytes((try? OpenAPIDocument.bytes(version: NacreVersion.text)) ?? []))
        case .gateway, .routing, .api: response = .text(.notFound, "this is answered elsewhere")
        }
        response.fields[.cacheControl] = "no-store"
        return response
    }
}
