import Catalog
import TreeValues

/// The rules of what machines leave out of a namespace, where a restore leaves them as they are.
///
/// A file at the root says which files stay on each machine. Its earlier state may say less: machines that
/// follow a restore would send what was left out on purpose, and nobody who brings back old files means that.
/// So a restore passes over the file, unless it is asked for by its path or by a word. Rules that are not
/// there now come back with everything else: with more of them nothing is sent that was not.
struct KeptRules {
    /// What folders that sync read them from: `docs/formats/sync.md`, "History, conflicts, leases".
    static let path = ".syncignore"

    /// Which nodes stay as they are: the file, and, of a whole tree, another one that had its name.
    let nodes: [NodeID]

    /// - Parameter scope: what is restored; `nil` for the whole tree.
    /// - Returns: `nil` if the rules are the same in both states, or the restore does not reach them.
    /// - Throws: `placeTaken` where a directory was in their place, with files in it.
    init?(now: TreeView, then: TreeView, scope: NodeID?) throws {
        guard let current = try now.node(at: [Self.path], endingIn: .either), current.kind != .directory
        else { return nil }
        let former = try then.node(current.id).flatMap { $0.isDeleted ? nil : $0 }
        if let former, former.parent == current.parent, former.name == current.name,
            former.hasContent(of: current)
        {
            return nil
        }
        if let scope, scope != current.id {
            // It was somewhere below, and would go back there.
            guard let former, let way = try then.way(to: former.parent), way.contains(scope) else {
                return nil
            }
        }
        var nodes = [current.id]
        if scope == nil, let other = try then.node(at: [Self.path]), other.id != current.id {
            guard other.kind != .directory else { throw NamespaceError.placeTaken(Self.path) }
            nodes.append(other.id)
        }
        self.nodes = nodes
    }
}
