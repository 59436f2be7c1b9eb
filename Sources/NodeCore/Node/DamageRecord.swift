import BlockStorage
import Catalog
public import Multiformats
import Synchronization

/// Which blocks were found damaged and are not mended yet, for whoever watches the node.
///
/// The store marks such blocks and serves them no more, and does not count them. The record is kept in the
/// catalog, so that it outlives the process, and so that a doctor who does not open the store reads it.
/// Nothing depends on it: what cannot be written there is noted again when it is met again.
///
/// Thread-safe.
public final class DamageRecord: Sendable {
    /// The most blocks that are known by name; of more only these are told.
    public static let maximumKnown = 1000

    private struct State {
        /// In the order in which they were found; `nil` before the catalog was asked.
        var known: [CID]?
        var found: Set<Multihash> = []
    }

    private let store: PackBlockStore
    private let catalog: CatalogDatabase
    private let key: String
    private let state = Mutex(State())

    init(_ store: PackBlockStore, _ catalog: CatalogDatabase, catalogID: String) {
        self.store = store
        self.catalog = catalog
        key = Self.key(catalogID)
    }

    /// The setting of the catalog that holds the record: a CID a line.
    static func key(_ catalogID: String) -> String {
        catalogID.isEmpty ? "blocks.damaged" : "blocks.damaged/" + catalogID
    }

    static func parse(_ text: String?) -> [CID] {
        (text ?? "").split(separator: "\n").compactMap { try? CID(text: String($0)) }
    }

    /// How many blocks were found damaged since the process began, each counted once.
    public var foundCount: Int { state.withLock { $0.found.count } }

    /// Notes an error that a damaged block is the reason of; passes over every other one.
    public func note(_ error: any Error) {
        if case .damaged(let cid, _, _)? = error as? BlockStoreError { note([cid]) }
    }

    /// Notes blocks that were found damaged.
    public func note(_ cids: [CID]) {
        guard !cids.isEmpty else { return }
        state.withLock { state in
            var known = state.known ?? load()
            let before = known.count
            var names = Set(known.map(\.multihash))
            for cid in cids {
                if state.found.count < Self.maximumFound { state.found.insert(cid.multihash) }
                if known.count < Self.maximumKnown, names.insert(cid.multihash).inserted {
                    known.append(cid)
                }
            }
            state.known = known
            if known.count != before { save(known) }
        }
    }

    /// The blocks that are damaged still, at most ``maximumKnown``, as far as that was found out.
    ///
    /// Looks each of them up in the index: those that were put again, put back, or removed go from the
    /// record.
    public func known() -> [CID] {
        state.withLock { state in
            let known = state.known ?? load()
            let left = known.filter(isDamaged)
            state.known = left
            if left.count != known.count { save(left) }
            return left
        }
    }

    private func isDamaged(_ cid: CID) -> Bool {
        // Where the index cannot be asked, what was so is so.
        guard (try? store.size(of: cid)) == .some(nil) else { return false }
        return (try? store.scopeMarks(of: cid.multihash)) != .some(nil)
    }

    private func load() -> [CID] { Self.parse(try? catalog.settings.value(key)) }

    private func save(_ known: [CID]) {
        let text = known.map(\.description).joined(separator: "\n")
        // The record is for people: no work fails because it cannot be kept.
        try? catalog.settings.set(key, to: text.isEmpty ? nil : text)
    }

    /// Bounds what a disk that falls to pieces makes be remembered.
    private static let maximumFound = 1 << 20
}

extension DamageRecord {
    /// What the record of a data directory says, without opening its store or changing anything.
    ///
    /// - Returns: at most ``maximumKnown`` blocks, of which some may be mended meanwhile.
    /// - Throws: what the catalog throws.
    public static func recorded(in directory: String, _ configuration: Configuration) throws -> [CID] {
        guard let url = configuration.catalogURL else {
            return parse(
                try CatalogDatabase.setting(key(""), inFile: directory + "/" + CatalogDatabase.fileName))
        }
        let id = DirectoryID(.catalogInServer, directory)
        guard id.exists else { return [] }
        var options = PostgreSQLOptions()
        options.connectTimeout = .seconds(5)
        return parse(try CatalogDatabase.setting(key(try id.readOrMake()), inServer: url, options: options))
    }
}
