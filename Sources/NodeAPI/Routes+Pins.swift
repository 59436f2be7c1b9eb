import Access
import Catalog
import HTTPSupport
import HTTPTypes
import NodeCore
import NodeMessages
import NodeService

extension NodeAPI {
    static let pinRoutes: [APIRoute] = [
        APIRoute(
            .get, "/pins", id: "listPins", "List pins", .read,
            parameters: [
                APIParameter("match", "Pins of this root, id or name; nothing else is asked then"),
                APIParameter("cid", "Pins of this root"), APIParameter("name", "Pins of this name"),
                APIParameter("name-prefix", "Pins whose names begin so"),
                APIParameter("status", "queued, pinning, pinned, failed; several separated by commas"),
                APIParameter("visibility", ["type": "string", "enum": ["public", "private"]], "Only these"),
                APIParameter(
                    "order", ["type": "string", "enum": ["newest", "oldest"]], "newest if left out"),
                .cursor, .limit,
            ], answer: .json("PinPage")
        ) { request in
            if let text = request.query["match"] {
                let found = (try? request.node.pins(matching: text)) ?? []
                return try .json(PageMessage(items: found, next: nil))
            }
            var query = PinQuery()
            query.cid = request.query["cid"]
            query.name = request.query["name"]
            query.namePrefix = request.query["name-prefix"]
            query.status = request.query["status"]
            query.visibility = request.query["visibility"]
            let order = request.query["order"] ?? "newest"
            guard ["newest", "oldest"].contains(order) else {
                throw APIRequest.invalid("order is newest or oldest")
            }
            return try .json(
                try request.node.pins(
                    query, cursor: request.query["cursor"], limit: try request.limit(),
                    newestFirst: order == "newest"))
        },
        APIRoute(
            .post, "/pins", id: "addPin",
            "Pin a root that the node holds: a job, and its result if that is soon",
            .pin, body: .json("PinRequest"), isPatient: true, status: .created, answer: .json("Pin")
        ) { request in
            let pin = try request.json(PinRequest.self)
            return try request.answer(
                try request.jobs.pin(pin, for: request.node), patience: 2, done: .created)
        },
        APIRoute(.get, "/pins/{id}", id: "getPin", "A pin", .read, answer: .json("Pin")) { request in
            try .json(try request.pin())
        },
        APIRoute(
            .patch, "/pins/{id}", id: "changePin", "Change name and meta of a pin", .pin,
            body: .json("PinChange"), answer: .json("Pin")
        ) { request in
            let change = try request.json(PinChangeRequest.self)
            guard change.visibility == nil else {
                throw APIRequest.invalid("visibility is changed by PUT …/visibility: it is a job")
            }
            return try .json(
                try request.node.changePin(request.value("id"), name: change.name, meta: change.meta))
        },
        APIRoute(
            .delete, "/pins/{id}", id: "removePin",
            "Remove a pin; what nothing else keeps goes with the next collection", .delete,
            parameters: [
                APIParameter("damaged", ["type": "boolean"], "Remove a row that can no longer be read")
            ], status: .noContent
        ) { request in
            let id = request.value("id")
            let isGone =
                try request.flag("damaged") == true
                ? try request.node.removeDamagedPin(id) : try request.node.removePin(id)
            guard isGone else { throw request.absent("pin", id) }
            return DoorResponse(.noContent)
        },
        APIRoute(
            .put, "/pins/{id}/visibility", id: "setPinVisibility",
            "Let anybody read what a pin keeps, or no longer: a job, and its result if that is soon",
            .publish,
            body: .json("Visibility"), isPatient: true, answer: .json("Pin")
        ) { request in
            let visibility = try request.json(VisibilityMessage.self).visibility
            let pin = try request.pin()
            return try request.answer(
                try request.jobs.setVisibility(visibility, ofPin: pin.id, for: request.node), patience: 2)
        },
        APIRoute(
            .post, "/pins/{id}/check", id: "checkPin",
            "Look whether everything below a pin is there by now: a job, and its result if that is soon",
            .pin,
            isPatient: true, answer: .json("Pin")
        ) { request in
            let pin = try request.pin()
            return try request.answer(
                try request.jobs.completePin(pin.id, for: request.node), patience: 2)
        },
    ]
}

/// Who may read.
struct VisibilityMessage: Codable {
    var visibility: String
}

extension APIRequest {
    fileprivate func pin() throws -> PinMessage {
        let id = value("id")
        guard let pin = try node.pin(id) else { throw absent("pin", id) }
        return pin
    }

    func absent(_ what: String, _ id: String) -> NodeFailure {
        NodeFailure(
            .notFound, code: "\(what)-not-found", detail: "there is no \(what) \(Self.shown(id)) to be seen")
    }

    /// The result of a job that ends soon, else 202 and where to ask for it.
    ///
    /// - Parameter patience: seconds to wait where the client does not say; it says so by `Prefer: wait=…`
    ///   (RFC 7240), 30 at most.
    func answer(
        _ job: Job, patience: Int, done: HTTPResponse.Status = .ok
    ) throws -> DoorResponse {
        let seconds = min(preferredWait ?? patience, 30)
        let current = try jobs.engine.wait(for: job.id, patience: .seconds(seconds)) ?? job
        switch current.state {
        case .done:
            guard let result = current.result else { break }
            return DoorResponse(
                done, fields: [.contentType: "application/json", .cacheControl: "no-store"],
                body: .bytes(Array(result.utf8) + [0x0A]))
        case .failed:
            let failure = current.failure ?? JobFailure(code: "failed", detail: "the job failed")
            throw NodeFailure(
                NodeFailure.kind(ofCode: failure.code), code: failure.code, detail: failure.detail)
        case .queued, .running, .cancelled: break
        }
        var response = try DoorResponse.json(JobMessage(current), .accepted)
        response.fields[.location] = "/api/v1/jobs/" + job.id.text
        return response
    }

    /// Seconds that the client is ready to wait. Spec: RFC 7240 section 4.3.
    var preferredWait: Int? {
        for word in request.fields[values: .prefer].joined(separator: ",").split(separator: ",") {
            let pair = word.split(separator: "=").map { $0.filter { $0 != " " } }
            if pair.count == 2, pair[0] == "wait", let seconds = Int(pair[1]), seconds >= 0 { return seconds }
        }
        return nil
    }
}
