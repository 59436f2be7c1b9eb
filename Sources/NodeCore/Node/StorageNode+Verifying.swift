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
    /// Beyond what the scrub finds itself.
    public var openingNotes: [OpeningNote] = []

    /// A pin that cannot give back everything it keeps.
    public struct IncompletePin: Sendable {
        public let pin: Pin
        public let problem: String
    }

    public var isClean: Bool {
        storage.isEmpty && catalog.isEmpty && incompletePins.isEmpty && openingNotes.isEmpty
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
    /// Checks every stored block against its CID, the catalog against itself, and every pin for everything
    /// below it.
    ///
    /// - Parameters:
    ///   - bytesPerSecond: reads no faster than this.
    ///   - repair: mends what can be mended without another copy.
    public func verify(
        bytesPerSecond: Int64? = nil, repair: Repair = .no, cancellation: Cancellation = Cancellation(),
        progress: (Int64) throws -> Void = { _ in }
    ) throws -> VerificationReport {
        var report = VerificationReport()
        try report.scrub(store, bytesPerSecond: bytesPerSecond) { bytes in
            try cancellation.check()
            try progress(bytes)
        }
        if repair == .yes, try catalog.problems().contains(.counters) { try catalog.repairCounters() }
        report.catalog = try catalog.problems()
        guard !report.catalog.contains(where: { if case .storage = $0 { true } else { false } }) else {
            return report
        }
        let rows = Result { try catalog.pins.forEach { try report.check($0, in: self, cancellation) } }
        // The row itself is among the findings already; the pins behind it wait until it is mended.
        do { try rows.get() } catch CatalogError.damagedRow {}
        return report
    }

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
