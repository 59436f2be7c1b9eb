public import TreeValues

/// Names that sync itself uses, and names that no disk takes.
public enum SyncNames {
    /// The directory in the folder that is sync's own: marker, temporary files, trash.
    public static let ownDirectory = ".nacre"

    /// What a node is called while it waits for a name that another one has still. The scanner reports it
    /// like any other file: it must not look as if it were gone.
    ///
    /// - Parameter number: from 1 on where something else has the name without one.
    public static func temporary(for id: NodeID, number: Int = 0) -> String {
        ".nacre-swap-" + id.text + (number == 0 ? "" : "-\(number)")
    }

    /// Whether a name is one under which that node waits for another.
    static func isTemporary(_ name: String, for id: NodeID) -> Bool { name.hasPrefix(temporary(for: id)) }

    /// Whether a file may be called so, in a folder's root or below.
    ///
    /// Names come from the server, and paths are made of them: nothing leads out of the folder.
    public static func isPossible(_ name: String, inRoot: Bool) -> Bool {
        if name.isEmpty || name == "." || name == ".." { return false }
        if name.utf8.contains(where: { $0 == 0 || $0 == UInt8(ascii: "/") }) { return false }
        // File systems that ignore case would open the same directory.
        return !inRoot || NameKey(name, ignoringCase: true) != NameKey(ownDirectory)
    }
}
