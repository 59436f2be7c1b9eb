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
    /// For each root: how many blocks below it are in neither the file nor the store, and the first of
    /// them.
    public var missing: [CID: (count: Int, first: CID)] = [:]

    public init() {}

    public var isComplete: Bool { missing.isEmpty }
}

extension CARImportReport {
    /// Takes the blocks of a CAR file into a store, each verified. Nothing is pinned here.
    ///
    /// Memory: a batch of some MiB. An error leaves what came before it unpinned in the store, for the
    /// collector.
    ///
    /// - Parameters:
    ///   - read: fills a buffer; returns 0 only at the end.
    ///   - progress: told of bytes of blocks as they are stored.
    ///   - walk: what is below a root.
    /// - Throws: `CARError` with the offset of the fault.
    public init(
        importing read: @escaping CARByteSource, into store: any BlockStore, options: CARReadingOptions,
        scope: ScopeMarks, cancellation: Cancellation, progress: (Int) throws -> Void,
        walk: (CID) throws -> StorageNode.WalkReport
    ) throws {
        var stream = CARStream(options: options, source: read)
        roots = try stream.header().roots
        var batch = BlockCollector(store: store, scope: scope)
        while let section = try stream.next() {
            try cancellation.check()
            blocks += 1
            bytes += Int64(section.bytes.count)
            if section.cid.isIdentity { identityBlocks += 1 }
            try batch.add(section.block)
            try progress(section.bytes.count)
        }
        try batch.flush()
        duplicateBlocks = batch.summary.knownBlocks - identityBlocks
        try store.commit()
        for root in roots {
            let walked = try walk(root)
            if let first = walked.firstMissing { missing[root] = (walked.missing, first) }
        }
    }
}

extension StorageNode {
    /// Takes the blocks of a CAR file into the store: see
    /// ``CARImportReport/init(importing:into:options:scope:cancellation:progress:walk:)``.
    public func importCAR(
        options: CARReadingOptions = CARReadingOptions(), scope: ScopeMarks = .defaultProject,
        cancellation: Cancellation = Cancellation(), progress: (Int) throws -> Void = { _ in },
        read: @escaping CARByteSource
    ) throws -> CARImportReport {
        try CARImportReport(
            importing: read, into: store, options: options, scope: scope, cancellation: cancellation,
            progress: progress, walk: { try walk($0, cancellation) })
    }
}
