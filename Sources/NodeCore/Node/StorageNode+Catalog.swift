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
        let holdsBlocks = lostCatalog == .refuse && store.statistics().blocks > 0
        let id = try DirectoryID.readOrMake(in: directory)
        return try CatalogDatabase(
            server: url, options: options, directory: CatalogDirectory(id: id, holdsBlocks: holdsBlocks))
    }

    /// The catalog is made when the data directory is; where blocks are and it is not, it was lost, and an empty one
    /// would let the next collection remove everything.
    private static func openFile(
        in directory: String, _ store: PackBlockStore, _ lostCatalog: LostCatalog
    ) throws -> CatalogDatabase {
        let path = directory + "/" + CatalogDatabase.fileName
        let isThere = ((try? FileManager.default.attributesOfItem(atPath: path)[.size] as? Int) ?? 0) > 0
        if lostCatalog == .refuse, store.statistics().blocks > 0 {
            // A file from before would not know what was pinned since.
            if DirectoryID.exists(in: directory) { throw NodeError.catalogElsewhere(directory) }
            if !isThere { throw NodeError.catalogLost(directory) }
        }
        let catalog = try CatalogDatabase(path: path)
        if !isThere {
            chmod(path, 0o600)
            // A power cut must not take the file when blocks are already there.
            if store.durability != .os { try DiskFileSystem().syncDirectory(directory) }
        }
        if DirectoryID.exists(in: directory) { try DirectoryID.remove(from: directory) }
        return catalog
    }
}
