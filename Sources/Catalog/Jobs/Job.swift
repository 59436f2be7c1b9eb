/// The id of a job.
public typealias JobID = RecordID<Job>

/// Work in the background that outlives the request, and the process, that asked for it.
public struct Job: Hashable, Sendable, Identifiable {
    public let id: JobID
    /// The data directory whose node does it; empty where the catalog has only one.
    public let node: String
    /// In whose name it is done; `nil` for the node's.
    public let project: ProjectID?
    /// What is to be done, such as `verify`.
    public let kind: String
    /// The details, as JSON.
    public let request: String
    public let state: JobState
    public let progress: JobProgress
    /// As JSON, once it is done.
    public let result: String?
    public let failure: JobFailure?
    /// Whether somebody wants it to end.
    public let isCancelRequested: Bool
    /// How often it was begun.
    public let attempts: Int64
    /// Unix milliseconds.
    public let created: Int64
    public let started: Int64?
    public let finished: Int64?

    /// The same job, further on.
    public func with(progress: JobProgress) -> Job {
        var change = JobRow.Change(self)
        change.progress = progress
        return change.applied(to: self)
    }

    /// The most bytes of ``request``.
    public static let maximumRequestBytes = 64 * 1024
    /// The most bytes of ``result``.
    public static let maximumResultBytes = 4 * 1024 * 1024
}

/// How far a job has come.
public enum JobState: String, CaseIterable, Hashable, Sendable {
    case queued
    case running
    case done
    case failed
    case cancelled

    /// Whether nothing will change any more.
    public var isFinal: Bool { self != .queued && self != .running }
}

/// What a job has done so far, and of how much where that is known.
public struct JobProgress: Hashable, Sendable {
    public var items: Int64
    public var totalItems: Int64?
    public var bytes: Int64
    public var totalBytes: Int64?

    public init(items: Int64 = 0, totalItems: Int64? = nil, bytes: Int64 = 0, totalBytes: Int64? = nil) {
        self.items = items
        self.totalItems = totalItems
        self.bytes = bytes
        self.totalBytes = totalBytes
    }

    /// From 0 to 1; `nil` where the whole is not known.
    public var fraction: Double? {
        if let totalBytes, totalBytes > 0 { return min(1, Double(bytes) / Double(totalBytes)) }
        if let totalItems, totalItems > 0 { return min(1, Double(items) / Double(totalItems)) }
        return nil
    }
}

/// Why a job failed.
public struct JobFailure: Hashable, Sendable {
    /// For programs: words with dashes.
    public var code: String
    /// For people.
    public var detail: String

    public init(code: String, detail: String) {
        self.code = code
        self.detail = detail
    }
}

/// What the caller says of a new job.
public struct JobDraft: Hashable, Sendable {
    public var kind: String
    public var request: String
    public var project: ProjectID?
    public var node = ""

    public init(kind: String, request: String, project: ProjectID?) {
        self.kind = kind
        self.request = request
        self.project = project
    }
}

/// Which jobs to list.
public struct JobFilter: Hashable, Sendable {
    public var node: String?
    /// Those of one project; `nil` for all.
    public var project: ProjectID?
    public var kind: String?
    public var states: Set<JobState>?

    public init() {}
}
