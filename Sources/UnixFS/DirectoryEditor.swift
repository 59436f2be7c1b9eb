public import IPLD
public import Multiformats

/// Changes a directory: the result is the one that building it from scratch would give, but only the blocks
/// that change are made, and in a HAMT only the shards on the way to a change are read.
///
/// Changes are gathered first and applied together by ``finish(emit:)``. A basic directory becomes a HAMT
/// when it grows over the threshold, and a HAMT a basic directory when it shrinks below; for the latter a
/// HAMT that loses bytes is read until it is known to be still large. Shards left with one entry collapse.
///
/// A directory that was made by other rules than `parameters` has is changed by these where it must be
/// written anew: a HAMT keeps its fanout, and stays one unless it shrinks.
public struct DirectoryEditor: Sendable {
    /// What the root records besides the entries; at first what it did.
    public var metadata: UnixFSMetadata
    private let reader: DirectoryReader
    private let parameters: ImportParameters
    private var changes: [[UInt8]: DirectoryEntry?] = [:]

    /// Opens the directory that `root` names.
    ///
    /// - Parameter parameters: CID version, hash and the rules for sharding matter here.
    /// - Throws: `UnixFSDirectoryError.missingBlock` or `damagedNode`, and what `source` throws.
    public init(source: any BlockSource, root: CID, parameters: ImportParameters) throws {
        reader = try DirectoryReader(source: source, root: root)
        metadata = reader.metadata
        self.parameters = parameters
    }

    /// Adds an entry, or puts it in the place of one with its name.
    ///
    /// - Throws: `badName`.
    public mutating func set(_ entry: DirectoryEntry) throws(UnixFSDirectoryError) {
        guard DirectoryBuilder.isAllowed(name: entry.name) else { throw .badName(entry.name) }
        changes[entry.name] = .some(entry)
    }

    /// Removes an entry. Where there is none, nothing changes.
    public mutating func remove(_ name: [UInt8]) {
        changes[name] = .some(nil)
    }

    /// The entry called `name`, changes included.
    public func entry(named name: [UInt8]) throws -> DirectoryEntry? {
        if let change = changes[name] { return change }
        return try reader.entry(named: name)
    }

    /// Makes the blocks that are new. The editor can go on from there only with the new root.
    ///
    /// - Throws: what ``DirectoryReader`` and ``DirectoryBuilder`` throw, and what `emit` throws.
    public consuming func finish(emit: (Block) throws -> Void) throws -> DirectoryRoot {
        guard let shard = reader.node.shard else { return try rebuild(emit: emit) }
        if try shrinksBelowThreshold() { return try rebuild(emit: emit) }
        var parameters = parameters
        parameters.directory.fanout = shard.shape.fanout
        var assembler = HAMTAssembler(shape: shard.shape, parameters: parameters, metadata: metadata)
        var merged = HAMTMerge(reader: reader, changes: changes, entersAll: false)
        // An item goes in when the one after it is known: the two decide how deep it lies.
        var pending = try merged.next()
        while let item = pending {
            let next = try merged.next()
            if let next, shard.shape.commonLevels(item.hash, next.hash) >= shard.shape.levels {
                throw UnixFSDirectoryError.hashCollision(item.name ?? [], next.name ?? [])
            }
            try item.withAssemblerItem { try assembler.append($0, next: next?.hash, emit: emit) }
            pending = next
        }
        return try assembler.finish(emit: emit)
    }

    /// Builds from all entries, changes included.
    private func rebuild(emit: (Block) throws -> Void) throws -> DirectoryRoot {
        var builder = DirectoryBuilder(parameters: parameters, metadata: metadata)
        try forEachEntry { entry in
            try builder.add(name: entry.name, cid: entry.cid, dagBytes: entry.dagBytes)
            return true
        }
        return try builder.finish(emit: emit)
    }

    /// Visits all entries, changes included, until `body` says no.
    private func forEachEntry(_ body: (DirectoryEntry) throws -> Bool) throws {
        guard reader.isSharded else {
            var left = changes
            for link in reader.node.links {
                let old = DirectoryEntry(link)
                guard let change = left.removeValue(forKey: old.name) else {
                    guard try body(old) else { return }
                    continue
                }
                if let new = change { guard try body(new) else { return } }
            }
            for case .some(let new) in left.values { guard try body(new) else { return } }
            return
        }
        var merged = HAMTMerge(reader: reader, changes: changes, entersAll: true)
        while let item = try merged.next() {
            guard case .entry(_, let entry) = item else { continue }
            guard try body(entry) else { return }
        }
    }

    /// Whether a HAMT loses so much that it is not over the threshold any more.
    private func shrinksBelowThreshold() throws -> Bool {
        var estimate = DirectoryEstimate(parameters: parameters, metadata: metadata)
        guard estimate.threshold != nil else { return false }
        var change = 0
        for (name, new) in changes {
            if let old = try reader.entry(named: name) { change -= estimate.size(of: old) }
            if let new { change += estimate.size(of: new) }
        }
        // What was over the threshold and has not shrunk is over it still.
        if metadata == reader.metadata && change >= 0 { return false }
        var isOver = false
        try forEachEntry { entry in
            estimate.add(entry)
            isOver = estimate.isOverThreshold
            return !isOver
        }
        return !isOver
    }
}
