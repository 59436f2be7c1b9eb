import Catalog
import Foundation
import Synchronization
import TestKit
import Testing

/// What is particular to the engine on PostgreSQL. What both engines share is tested on both elsewhere.
@Suite(.enabled(if: PostgreSQLServer.isAvailable)) struct PostgreSQLDatabaseTests {
    private let place: CatalogPlace
    private let database: PostgreSQLDatabase

    init() throws {
        place = try CatalogPlace(.postgresql)
        database = try PostgreSQLDatabase(try #require(place.url), options: CatalogPlace.smallOptions)
    }

    @Test func valuesComeBackAsTheyWent() throws {
        _ = try database.write { connection in
            try connection.execute(
                "CREATE TABLE v (n BIGINT NOT NULL PRIMARY KEY, i BIGINT, r DOUBLE PRECISION, t TEXT, b BYTEA)"
            )
        }
        let rows: [[SQLValue]] = [
            [.integer(.min), .real(-0.0), .text(""), .blob([])],
            [.integer(.max), .real(.infinity), .text("ü🐚'\"\\$1\n"), .blob(Array(0...255))],
            [
                .integer(-1), .real(.leastNonzeroMagnitude), .text(String(repeating: "x", count: 100_000)),
                .blob([0]),
            ],
            [.null, .null, .null, .null],
            [.integer(0), .real(0.1), .text("a"), .blob([UInt8](repeating: 7, count: 3_000_000))],
        ]
        for (number, row) in rows.enumerated() {
            try database.write {
                let changed = try $0.execute(
                    "INSERT INTO v VALUES ($1, $2, $3, $4, $5)", [.integer(Int64(number))] + row)
                #expect(changed == 1)
            }
        }
        #expect(
            try database.read { try $0.rows("SELECT i, r, t, b FROM v ORDER BY n").map(\.values) } == rows)
        let kinds = "SELECT true, 7::smallint, 8::integer, 1.5::real, 'x'::varchar, null"
        #expect(
            try database.read { try $0.firstRow(kinds)?.values } == [
                .integer(1), .integer(7), .integer(8), .real(1.5), .text("x"), .null,
            ])
    }

    @Test(
        arguments: [0, 1, -1, 9999, 10_000, -10_000, 123_456_789, .max, .min, 1_000_000_000_000] as [Int64])
    func sumsAreIntegers(number: Int64) throws {
        let sum = try database.read {
            try $0.firstRow("SELECT sum(a) FROM (VALUES ($1::bigint), (0)) AS t (a)", [.integer(number)])
        }
        #expect(sum?.values == [.integer(number)])
    }

    @Test(arguments: ["SELECT now()", "SELECT 1.5::numeric", "SELECT 9223372036854775808::numeric"])
    func aTypeThatTheCatalogDoesNotKnowIsAnError(sql: String) throws {
        #expect(throws: CatalogError.self) { try database.read { try $0.rows(sql) } }
        #expect(try database.read { try $0.firstRow("SELECT 1")?.integer(0) } == 1)
    }

    @Test func rowsArriveOneByOneAndNeverAllAtOnce() throws {
        let before = Self.residentKiB()
        var (count, sum) = (0, Int64(0))
        try database.read { connection in
            try connection.query("SELECT n, repeat('x', 200) FROM generate_series(1, 500000) AS n", []) {
                row in
                count += 1
                sum &+= try row.integer(0)
            }
        }
        #expect(count == 500_000)
        #expect(sum == 500_000 * 500_001 / 2)
        // All of them take more than 100 MB.
        #expect(Self.residentKiB() - before < 50_000)
    }

    private static func residentKiB() -> Int {
        let text = (try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8)) ?? ""
        return (Int(text.split(separator: " ").dropFirst().first ?? "") ?? 0) * 4
    }

    @Test func aStatementMayRunBetweenTheRowsOfAnother() throws {
        let pairs = try database.read { connection in
            var pairs: [[SQLValue]] = []
            try connection.query("SELECT n FROM generate_series(1, 5) AS n", []) { row in
                pairs += try connection.rows("SELECT $1::bigint, $1::bigint * 2", row.values).map(\.values)
            }
            return pairs
        }
        #expect(pairs == (1...5).map { [.integer($0), .integer($0 * 2)] })
    }

    @Test func aBodyThatThrowsLeavesAConnectionThatWorks() throws {
        struct Enough: Error {}
        let next = try database.write { connection in
            #expect(throws: Enough.self) {
                try connection.query("SELECT n FROM generate_series(1, 1000) AS n", []) { _ in throw Enough()
                }
            }
            return try connection.firstRow("SELECT 2")?.values
        }
        #expect(next == [.integer(2)])
    }

    @Test func aStatementThatFailsHalfwayThroughItsRowsIsAnError() throws {
        var seen = 0
        #expect(throws: CatalogError.self) {
            try database.read { connection in
                try connection.query("SELECT 10 / (500 - n) FROM generate_series(1, 1000) AS n", []) { _ in
                    seen += 1
                }
            }
        }
        #expect(seen <= 499)
        #expect(try database.read { try $0.firstRow("SELECT 1")?.values } == [.integer(1)])
    }

    @Test func aReaderSeesOneStateAndWaitsForNobody() throws {
        try database.write { _ = try $0.execute("CREATE TABLE s (n BIGINT)") }
        let count = "SELECT count(*) FROM s"
        let seen = try database.read { connection in
            let before = try connection.firstRow(count)?.integer(0)
            try database.write { _ = try $0.execute("INSERT INTO s VALUES (1)") }
            return [before, try connection.firstRow(count)?.integer(0)]
        }
        #expect(seen == [0, 0])
        #expect(try database.read { try $0.firstRow(count)?.integer(0) } == 1)
    }

    @Test func aReaderChangesNothing() throws {
        #expect(throws: CatalogError.readOnly(path: place.path)) {
            try database.read { _ = try $0.execute("CREATE TABLE s (n BIGINT)") }
        }
    }

    @Test func manyStatementsDoNotFillTheServer() throws {
        try database.read { connection in
            for number in 0..<300 { _ = try connection.rows("SELECT \(number)") }
            let prepared = try connection.firstRow("SELECT count(*) FROM pg_prepared_statements")?.integer(0)
            #expect((prepared ?? 0) <= 130)
        }
    }

    @Test func aChangeThatIgnoresAFailureIsNotKept() throws {
        try database.write { _ = try $0.execute("CREATE TABLE s (n BIGINT PRIMARY KEY)") }
        #expect(throws: CatalogError.self) {
            try database.write { connection in
                try connection.execute("INSERT INTO s VALUES (1)")
                _ = try? connection.execute("INSERT INTO s VALUES (1)")
            }
        }
        #expect(try database.read { try $0.rows("SELECT n FROM s") }.isEmpty)
    }

    @Test func whatOthersGotInTheWayOfIsTriedAgain() throws {
        var tries = 0
        let result = try database.write { connection in
            tries += 1
            if tries < 3 {
                try connection.execute("DO $$ BEGIN RAISE EXCEPTION 'x' USING ERRCODE = '40001'; END $$")
            }
            return tries
        }
        #expect(result == 3)
        tries = 0
        #expect(throws: CatalogError.busy(path: place.path)) {
            try database.write { connection in
                tries += 1
                try connection.execute("DO $$ BEGIN RAISE EXCEPTION 'x' USING ERRCODE = '40P01'; END $$")
            }
        }
        #expect(tries == 5)
    }

    @Test func anotherNodeThatWritesTooLongIsReportedAsBusy() throws {
        var options = CatalogPlace.smallOptions
        options.waitTimeout = .milliseconds(20)
        let other = try PostgreSQLDatabase(try #require(place.url), options: options)
        _ = try database.write { _ in
            #expect(throws: CatalogError.busy(path: place.path)) {
                try other.write { _ = try $0.execute("SELECT 1") }
            }
        }
        try other.write { _ = try $0.execute("CREATE TABLE s (n BIGINT)") }
    }

    @Test func nodesThatStartTogetherMakeTheSchemaOnce() throws {
        let done = DispatchGroup()
        let failures = Mutex<[String]>([])
        for _ in 0..<6 {
            Thread.start(in: done) { [place] in
                do { try place.open().close() } catch { failures.withLock { $0.append("\(error)") } }
            }
        }
        done.wait()
        #expect(failures.withLock { $0 } == [])
        let steps = try database.read { try $0.rows("SELECT version FROM schema_steps ORDER BY version") }
        #expect(steps.map(\.values) == Migration.all.map { [.integer(Int64($0.version))] })
    }

    @Test func nodesThatShareACatalogAddAPinOnce() throws {
        let nodes = try (0..<3).map { _ in try place.open() }
        let new = Mutex(0)
        let done = DispatchGroup()
        for thread in 0..<12 {
            Thread.start(in: done) {
                for number in 0..<10 {
                    let added = try? nodes[thread % 3].pins.add(PinDraft(root: cid(UInt64(number))))
                    if added?.isNew == true { new.withLock { $0 += 1 } }
                    if added == nil { Issue.record("a pin was refused") }
                }
            }
        }
        done.wait()
        #expect(new.withLock { $0 } == 10)
        #expect(try nodes[0].pins.counters().pins == 10)
        #expect(try nodes[0].problems() == [])
    }

    @Test func idsGrowAcrossNodesWhoseClocksDiffer() throws {
        let nodes = [try place.open(at: 2_000_000_000_000), try place.open(at: 1_000)]
        let ids = try (0..<10).map { number in
            try nodes[number % 2].pins.add(PinDraft(root: try cid(UInt64(number)))).pin.id
        }
        #expect(ids == ids.sorted())
    }

    @Test func aFullPoolMakesReadersWait() throws {
        var options = CatalogPlace.smallOptions
        options.connections = 2
        options.waitTimeout = .milliseconds(20)
        let small = try PostgreSQLDatabase(try #require(place.url), options: options)
        try small.read { connection in
            _ = try connection.rows("SELECT 1")
            #expect(throws: CatalogError.busy(path: place.path)) {
                try small.read { _ = try $0.rows("SELECT 1") }
            }
        }
        #expect(try small.read { try $0.firstRow("SELECT 1") } != nil)
    }

    @Test func aClosedCatalogSaysSo() throws {
        try database.close()
        #expect(throws: CatalogError.closed(path: place.path)) {
            try database.read { _ = try $0.rows("SELECT 1") }
        }
        #expect(throws: CatalogError.closed(path: place.path)) { try database.write { _ in } }
    }

    @Test func aDatabaseInAnotherEncodingIsRefused() throws {
        let server = try PostgreSQLServer.shared.get()
        try server.psql("CREATE DATABASE latin ENCODING 'LATIN1' TEMPLATE template0")
        let url = try #require(PostgreSQLURL(server.url(database: "latin")))
        let error = #expect(throws: CatalogError.self) { try PostgreSQLDatabase(url) }
        #expect(try #require(error).description.contains("ENCODING 'UTF8'"))
    }

    @Test func whatIsMissingIsNamedWithARemedy() throws {
        let server = try PostgreSQLServer.shared.get()
        let absent = try #require(PostgreSQLURL(server.url(database: "absent")))
        let error = #expect(throws: CatalogError.self) { try PostgreSQLDatabase(absent) }
        #expect(try #require(error).description.contains("createdb"))
        let noSchema = try #require(
            PostgreSQLURL(server.url(parameters: "&options=-csearch_path%3Dabsent")))
        let other = #expect(throws: CatalogError.self) { try PostgreSQLDatabase(noSchema) }
        #expect(try #require(other).description.contains("CREATE SCHEMA"))
    }
}
