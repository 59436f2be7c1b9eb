public import BlockStorage
public import CAR
import IPLD
public import Multiformats

/// What an import of a CAR file brought.
public struct CARImportReport: Sendable {
    public var roots: [CID] = []
    public var blocks = 0
    public var bytes: Int64 = 0
    /// Blocks that the store held already, or that the file holds more than once.
    public var duplicateBlocks = 0
    /// Blocks within identity CIDs: nothing to store.
    public var identityBlocks = 0
    /// For each root: how many blocks below it are in neither the file nor the store, and the first of them.
    public var missing: [CID: (count: Int, first: CID)] = [:]

    public init() {}

    public var isComplete: Bool { missing.isEmpty }
}

extension StorageNode {
    /// Takes the blocks of a CAR file into the store, each verified. Nothing is pinned here.
    ///
    /// Memory: a batch of some MiB. An error leaves what came before it unpinned in the store, for the
    /// collector.
    ///
    /// - Parameters:
    ///   - read: fills a buffer; returns 0 only at the end.
    ///   - progress: told of bytes of blocks as they are stored.
    /// - Throws: `CARError` with the offset of the fault.
    public func importCAR(
        options: CARReadingOptions = CARReadingOptions(), scope: ScopeMarks = .defaultProject,
        cancellation: Cancellation = Cancellation(), progress: (Int) throws -> Void = { _ in },
        read: @escaping CARByteSource
    ) throws -> CARImportReport {
        var report = CARImportReport()
        var stream = CARStream(options: options, source: read)
        report.roots = try stream.header().roots
        var batch = BlockCollector(store: store, scope: scope)
        while let section = try stream.next() {
            try cancellation.check()
            report.blocks += 1
            report.bytes += Int64(section.bytes.count)
            if section.cid.isIdentity { report.identityBlocks += 1 }
            try batch.add(section.block)
            try progress(section.bytes.count)
        }
        try batch.flush()
        report.duplicateBlocks = batch.summary.knownBlocks - report.identityBlocks
        try store.commit()
        for root in report.roots {
            let walked = try walk(root, cancellation)
            if let first = walked.firstMissing { report.missing[root] = (walked.missing, first) }
        }
        return report
    }
}
