import BlockStorage
import Catalog
import Foundation
import Multiformats
import NodeCore
import TestKit
import Testing

/// A node whose catalog is in PostgreSQL: the blocks are as safe as with one in the data directory.
@Suite(.enabled(if: PostgreSQLServer.isAvailable)) struct ServerCatalogTests {
    private let directory: TemporaryDirectory
    private let url: String

    init() throws {
        directory = try TemporaryDirectory(in: TemporaryDirectory.fastParent)
        url = try PostgreSQLServer.shared.get().urlOfNewSchema()
    }

    private func open(
        _ name: String = "data", url: String?, lostCatalog: StorageNode.LostCatalog = .refuse
    ) throws -> StorageNode {
        try StorageNode.open(
            directory.path(name), lostCatalog: lostCatalog,
            environment: url.map { ["NACRE_CATALOG_URL": $0] } ?? [:])
    }

    private func makeNode(_ name: String = "data", url: String) throws -> CID {
        let node = try open(name, url: url)
        let root = try Tree(["a": Array("content".utf8)]).add(to: node, name: "tree")
        try node.close()
        return root
    }

    @Test func itHasNoCatalogInItsDirectoryAndKeepsItsPins() throws {
        let root = try makeNode(url: url)
        let names = try FileManager.default.contentsOfDirectory(atPath: directory.path("data"))
        #expect(!names.contains { $0.hasPrefix("catalog.sqlite") })
        #expect(names.contains("catalog.id"))
        let node = try open(url: url)
        #expect(try node.catalog.pins.isPinned(root))
        try node.close()
    }

    @Test func anEmptiedOrForeignDatabaseIsRefusedUntouchedUnlessItIsWanted() throws {
        _ = try makeNode(url: url)
        let other = try PostgreSQLServer.shared.get().urlOfNewSchema()
        let error = #expect(throws: CatalogError.self) { try open(url: other) }
        guard case .unknownDirectory = error else { throw try #require(error) }
        #expect(try #require(error).description.contains("nacre verify --new-catalog"))
        let tables = "SELECT count(*) FROM pg_tables WHERE schemaname = current_schema()"
        #expect(try PostgreSQLServer.shared.get().psql(tables, other) == "0\n")
        try open(url: other, lostCatalog: .replace).close()
        let node = try open(url: other)
        #expect(try node.catalog.pins.counters().pins == 0)
        try node.close()
    }

    @Test func aDirectoryThatGoesBackToItsOwnCatalogIsRefusedUnlessItIsWanted() throws {
        _ = try makeNode(url: url)
        #expect(throws: NodeError.self) { try open(url: nil) }
        try open(url: nil, lostCatalog: .replace).close()
        try open(url: nil).close()
    }

    @Test func aSecondDirectoryIsRefusedUnlessItIsToTakeOver() throws {
        let root = try makeNode(url: url)
        let error = #expect(throws: CatalogError.self) { try open("second", url: url) }
        guard case .otherDirectory = error else { throw try #require(error) }
        #expect(try #require(error).description.contains("nacre verify --new-catalog"))
        // Nothing happened to the first.
        let first = try open(url: url)
        #expect(try first.catalog.pins.isPinned(root))
        try first.close()
        try open("second", url: url, lostCatalog: .replace).close()
        try open("second", url: url).close()
        #expect(throws: CatalogError.self) { try open(url: url) }
    }

    /// The id goes with the directory.
    @Test func aDirectoryThatWasMovedKeepsItsCatalog() throws {
        let root = try makeNode(url: url)
        try FileManager.default.moveItem(atPath: directory.path("data"), toPath: directory.path("moved"))
        let node = try open("moved", url: url)
        #expect(try node.catalog.pins.isPinned(root))
        try node.close()
    }

    @Test func twoEmptyDirectoriesAtOnceDoNotBothGetIt() async throws {
        let opened = await withTaskGroup(of: Bool.self) { group in
            for number in 0..<4 {
                group.addTask {
                    guard let node = try? open("racing \(number)", url: url) else { return false }
                    try? node.close()
                    return true
                }
            }
            return await group.reduce(0) { $0 + ($1 ? 1 : 0) }
        }
        #expect(opened == 1)
    }

    @Test(arguments: ["postgresql://me:s3@cret@db/nacre", "mysql://me:s3cret@db/nacre"])
    func anAddressThatCannotBeReadIsRefusedWithoutItsPassword(text: String) throws {
        let error = #expect(throws: ConfigurationError.self) { try open(url: text) }
        #expect(try !#require(error).description.contains("cret"))
        #expect(
            ConfigurationKey.catalogURL.shown("postgresql://me:s3cret@db/n") == "postgresql://me:***@db/n")
    }
}
