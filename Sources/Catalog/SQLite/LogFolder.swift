import Dispatch
import Foundation
import GRDB
import GRDBSQLite
import Synchronization

/// Folds the write-ahead log into the file, beside the connection that writes.
///
/// SQLite itself folds within the commit that makes the log long, and that one change waits until all of the
/// log is in the file and on the disk. Here another connection does it, while others go on reading and
/// writing (sqlite.org/wal.html, "Checkpointing"). Where changes come faster than it folds, a commit does it
/// after all, so that the log has an end.
final class LogFolder: Sendable {
    /// How many times as long as it should be the log may become before a commit folds it.
    static let patience = 4

    private let path: String
    private let configuration: Configuration
    private let pages: Int
    private let work = DispatchQueue(label: "catalog-log", qos: .utility)
    private let isUnderWay = Atomic(false)
    private struct State {
        /// Opened when it is needed first.
        var connection: DatabaseQueue?
        var isClosed = false
        var failures: UInt64 = 0
    }

    private let state = Mutex(State())

    /// How often the log could not be folded, for another reason than that somebody else did so. Nothing is lost
    /// by it, but the log grows, and a commit that finds it too long waits for the same disk.
    var failures: UInt64 { state.withLock(\.failures) }

    /// - Parameter pages: of the log, from which on it is folded.
    init(path: String, configuration: Configuration, pages: Int) {
        self.path = path
        self.configuration = configuration
        self.pages = max(1, pages)
    }

    /// Hears of each commit of a connection from now on. It must not outlive this object.
    func attach(to database: Database) {
        sqlite3_wal_hook(
            database.sqliteConnection,
            { context, handle, _, pages in
                guard let context else { return SQLITE_OK }
                let folder = Unmanaged<LogFolder>.fromOpaque(context).takeUnretainedValue()
                if folder.noteCommit(Int(pages)) {
                    // As SQLite's own hook does: what it says of it is no matter of the commit.
                    sqlite3_wal_checkpoint_v2(handle, nil, SQLITE_CHECKPOINT_PASSIVE, nil, nil)
                }
                return SQLITE_OK
            }, Unmanaged.passUnretained(self).toOpaque())
    }

    /// - Returns: whether the commit is to fold the log itself.
    private func noteCommit(_ logPages: Int) -> Bool {
        guard logPages >= pages else { return false }
        guard logPages < pages * Self.patience else { return true }
        guard !isUnderWay.exchange(true, ordering: .acquiringAndReleasing) else { return false }
        work.async { [self] in
            fold()
            isUnderWay.store(false, ordering: .releasing)
        }
        return false
    }

    /// What cannot be folded now is folded later: nothing of it is lost meanwhile.
    private func fold() {
        state.withLock { state in
            guard !state.isClosed else { return }
            do {
                let queue = try state.connection ?? open()
                state.connection = queue
                _ = try queue.inDatabase { try $0.checkpoint(.passive) }
            } catch let error as DatabaseError
                where [.SQLITE_BUSY, .SQLITE_LOCKED].contains(error.resultCode)
            {
            } catch {
                state.failures += 1
            }
        }
    }

    private func open() throws -> DatabaseQueue {
        // Where the file was moved away, no new one is made in its place.
        guard FileManager.default.fileExists(atPath: path) else {
            throw DatabaseError(resultCode: .SQLITE_CANTOPEN, message: "the file is gone")
        }
        let queue = try DatabaseQueue(path: path, configuration: configuration)
        // The log is on the disk before it is folded, and the file before the log begins anew.
        try queue.inDatabase { try $0.execute(sql: "PRAGMA synchronous = FULL") }
        return queue
    }

    /// Waits for what is under way, and closes the connection for good.
    func close() {
        state.withLock { state in
            state.isClosed = true
            // It has written nothing that the file lacks: there is nothing to say if it cannot be closed.
            try? state.connection?.close()
            state.connection = nil
        }
    }
}
