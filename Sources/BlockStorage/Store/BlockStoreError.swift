import Glibc
public import Multiformats

/// What can go wrong in a block store.
public enum BlockStoreError: Error, Equatable, Sendable {
    /// The bytes that are stored for the CID do not hash to it. They are quarantined and never served.
    case damaged(CID, pack: String, offset: UInt64)
    /// Bytes that were to be put do not hash to their CID.
    case digestMismatch(CID)
    case blockTooLarge(CID, bytes: Int, maximum: Int)
    /// Writing would take the reserve that keeps reading, removing and collecting possible.
    case storageFull(needed: Int64, available: Int64)
    /// Another process has the data directory open.
    case inUse(directory: String, program: String, processID: String)
    case newerFormat(directory: String, found: String, supported: Int)
    case notADataDirectory(directory: String, reason: String)
    /// A write or sync failed; until the store is opened again nothing is written, reading goes on.
    case failedBefore(String)
    case file(operation: String, path: String, code: Int32)
    case index(String)
    case closed
}

extension BlockStoreError {
    /// Whether stored data is damaged.
    public var isDamage: Bool {
        switch self {
        case .damaged, .digestMismatch: true
        default: false
        }
    }

    /// Whether the disk has no room.
    public var isDiskFull: Bool {
        switch self {
        case .storageFull: true
        case .file(_, _, let code): code == ENOSPC || code == EDQUOT
        default: false
        }
    }

    /// Whether somebody else is in the way.
    public var isInUse: Bool {
        if case .inUse = self { true } else { false }
    }
}

extension BlockStoreError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .damaged(let cid, let pack, let offset):
            "block \(cid) is damaged (pack \(pack), byte \(offset)) and is not served; "
                + "add the file or import a CAR that holds it to repair it, `nacre verify` lists all damage"
        case .digestMismatch(let cid):
            "the bytes do not hash to \(cid), so they are not stored"
        case .blockTooLarge(let cid, let bytes, let maximum):
            "block \(cid) has \(bytes) bytes; at most \(maximum) are allowed"
        case .storageFull(let needed, let available):
            "the disk is full: \(needed) bytes are needed and \(available) are free beyond the reserve; "
                + "remove pins and run `nacre gc`, or add disk"
        case .inUse(let directory, let program, let processID):
            "\(directory) is in use by \(program) (process \(processID)); stop it, or use another --data"
        case .newerFormat(let directory, let found, let supported):
            "\(directory) has format \(found), this version knows formats up to \(supported); "
                + "use a newer nacre (nothing was changed)"
        case .notADataDirectory(let directory, let reason):
            "\(directory) is not a data directory: \(reason)"
        case .failedBefore(let reason):
            "nothing more is written since this failed: \(reason); mend the cause and start again"
        case .file(let operation, let path, let code):
            "cannot \(operation) \(path): \(SystemErrorText.of(code))"
        case .index(let reason):
            "the block index failed: \(reason); if this stays, `nacre verify --rebuild-index` makes it anew from the packs"
        case .closed:
            "the store is closed"
        }
    }
}
