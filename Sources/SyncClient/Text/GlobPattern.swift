/// A pattern of one name: `*`, `?`, classes and quoted characters.
struct GlobPattern: Sendable {
    private let elements: [Element]
    /// `**`: any number of names.
    let isAnyDepth: Bool

    private enum Element: Sendable {
        case character(Unicode.Scalar)
        case any
        case anyRun
        case oneOf([ClosedRange<Unicode.Scalar>], negated: Bool)
    }

    init(_ pattern: [Unicode.Scalar]) {
        isAnyDepth = pattern == ["*", "*"]
        var elements: [Element] = []
        var index = 0
        while index < pattern.count {
            switch pattern[index] {
            case "*":
                // Several in a row say nothing more than one.
                if case .anyRun = elements.last {} else { elements.append(.anyRun) }
            case "?": elements.append(.any)
            case "\\" where index + 1 < pattern.count:
                index += 1
                elements.append(.character(pattern[index]))
            case "[":
                if let (found, end) = Self.readClass(pattern, at: index) {
                    elements.append(found)
                    index = end
                } else {
                    elements.append(.character("["))
                }
            default: elements.append(.character(pattern[index]))
            }
            index += 1
        }
        self.elements = elements
    }

    /// The characters that every name begins with, and ends with, that this matches.
    var literalEnds: (head: [Unicode.Scalar], tail: [Unicode.Scalar]) {
        func characters(_ elements: some Sequence<Element>) -> [Unicode.Scalar] {
            var found: [Unicode.Scalar] = []
            for element in elements {
                guard case .character(let character) = element else { break }
                found.append(character)
            }
            return found
        }
        return isAnyDepth ? ([], []) : (characters(elements), characters(elements.reversed()).reversed())
    }

    /// Reads a `[…]` class; `nil` if it is never closed, and so an ordinary bracket.
    private static func readClass(_ pattern: [Unicode.Scalar], at start: Int) -> (Element, end: Int)? {
        var index = start + 1
        guard index < pattern.count else { return nil }
        let negated = pattern[index] == "!" || pattern[index] == "^"
        if negated { index += 1 }
        let first = index
        var ranges: [ClosedRange<Unicode.Scalar>] = []
        while index < pattern.count {
            if pattern[index] == "]", index > first { return (.oneOf(ranges, negated: negated), index) }
            if index + 2 < pattern.count, pattern[index + 1] == "-", pattern[index + 2] != "]" {
                let (low, high) = (pattern[index], pattern[index + 2])
                if low <= high { ranges.append(low...high) }
                index += 3
            } else {
                ranges.append(pattern[index]...pattern[index])
                index += 1
            }
        }
        return nil
    }

    /// Whether the pattern is all of a name: greedily, with one point to return to.
    func matches(_ name: [Unicode.Scalar]) -> Bool {
        var e = 0
        var n = 0
        var star: (element: Int, name: Int)?
        while n < name.count {
            if e < elements.count, case .anyRun = elements[e] {
                star = (e, n)
                e += 1
            } else if e < elements.count, matches(elements[e], name[n]) {
                e += 1
                n += 1
            } else if let last = star {
                star = (last.element, last.name + 1)
                e = last.element + 1
                n = last.name + 1
            } else {
                return false
            }
        }
        if e < elements.count, case .anyRun = elements[e] { e += 1 }
        return e == elements.count
    }

    private func matches(_ element: Element, _ character: Unicode.Scalar) -> Bool {
        switch element {
        case .character(let wanted): character == wanted
        case .any: true
        case .anyRun: false
        case .oneOf(let ranges, let negated): ranges.contains { $0.contains(character) } != negated
        }
    }
}
