import Catalog
import Foundation
import NodeCore
import TestKit
import Testing

/// A catalog in a file belongs to the data directory around it.
@Suite struct FileCatalogTests {
    private let directory: TemporaryDirectory

    init() throws { directory = try TemporaryDirectory(in: TemporaryDirectory.fastParent) }

    private func open(
        _ name: String, lostCatalog: StorageNode.LostCatalog = .refuse
    ) throws -> StorageNode {
        try StorageNode.open(directory.path(name), lostCatalog: lostCatalog)
    }

    private func makeNode(_ name: String) throws {
        let node = try open(name)
        _ = try Tree(["a": Array(name.utf8)]).add(to: node, name: name)
        try node.close()
    }

    private func replace(_ file: String, of name: String, byThatOf other: String?) throws {
        let target = directory.path(name + "/" + file)
        try FileManager.default.removeItem(atPath: target)
        guard let other else { return }
        try FileManager.default.copyItem(atPath: directory.path(other + "/" + file), toPath: target)
    }

    @Test func badInput40ACatalogOfAnotherDirectoryIsRefusedUnlessItIsToTakeOver() throws {
        try makeNode("one")
        try makeNode("two")
        try replace("catalog.sqlite", of: "one", byThatOf: "two")
        let error = #expect(throws: CatalogError.self) { try open("one") }
        guard case .otherDirectory = error else { throw try #require(error) }
        try open("one", lostCatalog: .replace).close()
        let node = try open("one")
        #expect(try node.catalog.pins.counters().pins == 1)
        try node.close()
        try open("two").close()
    }

    @Test func aDirectoryWithoutItsIdTakesThatOfItsCatalog() throws {
        try makeNode("one")
        let id = try directory.read("one/directory.id")
        try replace("directory.id", of: "one", byThatOf: nil)
        try open("one").close()
        #expect(try directory.read("one/directory.id") == id)
    }

    @Test func copiesAndMovedDirectoriesOpenAsBefore() throws {
        try makeNode("one")
        try FileManager.default.copyItem(atPath: directory.path("one"), toPath: directory.path("copy"))
        try open("copy").close()
        try FileManager.default.moveItem(atPath: directory.path("one"), toPath: directory.path("moved"))
        try open("moved").close()
    }
}
