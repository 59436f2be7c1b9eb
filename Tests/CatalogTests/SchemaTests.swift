import Catalog
import Foundation
import TestKit
import Testing

/// The schema grows step by step, from any earlier version, and never backwards.
@Suite struct SchemaTests {

    @Test(arguments: Engine.all) func openingTwiceChangesNothing(engine: Engine) throws {
        let place = try CatalogPlace(engine)
        try place.open().close()
        let first = try place.schema()
        try place.open().close()
        #expect(try place.schema() == first)
    }

    @Test(arguments: Engine.all, 0...Migration.all.count)
    func everyEarlierSchemaBecomesTheNewest(engine: Engine, version: Int) throws {
        let (place, old) = (try CatalogPlace(engine), try CatalogPlace(engine))
        try place.make(version: Migration.all.count)
        try old.make(version: version)
        try old.open().close()
        #expect(try old.schema() == place.schema())
    }

    @Test(arguments: Engine.all, Migration.all.indices)
    func everyStepCanRunAgain(engine: Engine, index: Int) throws {
        let place = try CatalogPlace(engine)
        try place.make(version: Migration.all.count)
        let before = try place.schema()
        let database = try place.database()
        try database.write { try Migration.all[index].apply($0) }
        try database.close()
        #expect(try place.schema() == before)
    }

    @Test(arguments: Engine.all) func countersAreMadeFromThePinsThereWere(engine: Engine) throws {
        let place = try CatalogPlace(engine)
        try place.make(version: 2)
        let full = try CatalogPlace(engine).open()
        try full.pins.add([PinDraft(root: try cid(1)), PinDraft(root: try cid(2), visibility: .private)])
        let rows = try full.database.read { try $0.rows("SELECT * FROM pins") }
        let old = try place.database()
        let placeholders = (1...14).map { "$\($0)" }.joined(separator: ", ")
        for row in rows {
            try old.write { _ = try $0.execute("INSERT INTO pins VALUES (\(placeholders))", row.values) }
        }
        try old.close()
        let catalog = try place.open()
        #expect(try catalog.pins.counters() == full.pins.counters())
        #expect(try catalog.pins.counters().pins == 2)
        #expect(try catalog.problems() == [])
    }

    @Test(arguments: Engine.all) func aNewerSchemaIsRefusedUntouched(engine: Engine) throws {
        let place = try CatalogPlace(engine)
        try place.make(version: Migration.all.count)
        let database = try place.database()
        let newer = Migration.all.count + 1
        try database.write {
            _ = try $0.execute("INSERT INTO schema_steps VALUES ($1, 'later', 0)", [.integer(Int64(newer))])
        }
        try database.close()
        let before = try place.contents()
        #expect(
            throws: CatalogError.newerSchema(path: place.path, found: newer, known: Migration.all.count)
        ) { try place.open() }
        #expect(try place.contents() == before)
    }

    @Test(arguments: Engine.all) func aMissingStepIsNamed(engine: Engine) throws {
        let place = try CatalogPlace(engine)
        try place.make(version: Migration.all.count)
        let database = try place.database()
        try database.write { _ = try $0.execute("DELETE FROM schema_steps WHERE version = 2") }
        try database.close()
        #expect(throws: CatalogError.schemaIncomplete(path: place.path, missing: 2)) { try place.open() }
    }

    @Test(arguments: Engine.all) func aStepThatFailsLeavesNothingOfItself(engine: Engine) throws {
        let place = try CatalogPlace(engine)
        struct Broken: Error {}
        let database = try place.database()
        let steps = [
            Migration(1, "good") { try $0.execute("CREATE TABLE good (a BIGINT)") },
            Migration(2, "broken") {
                try $0.execute("CREATE TABLE half (a BIGINT)")
                throw Broken()
            },
        ]
        #expect(throws: Broken.self) { try Migrator(steps, path: place.path).migrate(database, now: 0) }
        #expect(try database.read { try $0.hasTable("good") })
        #expect(try database.read { try !$0.hasTable("half") })
        #expect(try database.read { try Migrator(steps, path: place.path).version(of: $0) } == 1)
    }
}
