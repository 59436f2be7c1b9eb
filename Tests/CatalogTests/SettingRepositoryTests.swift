import Catalog
import Testing

@Suite struct SettingRepositoryTests {
    private let catalog: CatalogDatabase

    init() throws { catalog = try CatalogDatabase.inMemory() }

    @Test func aValueIsSetReplacedAndRemoved() throws {
        #expect(try catalog.settings.value("a") == nil)
        try catalog.settings.set("a", to: "1")
        try catalog.settings.set("a", to: "")
        try catalog.settings.set("b", to: "✓")
        #expect(try catalog.settings.all() == ["a": "", "b": "✓"])
        try catalog.settings.set("a", to: nil)
        #expect(try catalog.settings.value("a") == nil)
        #expect(try catalog.problems() == [])
    }

    @Test func aValueThatRottedIsNamed() throws {
        try catalog.settings.set("a", to: "1")
        _ = try catalog.database.write { try $0.execute("UPDATE settings SET value = '2'") }
        let error = CatalogError.damagedRow(table: "settings", key: "a")
        #expect(throws: error) { try catalog.settings.value("a") }
        #expect(try catalog.problems() == [.row(error)])
    }
}
