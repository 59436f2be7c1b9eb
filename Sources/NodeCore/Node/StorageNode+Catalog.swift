import BlockStorage
import Catalog
import Foundation

extension StorageNode {
    /// Opens the catalog where the configuration says: in the data directory, or in a server.
    ///
    /// - Throws: `catalogLost`, `catalogElsewhere`, and what the catalog throws.
    static func openCatalog(
        _ directory: String, _ store: PackBlockStore, _ configuration: Configuration,
        _ lostCatalog: LostCatalog
    ) throws -> CatalogDatabase {
        guard let url = configuration.catalogURL else {
            return try openFile(in: directory, store, lostCatalog)
        }
        var options = PostgreSQLOptions()
        options.connections = configuration.catalogConnections
        let id = try DirectoryID(.catalogInServer, directory).readOrMake()
        return try CatalogDatabase(
            server: url, options: options,
            directory: CatalogDirectory(
                id: id, holdsBlocks: store.statistics().blocks > 0, takesOver: lostCatalog == .replace))
    }

    /// Sees to it that a catalog in a file is that of the directory around it, and not one that was copied
    /// from another. A directory that has no id takes that of its catalog: both are from before there were
    /// ids, or what is here was restored without the file.
    private static func claim(
        _ catalog: CatalogDatabase, _ directory: String, _ lostCatalog: LostCatalog
    ) throws {
        let file = DirectoryID(.catalogInFile, directory)
        let known = try catalog.directory()
        if !file.exists, let known { try file.make(known) }
        let id = try file.readOrMake()
        guard known != id else { return }
        try catalog.claim(
            for: CatalogDirectory(id: id, holdsBlocks: false, takesOver: lostCatalog == .replace))
    }

    /// The catalog is made when the data directory is; where blocks are and it is not, it was lost, and an
    /// empty one would let the next collection remove everything.
    private static func openFile(
        in directory: String, _ store: PackBlockStore, _ lostCatalog: LostCatalog
    ) throws -> CatalogDatabase {
        let path = directory + "/" + CatalogDatabase.fileName
        let isThere = ((try? FileManager.default.attributesOfItem(atPath: path)[.size] as? Int) ?? 0) > 0
        if lostCatalog == .refuse, store.statistics().blocks > 0 {
            // A file from before would not know what was pinned since.
            if DirectoryID(.catalogInServer, directory).exists { throw NodeError.catalogElsewhere(directory) }
            if !isThere { throw NodeError.catalogLost(directory) }
        }
        let catalog = try CatalogDatabase(path: path)
        if !isThere {
            // A power cut must not take the file when blocks are already there.
            if store.durability != .os { try DiskFileSystem().syncDirectory(directory) }
        }
        do {
            try claim(catalog, directory, lostCatalog)
            let inServer = DirectoryID(.catalogInServer, directory)
            if inServer.exists { try inServer.remove() }
        } catch {
            try? catalog.close()
            throw error
        }
        return catalog
    }
}
