import Catalog
import Foundation
import Synchronization
import TestKit
import Testing

/// Writes of many threads share transactions, and none is the worse for it.
@Suite struct WriteQueueTests {
    private struct Refused: Error, Equatable {
        let number: Int
    }

    /// Runs `bodies` so that all but the first wait while the first runs, and so share the next transaction.
    private static func together(
        _ database: any SQLDatabase, _ count: Int,
        _ body: @escaping @Sendable (Int, any SQLConnection) throws -> Void
    ) throws -> [Result<Void, any Error>] {
        let queue = database.queue
        let results = Mutex([Result<Void, any Error>?](repeating: nil, count: count))
        let (entered, done) = (DispatchSemaphore(value: 0), DispatchGroup())
        for number in 0..<count {
            if number == 1 { entered.wait() }
            Thread.start(in: done) {
                let result = Result {
                    try database.write { connection in
                        if number == 0 {
                            entered.signal()
                            while queue.waiting < count - 1 { sched_yield() }
                        }
                        try body(number, connection)
                    }
                }
                results.withLock { $0[number] = result }
            }
        }
        done.wait()
        return results.withLock { $0.compactMap { $0 } }
    }

    private static func table(_ place: CatalogPlace) throws -> any SQLDatabase {
        let database = try place.database()
        try database.write { connection in
            try connection.execute("CREATE TABLE a (n BIGINT NOT NULL PRIMARY KEY)")
            try connection.execute(
                """
                CREATE TABLE b (n BIGINT NOT NULL PRIMARY KEY,
                    a BIGINT REFERENCES a (n) DEFERRABLE INITIALLY DEFERRED)
                """)
        }
        return database
    }

    private static func numbers(_ connection: any SQLConnection) throws -> [Int64] {
        try connection.rows("SELECT n FROM a ORDER BY n").map { try $0.integer(0) }
    }

    @Test(arguments: Engine.all)
    func closuresThatWaitShareATransaction(engine: Engine) throws {
        let place = try CatalogPlace(engine)
        defer { withExtendedLifetime(place) {} }
        let database = try Self.table(place)
        let seen = Mutex<[[Int64]]>([])
        let results = try Self.together(database, 8) { number, connection in
            try connection.execute("INSERT INTO a VALUES ($1)", [.integer(Int64(number))])
            let inside = try Self.numbers(connection)
            let outside = try database.read(Self.numbers)
            seen.withLock { $0.append([Int64(inside.count), Int64(outside.count)]) }
        }
        #expect(results.allSatisfy { (try? $0.get()) != nil })
        // Nothing of the seven is visible outside until all of them are done.
        #expect(seen.withLock { $0 } == [[1, 0]] + (2...8).map { [$0, 1] })
        #expect(try database.read(Self.numbers) == Array(0..<8))
    }

    @Test(arguments: Engine.all)
    func aClosureThatFailsUndoesOnlyItself(engine: Engine) throws {
        let place = try CatalogPlace(engine)
        defer { withExtendedLifetime(place) {} }
        let database = try Self.table(place)
        let results = try Self.together(database, 9) { number, connection in
            try connection.execute("INSERT INTO a VALUES ($1)", [.integer(Int64(number))])
            // Some fail of their own, some in a statement.
            if number % 3 == 1 { throw Refused(number: number) }
            if number % 3 == 2 { try connection.execute("INSERT INTO a VALUES (0)") }
        }
        for (number, result) in results.enumerated() {
            switch number % 3 {
            case 0: #expect(throws: Never.self) { try result.get() }
            case 1: #expect(throws: Refused(number: number)) { try result.get() }
            default:
                let error = #expect(throws: CatalogError.self) { try result.get() }
                if case .notUnique = error { continue }
                Issue.record("\(String(describing: error))")
            }
        }
        #expect(try database.read(Self.numbers) == [0, 3, 6])
    }

    @Test(arguments: Engine.all)
    func aCommitThatFailsIsASuccessForNobody(engine: Engine) throws {
        let place = try CatalogPlace(engine)
        defer { withExtendedLifetime(place) {} }
        let database = try Self.table(place)
        let results = try Self.together(database, 6) { number, connection in
            try connection.execute("INSERT INTO a VALUES ($1)", [.integer(Int64(number))])
            if number == 2 { throw Refused(number: 2) }
            // Wrong only when the transaction ends.
            if number == 4 { try connection.execute("INSERT INTO b VALUES (1, 999)") }
        }
        #expect(throws: Never.self) { try results[0].get() }
        #expect(throws: Refused(number: 2)) { try results[2].get() }
        for number in [1, 3, 4, 5] { #expect(throws: CatalogError.self) { try results[number].get() } }
        #expect(try database.read(Self.numbers) == [0])
        // And the database goes on.
        try database.write { _ = try $0.execute("INSERT INTO a VALUES (50)") }
        #expect(try database.read(Self.numbers) == [0, 50])
    }

    @Test(arguments: Engine.all)
    func thirtyTwoThreadsLoseNothing(engine: Engine) throws {
        let place = try CatalogPlace(engine)
        defer { withExtendedLifetime(place) {} }
        let catalog = try place.open()
        let done = DispatchGroup()
        let added = Mutex(0)
        for thread in 0..<32 {
            Thread.start(in: done) {
                for number in 0..<10 {
                    let draft = try? PinDraft(root: cid(UInt64(thread * 1000 + number)), name: "\(thread)")
                    if let draft, (try? catalog.pins.add(draft))?.isNew == true { added.withLock { $0 += 1 } }
                }
            }
        }
        done.wait()
        #expect(added.withLock { $0 } == 320)
        #expect(try catalog.pins.counters().pins == 320)
        #expect(try catalog.pins.list(limit: 1000).pins.count == 320)
        #expect(try catalog.problems() == [])
    }

    @Test func noMoreThanTheBoundWait() throws {
        var limits = WriteQueue.Limits()
        limits.waiting = 4
        limits.group = 2
        let queue = WriteQueue(limits)
        let connection = try SQLiteDatabase(inMemory: SQLiteDatabase.Options())
        let most = Mutex((waiting: 0, group: 0))
        let done = DispatchGroup()
        for _ in 0..<32 {
            Thread.start(in: done) {
                for _ in 0..<50 {
                    let ran: Void? = try? queue.run({ _ in }) { jobs in
                        let waiting = queue.waiting
                        most.withLock {
                            $0 = (max($0.waiting, waiting), max($0.group, jobs.count))
                        }
                        _ = try? connection.read { connection in for job in jobs { try job.run(connection) } }
                    }
                    if ran == nil { Issue.record("a job was not run") }
                }
            }
        }
        done.wait()
        #expect(most.withLock { $0.waiting } <= 4)
        #expect(most.withLock { $0.group } <= 2)
        #expect(queue.waiting == 0)
    }

    @Test func aWriteInsideAWriteIsRefusedAndDoesNotHang() async {
        await #expect(processExitsWith: .failure) {
            let database = try SQLiteDatabase(inMemory: SQLiteDatabase.Options())
            try database.write { _ in try database.write { _ in } }
        }
    }
}
