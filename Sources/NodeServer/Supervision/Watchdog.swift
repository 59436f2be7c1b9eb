public import Logging
import NIOPosix
public import NodeCore
public import ServiceLifecycle

/// Gives the watchdog of the service manager its sign of life, as long as the node works.
///
/// Twice in each interval the node is made to do what it is there for. A check that hangs, or that fails in a
/// way which a new start mends, gives no sign, so that the process is ended and started anew. What a new
/// start does not mend (a full disk, a catalog server that is away) is said, and the node goes on: what it
/// can still answer would only be interrupted.
public struct Watchdog: Service {
    private let node: StorageNode
    private let manager: ServiceManager
    private let logger: Logger

    public init(node: StorageNode, manager: ServiceManager, logger: Logger) {
        self.node = node
        self.manager = manager
        self.logger = logger
    }

    /// Runs until the graceful shutdown begins, and says that it did.
    public func run() async throws {
        guard let interval = manager.watchdogInterval else {
            try? await gracefulShutdown()
            return manager.notifyStopping()
        }
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                await look()
                try? await Task.sleep(for: interval / 2)
            }
        }
        manager.notifyStopping()
    }

    private func look() async {
        let node = node
        // The check reads and writes files: it has a thread of its own pool, never one of the tasks'.
        let outcome = try? await NIOThreadPool.singleton.runIfActive { () -> Result<Void, HealthFailure> in
            do {
                return .success(try node.checkReadiness())
            } catch {
                return .failure(HealthFailure(error))
            }
        }
        switch outcome {
        case .success: manager.notify(.watchdog, .status("ready"))
        case .failure(let failure):
            logger.error(
                "not ready", metadata: ["error": "\(failure)", "restart": "\(failure.isMendedByRestart)"])
            manager.notify(.status("not ready: \(failure)"))
            if !failure.isMendedByRestart { manager.notify(.watchdog) }
        case .none: break  // the pool has been stopped, and so will be the process
        }
    }
}

extension ServiceManager {
    fileprivate func notifyStopping() { notify(.stopping, .status("finishing answers")) }
}
