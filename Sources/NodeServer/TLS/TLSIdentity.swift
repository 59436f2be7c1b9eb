import Logging
import NIOSSL
import Synchronization

/// What the node shows of itself to those who connect by TLS; follows its files.
///
/// A connection keeps what it began with. Files that cannot be used change nothing: the identity that was
/// in force stays.
final class TLSIdentity: Sendable {
    private struct State {
        var files: TLSFiles
        var context: NIOSSLContext
        /// The files as they were when they were last tried, so that a bad state is told of once.
        var tried: TLSFiles.Stamp
    }

    private let state: Mutex<State>
    private let logger: Logger

    init(_ files: TLSFiles, logger: Logger) throws(TLSError) {
        let stamp = files.stamp
        let (context, warnings) = try files.load()
        state = Mutex(State(files: files, context: context, tried: stamp))
        self.logger = logger
        warn(warnings)
    }

    /// For the next connection.
    var context: NIOSSLContext { state.withLock { $0.context } }

    /// Reads the files again if they have changed, or if they are others. Blocks on the disk; for one
    /// thread at a time.
    ///
    /// - Parameter files: other files from now on; `nil` for the same.
    func refresh(_ files: TLSFiles? = nil) {
        let (current, tried) = state.withLock { ($0.files, $0.tried) }
        let files = files ?? current
        // The stamp before the bytes: what changes in between is seen at the next look.
        let stamp = files.stamp
        guard stamp != tried || files != current else { return }
        do throws(TLSError) {
            let (context, warnings) = try files.load()
            state.withLock { $0 = State(files: files, context: context, tried: stamp) }
            logger.notice("certificate taken over", metadata: ["file": "\(files.certificate)"])
            warn(warnings)
        } catch {
            if files == current { state.withLock { $0.tried = stamp } }
            logger.error(
                "certificate not taken over: the one in force stays", metadata: ["error": "\(error)"])
        }
    }

    private func warn(_ warnings: [TLSFiles.Warning]) {
        for warning in warnings { logger.warning("certificate", metadata: ["warning": "\(warning)"]) }
    }
}
