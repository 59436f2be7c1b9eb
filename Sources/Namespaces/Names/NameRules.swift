import Foundation

/// Which names a namespace allows, and which of them are the same.
public struct NameRules: Hashable, Sendable {
    /// The most bytes of a name under the policy `files`.
    public static let maximumNameBytes = 255
    /// The most bytes of a name under the policy `objects`.
    public static let maximumObjectNameBytes = 1024
    /// The most bytes of a path.
    public static let maximumPathBytes = 4096
    /// The most levels below the root.
    public static let maximumDepth = 64

    private let style: NamespacePolicy.NameStyle
    private let letterCase: NamespacePolicy.LetterCase

    public init(_ policy: NamespacePolicy) {
        style = policy.names
        letterCase = policy.letterCase
    }

    /// What is wrong with a name; `nil` if it is allowed.
    public func problem(_ name: String) -> NameProblem? {
        let bytes = name.utf8
        if bytes.contains(0) { return .containsNUL }
        if bytes.contains(UInt8(ascii: "/")) { return .containsSlash }
        guard style == .files else {
            return bytes.count > Self.maximumObjectNameBytes
                ? .tooLong(bytes: bytes.count, maximum: Self.maximumObjectNameBytes) : nil
        }
        if bytes.isEmpty { return .empty }
        if name == "." || name == ".." { return .isReserved }
        if bytes.count > Self.maximumNameBytes {
            return .tooLong(bytes: bytes.count, maximum: Self.maximumNameBytes)
        }
        return nil
    }

    /// What is wrong with a name in the root that is allowed elsewhere: there a folder that syncs has its own
    /// files, and none could ever take it.
    func rootProblem(_ name: String) -> NameProblem? {
        style == .files && name.lowercased() == ".nacre" ? .isKeptByFolders : nil
    }

    /// What may be there once in a directory; `nil` under `objects`, where only the name key counts.
    ///
    /// Under `files` the name without regard to Unicode form (NFC), and to case unless the policy says so.
    public func folded(_ name: String) -> String? {
        guard style == .files else { return nil }
        if name.utf8.allSatisfy({ $0 < 0x80 }) {
            return letterCase == .insensitive ? name.lowercased() : name
        }
        let composed = name.precomposedStringWithCanonicalMapping
        guard letterCase == .insensitive else { return composed }
        return composed.lowercased().precomposedStringWithCanonicalMapping
    }
}

/// What is wrong with a name.
public enum NameProblem: Error, Hashable, Sendable {
    case empty
    case isReserved
    case isKeptByFolders
    case containsNUL
    case containsSlash
    case tooLong(bytes: Int, maximum: Int)
    case pathTooLong(bytes: Int, maximum: Int)
    case tooDeep(levels: Int, maximum: Int)

    /// What is wrong with a name in a directory that has this problem.
    func below(_ name: String) -> NameProblem {
        switch self {
        case .tooDeep(let levels, let maximum): .tooDeep(levels: levels + 1, maximum: maximum)
        case .pathTooLong(let bytes, let maximum):
            .pathTooLong(bytes: bytes + 1 + name.utf8.count, maximum: maximum)
        case .empty, .isReserved, .isKeptByFolders, .containsNUL, .containsSlash, .tooLong: self
        }
    }
}

extension NameProblem: CustomStringConvertible {
    public var description: String {
        switch self {
        case .empty: "a name is empty"
        case .isReserved: "“.” and “..” are no names"
        case .isKeptByFolders: "“.nacre” is where folders that sync keep their own files: take another name"
        case .containsNUL: "a name contains the character NUL"
        case .containsSlash: "a name contains “/”"
        case .tooLong(let bytes, let maximum): "a name has \(bytes) bytes, \(maximum) are allowed"
        case .pathTooLong(let bytes, let maximum): "a path has \(bytes) bytes, \(maximum) are allowed"
        case .tooDeep(let levels, let maximum): "a path has \(levels) levels, \(maximum) are allowed"
        }
    }
}
