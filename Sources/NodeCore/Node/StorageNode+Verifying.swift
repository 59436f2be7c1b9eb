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
    public var openingNotes: [String] = []

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
        report.openingNotes = openingNotes
        let scrubbed = try store.scrub(bytesPerSecond: bytesPerSecond) { bytes in
            try cancellation.check()
            try progress(bytes)
        }
        report.blocks = scrubbed.blocks
        report.bytes = scrubbed.bytes
        report.storage = scrubbed.findings
        if repair == .yes, try catalog.problems().contains(.counters) { try catalog.repairCounters() }
        report.catalog = try catalog.problems()
        guard !report.catalog.contains(where: { if case .storage = $0 { true } else { false } }) else {
            return report
        }
        try catalog.pins.forEach { pin in
            report.pins += 1
            do {
                let walked = try walk(pin.root, cancellation)
                guard let first = walked.firstMissing, pin.status == .pinned else { return }
                report.incompletePins.append(
                    .init(pin: pin, problem: "\(walked.missing) blocks are missing, the first is \(first)"))
            } catch let error as CancelledError {
                throw error
            } catch {
                report.incompletePins.append(.init(pin: pin, problem: "\(error)"))
            }
        }
        return report
    }

    /// Whether verifying changes anything.
    public enum Repair: Sendable {
        case no
        case yes
    }
}
