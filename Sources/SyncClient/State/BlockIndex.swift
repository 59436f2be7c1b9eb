import Foundation
import GRDB
public import Multiformats
public import SyncProtocol
import Synchronization
public import TreeValues

/// What is known of the leaves of files that are here: the lists of leaves by root, and where in which file
/// a leaf is said to be.
///
/// A cache in a file of its own, which may be removed at any time: nothing is believed without hashing the
/// bytes. The lists of the last 100,000 roots are kept. A call that fails is a miss. Thread-safe.
public final class BlockIndex: Sendable {
    private let queue: DatabaseQueue
    private let maximumRoots: Int
    private let uses = Mutex(Int64(0))

    /// The most leaves of a list that is kept: some 37 MB.
    public static let maximumLeaves = 1 << 20
    private static let digestBytes = 32

    /// Opens the file at `path`, or makes it.
    ///
    /// - Throws: ``SyncStateError``.
    public init(path: String, maximumRoots: Int = 100_000) throws {
        self.maximumRoots = maximumRoots
        queue = try StateFile.open(
            path, schema: .blocks, cacheBytes: 4 * 1024 * 1024,
            now: Int64(Date().timeIntervalSince1970 * 1000))
        let last = try queue.read { try Int64.fetchOne($0, sql: "SELECT max(used) FROM leaves") }
        uses.withLock { $0 = last ?? 0 }
    }

    /// Closes the file. Calls after that find nothing.
    public func close() throws { try queue.close() }

    /// Does several calls in one transaction, which is cheaper by far.
    public func together(_ body: () -> Void) {
        // What cannot be written is a miss another time.
        try? access { _ in body() }
    }

    private func access<Result>(_ body: (Database) throws -> Result) throws -> Result {
        try queue.unsafeReentrantWrite { database in
            if database.isInsideTransaction { return try body(database) }
            var result: Result?
            try database.inTransaction(.immediate) {
                result = try body(database)
                return .commit
            }
            guard let result else { throw DatabaseError(resultCode: .SQLITE_ABORT) }
            return result
        }
    }

    // MARK: Lists of leaves

    /// The leaves of a root; `nil` if they are not known.
    public func leaves(of root: CID) -> [Leaf]? {
        let list: Data? = try? access { database in
            guard
                let row = try Row.fetchOne(
                    database, sql: "SELECT list FROM leaves WHERE root = ?", arguments: [Data(root.bytes)])
            else { return nil }
            try database.execute(
                sql: "UPDATE leaves SET used = ? WHERE root = ?", arguments: [nextUse(), Data(root.bytes)])
            return row[0]
        }
        return list.flatMap { Self.decode([UInt8]($0)) }
    }

    /// Keeps the leaves of a root.
    public func remember(_ leaves: [Leaf], of root: CID) {
        guard leaves.count <= Self.maximumLeaves, let list = Self.encode(leaves) else { return }
        // What cannot be kept is read from the file another time.
        try? access { database in
            let use = nextUse()
            try database.cachedStatement(
                sql: """
                    INSERT INTO leaves (root, count, list, used) VALUES (?, ?, ?, ?)
                    ON CONFLICT (root) DO UPDATE SET used = excluded.used
                    """
            ).execute(arguments: [Data(root.bytes), leaves.count, Data(list), use])
            guard use % 256 == 0 else { return }
            try database.execute(
                sql:
                    "DELETE FROM leaves WHERE used <= (SELECT used FROM leaves ORDER BY used DESC LIMIT 1 OFFSET ?)",
                arguments: [maximumRoots])
        }
    }

    private func nextUse() -> Int64 {
        uses.withLock {
            $0 += 1
            return $0
        }
    }

    /// For each leaf its digest and its length as four bytes. Leaves are raw blocks by sha2-256.
    private static func encode(_ leaves: [Leaf]) -> [UInt8]? {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(leaves.count * (digestBytes + 4))
        for leaf in leaves {
            guard leaf.cid.codec == .raw, leaf.cid.multihash.code == .sha2_256,
                let length = UInt32(exactly: leaf.bytes)
            else { return nil }
            leaf.cid.multihash.withDigest { bytes.append(contentsOf: $0) }
            withUnsafeBytes(of: length.bigEndian) { bytes.append(contentsOf: $0) }
        }
        return bytes
    }

    private static func decode(_ bytes: [UInt8]) -> [Leaf]? {
        guard bytes.count % (digestBytes + 4) == 0 else { return nil }
        return bytes.withUnsafeBytes { bytes in
            guard let start = bytes.baseAddress else { return [] }
            return stride(from: 0, to: bytes.count, by: digestBytes + 4).map { offset in
                let length = UInt32(
                    bigEndian: bytes.loadUnaligned(fromByteOffset: offset + 32, as: UInt32.self))
                return Leaf(
                    cid: CID(codec: .raw, multihash: Multihash(sha256: start + offset)), bytes: Int(length))
            }
        }
    }

    // MARK: Places of leaves

    /// A place where a leaf is said to be.
    public struct Place: Hashable, Sendable {
        public var node: NodeID
        public var offset: Int64
        public var bytes: Int
    }

    /// Notes where the leaves of a file are.
    public func addPlaces(of leaves: [Leaf], in node: NodeID) {
        // What cannot be noted is fetched another time.
        try? access { database in
            let statement = try database.cachedStatement(
                sql:
                    "INSERT INTO source (prefix, nid, start, bytes) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING"
            )
            let id = Data(node.bytes)
            var offset: Int64 = 0
            for leaf in leaves {
                try statement.execute(arguments: [Self.prefix(leaf.cid), id, offset, leaf.bytes])
                offset += Int64(leaf.bytes)
            }
        }
    }

    /// Forgets places that turned out to be wrong, or whose file has other content.
    public func removePlaces(of leaves: [Leaf], in node: NodeID) {
        // A wrong place is found out by whoever reads it.
        try? access { database in
            let statement = try database.cachedStatement(
                sql: "DELETE FROM source WHERE prefix = ? AND nid = ? AND start = ?")
            var offset: Int64 = 0
            for leaf in leaves {
                try statement.execute(arguments: [Self.prefix(leaf.cid), Data(node.bytes), offset])
                offset += Int64(leaf.bytes)
            }
        }
    }

    /// Where a leaf is said to be: a few places at most, any of which may be wrong.
    public func places(of cid: CID, limit: Int = 4) -> [Place] {
        let rows = try? access { database in
            try Row.fetchAll(
                database.cachedStatement(
                    sql: "SELECT nid, start, bytes FROM source WHERE prefix = ? LIMIT ?"),
                arguments: [Self.prefix(cid), limit])
        }
        return (rows ?? []).compactMap { row in
            guard let id = NodeID(bytes: [UInt8](row[0] as Data)) else { return nil }
            return Place(node: id, offset: row[1], bytes: row[2])
        }
    }

    /// The first bytes of the digest: enough to find it, since whoever reads the place hashes it anyway.
    private static func prefix(_ cid: CID) -> Int64 {
        cid.multihash.withDigest { $0.count >= 8 ? $0.loadUnaligned(as: Int64.self) : 0 }
    }
}
