import Catalog
import TestKit
import Testing

/// What namespaces may be called beside each other, on both engines.
@Suite struct NamespaceNameTests {
    @Test(arguments: Engine.all) func nobodyTakesANameOfAnotherProjectInOtherLetters(engine: Engine) throws {
        let catalog = try engine.catalog()
        let other = try catalog.projects.add(name: "other").id
        func add(_ name: String, _ project: ProjectID) throws -> Namespace {
            try catalog.namespaces.add(name: name, project: project, visibility: .public, policy: "{}")
        }
        let first = try add("Recipes", .default)
        #expect(throws: CatalogError.duplicateNamespace("recipes")) { try add("recipes", other) }
        #expect(throws: CatalogError.duplicateNamespace("Recipes")) { try add("Recipes", .default) }
        // Its own project may: nobody else's visitors are led there.
        let second = try add("recipes", .default)
        #expect(
            try catalog.namespaces.namespaces(namedLike: "RECIPES").map(\.name) == ["Recipes", "recipes"])
        let notes = try add("notes", other)
        #expect(throws: CatalogError.duplicateNamespace("RECIPES")) {
            try catalog.namespaces.change(notes.id) { $0.name = "RECIPES" }
        }
        #expect(try catalog.namespaces.change(notes.id) { $0.name = "Notes" }?.name == "Notes")
        for id in [first.id, second.id] {
            _ = try catalog.namespaces.change(id) { $0.deleted = 1 }
        }
        #expect(try catalog.namespaces.namespaces(namedLike: "recipes").isEmpty)
        _ = try add("RECIPES", other)
        #expect(throws: CatalogError.duplicateNamespace("Recipes")) {
            try catalog.namespaces.change(first.id) { $0.deleted = nil }
        }
        // Only the letters A to Z: hosts have no others.
        _ = try add("\u{C4}pfel", other)
        _ = try add("\u{E4}pfel", .default)
    }
}
