public import BlockStorage
public import Catalog
import Multiformats

/// Everything that verifying found.
public struct VerificationReport: Sendable {
    public var blocks = 0
    public var bytes: Int64 = 0
    public var pins = 0
    public var storage: [ScrubFinding] = []
    public var catalog: [CatalogProblem] = []
    /// Pins below which blocks are missing or damaged.
    public var incompletePins: [IncompletePin] = []
    /// Namespaces that were looked at, with their kept history; those that can still be undeleted too.
    public var namespaces = 0
    /// Namespaces that lack something, or of which something cannot be read.
    public var incompleteNamespaces: [IncompleteNamespace] = []
    /// Beyond what the scrub finds itself.
    public var openingNotes: [OpeningNote] = []

    /// A pin that cannot give back everything it keeps.
    public struct IncompletePin: Sendable {
        public let pin: Pin
        public let problem: String
    }

    /// A namespace that cannot give back everything that its newest state and its kept history name.
    public struct IncompleteNamespace: Sendable {
        public let namespace: Namespace
        /// The first ``NamespaceVerificationReport/maximumFindings``.
        public let problems: [String]
        /// How many there are beyond those.
        public let moreProblems: Int
    }

    public var isClean: Bool {
        storage.isEmpty && catalog.isEmpty && incompletePins.isEmpty && incompleteNamespaces.isEmpty
            && openingNotes.isEmpty
    }

    public init() {}
}

extension VerificationReport {
    fileprivate mutating func check(_ pin: Pin, in node: StorageNode, _ cancellation: Cancellation) throws {
        pins += 1
        do {
            let walked = try node.walk(pin.root, cancellation)
            guard let first = walked.firstMissing, pin.status == .pinned else { return }
            incompletePins.append(
                .init(pin: pin, problem: "\(walked.missing) blocks are missing, the first is \(first)"))
        } catch let error as CancelledError {
            throw error
        } catch {
            incompletePins.append(.init(pin: pin, problem: "\(error)"))
        }
    }

    fileprivate mutating func check(
        _ namespace: Namespace, in node: StorageNode, _ cancellation: Cancellation
    ) throws {
        namespaces += 1
        let verification = node.verification(of: namespace, depth: .presence)
        while try !verification.advance() { try cancellation.check() }
        // Rows are among the findings of the catalog already.
        let problems = verification.report.findings.filter { $0.kind != .row }
        let more = verification.report.findingCount - verification.report.findings.count
        guard !problems.isEmpty || more > 0 else { return }
        incompleteNamespaces.append(
            .init(namespace: namespace, problems: problems.map(\.description), moreProblems: more))
    }

    fileprivate mutating func scrub(
        _ store: PackBlockStore, bytesPerSecond: Int64?, _ progress: (Int64) throws -> Void
    ) throws {
        openingNotes = store.openingNotes.filter { !$0.isFoundByScrub }
        let scrubbed = try store.scrub(bytesPerSecond: bytesPerSecond, progress: progress)
        blocks = scrubbed.blocks
        bytes = scrubbed.bytes
        storage = scrubbed.findings
    }
}

extension StorageNode {
    /// Checks every stored block against its CID, the catalog against itself, and every pin and namespace,
    /// with its kept history, for everything below it.
    ///
    /// - Parameters:
    ///   - bytesPerSecond: reads no faster than this.
    ///   - repair: mends what can be mended without another copy.
    ///   - checkedPin: told of each pin behind which everything was looked at.
    ///   - progress: told of bytes; all together they are ``verificationBytes`` as it was at the beginning.
    public func verify(
        bytesPerSecond: Int64? = nil, repair: Repair = .no, cancellation: Cancellation = Cancellation(),
        checkedPin: () throws -> Void = {}, progress: (Int64) throws -> Void = { _ in }
    ) throws -> VerificationReport {
        var report = VerificationReport()
        var course = ScrubCourse(total: verificationBytes, bytesPerSecond: bytesPerSecond)
        do {
            defer { damage.note(report.storage.compactMap(\.damagedBlock)) }
            try report.scrub(store, bytesPerSecond: bytesPerSecond) { bytes in
                try cancellation.check()
                try progress(course.step(after: bytes))
            }
        }
        try progress(course.rest)
        if repair == .yes, try catalog.problems().contains(.counters) { try catalog.repairCounters() }
        report.catalog = try catalog.problems()
        guard !report.catalog.contains(where: { if case .storage = $0 { true } else { false } }) else {
            return report
        }
        let rows = Result {
            try catalog.pins.forEach { pin in
                try report.check(pin, in: self, cancellation)
                try checkedPin()
            }
        }
        // The row itself is among the findings already; the pins behind it wait until it is mended.
        do { try rows.get() } catch CatalogError.damagedRow {}
        do { try forEachNamespace { try report.check($0, in: self, cancellation) } } catch CatalogError
            .damagedRow
        {}
        return report
    }

    /// Visits every namespace, those too that were deleted and can be had back.
    private func forEachNamespace(_ body: (Namespace) throws -> Void) throws {
        var last: NamespaceID?
        while true {
            let page = try catalog.namespaces.list(after: last, limit: NamespaceRepository.maximumPage)
            for namespace in page { try body(namespace) }
            guard page.count == NamespaceRepository.maximumPage else { break }
            last = page.last?.id
        }
        for namespace in try catalog.namespaces.deleted() { try body(namespace) }
    }

    /// Bytes of blocks that verifying reads, as near as is known without reading: those that nothing keeps
    /// are among them as long as they lie in their packs.
    public var verificationBytes: Int64 {
        let statistics = store.statistics()
        let bytes = Double(statistics.liveBytes) + Double(statistics.deadBytes)
        guard statistics.blocks > 0, statistics.liveBytes > 0 else { return 0 }
        // Those that are dead are not counted: they are taken for as large as the others.
        let sections = bytes * Double(statistics.blocks) / Double(statistics.liveBytes)
        return Int64(exactly: (bytes - sections * Self.usualHeadBytes).rounded()).map { max(0, $0) } ?? 0
    }

    /// A section's length and its CID, in front of the block.
    private static let usualHeadBytes: Double = 1 + 36

    /// Checks the blocks of a data directory whose catalog cannot be opened.
    ///
    /// - Parameter failure: what opening the catalog said; it becomes a finding.
    public static func verifyBlocks(
        in directory: String, configuration: Configuration, afterCatalogFailure failure: CatalogError,
        bytesPerSecond: Int64? = nil, cancellation: Cancellation = Cancellation(),
        progress: (Int64) throws -> Void = { _ in }
    ) throws -> VerificationReport {
        var options = configuration.storeOptions
        options.createIfMissing = false
        let store = try PackBlockStore(directory: directory, options: options)
        var report = VerificationReport()
        let result = Result {
            try report.scrub(store, bytesPerSecond: bytesPerSecond) { bytes in
                try cancellation.check()
                try progress(bytes)
            }
        }
        try store.close()
        try result.get()
        report.catalog = [.row(failure)]
        return report
    }

    /// Whether verifying changes anything.
    public enum Repair: Sendable {
        case no
        case yes
    }
}

/// How far a scrub is, in steps that together are the total that was told beforehand: the heads of sections
/// are not told of, and blocks come and go meanwhile.
private struct ScrubCourse {
    private let total: Int64
    private let bytesPerSecond: Int64?
    private let start = ContinuousClock.now
    private var done: Int64 = 0
    private var told: Int64 = 0

    init(total: Int64, bytesPerSecond: Int64?) {
        self.total = total
        self.bytesPerSecond = bytesPerSecond
    }

    /// - Parameter bytes: what was read; 0 while the scrub waits so as not to read faster than it may. What
    ///   it waits for is read, and passes evenly.
    /// - Returns: what to tell of.
    mutating func step(after bytes: Int64) -> Int64 {
        done &+= bytes
        var reached = done
        if bytes == 0, let bytesPerSecond {
            let paced = (ContinuousClock.now - start) / .seconds(1) * Double(bytesPerSecond)
            reached = max(reached, Int64(exactly: paced.rounded(.down)) ?? 0)
        }
        let step = max(0, min(reached, total) - told)
        told += step
        return step
    }

    /// What is left to tell of at the end.
    var rest: Int64 { total - told }
}

extension ScrubFinding {
    /// The block that is damaged, if that is what was found.
    fileprivate var damagedBlock: CID? {
        if case .damagedBlock(let cid, _, _) = self { cid } else { nil }
    }
}
