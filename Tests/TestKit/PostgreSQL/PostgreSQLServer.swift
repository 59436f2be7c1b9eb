import Foundation
import Glibc
import Synchronization

/// A throw-away PostgreSQL server in a temporary directory, reached through a socket in it.
///
/// No port is taken. The server ends with the process of the tests, however that ends: a shell watches a
/// pipe from it, stops the server by its own pid and removes the directory. Run by root, it runs as the user
/// `postgres`. It syncs nothing, since the machine does not crash under it.
public final class PostgreSQLServer: Sendable {
    /// The server that the tests of a process share, started when it is first asked for.
    public static let shared = Result { try PostgreSQLServer() }

    /// Why there is no server to be had; `nil` if there is.
    public static let missing: String? = {
        guard binaries != nil else {
            return "no /usr/lib/postgresql/*/bin: install postgresql-15, or run make test"
        }
        return getuid() == 0 && getpwnam("postgres") == nil ? "root needs a user named postgres" : nil
    }()

    /// Whether tests may run on it. Says on standard error, once, if they are left out; with
    /// `NACRE_REQUIRE_POSTGRESQL=1` they run and fail instead.
    public static let isAvailable: Bool = {
        guard let missing else { return true }
        if ProcessInfo.processInfo.environment["NACRE_REQUIRE_POSTGRESQL"] == "1" { return true }
        FileHandle.standardError.write(
            Data("\n*** SKIPPED: every test on PostgreSQL (\(missing)) ***\n\n".utf8))
        return false
    }()

    private static let binaries: String? = {
        let parent = "/usr/lib/postgresql"
        let versions = (try? FileManager.default.contentsOfDirectory(atPath: parent)) ?? []
        return versions.compactMap { Int($0) }.sorted(by: >).map { "\(parent)/\($0)/bin" }
            .first { FileManager.default.isExecutableFile(atPath: $0 + "/postgres") }
    }()

    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    private struct State {
        var watcher: Process?
        var pipe: Pipe?
        var schemas = 0
    }

    private let directory: String
    private let state = Mutex(State())

    /// Makes a cluster and starts it.
    public init() throws {
        if let missing = Self.missing { throw Failure(description: missing) }
        var template = ((TemporaryDirectory.fastParent ?? "/tmp") + "/nacre-pg-XXXXXX").utf8CString.map { $0 }
        guard mkdtemp(&template) != nil else { throw Failure(description: "no temporary directory") }
        directory = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        if getuid() == 0, let user = getpwnam("postgres")?.pointee {
            chown(directory, user.pw_uid, user.pw_gid)
        }
        try start()
    }

    deinit { try? end(keeping: false) }

    /// An address of the server.
    public func url(database: String = "postgres", parameters: String = "") -> String {
        "postgresql://postgres@/\(database)?host=\(directory)\(parameters)"
    }

    /// The address of a schema of its own, empty.
    public func urlOfNewSchema() throws -> String {
        let name = try state.withLock { state in
            // One call of psql makes many, which is cheaper than one each.
            if state.schemas % 100 == 0 {
                let names = (state.schemas..<state.schemas + 100).map { "CREATE SCHEMA t\($0);" }
                try psql(names.joined())
            }
            defer { state.schemas += 1 }
            return "t\(state.schemas)"
        }
        return url(parameters: "&options=-csearch_path%3D\(name)")
    }

    /// Gives SQL to `psql` and returns what it prints, columns separated by `|`.
    @discardableResult
    public func psql(_ sql: String, _ url: String? = nil) throws -> String {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: (Self.binaries ?? "") + "/psql")
        process.arguments = ["-XqAt", "-v", "ON_ERROR_STOP=1", url ?? self.url()]
        let (input, output) = (Pipe(), Pipe())
        process.standardInput = input
        process.standardOutput = output
        try process.run()
        input.fileHandleForWriting.write(Data(sql.utf8))
        try input.fileHandleForWriting.close()
        let text = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else { throw Failure(description: "psql refused: \(sql)") }
        return String(decoding: text, as: UTF8.self)
    }

    /// Ends the server at once, as a crash would: transactions that are not committed are gone.
    public func crash() throws { try end(keeping: true) }

    /// Starts the server again.
    public func start() throws {
        let watcher = Process()
        watcher.executableURL = URL(fileURLWithPath: "/bin/sh")
        watcher.arguments = ["-c", Self.script, "sh", directory, Self.binaries ?? ""]
        let (input, output) = (Pipe(), Pipe())
        // Other children of the tests must not keep the pipe open.
        _ = fcntl(input.fileHandleForWriting.fileDescriptor, F_SETFD, FD_CLOEXEC)
        watcher.standardInput = input
        watcher.standardOutput = output
        watcher.standardError = FileHandle.nullDevice
        try watcher.run()
        let answer = output.fileHandleForReading.readDataToEndOfFile()
        guard answer == Data("ready\n".utf8) else {
            let log = (try? String(contentsOfFile: directory + "/log", encoding: .utf8)) ?? "initdb failed"
            try? FileManager.default.removeItem(atPath: directory)
            throw Failure(description: "PostgreSQL does not start: \(log)")
        }
        state.withLock {
            $0.watcher = watcher
            $0.pipe = input
        }
    }

    private func end(keeping: Bool) throws {
        let (watcher, pipe) = state.withLock { state in
            defer { (state.watcher, state.pipe) = (nil, nil) }
            return (state.watcher, state.pipe)
        }
        if keeping { pipe?.fileHandleForWriting.write(Data("keep\n".utf8)) }
        try pipe?.fileHandleForWriting.close()
        watcher?.waitUntilExit()
    }

    /// Starts, says so, waits for the end of its input, stops, and removes everything unless told to keep it.
    private static let script = """
        directory=$1; binaries=$2
        as_postgres() {
            if [ "$(id -u)" -eq 0 ]; then
                setpriv --reuid=postgres --regid=postgres --init-groups "$@"
            else
                "$@"
            fi
        }
        cd / || exit 1
        if [ ! -d "$directory/data" ]; then
            as_postgres "$binaries/initdb" -D "$directory/data" -A trust -U postgres -E UTF8 --locale=C \\
                --no-sync >/dev/null 2>&1 </dev/null || exit 1
        fi
        as_postgres "$binaries/pg_ctl" -D "$directory/data" -s -w -t 120 -l "$directory/log" \\
            -o "-k $directory -c listen_addresses= -c fsync=off -c max_connections=200" \\
            start >/dev/null 2>&1 </dev/null || exit 1
        echo ready
        exec >&-
        kept=$(cat)
        as_postgres "$binaries/pg_ctl" -D "$directory/data" -s -w -m immediate stop </dev/null
        [ "$kept" = keep ] || rm -rf "$directory"
        """
}
