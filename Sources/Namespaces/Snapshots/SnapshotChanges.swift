import Catalog
import TreeValues

/// What changed in a tree between two versions, as far as a snapshot needs to know.
struct SnapshotChanges {
    /// Directories in which, or below which, something changed.
    private(set) var directories: Set<NodeID> = []
    /// Names in a directory whose node or content changed.
    private(set) var names: [NodeID: Set<String>] = [:]
    /// Of ``directories``, those in a directory.
    private(set) var children: [NodeID: Set<NodeID>] = [:]

    /// Beyond so many entries everything is made anew, so that memory stays bounded.
    static let maximumEntries: JID = 200_000

    /// Nothing.
    init() {}

    /// Reads the journal after one JID up to another, in a view as of the latter.
    init(_ view: TreeView, after: JID, upTo last: JID) throws {
        var next = after
        while next < last {
            let entries = try view.tables.entries(after: next, upTo: last, limit: 10_000)
            guard let end = entries.last?.jid else { break }
            for entry in entries {
                try touch(entry.node.name, in: entry.node.parent, view)
                if let origin = entry.origin { try touch(origin.name, in: origin.parent, view) }
            }
            next = end
        }
    }

    private mutating func touch(_ name: String, in directory: NodeID, _ view: TreeView) throws {
        names[directory, default: []].insert(name)
        guard directories.insert(directory).inserted else { return }
        // Whether it is live does not matter: what is deleted may come back.
        try view.climb(from: directory) { node in
            children[node.parent, default: []].insert(node.id)
            return directories.insert(node.parent).inserted
        }
    }
}
