import HTTPSupport

/// One line of a `_redirects` file.
public struct RedirectRule: Hashable, Sendable {
    /// A segment of `from`.
    enum Part: Hashable, Sendable {
        case literal(String)
        case placeholder(String)
    }

    /// What `to` is made of.
    enum Piece: Hashable, Sendable {
        case literal(String)
        case placeholder(String)
    }

    let from: [Part]
    /// Whether everything below matches too.
    let hasSplat: Bool
    let to: [Piece]
    public let status: Int

    /// - Returns: `nil` for an empty line and for a comment.
    init?(line: String, number: Int) throws(RedirectError) {
        if line.isEmpty || line.hasPrefix("#") { return nil }
        let words = line.split(whereSeparator: { $0 == " " || $0 == "\t" }).map(String.init)
        guard (2...3).contains(words.count) else { throw .wrongWords(line: number) }
        status = words.count == 3 ? try Self.status(words[2], line: number) : 301
        (from, hasSplat) = try Self.from(words[0], line: number)
        let known = try Self.names(in: from, hasSplat, line: number)
        to = try Self.to(words[1], status: status, known: known, line: number)
    }

    private static func status(_ word: String, line: Int) throws(RedirectError) -> Int {
        guard word.utf8.count == 3, let status = Int(word),
            [200, 301, 302, 303, 307, 308, 404, 410, 451].contains(status)
        else { throw .badStatus(word, line: line) }
        return status
    }

    private static func from(_ word: String, line: Int) throws(RedirectError) -> ([Part], Bool) {
        guard word.hasPrefix("/"), !word.utf8.contains(where: { $0 < 0x20 || $0 == 0x7F }) else {
            throw .badFrom(line: line)
        }
        var segments = word.split(separator: "/").map(String.init)
        let hasSplat = segments.last == "*"
        if hasSplat { segments.removeLast() }
        var parts: [Part] = []
        for segment in segments {
            guard !segment.contains("*") else { throw .badFrom(line: line) }
            if segment.hasPrefix(":") {
                let name = String(segment.dropFirst())
                guard isName(name) else { throw .badFrom(line: line) }
                parts.append(.placeholder(name))
            } else {
                guard let bytes = try? PercentCoding.decode(segment),
                    let text = String(validating: bytes, as: UTF8.self)
                else { throw .badFrom(line: line) }
                parts.append(.literal(text))
            }
        }
        return (parts, hasSplat)
    }

    private static func to(
        _ word: String, status: Int, known: Set<String>, line: Int
    ) throws(RedirectError) -> [Piece] {
        let isRedirect = (300..<400).contains(status)
        let isURL = word.hasPrefix("http://") || word.hasPrefix("https://")
        // Two slashes at the beginning would be the host of another site.
        let isPath = word.hasPrefix("/") && !word.hasPrefix("//") && !word.hasPrefix("/\\")
        guard isPath || isURL && isRedirect, word.utf8.allSatisfy({ $0 > 0x20 && $0 != 0x7F && $0 != 0x5C })
        else { throw .badTo(line: line) }
        var pieces: [Piece] = []
        // The host must be fixed: a placeholder in it would let every visitor choose where to.
        var rest = word[...]
        if isURL {
            let afterScheme = word.firstRange(of: "://").map { $0.upperBound } ?? word.startIndex
            let end = word[afterScheme...].firstIndex(where: { "/?#".contains($0) }) ?? word.endIndex
            guard end > afterScheme, !word[afterScheme..<end].contains("@") else { throw .badTo(line: line) }
            pieces.append(.literal(String(word[..<end])))
            rest = word[end...]
        }
        var literal = ""
        while let character = rest.popFirst() {
            // What is no placeholder of `from` is text: `/wiki/Special:Search`.
            let name = rest.prefix { isNameCharacter($0) }
            guard character == ":", known.contains(String(name)) else {
                literal.append(character)
                continue
            }
            if !literal.isEmpty { pieces.append(.literal(literal)) }
            literal = ""
            pieces.append(.placeholder(String(name)))
            rest = rest.dropFirst(name.count)
        }
        if !literal.isEmpty { pieces.append(.literal(literal)) }
        return pieces
    }

    private static func names(
        in parts: [Part], _ hasSplat: Bool, line: Int
    ) throws(RedirectError) -> Set<String> {
        var known: Set<String> = hasSplat ? ["splat"] : []
        for case .placeholder(let name) in parts {
            guard known.insert(name).inserted else { throw .repeatedPlaceholder(name, line: line) }
        }
        return known
    }

    private static func isName(_ text: String) -> Bool { !text.isEmpty && text.allSatisfy(isNameCharacter) }

    private static func isNameCharacter(_ character: Character) -> Bool {
        character.isASCII && (character.isLetter || character.isNumber || character == "_")
    }
}

extension RedirectRule {
    /// What the rule demands for a path; `nil` if it does not match.
    func match(_ path: [String], query: String?) -> RedirectMatch? {
        guard hasSplat ? path.count >= from.count : path.count == from.count else { return nil }
        var values: [String: String] = [:]
        for (part, segment) in zip(from, path) {
            switch part {
            case .literal(let text):
                // Byte by byte, as names in a DAG are.
                guard text.utf8.elementsEqual(segment.utf8) else { return nil }
            case .placeholder(let name): values[name] = PercentCoding.encode(segment: segment.utf8)
            }
        }
        if hasSplat {
            let rest = path.dropFirst(from.count).map { PercentCoding.encode(segment: $0.utf8) }
            values["splat"] = rest.joined(separator: "/")
        }
        var target = ""
        for piece in to {
            switch piece {
            case .literal(let text): target += Self.encoded(text)
            case .placeholder(let name): target += values[name] ?? ""
            }
        }
        // An empty value at the front must not turn a path into the host of another site.
        if target.hasPrefix("/") { target = "/" + target.drop { $0 == "/" } }
        if (300..<400).contains(status) { target = Self.merge(query, into: target) }
        return RedirectMatch(status: status, target: target)
    }

    /// What stands in the file, with all that is no ASCII encoded; encoded parts stay as they are.
    private static func encoded(_ text: String) -> String {
        text.utf8.reduce(into: "") { result, byte in
            result +=
                byte < 0x80
                ? String(UnicodeScalar(byte)) : PercentCoding.encode(segment: CollectionOfOne(byte))
        }
    }

    /// The query of the request goes along; where both have a parameter, the request's counts.
    private static func merge(_ query: String?, into target: String) -> String {
        let query = query.map { $0.filter { $0.isASCII && $0 > " " && $0 != "#" && $0 != "\u{7F}" } } ?? ""
        guard !query.isEmpty else { return target }
        let fragmentStart = target.firstIndex(of: "#") ?? target.endIndex
        let (front, fragment) = (target[..<fragmentStart], target[fragmentStart...])
        let mark = front.firstIndex(of: "?")
        let path = front[..<(mark ?? front.endIndex)]
        let own = mark.map { front[front.index(after: $0)...].split(separator: "&") } ?? []
        let asked = query.split(separator: "&")
        let names = Set(asked.map { $0.prefix { $0 != "=" } })
        let kept = own.filter { !names.contains($0.prefix { $0 != "=" }) }
        return path + "?" + (kept + asked).joined(separator: "&") + fragment
    }
}
