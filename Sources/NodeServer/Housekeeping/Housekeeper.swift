import Access
import Catalog
import Glibc
import Logging
import NIOPosix
import NodeCore
import NodeMessages
import NodeService

/// Does what has to be done now and then while the node runs.
///
/// Each chore is done once at the start and then again and again, one at a time, in the thread pool. A
/// chore that fails is told of in the log and is tried again at its next turn.
struct Housekeeper: Sendable {
    /// Something that has to be done regularly.
    struct Chore: Sendable {
        /// As it stands in the log and in metrics.
        let name: String
        let every: Duration
        let work: @Sendable () throws -> Void
    }

    let chores: [Chore]
    let pool: NIOThreadPool
    let logger: Logger
    let metrics: Metrics

    /// Until the task is cancelled.
    func run() async {
        await withDiscardingTaskGroup { group in
            for chore in chores {
                group.addTask { await repeatedly(chore) }
            }
        }
    }

    private func repeatedly(_ chore: Chore) async {
        while !Task.isCancelled {
            do {
                try await pool.runIfActive { try chore.work() }
            } catch is CancellationError {
                return  // the pool was stopped: so is the node
            } catch {
                guard !Task.isCancelled else { return }
                metrics.add("nacre_chores_failed_total", ["chore": chore.name])
                logger.error(
                    "housekeeping failed", metadata: ["chore": "\(chore.name)", "error": "\(error)"])
            }
            // Cancelled while it waits: the loop ends.
            try? await Task.sleep(for: chore.every)
        }
    }
}

extension Housekeeper.Chore {
    /// Those of all that there are.
    static let names = [
        "names", "sessions", "imports", "certificate", "snapshots", "follows", "devices", "history",
    ]

    /// Signs names anew before they end, and removes records of others that have ended.
    static func names(_ node: StorageNode, _ logger: Logger, _ metrics: Metrics) -> Self {
        Self(name: "names", every: .seconds(4 * 3600)) {
            let report = try node.renewNames()
            for (entry, error) in report.failures {
                metrics.add("nacre_names_not_renewed_total")
                logger.error(
                    "name not renewed: it will end",
                    metadata: ["name": "\(entry.id)", "label": "\(entry.label)", "error": "\(error)"])
            }
            guard report.renewed + report.removed > 0 else { return }
            metrics.add("nacre_names_renewed_total", by: Double(report.renewed))
            logger.info(
                "names renewed",
                metadata: ["renewed": "\(report.renewed)", "records-removed": "\(report.removed)"])
        }
    }

    /// Forgets sessions, signed URLs and entries of the audit log that are over.
    static func authority(_ authority: Authority, _ catalog: CatalogDatabase) -> Self {
        Self(name: "sessions", every: .seconds(3600)) {
            try authority.removeEnded(catalog, now: Int64(time(nil)) * 1000)
        }
    }

    /// Ends imports that nothing is sent to any more.
    static func imports(_ api: APIDoor) -> Self {
        Self(name: "imports", every: .seconds(60)) { try api.endIdleImports() }
    }

    /// Makes the snapshots of namespaces that have settled, and publishes them under names that follow.
    static func snapshots(_ node: StorageNode, _ logger: Logger, _ metrics: Metrics) -> Self {
        Self(name: "snapshots", every: .milliseconds(250)) {
            let report = node.makeSettledSnapshots()
            for (namespace, error) in report.failures {
                logger.error(
                    "snapshot not made", metadata: ["namespace": "\(namespace)", "error": "\(error)"])
            }
            guard !report.made.isEmpty else { return }
            tell(try node.publishFollowing(in: report.made), logger, metrics)
        }
    }

    /// Publishes what names follow and what did not settle in this process: changes of others over the same
    /// catalog, and those of before the start.
    static func follows(_ node: StorageNode, _ logger: Logger, _ metrics: Metrics) -> Self {
        Self(name: "follows", every: .seconds(5)) { tell(try node.publishFollowing(), logger, metrics) }
    }

    private static func tell(
        _ report: StorageNode.FollowingReport, _ logger: Logger, _ metrics: Metrics
    ) {
        if report.published > 0 {
            metrics.add("nacre_names_followed_total", by: Double(report.published))
        }
        for (name, error) in report.failures {
            metrics.add("nacre_names_not_followed_total")
            logger.error(
                "name not published: it does not follow its namespace",
                metadata: ["name": "\(name)", "error": "\(error)"])
        }
    }

    /// Writes down which devices were heard of, and how far they are.
    static func devices(_ hub: SyncHub, _ catalog: CatalogDatabase) -> Self {
        Self(name: "devices", every: .seconds(5)) { try hub.devices.flush(to: catalog) }
    }

    /// Lets go of versions that no policy keeps.
    static func history(_ node: StorageNode, _ logger: Logger, _ metrics: Metrics) -> Self {
        Self(name: "history", every: .seconds(3600)) {
            let report = try node.thinHistories()
            if let end = report.waitsUntil {
                logger.warning(
                    "history not thinned out: the clock is far from where it was; set it if it is wrong",
                    metadata: ["waits-until": "\(TimeText.utc(milliseconds: end))"])
            }
            for (namespace, error) in report.failures {
                logger.error(
                    "history not thinned out", metadata: ["namespace": "\(namespace)", "error": "\(error)"])
            }
            guard report.droppedEntries + report.removedNamespaces > 0 else { return }
            metrics.add("nacre_history_entries_dropped_total", by: Double(report.droppedEntries))
            logger.info(
                "history thinned out",
                metadata: [
                    "entries": "\(report.droppedEntries)", "namespaces": "\(report.removedNamespaces)",
                ])
        }
    }

    /// Follows the certificate when it is renewed.
    static func certificate(_ identity: TLSIdentity) -> Self {
        Self(name: "certificate", every: .seconds(5)) { identity.refresh() }
    }
}
