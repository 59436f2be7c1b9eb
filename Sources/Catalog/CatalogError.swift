public import Multiformats

/// Why the catalog did not do what it was asked.
public enum CatalogError: Error, Hashable, Sendable {
    case cannotOpen(path: String, reason: String)
    /// A newer Nacre wrote the catalog. Nothing was changed.
    case newerSchema(path: String, found: Int, known: Int)
    /// The list of migrations that were applied has a hole.
    case schemaIncomplete(path: String, missing: Int)
    /// SQLite finds its own file inconsistent.
    case damaged(path: String, detail: String)
    /// The seal of a row does not fit its fields.
    case damagedRow(table: String, key: String)
    case unexpectedColumn(Int, expected: String)
    /// Another connection held the database for longer than the timeout.
    case busy(path: String)
    case storageFull(path: String)
    case readOnly(path: String)
    /// The server of the catalog went away in the middle of a call. Nothing of a change was kept.
    case connectionLost(path: String, reason: String)
    /// The server went away while it was told to keep a change: whether it did is not known.
    case outcomeUnknown(path: String)
    /// The catalog was closed before the call.
    case closed(path: String)
    /// The catalog knows nothing of the data directory: it is another one, or it was emptied.
    case unknownDirectory(path: String, id: String)
    /// The catalog belongs to another data directory, whose blocks are not here.
    case otherDirectory(path: String, owner: String, id: String)
    /// Anything else that a server reports, with its SQLSTATE.
    case server(path: String, state: String, message: String)
    /// Anything else that the SQL library reports.
    case failed(path: String, code: Int, message: String)

    /// A row would repeat what must be unique.
    case notUnique(message: String)
    case duplicatePin(root: CID, name: String)
    case pinAbsent(PinID)
    case duplicateUser(String)
    case duplicateNamespace(String)
    case tooManyDevices(maximum: Int)
    /// Another device has a lease of the node.
    case leaseTaken(device: String)
    case tooManyLeases(maximum: Int)
    case nameTooLong(bytes: Int, maximum: Int)
    case nameContainsNUL
    case metaTooLarge(bytes: Int, maximum: Int)
    case invalidID(String)
}

extension CatalogError {
    /// Whether the file is not as it was written.
    public var isDamage: Bool {
        switch self {
        case .damaged, .damagedRow, .schemaIncomplete, .unknownDirectory: true
        default: false
        }
    }
}

extension CatalogError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .cannotOpen(let path, let reason):
            "the catalog \(path) cannot be opened: \(reason)"
        case .newerSchema(let path, let found, let known):
            "the catalog \(path) has schema \(found), this program knows \(known); use a newer version of Nacre"
        case .schemaIncomplete(let path, let missing):
            "the catalog \(path) lacks schema step \(missing) though later ones are there; restore it from a backup"
        case .damaged(let path, let detail):
            "the catalog \(path) is damaged (\(detail)); restore it from a backup, the blocks are not affected"
        case .damagedRow(let table, let key):
            "row \(key) of table \(table) in the catalog is damaged: its checksum does not fit; "
                + "restore the catalog from a backup" + Self.remedy(table: table, key: key)
        case .unexpectedColumn(let column, let expected):
            "column \(column) of a row in the catalog is not \(expected)"
        case .busy(let path):
            "the catalog \(path) is in use by another process; try again"
        case .storageFull(let path):
            "there is no room on the disk of the catalog \(path); remove something, or add disk"
        case .readOnly(let path) where path.contains("://"):
            "the catalog \(path) is read-only; name the server that takes changes, not a standby, in catalog.url"
        case .readOnly(let path):
            "the catalog \(path) is read-only; check the permissions of the data directory"
        case .connectionLost(let path, let reason):
            "the connection to the catalog \(path) was lost (\(reason)); nothing of the change was kept, try again"
        case .outcomeUnknown(let path):
            "the connection to the catalog \(path) was lost while a change was kept; look whether it is there "
                + "before you repeat it"
        case .closed(let path):
            "the catalog \(path) is closed"
        case .unknownDirectory(let path, let id):
            "the catalog \(path) knows nothing of this data directory (\(id)), which holds blocks: it is another "
                + "database, or it was emptied; mend catalog.url, restore the database from a backup, or begin "
                + "with what the catalog has by `nacre verify --new-catalog` (then pin what is to stay)"
        case .otherDirectory(let path, let owner, let id):
            "the catalog \(path) belongs to another data directory (\(owner)), and this one is \(id): its pins are about "
                + "blocks that are there; give this directory a catalog of its own (in PostgreSQL another database, or "
                + "another schema: options=-csearch_path%3DNAME in catalog.url), or, if this directory is to take the "
                + "place of that one, run `nacre verify --new-catalog` here"
        case .server(let path, "42501", let message):
            "the catalog \(path) refused: \(message); give its user the right by GRANT, or make the user the owner "
                + "of the database"
        case .server(let path, let state, let message):
            "the catalog \(path) failed: \(message) (SQLSTATE \(state))"
        case .failed(let path, let code, let message):
            "the catalog \(path) failed: \(message) (SQLite error \(code))"
        case .notUnique(let message):
            "the catalog has such a row already (\(message))"
        case .duplicatePin(let root, let name):
            "\(root) is pinned already\(name.isEmpty ? " without a name" : " under the name “\(name)”")"
        case .duplicateUser(let name):
            "there is a user named “\(name)” already; choose another name"
        case .pinAbsent(let id):
            "there is no pin \(id)"
        case .duplicateNamespace(let name):
            "there is a namespace named “\(name)” already, or one of another project that differs by case only; "
                + "choose another name"
        case .tooManyDevices(let maximum):
            "a project may have \(maximum) devices, those that were removed included"
        case .leaseTaken(let device):
            "the device \(device) has a lease of it; wait until it ends"
        case .tooManyLeases(let maximum):
            "a namespace may have \(maximum) leases at once"
        case .nameTooLong(let bytes, let maximum):
            "a name may have \(maximum) bytes, this one has \(bytes)"
        case .nameContainsNUL:
            "a name may not contain the character NUL"
        case .metaTooLarge(let bytes, let maximum):
            "the metadata of a pin may take \(maximum) bytes as JSON, these take \(bytes)"
        case .invalidID(let text):
            "“\(text)” is not an id: 26 digits and letters are expected"
        }
    }

    /// What else can be done about a damaged row than taking the catalog of yesterday.
    private static func remedy(table: String, key: String) -> String {
        switch table {
        case "pins": ", or remove the row (`nacre pin rm \(key)`) and pin again"
        case "grants", "grant_usage": ", or remove the row (`nacre key revoke \(key)`) and make a new key"
        default: ""
        }
    }
}
