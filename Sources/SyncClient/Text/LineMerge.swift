/// Merges two changes of one text, line by line, where they do not touch one another.
public enum LineMerge {
    /// Longer texts are not merged.
    public static let maximumBytes = 8 * 1024 * 1024

    /// The text with both changes.
    ///
    /// Changes of the same or of neighbouring lines are a conflict, unless they are equal. Every line of
    /// the answer is of one of the two texts; every line that one of them removed is gone.
    ///
    /// - Returns: `nil` for a conflict, for bytes that are not UTF-8 text, for texts that are too long, and
    ///   where they differ in more than 1500 lines.
    public static func merge(base: [UInt8], ours: [UInt8], theirs: [UInt8]) -> [UInt8]? {
        for text in [base, ours, theirs] {
            guard text.count <= maximumBytes, text.withUnsafeBytes({ ContentCut.isText($0, isWhole: true) })
            else {
                return nil
            }
        }
        if ours == theirs || theirs == base { return ours }
        if ours == base { return theirs }
        var numbers = LineNumbers()
        let texts = [base, ours, theirs].map { numbers.number($0) }
        guard let first = LineDifference(texts[0], texts[1]), let second = LineDifference(texts[0], texts[2])
        else {
            return nil
        }
        return merge(texts, first.matches, second.matches).map { numbers.join($0) }
    }

    /// Walks through the base: where a line is in all three, it stays; what lies between two such lines
    /// comes from the one that changed it.
    private static func merge(_ texts: [[Int32]], _ ours: [Int], _ theirs: [Int]) -> [Int32]? {
        var result: [Int32] = []
        var (o, a, b) = (0, 0, 0)
        while o < texts[0].count || a < texts[1].count || b < texts[2].count {
            if o < texts[0].count, ours[o] == a, theirs[o] == b {
                result.append(texts[0][o])
                (o, a, b) = (o + 1, a + 1, b + 1)
                continue
            }
            var next = o
            while next < texts[0].count, ours[next] < 0 || theirs[next] < 0 { next += 1 }
            let isEnd = next == texts[0].count
            let (nextA, nextB) = isEnd ? (texts[1].count, texts[2].count) : (ours[next], theirs[next])
            let (old, mine, other) = (texts[0][o..<next], texts[1][a..<nextA], texts[2][b..<nextB])
            if mine.elementsEqual(old) {
                result += other
            } else if other.elementsEqual(old) || mine.elementsEqual(other) {
                result += mine
            } else {
                return nil
            }
            (o, a, b) = (next, nextA, nextB)
        }
        return result
    }
}

/// Numbers for lines: equal lines have equal numbers.
private struct LineNumbers {
    private var numbers: [ArraySlice<UInt8>: Int32] = [:]
    private var lines: [ArraySlice<UInt8>] = []

    mutating func number(_ text: [UInt8]) -> [Int32] {
        var result: [Int32] = []
        var start = 0
        while start < text.count {
            let end = text[start...].firstIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? text.count
            let line = text[start..<end]
            if let known = numbers[line] {
                result.append(known)
            } else {
                let number = Int32(lines.count)
                numbers[line] = number
                lines.append(line)
                result.append(number)
            }
            start = end
        }
        return result
    }

    func join(_ numbers: [Int32]) -> [UInt8] {
        var text: [UInt8] = []
        for number in numbers { text += lines[Int(number)] }
        return text
    }
}
