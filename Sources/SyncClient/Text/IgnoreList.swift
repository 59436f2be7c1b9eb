/// Patterns of paths to leave out, in the form of `.gitignore`.
///
/// A pattern with a slash that is not its last character is anchored at the folder; others match a name at
/// any depth. `*` and `?` stop at slashes, `**` does not, `[a-z]` and `[!a-z]` are classes, a slash at the
/// end means directories only, `\` quotes, `!` in front takes in again, `(?i)` in front of the rest takes
/// capitals and small letters for one. Blank lines and those that begin with `#` say nothing. The last
/// pattern that matches decides. What is below an ignored directory is ignored, whatever patterns say of
/// it.
///
/// Matching takes time linear in path × pattern: no input makes it slow.
public struct IgnoreList: Sendable {
    /// The most characters of a pattern; longer lines are left out.
    public static let maximumPatternCharacters = 4096
    /// The most patterns; further lines are left out.
    public static let maximumPatterns = 10_000

    private var rules: [Rule] = []
    /// Lines that could not be taken: their numbers, from 1, and the reason. At most 100.
    public private(set) var problems: [Problem] = []

    /// A line that says nothing that can be used.
    public struct Problem: Hashable, Sendable {
        /// Why the line was left out.
        public enum Reason: Hashable, Sendable { case tooLong, tooMany }

        public var line: Int
        public var reason: Reason
    }

    private struct Rule: Sendable {
        let segments: [GlobPattern]
        /// Whether it is held against the last name only.
        let isName: Bool
        let negates: Bool
        let directoriesOnly: Bool
        /// Whether it says nothing of directories.
        var isOfFiles = false
        let ignoresCase: Bool
        /// What it wants of the last name of a path.
        let ends: NameEnds.Wanted
    }

    public init() {}

    /// The list of the lines of a file.
    public init(text: String) { add(text: text) }

    /// What editors, browsers and systems leave behind, and what makes no sense elsewhere. But for the trash
    /// these are patterns of files alone: nobody makes a directory of that name by accident, and there is more
    /// in it.
    public static let defaultPatterns = [
        ".DS_Store", "._*", "(?i)thumbs.db", "(?i)desktop.ini", "*~", ".*.sw?", ".#*", "\\#*#", "~$*",
        ".~lock.*#", ".goutputstream-*", "*.crdownload", ".fuse_hidden*", ".nfs*", ".Trash-*/",
    ]

    /// The list of ``defaultPatterns``.
    public static let defaults: IgnoreList = {
        var list = IgnoreList(text: defaultPatterns.joined(separator: "\n"))
        for index in list.rules.indices { list.rules[index].isOfFiles = !list.rules[index].directoriesOnly }
        return list
    }()

    public var isEmpty: Bool { rules.isEmpty }

    /// Adds the lines of a file behind those that are there.
    public mutating func add(text: String) {
        var number = 0
        for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
            number += 1
            // Windows ends lines with two characters, which are one `Character`, and old Macs with one.
            for part in line.split(whereSeparator: { $0 == "\r\n" || $0 == "\r" }) { add(line: part, number) }
        }
    }

    private mutating func add(line: Substring, _ number: Int) {
        guard line.unicodeScalars.count <= Self.maximumPatternCharacters else {
            return note(.tooLong, number)
        }
        guard let rule = Self.rule(line) else { return }
        guard rules.count < Self.maximumPatterns else { return note(.tooMany, number) }
        rules.append(rule)
    }

    private mutating func note(_ reason: Problem.Reason, _ line: Int) {
        if problems.count < 100 { problems.append(Problem(line: line, reason: reason)) }
    }

    private static func rule(_ line: Substring) -> Rule? {
        var rest = Array(line.unicodeScalars)[...]
        if rest.first == "#" { return nil }
        while rest.last == " ", rest.dropLast().last != "\\" { rest = rest.dropLast() }
        let negates = rest.first == "!"
        if negates { rest = rest.dropFirst() }
        let ignoresCase = rest.starts(with: "(?i)".unicodeScalars)
        if ignoresCase { rest = Array(Self.lowercased(rest.dropFirst(4)))[...] }
        let directoriesOnly = rest.last == "/"
        if directoriesOnly { rest = rest.dropLast() }
        guard !rest.isEmpty else { return nil }
        let isName = !rest.contains("/")
        let segments = rest.split(separator: "/").map { GlobPattern(Array($0)) }
        return Rule(
            segments: segments, isName: isName, negates: negates, directoriesOnly: directoriesOnly,
            ignoresCase: ignoresCase,
            ends: NameEnds.Wanted(segments.last ?? GlobPattern([]), ignoringCase: ignoresCase))
    }

    private static func lowercased(_ scalars: ArraySlice<Unicode.Scalar>) -> String.UnicodeScalarView {
        var text = String.UnicodeScalarView()
        text.append(contentsOf: scalars)
        return String(text).lowercased().unicodeScalars
    }

    /// Whether an entry is left out, if the directory that it is in is not.
    ///
    /// - Parameter path: relative to the folder.
    public func ignores(_ path: String, isDirectory: Bool) -> Bool {
        guard !rules.isEmpty else { return false }
        // Nearly no path ends as any rule wants it to: characters are not looked at for them.
        let ends = NameEnds(ofLastNameIn: path)
        var exact: PathScalars?
        var folded: PathScalars?
        for index in rules.indices.reversed() where rules[index].ends.allows(ends) {
            let rule = rules[index]
            guard isDirectory ? !rule.isOfFiles : !rule.directoriesOnly else { continue }
            let matches: Bool
            if rule.ignoresCase {
                var path = folded ?? PathScalars(path, ignoringCase: true)
                matches = Self.matches(rule, &path)
                folded = path
            } else {
                var path = exact ?? PathScalars(path, ignoringCase: false)
                matches = Self.matches(rule, &path)
                exact = path
            }
            if matches { return !rule.negates }
        }
        return false
    }

    private static func matches(_ rule: Rule, _ path: inout PathScalars) -> Bool {
        if rule.isName { return rule.segments[0].matches(path.name) }
        return matches(rule.segments[...], path.segments[...])
    }

    /// Whether segments of a pattern match all segments of a path: greedily, with one point to return to.
    private static func matches(_ pattern: ArraySlice<GlobPattern>, _ path: ArraySlice<[Unicode.Scalar]>)
        -> Bool
    {
        var p = pattern.startIndex
        var s = path.startIndex
        var star: (pattern: Int, path: Int)?
        while s < path.endIndex {
            if p < pattern.endIndex, pattern[p].isAnyDepth {
                star = (p, s)
                p += 1
            } else if p < pattern.endIndex, pattern[p].matches(path[s]) {
                p += 1
                s += 1
            } else if let last = star {
                star = (last.pattern, last.path + 1)
                p = last.pattern + 1
                s = last.path + 1
            } else {
                return false
            }
        }
        // `a/**` means what is below a, not a itself.
        return p == pattern.endIndex
    }
}

/// A path cut into names of characters, as far as anybody asks.
private struct PathScalars {
    private let text: String
    /// The last name.
    let name: [Unicode.Scalar]
    private var cut: [[Unicode.Scalar]]?

    init(_ path: String, ignoringCase: Bool) {
        text = ignoringCase ? path.lowercased() : path
        let scalars = text.unicodeScalars
        name = Array(
            scalars[(scalars.lastIndex(of: "/").map { scalars.index(after: $0) } ?? scalars.startIndex)...])
    }

    var segments: [[Unicode.Scalar]] {
        mutating get {
            if let cut { return cut }
            let segments = text.unicodeScalars.split(separator: "/").map { Array($0) }
            cut = segments
            return segments
        }
    }
}
