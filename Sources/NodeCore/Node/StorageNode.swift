public import BlockStorage
public import Catalog
import Foundation
import Multiformats
public import Namespaces
import Synchronization

/// An open data directory: blocks, catalog and configuration together.
///
/// Who owns what: the block store owns bytes, the catalog owns names; this type only keeps their order.
/// Blocks are durable before a row names their root, rows go before blocks. `close` leaves a clean
/// directory.
public final class StorageNode: Sendable {
    public let directory: String
    public let store: PackBlockStore
    public let catalog: CatalogDatabase
    /// The trees in the catalog; who waits for their changes waits here.
    public let namespaces: NamespaceStore
    public let configuration: Configuration
    /// The blocks that were found damaged.
    public let damage: DamageRecord
    /// What only this node knows; files are made when they are first needed.
    public let secrets: NodeSecrets
    /// Where domains point: the table of the configuration, then the DNS.
    public var dnsLinks: any DNSLinkResolver { links }
    private let links: StaticDNSLinks
    /// One change of visibility at a time: each looks at what others leave public.
    let visibilityLock = Mutex<Void>(())
    let reaches = NamespaceReaches()
    let publications = Mutex(Publications())

    /// Whether a data directory may be made.
    public enum Access: Sendable {
        case create
        case existing
    }

    /// What to do about a data directory that holds blocks and has lost its catalog.
    public enum LostCatalog: Sendable {
        case refuse
        /// Go on with an empty one: nothing is pinned then.
        case replace
    }

    /// - Throws: `noDataDirectory`, `catalogLost`, `ConfigurationError`, and what store and catalog throw.
    public static func open(
        _ directory: String, access: Access = .create, lostCatalog: LostCatalog = .refuse,
        environment: [String: String] = [:]
    ) throws -> StorageNode {
        if access == .existing, !FileManager.default.fileExists(atPath: directory + "/VERSION") {
            throw NodeError.noDataDirectory(directory)
        }
        let configuration = try Configuration.load(dataDirectory: directory, environment: environment)
        return try StorageNode(
            directory: directory, configuration: configuration, on: Ground(configuration.storeOptions),
            lostCatalog: lostCatalog)
    }

    /// What a node stands on. The catalog is on the real disk always.
    package struct Ground {
        package var storeOptions: PackBlockStore.Options
        package var files: any FileSystem = DiskFileSystem()
        /// `nil` for RocksDB in the data directory.
        package var index: (any BlockIndex)?

        package init(_ storeOptions: PackBlockStore.Options) { self.storeOptions = storeOptions }
    }

    /// Opens a node on another disk, index or clock than the system's, with the default configuration.
    package static func open(_ directory: String, on ground: Ground) throws -> StorageNode {
        try StorageNode(
            directory: directory, configuration: Configuration(), on: ground, lostCatalog: .refuse)
    }

    private init(
        directory: String, configuration: Configuration, on ground: Ground, lostCatalog: LostCatalog
    ) throws {
        self.directory = directory
        self.configuration = configuration
        secrets = NodeSecrets(dataDirectory: directory)
        links = StaticDNSLinks(configuration.dnsLinks, else: CachedDNSLinks(SystemDNSLinks()))
        // The store first: it checks the format and takes the lock before anything is touched.
        store = try PackBlockStore(
            directory: directory, options: ground.storeOptions, files: ground.files, index: ground.index)
        do {
            catalogID =
                configuration.catalogURL == nil
                ? "" : try DirectoryID(.catalogInServer, directory).readOrMake()
            catalog = try Self.openCatalog(directory, store, configuration, lostCatalog)
            namespaces = NamespaceStore(catalog: catalog)
            damage = DamageRecord(store, catalog, catalogID: catalogID)
        } catch {
            // The failure to open says more than one of closing after it.
            try? store.close()
            throw error
        }
        do { try restoreMarks() } catch {
            try? close()
            throw error
        }
    }

    /// By which the catalog tells this data directory from others that share it; empty where it has one
    /// only.
    public let catalogID: String

    /// What opening found that the user should know.
    public var openingNotes: [OpeningNote] { store.openingNotes }

    /// Flushes and closes. Call it when no other call is under way.
    public func close() throws {
        defer { try? catalog.close() }
        // What was mended meanwhile goes from the record.
        _ = damage.known()
        try store.close()
    }

    /// Takes over what of a changed configuration can change while a directory is open.
    public func takeOver(_ configuration: Configuration) { links.replace(by: configuration.dnsLinks) }

    /// Keeps what is put from now on from being collected, until the lease ends.
    public func beginLease() throws -> BlockLease { store.beginLease() }
}

extension Configuration {
    /// What the block store is opened with.
    public var storeOptions: PackBlockStore.Options {
        var options = PackBlockStore.Options()
        options.durability = durability
        options.packTargetBytes = packBytes
        options.reserveBytes = reserveBytes
        options.lanes = workerThreads
        return options
    }

    /// Threads that read, hash and store: what is configured, or one a core.
    public var workerThreads: Int {
        threads > 0 ? threads : max(1, ProcessInfo.processInfo.activeProcessorCount)
    }
}
