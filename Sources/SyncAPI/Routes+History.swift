import HTTPSupport
import HTTPTypes
import IPLD
import NodeService
import SyncProtocol
import TreeValues

extension SyncAPI {
    static let historyRoutes: [SyncRoute] = [
        SyncRoute(.get, "/ns/{ns}/nodes") { call in
            let query = try call.query(["path"])
            guard let path = query["path"] else { throw SyncFailure.badRequest("path is missing") }
            return try call.answer(try call.service.entry(at: path, of: call.namespace).value(call.form))
        },
        SyncRoute(.get, "/ns/{ns}/nodes/{nid}/revisions") { call in
            let query = try call.query(["before", "limit"])
            let page = try call.service.revisions(
                of: try call.node("nid"), before: try call.number("before", query),
                limit: Int(clamping: try call.number("limit", query) ?? 100), of: call.namespace)
            return try call.answer(page.value(call.form))
        },
        SyncRoute(.get, "/ns/{ns}/nodes/{nid}/content") { call in
            let query = try call.query(["crev"])
            guard let revision = try call.number("crev", query) else {
                throw SyncFailure.badRequest("crev is missing")
            }
            let content = try call.service.content(
                of: try call.node("nid"), revision: revision, of: call.namespace)
            return FileContentAnswer(call.request, content).response
        },
        SyncRoute(.post, "/ns/{ns}/restore") { call in
            let request = try RestoreRequest(try call.message())
            return try call.answer(
                try call.service.restore(request, of: call.namespace).value(call.form))
        },
        SyncRoute(.get, "/ns/{ns}/conflicts") { call in
            let query = try call.query(["all"])
            let list = try call.service.conflicts(
                includingResolved: query["all"] == "true", of: call.namespace)
            return try call.answer(list.value(call.form))
        },
        SyncRoute(.post, "/ns/{ns}/conflicts/{id}/resolve") { call in
            let request = try ConflictResolution(try call.message())
            return try call.answer(
                try call.service.resolve(try call.node("id"), request, of: call.namespace).value(call.form))
        },
        SyncRoute(.get, "/ns/{ns}/leases") { call in
            try call.answer(LeaseList(try call.service.leases(of: call.namespace)).value(call.form))
        },
        SyncRoute(.post, "/ns/{ns}/leases") { call in
            let request = try LeaseRequest(try call.message())
            guard let node = request.node else { throw SyncFailure.badRequest("lease.nid is missing") }
            let lease = try call.service.lease(request, node, of: call.namespace)
            return try call.answer(lease.value(call.form), .created)
        },
        SyncRoute(.put, "/ns/{ns}/leases/{nid}") { call in
            let request = try LeaseRequest(try call.message())
            let lease = try call.service.lease(
                request, try call.node("nid"), isRenewal: true, of: call.namespace)
            return try call.answer(lease.value(call.form))
        },
        SyncRoute(.delete, "/ns/{ns}/leases/{nid}") { call in
            try call.service.endLease(try call.node("nid"), of: call.namespace)
            return DoorResponse(.noContent, fields: [.cacheControl: "no-store"])
        },
    ]
}

extension SyncRequest {
    /// The id in the path.
    ///
    /// - Throws: `bad_request`.
    fileprivate func node(_ name: String) throws -> NodeID {
        guard let id = try? NodeID(text: value(name)) else {
            throw SyncFailure.badRequest("\(name) is an id of 26 characters")
        }
        return id
    }

    /// The members of the query.
    ///
    /// - Throws: `bad_request` for others than these, so that a mistyped one is noticed.
    fileprivate func query(_ names: Set<String>) throws -> [String: String] {
        var found: [String: String] = [:]
        for pair in (request.target.query ?? "").split(separator: "&") {
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2, names.contains(String(parts[0])),
                let bytes = try? PercentCoding.decode(parts[1]),
                let text = String(validating: bytes, as: UTF8.self)
            else { throw SyncFailure.badRequest("the query has \(names.sorted().joined(separator: ", "))") }
            found[String(parts[0])] = text
        }
        return found
    }

    fileprivate func number(_ name: String, _ query: [String: String]) throws -> Int64? {
        guard let text = query[name] else { return nil }
        guard let number = Int64(text), number >= 1 else {
            throw SyncFailure.badRequest("\(name) is a number from 1 on")
        }
        return number
    }
}
