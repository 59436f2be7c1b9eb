import Catalog
import Multiformats
import SyncProtocol
import TreeValues

/// Files that are being sent to the namespaces of a node, and which of their leaves are here: what other
/// devices may read ahead of the journal. Format: docs/formats/sync.md, "Streaming".
///
/// A plain value: time is given to it. Never in the catalog or the journal: what it loses costs others a
/// wait. Memory: some 80 bytes a leaf, 40 MiB in all at ``maximumLeaves``; the file that nothing came of for
/// longest makes room.
struct InflightTable {
    /// Who sends which node. Two devices may send the same one; at most one of them is committed.
    struct Key: Hashable {
        let node: NodeID
        let device: String
    }

    /// What a commit lacks.
    struct Draft {
        let key: Key
        /// Of whom, for those who see only their own.
        let user: String?
        /// Whether who sends it sees only that: then what others bring is not of it, since a hash alone may
        /// not get anybody the content.
        let seesOnlyOwn: Bool
        let parent: NodeID
        let name: String
        let root: CID
        let size: Int64
        let leaves: [Leaf]
        var missing: Set<CID>
    }

    /// A file as it is offered.
    struct Offer {
        fileprivate(set) var draft: Draft
        /// A bit for each leaf that is here, the first in the lowest of the first byte.
        fileprivate(set) var arrived: [UInt8]
        fileprivate(set) var arrivedBytes: Int64 = 0
        /// Milliseconds.
        fileprivate(set) var expires: Int64
        /// Rises whenever others are told that more of it came; 0 before the first time.
        fileprivate(set) var mark: Int64 = 0
        /// The revision that the node had when it was offered; 0 for none.
        let revision: JID
        /// Up to where the journal is known to have nothing against it.
        fileprivate(set) var checkedHead: JID
        /// Places of leaves, in the order of the first bytes of their digests.
        fileprivate let order: [UInt32]

        /// Takes some milliseconds where leaves are very many.
        ///
        /// - Parameters:
        ///   - revision: the node's; 0 for one that is not there.
        ///   - head: of the journal, as of which that was so.
        init(_ draft: Draft, revision: JID, head: JID) {
            self.draft = draft
            self.revision = revision
            checkedHead = head
            arrived = [UInt8](repeating: 0, count: (draft.leaves.count + 7) / 8)
            expires = 0
            order = (0..<UInt32(draft.leaves.count)).sorted {
                InflightTable.prefix(draft.leaves[Int($0)].cid)
                    < InflightTable.prefix(draft.leaves[Int($1)].cid)
            }
            for (index, leaf) in draft.leaves.enumerated() where !draft.missing.contains(leaf.cid) {
                take(index)
            }
            // Nobody asks again, and it is as much as the leaves.
            self.draft.missing = []
        }
    }

    private struct Room {
        var offers: [Key: Offer] = [:]
        /// Those of which more came than others were told of.
        var untold: Set<Key> = []
        /// Milliseconds.
        var told: Int64?
        var isAnnounced = false

        var leaves: Int { offers.values.reduce(0) { $0 + $1.draft.leaves.count } }
    }

    /// When others are to be told of a change.
    enum Announcement: Equatable {
        case now
        /// After so many milliseconds: ``announce(_:at:)`` is to be called then.
        case after(Int64)
        /// It is on its way already, or there is nothing to tell.
        case nothing
    }

    /// Leaves of all namespaces.
    static let maximumLeaves = 4 * SyncLimits.maximumInflightLeaves
    /// Others are told of a namespace at most so often, in milliseconds.
    static let interval: Int64 = 250

    private var rooms: [NamespaceID: Room] = [:]
    private var lastMark: Int64
    /// The earliest moment at which something may end; nothing ends before.
    private var nextEnd = Int64.max

    /// - Parameter firstMark: marks are beyond it. A later table of the same namespace has to begin beyond
    ///   all marks of an earlier one.
    init(firstMark: Int64) { lastMark = firstMark }

    /// How many files are offered.
    var count: Int { rooms.values.reduce(0) { $0 + $1.offers.count } }
    /// Bytes of them that are here.
    var bytes: Int64 {
        rooms.values.reduce(0) { $0 + $1.offers.values.reduce(0) { $0 + $1.arrivedBytes } }
    }
    private var leaves: Int { rooms.values.reduce(0) { $0 + $1.leaves } }

    func offers(in namespace: NamespaceID) -> [Offer] {
        rooms[namespace].map { Array($0.offers.values) } ?? []
    }

    // MARK: Coming

    /// Takes a file in, in the place of what the device sent as this node before.
    ///
    /// - Parameters:
    ///   - offer: what ``isWorthwhile(_:)`` says of its draft is true.
    ///   - lifetime: milliseconds for which it is offered after something of it came.
    mutating func insert(
        _ offer: Offer, in namespace: NamespaceID, at now: Int64, lifetime: Int64
    ) -> Announcement {
        expire(at: now)
        let draft = offer.draft
        guard makeRoom(for: draft, in: namespace) else { return .nothing }
        var offer = offer
        offer.expires = now + lifetime
        if let known = rooms[namespace]?.offers[draft.key], known.draft.root == draft.root {
            offer.mark = known.mark
        }
        rooms[namespace, default: Room()].offers[draft.key] = offer
        nextEnd = min(nextEnd, offer.expires)
        return change([draft.key], in: namespace, at: now)
    }

    /// Whether it is enough to be read ahead, and not too much to be remembered.
    static func isWorthwhile(_ draft: Draft) -> Bool {
        guard draft.leaves.count <= SyncLimits.maximumInflightLeaves else { return false }
        let missing = draft.leaves.reduce(0) {
            $0 + (draft.missing.contains($1.cid) ? Int64($1.bytes) : 0)
        }
        return missing >= Int64(SyncLimits.minimumInflightBytes)
    }

    /// Lets go of those that nothing came of for longest, until there is room.
    private mutating func makeRoom(for draft: Draft, in namespace: NamespaceID) -> Bool {
        while let room = rooms[namespace],
            room.offers[draft.key] == nil && room.offers.count >= SyncLimits.maximumInflight
                || room.leaves + draft.leaves.count > SyncLimits.maximumInflightLeaves
        {
            guard let oldest = room.offers.values.min(by: { $0.expires < $1.expires }) else { break }
            remove(oldest.draft.key, in: namespace)
        }
        while leaves + draft.leaves.count > Self.maximumLeaves {
            let all = rooms.flatMap { name, room in room.offers.values.map { (name, $0) } }
            guard let (name, oldest) = all.min(by: { $0.1.expires < $1.1.expires }) else { return false }
            remove(oldest.draft.key, in: name)
        }
        return true
    }

    /// Notes leaves that came for a namespace.
    ///
    /// - Parameter user: who brought them.
    mutating func note(
        _ cids: [CID], by user: String?, in namespace: NamespaceID, at now: Int64, lifetime: Int64
    ) -> Announcement {
        expire(at: now)
        guard let keys = rooms[namespace].map({ Array($0.offers.keys) }) else { return .nothing }
        var changed: [Key] = []
        for key in keys {
            // In its place: a copy of the bits for each block would cost more than the block.
            let isNews =
                rooms[namespace]?.offers[key]?.note(cids, by: user, expires: now + lifetime) ?? false
            if isNews { changed.append(key) }
        }
        return change(changed, in: namespace, at: now)
    }

    private mutating func change(
        _ keys: [Key], in namespace: NamespaceID, at now: Int64
    ) -> Announcement {
        guard !keys.isEmpty, var room = rooms[namespace] else { return .nothing }
        room.untold.formUnion(keys)
        defer { rooms[namespace] = room }
        guard !room.isAnnounced else { return .nothing }
        room.isAnnounced = true
        let due = (room.told ?? now - Self.interval) + Self.interval
        return due <= now ? .now : .after(due - now)
    }

    /// Raises the marks of what others are about to be told of.
    ///
    /// - Returns: whether there is something to tell.
    mutating func announce(_ namespace: NamespaceID, at now: Int64) -> Bool {
        guard var room = rooms[namespace] else { return false }
        let untold = room.untold
        room.untold = []
        room.isAnnounced = false
        room.told = now
        for key in untold where room.offers[key] != nil {
            lastMark += 1
            room.offers[key]?.mark = lastMark
        }
        rooms[namespace] = room
        return !untold.isEmpty
    }

    // MARK: Going

    /// Lets go of a node: it was committed, or will not be.
    mutating func drop(_ node: NodeID, in namespace: NamespaceID) {
        for key in rooms[namespace]?.offers.keys.filter({ $0.node == node }) ?? [] {
            remove(key, in: namespace)
        }
    }

    /// Lets go of an offer, unless it is another one by now.
    mutating func drop(_ offer: Offer, in namespace: NamespaceID) {
        guard rooms[namespace]?.offers[offer.draft.key]?.draft.root == offer.draft.root else { return }
        remove(offer.draft.key, in: namespace)
    }

    /// Notes that the journal up to a head has nothing against an offer.
    mutating func confirm(_ offer: Offer, in namespace: NamespaceID, upTo head: JID) {
        let known = rooms[namespace]?.offers[offer.draft.key]?.checkedHead ?? head
        rooms[namespace]?.offers[offer.draft.key]?.checkedHead = max(known, head)
    }

    private mutating func remove(_ key: Key, in namespace: NamespaceID) {
        rooms[namespace]?.offers[key] = nil
        rooms[namespace]?.untold.remove(key)
        if rooms[namespace]?.offers.isEmpty == true { rooms[namespace] = nil }
    }

    /// Lets go of what nothing came of for too long.
    mutating func expire(at now: Int64) {
        guard now >= nextEnd else { return }
        nextEnd = .max
        for (namespace, room) in rooms {
            for (key, offer) in room.offers {
                if offer.expires <= now {
                    remove(key, in: namespace)
                } else {
                    nextEnd = min(nextEnd, offer.expires)
                }
            }
        }
    }

    /// The first bytes of a digest, which are as good as any number.
    fileprivate static func prefix(_ cid: CID) -> UInt64 {
        cid.multihash.withDigest { $0.count >= 8 ? $0.loadUnaligned(as: UInt64.self) : 0 }
    }
}

extension InflightTable.Offer {
    /// Whether one of its leaves is a block, and it is here.
    func has(_ cid: CID) -> Bool {
        places(of: cid).contains { arrived[$0 / 8] & 1 << ($0 % 8) != 0 }
    }

    fileprivate mutating func note(_ cids: [CID], by user: String?, expires: Int64) -> Bool {
        guard !draft.seesOnlyOwn || draft.user == user else { return false }
        var isNews = false
        for cid in cids {
            for index in places(of: cid) {
                // What came again was waited for as well.
                self.expires = max(self.expires, expires)
                if take(index) { isNews = true }
            }
        }
        return isNews
    }

    @discardableResult
    fileprivate mutating func take(_ index: Int) -> Bool {
        guard arrived[index / 8] & 1 << (index % 8) == 0 else { return false }
        arrived[index / 8] |= 1 << (index % 8)
        arrivedBytes += Int64(draft.leaves[index].bytes)
        return true
    }

    /// Where in the list of leaves a block is.
    private func places(of cid: CID) -> [Int] {
        let leaves = draft.leaves
        let prefix = InflightTable.prefix(cid)
        func first(_ place: Int) -> UInt64 { InflightTable.prefix(leaves[Int(order[place])].cid) }
        var (low, high) = (0, order.count)
        while low < high {
            let middle = (low + high) / 2
            if first(middle) < prefix { low = middle + 1 } else { high = middle }
        }
        var found: [Int] = []
        while low < order.count, first(low) == prefix {
            if leaves[Int(order[low])].cid == cid { found.append(Int(order[low])) }
            low += 1
        }
        return found
    }
}
