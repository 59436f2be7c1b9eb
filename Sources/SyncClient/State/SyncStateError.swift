import GRDB

/// Why the state of a folder cannot be used.
public enum SyncStateError: Error, Equatable, Sendable {
    /// Another process has it open.
    case inUse(path: String)
    case damaged(path: String, detail: String)
    case storageFull(path: String)
    case readOnly(path: String)
    /// It was written by a newer program.
    case newerSchema(path: String, found: Int, known: Int)
    /// A step of the schema is not the one that this program has under that number.
    case otherSchema(path: String, step: Int)
    /// A row holds what this program never wrote.
    case badRow(table: String)
    case closed(path: String)
    case failed(path: String, code: Int32, message: String)
}

extension SyncStateError {
    init(_ error: DatabaseError, path: String) {
        let message = error.message ?? "no message"
        switch error.resultCode {
        case .SQLITE_CORRUPT, .SQLITE_NOTADB: self = .damaged(path: path, detail: message)
        case .SQLITE_BUSY, .SQLITE_LOCKED: self = .inUse(path: path)
        case .SQLITE_FULL: self = .storageFull(path: path)
        case .SQLITE_READONLY: self = .readOnly(path: path)
        default:
            self = .failed(path: path, code: error.extendedResultCode.rawValue, message: message)
        }
    }
}

extension SyncStateError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .inUse(let path): "another process has the sync state `\(path)` open: stop that one first"
        case .damaged(let path, let detail):
            "the sync state `\(path)` is damaged (\(detail)): remove it, and the folder is compared anew; no "
                + "file is lost by that"
        case .storageFull(let path): "there is no space left for the sync state `\(path)`: free some"
        case .readOnly(let path):
            "the sync state `\(path)` may not be written: check permissions and the disk"
        case .newerSchema(let path, let found, let known):
            "the sync state `\(path)` has schema \(found), this program knows \(known): use the newer program"
        case .otherSchema(let path, let step):
            "step \(step) of the schema of `\(path)` is not the one this program has: use the program that made "
                + "it, or remove the file, and the folder is compared anew"
        case .badRow(let table):
            "a row of `\(table)` in the sync state cannot be read: remove the file to start anew"
        case .closed(let path): "the sync state `\(path)` was closed"
        case .failed(let path, let code, let message): "the sync state `\(path)` failed: \(message) (\(code))"
        }
    }
}
