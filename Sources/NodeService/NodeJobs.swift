import Access
public import Catalog
import Foundation
public import NodeCore
public import NodeMessages
public import Multiformats

/// The background work of a node: what can be asked for, and how it is done.
///
/// Requests and results are the messages of ``NodeOperations``, as JSON; a job does what the same call on a
/// ``LocalNode`` does.
public struct NodeJobs: Sendable {
    /// What a job does. The raw values are stored and shown.
    public enum Kind: String, CaseIterable, Sendable {
        case pin
        case completePin = "complete-pin"
        case setVisibility = "set-visibility"
        case setNamespaceVisibility = "set-namespace-visibility"
        case verifyNamespace = "verify-namespace"
        case walk
        case collect = "gc"
        case verify
    }

    /// A pin, and what becomes of it.
    struct PinTask: Codable {
        var pin: String
        var visibility: String?
    }

    /// A namespace, and what becomes of it.
    struct NamespaceTask: Codable {
        var namespace: String
        var visibility: String
    }

    /// What a request is stored in.
    private struct Envelope<Request: Codable>: Codable {
        /// Whether it is done with the eyes of an administrator of the node.
        var seesAll: Bool
        var request: Request
    }

    public let engine: JobEngine

    /// - Parameter onError: is told of errors of the catalog.
    public init(_ node: StorageNode, onError: @escaping @Sendable (any Error) -> Void) {
        let content: [Kind] = [
            .pin, .completePin, .setVisibility, .setNamespaceVisibility, .walk, .verifyNamespace,
        ]
        let whole: [Kind] = [.collect, .verify]
        func lane(_ threads: Int, _ kinds: [Kind]) -> JobEngine.Lane {
            JobEngine.Lane(
                threads: threads,
                kinds: Dictionary(
                    uniqueKeysWithValues: kinds.map { kind in
                        (kind.rawValue, { @Sendable context in try Self.perform(kind, context, node) })
                    }))
        }
        engine = JobEngine(
            catalog: node.catalog, node: node.catalogID, lanes: [lane(2, content), lane(1, whole)],
            failure: { error in
                node.damage.note(error)
                let failure = NodeFailure(of: error)
                return JobFailure(code: failure.code, detail: failure.detail)
            }, onError: onError)
    }

    // MARK: Asking

    public func pin(_ request: PinRequest, for local: LocalNode) throws -> Job {
        var request = request
        request.visibility = try local.visibilityOfNew(request.visibility).rawValue
        return try submit(.pin, request, local)
    }

    public func completePin(_ id: String, for local: LocalNode) throws -> Job {
        try submit(.completePin, PinTask(pin: id), local)
    }

    public func setVisibility(_ visibility: String, ofPin id: String, for local: LocalNode) throws -> Job {
        _ = try local.visibility(visibility)
        return try submit(.setVisibility, PinTask(pin: id, visibility: visibility), local)
    }

    /// - Throws: at once where the namespace is not there, or must not be published.
    public func setVisibility(
        _ visibility: String, ofNamespace text: String, for local: LocalNode
    ) throws -> Job {
        _ = try local.visibility(visibility)
        let id = try local.requireNamespace(text, for: .publish).id.text
        return try submit(
            .setNamespaceVisibility, NamespaceTask(namespace: id, visibility: visibility), local)
    }

    /// - Throws: at once where the namespace is not there, or is somebody else's.
    public func verify(namespace text: String, for local: LocalNode) throws -> Job {
        try submit(.verifyNamespace, try local.requireNamespace(text, for: .admin).id.text, local)
    }

    public func walk(_ root: CID, for local: LocalNode) throws -> Job {
        try submit(.walk, root.description, local)
    }

    public func collect(_ request: CollectionRequest, for local: LocalNode) throws -> Job {
        try submit(.collect, request, local)
    }

    public func verify(_ request: VerificationRequest, for local: LocalNode) throws -> Job {
        try submit(.verify, request, local)
    }

    private func submit(_ kind: Kind, _ request: some Codable, _ local: LocalNode) throws -> Job {
        let envelope = Envelope(seesAll: local.seesAll, request: request)
        return try engine.submit(
            JobDraft(
                kind: kind.rawValue, request: try JSONText.encode(envelope), project: local.project))
    }

    /// The job of that id with its newest progress, if it is there to be seen.
    public func job(_ id: String, for local: LocalNode) throws -> Job? {
        try local.job(id).map(engine.current)
    }

    /// A page of jobs, newest first.
    public func list(
        state: String?, cursor: String?, limit: Int, for local: LocalNode
    ) throws -> PageMessage<JobMessage<JSONValue>> {
        try local.jobs(state: state, cursor: cursor, limit: limit, engine.current)
    }

    /// Asks for the end of a job.
    ///
    /// - Returns: the job as it is then; `nil` if there is none to be seen.
    /// - Throws: `job-ended` where there is nothing to end.
    public func cancel(_ id: String, for local: LocalNode) throws -> Job? {
        guard let job = try job(id, for: local) else { return nil }
        if job.state.isFinal { throw NodeFailure(ended: job) }
        guard let after = try engine.cancel(job.id) else { return nil }
        // It may have come to its end meanwhile.
        if after.state == .done || after.state == .failed { throw NodeFailure(ended: after) }
        return after
    }

    // MARK: Doing

    private static func perform(_ kind: Kind, _ context: JobContext, _ node: StorageNode) throws -> String {
        switch kind {
        case .pin:
            return try run(context, node) { (local, request: PinRequest, watch) in
                try local.pin(request, watch)
            }
        case .completePin:
            return try run(context, node) { (local, request: PinTask, watch) in
                try local.completePin(request.pin, watch)
            }
        case .setVisibility:
            return try run(context, node) { (local, request: PinTask, watch) in
                try local.setVisibility(request.visibility ?? "", ofPin: request.pin, watch)
            }
        case .setNamespaceVisibility:
            return try run(context, node) { (local, task: NamespaceTask, watch) in
                try local.applyVisibility(task.visibility, ofNamespace: task.namespace, watch)
            }
        case .verifyNamespace:
            return try run(context, node) { (local, id: String, watch) in
                try local.applyVerification(ofNamespace: id, watch)
            }
        case .walk:
            return try run(context, node) { (local, request: String, watch) in
                try local.walk(CID(text: request), watch)
            }
        case .collect:
            return try run(context, node) { (local, request: CollectionRequest, watch) in
                try local.collect(request, watch)
            }
        case .verify:
            return try run(context, node) { (local, request: VerificationRequest, watch) in
                try local.verify(request, watch)
            }
        }
    }

    private static func run<Request: Codable>(
        _ context: JobContext, _ node: StorageNode,
        _ body: (LocalNode, Request, Watch) throws -> some Codable
    ) throws -> String {
        let envelope = try JSONText.decode(Envelope<Request>.self, context.job.request)
        let local = try LocalNode(
            node, project: context.job.project ?? .default, seesAll: envelope.seesAll)
        let watch = Watch(
            cancellation: context.cancellation, setTotal: { context.setTotal(items: $0, bytes: $1) },
            advance: { context.advance(items: $0, bytes: $1) })
        let result = try JSONText.encode(try body(local, envelope.request, watch))
        guard result.utf8.count <= Job.maximumResultBytes else {
            throw NodeFailure(.failed, code: "result-too-large", detail: "the result is too large to keep")
        }
        return result
    }
}

extension JobMessage where Result == JSONValue {
    /// A job as the API shows it.
    public init(_ job: Job) {
        var progress = JobProgressMessage(
            items: job.progress.items, totalItems: job.progress.totalItems, bytes: job.progress.bytes,
            totalBytes: job.progress.totalBytes)
        if let fraction = job.state == .done ? 1 : job.progress.fraction {
            // What is not done is not whole: after the last byte the pins are looked at, and the like.
            progress.percent = min((fraction * 1000).rounded() / 10, job.state == .done ? 100 : 99.9)
            if job.state == .running, fraction > 0, let started = job.started {
                let seconds = Double(TimeText.now() - started) / 1000
                progress.remainingSeconds = (seconds * (1 - fraction) / fraction * 10).rounded() / 10
            }
        }
        self.init(
            id: job.id.text, kind: job.kind, state: job.state.rawValue, url: "/api/v1/jobs/" + job.id.text,
            progress: progress, created: TimeText.utc(milliseconds: job.created))
        result = job.result.flatMap { try? JSONText.decode(JSONValue.self, $0) }
        error = job.failure.map { JobErrorMessage(code: $0.code, detail: $0.detail) }
        started = job.started.map { TimeText.utc(milliseconds: $0) }
        finished = job.finished.map { TimeText.utc(milliseconds: $0) }
    }
}

/// JSON as it is stored.
enum JSONText {
    static func encode(_ value: some Encodable) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(value), as: UTF8.self)
    }

    static func decode<Value: Decodable>(_ type: Value.Type, _ text: String) throws -> Value {
        try JSONDecoder().decode(type, from: Data(text.utf8))
    }
}
