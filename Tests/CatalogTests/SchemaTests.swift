import Catalog
import Foundation
import TestKit
import Testing

/// The schema grows step by step, from any earlier version, and never backwards.
@Suite struct SchemaTests {
    private let disk: CatalogOnDisk

    init() throws { disk = try CatalogOnDisk() }

    private func make(version: Int) throws {
        let database = try SQLiteDatabase(path: disk.path)
        try Migrator(path: disk.path).migrate(database, now: 1, upTo: version)
        try database.close()
    }

    private func schema() throws -> [[SQLValue]] {
        let query = "SELECT type, name, sql FROM sqlite_master WHERE name NOT LIKE 'grdb%' ORDER BY name"
        return try #require(try SQLiteDatabase.inspect(path: disk.path) { try $0.rows(query).map(\.values) })
    }

    @Test func openingTwiceChangesNothing() throws {
        try disk.open().close()
        let first = try schema()
        try disk.open().close()
        #expect(try schema() == first)
    }

    @Test(arguments: 0...Migration.all.count)
    func everyEarlierSchemaBecomesTheNewest(version: Int) throws {
        try make(version: Migration.all.count)
        let newest = try schema()
        let old = try SchemaTests()
        try old.make(version: version)
        try old.disk.open().close()
        #expect(try old.schema() == newest)
    }

    @Test(arguments: Migration.all.indices)
    func everyStepCanRunAgain(index: Int) throws {
        try make(version: Migration.all.count)
        let before = try schema()
        let database = try SQLiteDatabase(path: disk.path)
        try database.write { try Migration.all[index].apply($0) }
        try database.close()
        #expect(try schema() == before)
    }

    @Test func countersAreMadeFromThePinsThereWere() throws {
        try make(version: 2)
        let full = try CatalogOnDisk().open()
        try full.pins.add([PinDraft(root: try cid(1)), PinDraft(root: try cid(2), visibility: .private)])
        let rows = try full.database.read { try $0.rows("SELECT * FROM pins") }
        let old = try SQLiteDatabase(path: disk.path)
        let placeholders = (1...14).map { "$\($0)" }.joined(separator: ", ")
        for row in rows {
            try old.write { _ = try $0.execute("INSERT INTO pins VALUES (\(placeholders))", row.values) }
        }
        try old.close()
        let catalog = try disk.open()
        #expect(try catalog.pins.counters() == full.pins.counters())
        #expect(try catalog.pins.counters().pins == 2)
        #expect(try catalog.problems() == [])
    }

    @Test func aNewerSchemaIsRefusedUntouched() throws {
        try make(version: Migration.all.count)
        let database = try SQLiteDatabase(path: disk.path)
        let newer = Migration.all.count + 1
        try database.write {
            _ = try $0.execute("INSERT INTO schema_steps VALUES ($1, 'later', 0)", [.integer(Int64(newer))])
        }
        try database.close()
        let before = try Data(contentsOf: URL(fileURLWithPath: disk.path))
        #expect(
            throws: CatalogError.newerSchema(path: disk.path, found: newer, known: Migration.all.count)
        ) { try disk.open() }
        #expect(try Data(contentsOf: URL(fileURLWithPath: disk.path)) == before)
    }

    @Test func aMissingStepIsNamed() throws {
        try make(version: Migration.all.count)
        let database = try SQLiteDatabase(path: disk.path)
        try database.write { _ = try $0.execute("DELETE FROM schema_steps WHERE version = 2") }
        try database.close()
        #expect(throws: CatalogError.schemaIncomplete(path: disk.path, missing: 2)) { try disk.open() }
    }

    @Test func aStepThatFailsLeavesNothingOfItself() throws {
        struct Broken: Error {}
        let database = try SQLiteDatabase(path: disk.path)
        let steps = [
            Migration(1, "good") { try $0.execute("CREATE TABLE good (a BIGINT)") },
            Migration(2, "broken") {
                try $0.execute("CREATE TABLE half (a BIGINT)")
                throw Broken()
            },
        ]
        #expect(throws: Broken.self) { try Migrator(steps, path: disk.path).migrate(database, now: 0) }
        #expect(try database.read { try $0.hasTable("good") })
        #expect(try database.read { try !$0.hasTable("half") })
        #expect(try database.read { try Migrator(steps, path: disk.path).version(of: $0) } == 1)
    }
}
