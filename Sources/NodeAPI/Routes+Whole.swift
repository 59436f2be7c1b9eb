import Access
import Catalog
import HTTPSupport
import HTTPTypes
import NodeCore
import NodeMessages
import NodeService

extension NodeAPI {
    static let wholeRoutes: [APIRoute] = [
        APIRoute(.get, "", id: "getNode", "Version and defaults of the node", .read, answer: .json("Node")) {
            try .json(try $0.node.defaults())
        },
        APIRoute(
            .get, "/stats", id: "getStats", "How much the node holds; nothing is scanned", .read, on: .node,
            answer: .json("Stats")
        ) { try .json(try $0.node.statistics()) },
        APIRoute(
            .post, "/gc", id: "collectGarbage", "Remove blocks that no pin keeps: a job", .admin, on: .node,
            body: .json("CollectionRequest"), isPatient: true, answer: .json("Collection")
        ) { request in
            let collection = try request.json(CollectionRequest.self)
            if let share = collection.maximumUnusedShare, !(0...1).contains(share) {
                throw APIRequest.invalid("maximumUnusedShare is from 0 to 1")
            }
            if let grace = collection.graceSeconds, grace < 0 {
                throw APIRequest.invalid("graceSeconds is not negative")
            }
            return try request.answer(
                try request.jobs.collect(collection, for: request.node), patience: 0)
        },
        APIRoute(
            .post, "/verify", id: "verify", "Check every block, every pin and the catalog: a job", .admin,
            on: .node, body: .json("VerificationRequest"), isPatient: true, answer: .json("Verification")
        ) { request in
            let verification = try request.json(VerificationRequest.self)
            if let rate = verification.bytesPerSecond, rate <= 0 {
                throw APIRequest.invalid("bytesPerSecond is positive")
            }
            return try request.answer(
                try request.jobs.verify(verification, for: request.node), patience: 0)
        },
        APIRoute(
            .get, "/jobs", id: "listJobs", "List jobs, newest first", .jobs,
            parameters: [
                APIParameter(
                    "state",
                    ["type": "string", "enum": ["queued", "running", "done", "failed", "cancelled"]],
                    "Only these"), .cursor, .limit,
            ], answer: .json("JobPage")
        ) { request in
            try .json(
                try request.jobs.list(
                    state: request.query["state"], cursor: request.query["cursor"],
                    limit: try request.limit(), for: request.node))
        },
        APIRoute(
            .get, "/jobs/{id}", id: "getJob",
            "A job; with `Prefer: wait=30` once it has ended, or after so many seconds", .jobs,
            isPatient: true,
            answer: .json("Job")
        ) { request in
            let id = request.value("id")
            guard var job = try request.jobs.job(id, for: request.node) else {
                throw request.absent("job", id)
            }
            if let seconds = request.preferredWait {
                let patience = Duration.seconds(min(seconds, 30))
                job = try request.jobs.engine.wait(for: job.id, patience: patience) ?? job
            }
            return try .json(JobMessage(job))
        },
        APIRoute(
            .post, "/jobs/{id}/cancel", id: "cancelJob",
            "Ask for the end of a job: it stops between two steps; 409 if it has ended", .jobs,
            status: .accepted,
            answer: .json("Job")
        ) { request in
            let id = request.value("id")
            guard let cancelled = try request.jobs.cancel(id, for: request.node) else {
                throw request.absent("job", id)
            }
            return try .json(JobMessage(cancelled), .accepted)
        },
    ]
}
