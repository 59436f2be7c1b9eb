import CPostgreSQL
import Glibc

extension PostgreSQLSession {
    /// Makes a connection and checks that a catalog can live there.
    ///
    /// - Throws: `cannotOpen`, with what the server says and what can be done; never with a password.
    static func connect(_ url: PostgreSQLURL, _ options: PostgreSQLOptions) throws(CatalogError)
        -> PostgreSQLSession
    {
        let path = url.description
        // What stands before the address gives way to it.
        let parameters = [
            ("connect_timeout", "\(max(2, options.connectTimeout.wholeMilliseconds / 1000))"),
            ("fallback_application_name", "nacre"),
            // A server that is cut off without a word is given up after half a minute.
            ("tcp_user_timeout", "30000"), ("keepalives_idle", "30"), ("dbname", url.text),
            ("client_encoding", "UTF8"),
        ]
        guard let handle = connect(parameters) else {
            throw .cannotOpen(path: path, reason: "there is no memory for a connection")
        }
        guard PQstatus(handle) == CONNECTION_OK else {
            let reason = line(PQerrorMessage(handle))
            PQfinish(handle)
            throw .cannotOpen(path: path, reason: reason + "; " + remedy(for: reason))
        }
        // Notices such as "relation exists, skipping" would go to standard error.
        PQsetNoticeProcessor(handle, { _, _ in }, nil)
        do throws(CatalogError) {
            let schema = try setUp(handle, path: path, options)
            guard PQenterPipelineMode(handle) == 1 else {
                throw .cannotOpen(path: path, reason: line(PQerrorMessage(handle)))
            }
            return PostgreSQLSession(handle, path: path, lockKey: lockKey(schema: schema), tap: options.tap)
        } catch {
            PQfinish(handle)
            throw error
        }
    }

    private static func connect(_ parameters: [(String, String)]) -> OpaquePointer? {
        let names = parameters.map { strdup($0.0) } + [nil]
        let values = parameters.map { strdup($0.1) } + [nil]
        defer { for copy in names + values { free(copy) } }
        return PQconnectdbParams(names.map { UnsafePointer($0) }, values.map { UnsafePointer($0) }, 1)
    }

    /// Sets limits and looks at the place.
    ///
    /// - Returns: the schema in which tables are made.
    private static func setUp(
        _ handle: OpaquePointer, path: String, _ options: PostgreSQLOptions
    ) throws(CatalogError) -> String {
        guard PQserverVersion(handle) >= 130_000 else {
            throw .cannotOpen(
                path: path, reason: "the server is older than PostgreSQL 13, which is the oldest that will do"
            )
        }
        let encoding = PQparameterStatus(handle, "server_encoding").map { String(cString: $0) } ?? ""
        guard encoding == "UTF8" else {
            throw .cannotOpen(
                path: path,
                reason:
                    "the database has the encoding \(encoding); make one by CREATE DATABASE … ENCODING 'UTF8' "
                    + "TEMPLATE template0")
        }
        let statement = options.statementTimeout.wholeMilliseconds
        let wait = options.waitTimeout.wholeMilliseconds
        let sql = """
            SELECT set_config('statement_timeout', '\(statement)', false),
                set_config('lock_timeout', '\(wait)', false),
                set_config('idle_in_transaction_session_timeout', '60000', false),
                set_config('client_min_messages', 'warning', false),
                set_config('synchronous_commit',
                    replace(current_setting('synchronous_commit'), 'off', 'on'), false),
                current_schema()
            """
        let result = PQexec(handle, sql)
        defer { PQclear(result) }
        guard PQresultStatus(result) == PGRES_TUPLES_OK, let schema = PQgetvalue(result, 0, 5) else {
            throw .cannotOpen(path: path, reason: line(PQerrorMessage(handle)))
        }
        guard PQgetisnull(result, 0, 5) == 0 else {
            throw .cannotOpen(
                path: path, reason: "no schema of the search path exists; make one by CREATE SCHEMA")
        }
        return String(cString: schema)
    }

    /// The number of the advisory lock under which the catalog in a schema is written. Advisory locks
    /// belong to a database, in which other programs have theirs, and other schemas their catalogs.
    private static func lockKey(schema: String) -> Int64 {
        RowSeal.over([.text("nacre catalog"), .text(schema)])
    }

    private static func remedy(for reason: String) -> String {
        if reason.contains("password") || reason.contains("authentication") || reason.contains("pg_hba") {
            return "check user and password in catalog.url, or put the password into ~/.pgpass"
        }
        if reason.contains("does not exist") {
            return "make it with createuser and createdb --owner, or mend catalog.url"
        }
        if reason.contains("too many") || reason.contains("remaining connection slots") {
            return "raise max_connections on the server, or lower catalog.connections"
        }
        if reason.contains("SSL") || reason.contains("certificate") {
            return "check sslmode and sslrootcert in catalog.url"
        }
        return "check that the server runs, and host and port in catalog.url"
    }
}
