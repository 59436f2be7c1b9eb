import Catalog
import Testing

@Suite struct SettingRepositoryTests {
    @Test(arguments: Engine.all) func aValueIsSetReplacedAndRemoved(engine: Engine) throws {
        let catalog = try engine.catalog()
        #expect(try catalog.settings.value("a") == nil)
        try catalog.settings.set("a", to: "1")
        try catalog.settings.set("a", to: "")
        try catalog.settings.set("b", to: "✓")
        #expect(try catalog.settings.all() == ["a": "", "b": "✓"])
        try catalog.settings.set("a", to: nil)
        #expect(try catalog.settings.value("a") == nil)
        #expect(try catalog.problems() == [])
    }

    @Test(arguments: Engine.all) func aValueThatRottedIsNamed(engine: Engine) throws {
        let catalog = try engine.catalog()
        try catalog.settings.set("a", to: "1")
        _ = try catalog.database.write { try $0.execute("UPDATE settings SET value = '2'") }
        let error = CatalogError.damagedRow(table: "settings", key: "a")
        #expect(throws: error) { try catalog.settings.value("a") }
        #expect(try catalog.problems() == [.row(error)])
    }
}
