import Access
import BlockStorage
import Catalog
import Namespaces
import NodeCore
public import SyncProtocol
import TreeValues

extension SyncService {
    /// How the namespaces are that the principal may read; for who may read metrics of the node also what
    /// it did.
    public func report() throws -> SyncReport {
        let namespaces = try readable().prefix(Self.maximumReported).map { namespace, role in
            NamespaceReport(
                info: info(namespace, role: role),
                unsettledMilliseconds: self.namespaces.feed.unsettledMilliseconds(of: namespace.id),
                devices: try progress(in: namespace), leases: try leases(in: namespace),
                conflicts: try node.catalog.conflicts.openCount(of: namespace))
        }
        return SyncReport(
            namespaces: namespaces,
            node: principal.mayPerform(.metrics, on: .node) ? try figures() : nil)
    }

    /// More namespaces are not told of at once: each costs a few queries.
    private static let maximumReported = 1000

    private func figures() throws -> NodeFigures {
        let counts = hub.tally.counts
        var figures = NodeFigures()
        figures.commits = counts.commits
        figures.journalEntries = counts.journalEntries
        figures.conflicts = counts.conflicts.values.reduce(0, +)
        figures.conflictCopies = counts.conflictCopies.values.reduce(0, +)
        figures.neededBlocks = counts.neededBlocks
        (figures.storedBlocks, figures.storedBytes) = (counts.stored.blocks, counts.stored.bytes)
        (figures.duplicateBlocks, figures.duplicateBytes) = (counts.duplicate.blocks, counts.duplicate.bytes)
        (figures.retrievedBlocks, figures.retrievedBytes) = (counts.retrieved.blocks, counts.retrieved.bytes)
        figures.entries = counts.listed + counts.snapshotted
        figures.wakeUps = counts.wakeUps
        figures.waits = counts.waits
        figures.catalogWritesWaiting = Int64(try node.catalog.statistics().writesWaiting)
        let cache = node.store.verifiedCache
        figures.cacheHits = Int64(clamping: cache.hits)
        figures.cacheMisses = Int64(clamping: cache.misses)
        figures.cacheUsed = Int64(cache.used)
        figures.cacheCapacity = Int64(cache.capacity)
        return figures
    }
}
