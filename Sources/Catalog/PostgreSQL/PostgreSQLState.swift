/// Why a statement failed, in the five characters of the SQL standard and of PostgreSQL.
///
/// Spec: PostgreSQL 15, Appendix A, "PostgreSQL Error Codes".
struct PostgreSQLState: Hashable, Sendable {
    let code: String

    /// Another transaction got in the way: the same again may go through.
    var isWorthAnotherTry: Bool { code == "40001" || code == "40P01" }

    /// The server gave the connection up, or is about to: it stops, starts, or found the client too slow.
    /// Errors on the socket have no code at all.
    var endsTheConnection: Bool {
        code.isEmpty || code.hasPrefix("08") || code.hasPrefix("57P") || code == "25P03"
    }

    /// What it means for the catalog.
    func error(path: String, message: String) -> CatalogError {
        switch code {
        case "23505": .notUnique(message: message)
        case "22021": .nameContainsNUL
        case "25006": .readOnly(path: path)
        case "40001", "40P01", "55P03": .busy(path: path)
        case "53100": .storageFull(path: path)
        case "XX001", "XX002": .damaged(path: path, detail: message)
        default:
            endsTheConnection
                ? .connectionLost(path: path, reason: message)
                : .server(path: path, state: code, message: message)
        }
    }
}
