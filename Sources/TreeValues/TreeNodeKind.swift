/// The number of a journal entry: 1, 2, 3 … without a hole, allotted in the transaction that adds the
/// entry. 0 stands before the first.
public typealias JID = Int64

/// What a node of a tree is. The numbers are those of rows and messages.
public enum TreeNodeKind: Int64, CaseIterable, Hashable, Sendable {
    case directory = 1
    case file = 2
    case symlink = 3

    /// The word in JSON.
    public var word: String {
        switch self {
        case .directory: "dir"
        case .file: "file"
        case .symlink: "symlink"
        }
    }

    /// Reads the word in JSON.
    public init?(word: String) {
        guard let kind = Self.allCases.first(where: { $0.word == word }) else { return nil }
        self = kind
    }
}
