import Multiformats

/// What a HAMT holds when changes are applied to it, in the order of the hashes: entries, and shards
/// without changes as a whole.
struct HAMTMerge {
    private var walk: HAMTWalk?
    /// What the walk gave last and has not been passed on.
    private var old: HAMTWalk.Item?
    private let changes: [Change]
    private var nextChange = 0
    private let entersAll: Bool

    private struct Change {
        let hash: UInt64
        let name: [UInt8]
        let entry: DirectoryEntry?
    }

    /// - Parameter entersAll: whether all shards are taken apart, those without changes too.
    init(reader: DirectoryReader, changes: [[UInt8]: DirectoryEntry?], entersAll: Bool) {
        walk = reader.walk()
        self.entersAll = entersAll
        self.changes =
            changes
            .map { Change(hash: Murmur3.hash64($0.key), name: $0.key, entry: $0.value) }
            .sorted { a, b in a.hash == b.hash ? a.name.lexicographicallyPrecedes(b.name) : a.hash < b.hash }
    }

    mutating func next() throws -> HAMTWalk.Item? {
        while true {
            if old == nil { old = try nextOld() }
            guard nextChange < changes.count else {
                defer { old = nil }
                return old
            }
            let change = changes[nextChange]
            if let item = old {
                if item.hash < change.hash {
                    old = nil
                    return item
                }
                if item.hash == change.hash, case .entry(_, let entry) = item {
                    // A name that hashes alike but is another is no matter of the change.
                    guard entry.name == change.name else {
                        old = nil
                        return item
                    }
                    old = nil
                }
            }
            nextChange += 1
            if let entry = change.entry { return .entry(hash: change.hash, entry) }
        }
    }

    /// Changes that come before what the walk gives next are still in `changes`: shards with one of them
    /// are entered.
    private mutating func nextOld() throws -> HAMTWalk.Item? {
        let (changes, first, entersAll) = (changes, nextChange, entersAll)
        return try walk?.next { range in
            guard !entersAll else { return .enter }
            var low = first
            var high = changes.count
            while low < high {
                let middle = (low + high) / 2
                if changes[middle].hash < range.lowerBound { low = middle + 1 } else { high = middle }
            }
            return low < changes.count && range.contains(changes[low].hash) ? .enter : .take
        }
    }
}

extension HAMTWalk.Item {
    var hash: UInt64 {
        switch self {
        case .entry(let hash, _), .shard(let hash, _, _, _): hash
        }
    }

    /// `nil` for a shard.
    var name: [UInt8]? {
        if case .entry(_, let entry) = self { entry.name } else { nil }
    }

    func withAssemblerItem<R>(_ body: (HAMTAssembler.Item) throws -> R) throws -> R {
        switch self {
        case .entry(let hash, let entry):
            try entry.name.withUnsafeBytes { name in
                try entry.cid.withBinary { cid in
                    try body(
                        HAMTAssembler.Item(hash: hash, name: name, cid: cid, dagBytes: entry.dagBytes))
                }
            }
        case .shard(let hash, let depth, let cid, let dagBytes):
            try cid.withBinary { cid in
                try body(
                    HAMTAssembler.Item(
                        hash: hash, name: nil, shardDepth: depth, cid: cid, dagBytes: dagBytes))
            }
        }
    }
}
