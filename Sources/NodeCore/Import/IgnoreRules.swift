/// Patterns of paths to leave out, in the form of `.gitignore`.
///
/// A pattern with a slash that is not its last character is anchored at the folder that is added; others
/// match at any depth. `*` and `?` stop at slashes, `**` does not, `[a-z]` and `[!a-z]` are classes, `!`
/// takes in again, a slash at the end means directories only, `\` quotes. The last pattern that matches
/// decides. Matching takes time linear in path × pattern: no input makes it slow.
public struct IgnoreRules: Sendable {
    private var rules: [Rule] = []

    private struct Rule: Sendable {
        let segments: [[UInt8]]
        let negates: Bool
        let directoriesOnly: Bool
    }

    public init() {}

    /// The most bytes of one pattern.
    public static let maximumPatternBytes = 4096

    public var isEmpty: Bool { rules.isEmpty }

    /// Adds every line of a file of patterns; blank lines and those that begin with `#` say nothing.
    public mutating func add(lines text: [UInt8]) throws {
        for line in text.split(separator: UInt8(ascii: "\n")) {
            var line = line
            if line.last == UInt8(ascii: "\r") { line = line.dropLast() }
            if line.first == UInt8(ascii: "#") { continue }
            try add(pattern: Array(line))
        }
    }

    /// Adds one pattern.
    public mutating func add(pattern: [UInt8]) throws {
        guard pattern.count <= Self.maximumPatternBytes else {
            throw IgnoreRulesError.patternTooLong(bytes: pattern.count, maximum: Self.maximumPatternBytes)
        }
        var rest = pattern[...]
        while rest.last == UInt8(ascii: " ") && rest.dropLast().last != UInt8(ascii: "\\") {
            rest = rest.dropLast()
        }
        let negates = rest.first == UInt8(ascii: "!")
        if negates { rest = rest.dropFirst() }
        let directoriesOnly = rest.last == PathText.slash
        if directoriesOnly { rest = rest.dropLast() }
        guard !rest.isEmpty else { return }
        let isAnchored = rest.contains(PathText.slash)
        if rest.first == PathText.slash { rest = rest.dropFirst() }
        var segments = rest.split(separator: PathText.slash).map(Array.init)
        if !isAnchored { segments.insert(Self.anyDepth, at: 0) }
        rules.append(Rule(segments: segments, negates: negates, directoriesOnly: directoriesOnly))
    }

    /// Whether the entry is left out.
    ///
    /// - Parameter path: segments below the folder that is added.
    public func ignores(_ path: [[UInt8]], isDirectory: Bool) -> Bool {
        for rule in rules.reversed() where !rule.directoriesOnly || isDirectory {
            if Self.matches(rule.segments, path) { return !rule.negates }
        }
        return false
    }

    private static let anyDepth = Array("**".utf8)

    /// Whether segments of a pattern match all segments of a path: the greedy way with one point to return
    /// to.
    private static func matches(_ pattern: [[UInt8]], _ path: [[UInt8]]) -> Bool {
        var p = 0
        var s = 0
        var star: (pattern: Int, path: Int)?
        while s < path.count {
            if p < pattern.count, pattern[p] == anyDepth {
                star = (p, s)
                p += 1
            } else if p < pattern.count, matches(name: path[s], pattern[p]) {
                p += 1
                s += 1
            } else if let (starPattern, starPath) = star {
                star = (starPattern, starPath + 1)
                p = starPattern + 1
                s = starPath + 1
            } else {
                return false
            }
        }
        // `a/**` means what is below a, not a itself.
        return p == pattern.count
    }

    private static func matches(name: [UInt8], _ pattern: [UInt8]) -> Bool {
        var p = 0
        var n = 0
        var star: (pattern: Int, name: Int)?
        while n < name.count {
            if p < pattern.count, pattern[p] == UInt8(ascii: "*") {
                star = (p, n)
                p += 1
            } else if p < pattern.count, let next = match(name[n], pattern, at: p) {
                p = next
                n += 1
            } else if let (starPattern, starName) = star {
                star = (starPattern, starName + 1)
                p = starPattern + 1
                n = starName + 1
            } else {
                return false
            }
        }
        while p < pattern.count, pattern[p] == UInt8(ascii: "*") { p += 1 }
        return p == pattern.count
    }

    /// Matches one byte against the element of the pattern at `index`; returns the index behind it.
    private static func match(_ byte: UInt8, _ pattern: [UInt8], at index: Int) -> Int? {
        switch pattern[index] {
        case UInt8(ascii: "?"):
            return index + 1
        case UInt8(ascii: "\\") where index + 1 < pattern.count:
            return pattern[index + 1] == byte ? index + 2 : nil
        case UInt8(ascii: "["):
            guard let (isIn, end) = matchClass(byte, pattern, at: index) else {
                return byte == pattern[index] ? index + 1 : nil
            }
            return isIn ? end : nil
        default:
            return pattern[index] == byte ? index + 1 : nil
        }
    }

    /// Matches a `[…]` class; `nil` if it is never closed and so an ordinary bracket.
    private static func matchClass(_ byte: UInt8, _ pattern: [UInt8], at start: Int) -> (Bool, end: Int)? {
        var index = start + 1
        guard index < pattern.count else { return nil }
        let negates = pattern[index] == UInt8(ascii: "!") || pattern[index] == UInt8(ascii: "^")
        if negates { index += 1 }
        var isIn = false
        var isFirst = true
        while index < pattern.count {
            if pattern[index] == UInt8(ascii: "]") && !isFirst { return (isIn != negates, index + 1) }
            isFirst = false
            if index + 2 < pattern.count, pattern[index + 1] == UInt8(ascii: "-"),
                pattern[index + 2] != UInt8(ascii: "]")
            {
                if pattern[index] <= byte && byte <= pattern[index + 2] { isIn = true }
                index += 3
            } else {
                if pattern[index] == byte { isIn = true }
                index += 1
            }
        }
        return nil
    }
}

/// Why patterns cannot be used.
public enum IgnoreRulesError: Error, Equatable, Sendable, CustomStringConvertible {
    case patternTooLong(bytes: Int, maximum: Int)

    public var description: String {
        switch self {
        case .patternTooLong(let bytes, let maximum):
            "an ignore pattern has \(bytes) bytes; at most \(maximum) are allowed"
        }
    }
}
