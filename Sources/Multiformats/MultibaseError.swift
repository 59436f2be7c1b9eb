/// Why a text is not a multibase encoding.
public enum MultibaseError: Error, Equatable, Sendable {
    case empty
    /// No base has this prefix character.
    case unknownPrefix(Character)
    /// A character that the base does not have, at this position counted in characters from the prefix on.
    case invalidCharacter(Character, position: Int)
    /// More characters than a base with quadratic cost decodes.
    case tooLong(maximum: Int)
    /// Padding or left-over bits that the base does not allow.
    case invalidLength
}

extension MultibaseError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .empty: "the text is empty"
        case .unknownPrefix(let prefix): "no multibase has the prefix \(String(reflecting: prefix))"
        case .invalidCharacter(let character, let position):
            "character \(String(reflecting: character)) at position \(position) does not belong to the base"
        case .tooLong(let maximum): "the text has more than \(maximum) characters"
        case .invalidLength: "the text is cut short or wrongly padded for its base"
        }
    }
}
