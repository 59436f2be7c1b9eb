import Multiformats
import SyncProtocol
import TreeValues

/// A large file in the making, whose name says what it is to be: after a run that ended in the middle, the next
/// one goes on with it.
///
/// The name `ROOT.NODE.RANDOM` says where to look and proves nothing: each leaf is hashed before it counts as
/// there. A file that is whole gets another name before it gets its place, since from then on an older version
/// may be under that name, which nobody may write to.
struct Fragment: Hashable, Sendable {
    /// The content that it is to have.
    let root: CID
    /// The node that it was begun for.
    let node: NodeID
    let path: String
    /// Its size when it was found; 0 for a new one.
    var bytes: Int64 = 0

    init(root: CID, node: NodeID, directory: String, suffix: String) {
        self.root = root
        self.node = node
        path = directory + "/" + root.description + "." + node.description + "." + suffix
    }

    /// Reads the name; `nil` if it is not that of a fragment.
    init?(path: String, bytes: Int64) {
        let parts = FolderPath.name(of: path).split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 3, let root = try? CID(text: String(parts[0])),
            let node = try? NodeID(text: String(parts[1]))
        else { return nil }
        self.root = root
        self.node = node
        self.path = path
        self.bytes = bytes
    }
}

/// Fragments that nobody writes to at the moment.
struct Fragments: Sendable {
    /// Beyond this they are not kept: one run leaves a few.
    static let maximumCount = 1000

    private var byRoot: [CID: [Fragment]] = [:]
    private var count = 0

    /// - Returns: whether there was room for it.
    mutating func insert(_ fragment: Fragment) -> Bool {
        guard count < Self.maximumCount else { return false }
        byRoot[fragment.root, default: []].append(fragment)
        count += 1
        return true
    }

    /// One for that content, the longest first.
    mutating func take(_ root: CID) -> Fragment? {
        guard let longest = byRoot[root]?.max(by: { $0.bytes < $1.bytes }) else { return nil }
        remove(longest)
        return longest
    }

    mutating func remove(_ fragment: Fragment) {
        guard let index = byRoot[fragment.root]?.firstIndex(of: fragment) else { return }
        byRoot[fragment.root]?.remove(at: index)
        if byRoot[fragment.root]?.isEmpty == true { byRoot[fragment.root] = nil }
        count -= 1
    }

    /// Bytes on the disk of the one that would be taken.
    func bytes(of root: CID) -> Int64 {
        if count == 0 { return 0 }
        return byRoot[root]?.lazy.map(\.bytes).max() ?? 0
    }

    var all: [Fragment] { byRoot.values.flatMap { $0 } }
}
